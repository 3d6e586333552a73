//! Where certificates and other state are kept: the syntax of the storage modules.
//!
//! ```caddyfile
//! {
//!     storage file_system <root>
//!     storage file_system {
//!         root <path>
//!     }
//!     storage host_folders <root>
//! }
//! ```
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const FILE_SYSTEM: ModuleSyntax = ModuleSyntax {
    namespace: "caddy.storage",
    name: "file_system",
    docs: "file_system <root> | { root <path> }: keeps state in files, in Caddy's layout.",
    parse,
    support: Support::Full,
};
pub const HOST_FOLDERS: ModuleSyntax = ModuleSyntax {
    namespace: "caddy.storage",
    name: "host_folders",
    docs: "host_folders <root> | { root <path> }: keeps certificates as <host>/{cert,key,chain}.pem, and the rest as file_system does.",
    parse,
    support: Support::Full,
};
/// `caddy.storage.file_system`, and `host_folders`, which is not in Caddy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSystem {
    /// A folder; placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub root: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut store) = (Words::new(line), FileSystem::default());
    if let Some(root) = words.at_most_one()? {
        store.root = root.into();
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        if sub.text() != "root" {
            return Err(sub.error(format!("unrecognized parameter '{}'", sub.text())));
        }
        let root = sub.need()?;
        if !store.root.is_empty() {
            return Err(sub.error("root already set"));
        }
        store.root = root.into();
        sub.none()?;
    }
    if store.root.is_empty() {
        return Err(words.error("missing root path (to use default, omit storage config entirely)"));
    }
    Ok(fields(&store))
}
