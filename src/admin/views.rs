//! What the API shows of the running process: metrics, upstreams, certificate authorities.
use super::{
    Refused,
    api::{Reply, method_not_allowed},
    instance::Instance,
};
use crate::{
    config::compact,
    handlers::{metrics, reverse_proxy},
    metrics::Form,
    tls::certificates_from_pem,
};
use http::{HeaderValue, Method, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// `/metrics`: Prometheus' text, whatever is accepted.
pub(super) fn metrics(instance: &Instance) -> Reply {
    let form = Form::Prometheus;
    Reply::of(HeaderValue::from_static(form.content_type()), metrics::scrape(&instance.state, form))
}

#[derive(Serialize)]
struct Upstream {
    address: String,
    num_requests: usize,
    fails: usize,
}
/// `/reverse_proxy/upstreams`.
///
/// # Errors
/// The method.
pub(super) fn upstreams(instance: &Instance, method: &Method) -> Result<Reply, Refused> {
    if *method != Method::GET {
        return Err(method_not_allowed());
    }
    let all = reverse_proxy::upstreams(&instance.state).into_iter();
    let shown = all.map(|(address, num_requests, fails)| Upstream { address, num_requests, fails });
    Ok(Reply::json(&shown.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct AuthorityInfo<'a> {
    id: &'a str,
    name: &'a str,
    root_common_name: String,
    intermediate_common_name: String,
    root_certificate: &'a str,
    intermediate_certificate: &'a str,
}
/// `/pki/ca/<id>` and `/pki/ca/<id>/certificates`.
///
/// # Errors
/// There is no such authority or resource, or its certificates can be neither read nor made.
pub(super) async fn pki(instance: &Arc<Instance>, method: &Method, path: &str) -> Result<Reply, Refused> {
    let parts: Vec<&str> = path.trim_start_matches("/pki/").split('/').collect();
    let (id, whole) = match parts[..] {
        ["ca", id] if !id.is_empty() => (id, true),
        ["ca", id, "certificates"] if !id.is_empty() => (id, false),
        _ => return Err(Refused::new(StatusCode::NOT_FOUND, format!("resource not found: {path}"))),
    };
    if *method != Method::GET {
        let why = format!("method not allowed: {method}");
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, why));
    }
    let tls = instance.tls().await;
    let Some(authority) = tls.and_then(|tls| tls.authorities.get(id).cloned()) else {
        let why = format!("no certificate authority configured with id: {id}");
        return Err(Refused::new(StatusCode::NOT_FOUND, why));
    };
    // Making keys and writing files takes its time.
    let made = tokio::task::spawn_blocking({
        let authority = authority.clone();
        move || authority.certificates()
    });
    let made = made.await.map_err(|error| error.to_string()).flatten();
    let (root, intermediate) = made.map_err(|error| {
        Refused::internal(format!("failed to get root and intermediate cert for CA {id}: {error}"))
    })?;
    if !whole {
        let content_type = HeaderValue::from_static("application/pem-certificate-chain");
        return Ok(Reply::of(content_type, intermediate + &root));
    }
    let info = AuthorityInfo {
        id,
        name: authority.name(),
        root_common_name: common_name(&root),
        intermediate_common_name: common_name(&intermediate),
        root_certificate: &root,
        intermediate_certificate: &intermediate,
    };
    Ok(Reply::of(HeaderValue::from_static("application/json"), compact(&info)))
}
fn common_name(pem: &str) -> String {
    let certificates = certificates_from_pem(pem.as_bytes()).unwrap_or_default();
    let parsed = certificates.first().and_then(|der| X509Certificate::from_der(der).ok());
    let name = parsed.as_ref().and_then(|(_, parsed)| parsed.subject().iter_common_name().next());
    name.and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned()
}
