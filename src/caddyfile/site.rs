//! What directives say of their site beside its routes.
use crate::config::{ConnectionPolicy, Log};
use serde_json::Value;

/// One `bind` directive or `default_bind` option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// Network addresses without a port.
    pub addresses: Vec<String>,
    /// `h1`, `h2`, … or none: the server's.
    pub protocols: Vec<String>,
}
/// One `log`: of a site or of the global options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomLog {
    /// As it is written, if it is: of a site, the core names the others `log0`, `log1`, … and fills in `include`. The
    /// global option writes `default` here.
    pub name: Option<String>,
    /// `hostnames`: instead of the site's.
    pub hostnames: Vec<String>,
    /// `no_hostname`: used only by name.
    pub no_hostname: bool,
    pub log: Log,
}
/// What one `tls` directive says.
#[derive(Clone, Debug, Default)]
pub struct SiteTls {
    /// Without `match`, which the core fills in; `certificate_selection` has the tags of `load_files`.
    pub policy: ConnectionPolicy,
    /// `<cert> <key>`. [`Cx::certificate_tag`](super::Cx::certificate_tag) gives the tag.
    pub load_files: Vec<crate::config::LoadFile>,
    /// `load`.
    pub load_folders: Vec<String>,
    /// The issuers, explicit or implied, with the global ones and the defaults merged in; each with its `module` key.
    /// None if the directive says nothing of issuers.
    pub issuers: Vec<Value>,
    /// `get_certificate`; each with its `via` key.
    pub managers: Vec<Value>,
    /// Empty if it isn't set.
    pub key_type: String,
    pub on_demand: bool,
    pub reuse_private_keys: bool,
    /// `tls force_automate`.
    pub force_automate: bool,
    /// Zero if it isn't set.
    pub renewal_window_ratio: f64,
}
