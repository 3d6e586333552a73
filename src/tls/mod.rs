//! Certificates: where they come from, which one a handshake gets, and under what terms.
mod acme;
mod app;
mod authority;
mod auto_https;
mod automation;
mod certificate;
mod cleaning;
mod client_auth;
mod folders;
mod keys;
pub mod names;
mod on_demand;
mod policy;
mod renewal;
mod report;
mod secrets;
mod tickets;
pub mod trust_store;
pub use acme::{
    Acme, AcmeError, Challenges, DnsModule, DnsProvider, DnsSolver, LETS_ENCRYPT, Resolver, TxtRecord,
    Working, folder as acme_folder,
};
pub use app::{Tls, TlsModules, storage};
pub use authority::{Authority, AuthoritySettings, Issued, LEAF_LIFETIME};
pub use automation::{
    Automation, IssueError, IssuedChain, Issuer, IssuerContext, IssuerModule, Issuing, Request, Suggesting,
};
pub use certificate::{Certificate, Index, candidates};
pub use client_auth::trust_pool;
pub use keys::{KeyType, certificates_from_pem, key_from_pem, key_to_pem, to_pem};
pub use on_demand::{
    Asking, CertificateManager, ManagerModule, OnDemand, Permission, PermissionModule, Wanted,
    with_certificate,
};
pub use policy::{Chosen, Policies, Policy, Shared, key_exchanges};
pub use renewal::{RenewalInfo, Window};
pub use report::expiries;
