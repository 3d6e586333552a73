//! Gandi.
//!
//! ```caddyfile
//! dns gandi <bearer_token>
//! ```
//! There is a block form, `gandi { bearer_token <token> }`, but the plugin reads the word `bearer_token` itself as the token and
//! stumbles over what follows, so that only `gandi <bearer_token>` can be used.
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "gandi",
    docs: "gandi <bearer_token>: DNS records at Gandi.",
    parse,
    support: Support::Full,
};
/// `dns.providers.gandi`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gandi {
    /// Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub bearer_token: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), Gandi::default());
    super::set(&mut provider.bearer_token, &mut words)?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "bearer_token" if !provider.bearer_token.is_empty() => {
                return Err(sub.error("Bearer token already set"));
            }
            "bearer_token" => {
                provider.bearer_token = sub.text().into();
                sub.none().map_err(|error| error.hint("write it on one line: gandi <bearer_token>"))?;
            }
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        }
    }
    if provider.bearer_token.is_empty() {
        return Err(words.error("missing API token"));
    }
    Ok(fields(&provider))
}
