//! The verifier `leaf`: only these very client certificates are good. Its loaders say where they are.
//!
//! ```caddyfile
//! verifier leaf file|folder|pem <values…>
//! verifier leaf {
//!     file   <pem_files…>
//!     folder <folders…>
//!     pem    <pem_texts…>
//! }
//! ```
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the module ids of loaders begin with.
const LOADERS: &str = "tls.leaf_cert_loader";

pub const LEAF: ModuleSyntax = ModuleSyntax {
    namespace: "tls.client_auth.verifier",
    name: "leaf",
    docs: "leaf file|folder|pem <values…> | { file <files…>; folder <folders…>; pem <texts…> }: \
           takes only these client certificates.",
    parse: leaf,
    support: Support::Full,
};
pub const FILE: ModuleSyntax = ModuleSyntax {
    namespace: LOADERS,
    name: "file",
    docs: "file <pem_files…>: client certificates in files.",
    parse: |line, _| Ok(fields(&Files { files: line.texts() })),
    support: Support::Full,
};
pub const FOLDER: ModuleSyntax = ModuleSyntax {
    name: "folder",
    docs: "folder <folders…>: client certificates in all `.pem` files of folders.",
    parse: |line, _| Ok(fields(&Folders { folders: line.texts() })),
    ..FILE
};
pub const PEM: ModuleSyntax = ModuleSyntax {
    name: "pem",
    docs: "pem <texts…>: client certificates that are written down.",
    parse: |line, _| Ok(fields(&Pem { certificates: line.texts() })),
    ..FILE
};
pub const STORAGE: ModuleSyntax = ModuleSyntax {
    name: "storage",
    docs: "storage: client certificates in the storage; in JSON alone.",
    parse: |line, _| {
        Err(line.error(
            "module tls.leaf_cert_loader.storage is not a Caddyfile unmarshaler; is *caddytls.LeafStorageLoader",
        ))
    },
    ..FILE
};
/// `tls.client_auth.verifier.leaf`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Leaf {
    /// Modules of `tls.leaf_cert_loader`, named by `loader`.
    #[serde(skip_serializing_if = "is_default")]
    pub leaf_certs_loaders: Vec<Value>,
}
/// `tls.leaf_cert_loader.file`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// In PEM.
    #[serde(skip_serializing_if = "is_default")]
    pub files: Vec<String>,
}
/// `tls.leaf_cert_loader.folder`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Folders {
    #[serde(skip_serializing_if = "is_default")]
    pub folders: Vec<String>,
}
/// `tls.leaf_cert_loader.pem`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pem {
    /// In PEM; placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub certificates: Vec<String>,
}
/// `tls.leaf_cert_loader.storage`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Keys of PEM texts.
    #[serde(skip_serializing_if = "is_default")]
    pub certificates: Vec<String>,
    /// A module of `caddy.storage`; none: the global one.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: Option<Value>,
}
fn leaf(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut verifier) = (Words::new(line), Leaf::default());
    if words.left() > 1 {
        words.arg();
        verifier.leaf_certs_loaders.push(loader(&mut words, cx)?);
        return Ok(fields(&verifier));
    }
    let mut block = words.block();
    while let Some(sub) = block.next() {
        verifier.leaf_certs_loaders.push(loader(sub, cx)?);
    }
    Ok(fields(&verifier))
}
fn loader(words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<Value> {
    let name = &words.token().span;
    let loader = cx.module(LOADERS, "loader", &words.segment());
    // Caddy names the place where it stands now, too: still on the name where there is nothing that could read on.
    loader.map_err(|error| {
        let read = error.span.as_ref() != Some(name);
        error.within("", Some(if read { &words.token().span } else { name }))
    })
}
