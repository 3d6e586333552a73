//! Google Cloud DNS.
//!
//! ```caddyfile
//! dns googleclouddns {
//!     gcp_project             <id>
//!     gcp_application_default <service_account_file>
//! }
//! ```
//! Without `gcp_application_default` the application default credentials of the machine sign in.
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
    name: "googleclouddns",
    docs: "googleclouddns { gcp_project <id>; gcp_application_default <file> }: \
           DNS records at Google Cloud.",
    parse,
    support: Support::Full,
};
/// `dns.providers.googleclouddns`. All of it may hold placeholders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleCloudDns {
    #[serde(skip_serializing_if = "is_default")]
    pub gcp_project: String,
    /// The file with a service account's JSON.
    #[serde(skip_serializing_if = "is_default")]
    pub gcp_application_default: String,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut provider) = (Words::new(line), GoogleCloudDns::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        let field = match sub.text() {
            "gcp_project" => &mut provider.gcp_project,
            "gcp_application_default" => &mut provider.gcp_application_default,
            other => return Err(sub.error(format!("unrecognized subdirective '{other}'"))),
        };
        super::set(field, sub)?;
    }
    if provider.gcp_project.is_empty() {
        return Err(words.error("missing Google Cloud project ID"));
    }
    Ok(fields(&provider))
}
