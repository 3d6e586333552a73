//! The `tls` app, and what servers say about TLS.
use super::{Duration, is_default};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `apps.tls`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsApp {
    /// Loaders by name: `automate`, `load_files`, `load_folders`, `load_pem`, `load_storage`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub certificates: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automation: Option<Automation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_tickets: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub disable_ocsp_stapling: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub disable_storage_check: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub disable_storage_clean: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted_client_hello: Option<Value>,
    /// The DNS provider of those that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<String>,
}
/// `apps.tls.automation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Automation {
    /// The first whose subjects match a name governs it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<AutomationPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub ocsp_interval: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub renew_interval: Duration,
    #[serde(skip_serializing_if = "is_default")]
    pub storage_clean_interval: Duration,
}
/// How the certificates of some names come about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutomationPolicy {
    /// None: every name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Modules of `tls.issuance`, named by `module`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Value>,
    /// Modules of `tls.get_certificate`, named by `via`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub get_certificate: Vec<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub must_staple: bool,
    /// Renew when this part of the lifetime is left.
    #[serde(skip_serializing_if = "is_default")]
    pub renewal_window_ratio: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Value>,
    #[serde(skip_serializing_if = "is_default")]
    pub on_demand: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub reuse_private_keys: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub disable_ocsp_stapling: bool,
    /// Responder by the URL that the certificate names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ocsp_overrides: Map<String, Value>,
    /// Not in Caddy: what is due for renewal is only warned of.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_renewal: bool,
}
/// `apps.tls.certificates.load_files[]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadFile {
    pub certificate: String,
    pub key: String,
    /// `pem` unless it says otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub format: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// `tls_connection_policies[]` of a server: the first that matches a ClientHello governs the handshake.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionPolicy {
    /// Modules of `tls.handshake_match`; none matches every handshake.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matcher: Option<ConnectionMatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_selection: Option<CertificateSelection>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol_min: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol_max: String,
    /// Close the connection.
    #[serde(skip_serializing_if = "is_default")]
    pub drop: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_authentication: Option<Value>,
    /// The name of a ClientHello that gives none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_sni: String,
    /// The name to try where there is no certificate for the one asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fallback_sni: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub insecure_secrets_log: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_context: Option<Value>,
}
/// All of what is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_ip: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni_regexp: Option<Value>,
}
/// Which of several certificates may be served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CertificateSelection {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub serial_number: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_organization: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_algorithm: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_tag: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all_tags: Vec<String>,
}
/// Whether clients have to show a certificate, and which.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientAuthentication {
    /// Whose certificates are good: a module of `tls.ca_pool.source`, named by `provider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<Value>,
    /// Deprecated: of `ca`. Certificates in base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_ca_certs: Vec<String>,
    /// Deprecated: of `ca`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_ca_certs_pem_files: Vec<String>,
    /// Deprecated: of `verifiers`. Certificates in base64, of which the client's has to be one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_leaf_certs: Vec<String>,
    /// Modules of `tls.client_auth.verifier`, named by `verifier`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verifiers: Vec<Value>,
    /// `request`, `require`, `verify_if_given`, `require_and_verify`. Empty: `require_and_verify` where there is
    /// something to verify by, else `require`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
}
