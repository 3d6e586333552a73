//! ACME Renewal Information (RFC 9773): when an authority would like a certificate to be renewed.
use super::client::{Session, decode, retry_after};
use crate::tls::{RenewalInfo, renewal::write};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use std::time::SystemTime;

/// Asks about a certificate (DER). What was chosen `earlier` stays if the window does.
///
/// # Errors
/// The authority says nothing, or nothing that can be used.
pub(super) async fn ask(
    session: &Session,
    leaf: &[u8],
    earlier: Option<&RenewalInfo>,
) -> Result<RenewalInfo, String> {
    let id = certificate_id(leaf)?;
    let url = format!("{}/{id}", session.directory.renewal_info.trim_end_matches('/'));
    let answer = session.get(&url).await.map_err(|error| error.message)?;
    let info: RenewalInfo = decode(&answer).map_err(|error| error.message)?;
    let retry_after = retry_after(&answer.headers).map(|pause| write(SystemTime::now() + pause));
    let info = RenewalInfo { id, retry_after, ..info }.select(earlier)?;
    tracing::info!(
        target: "http.acme_client",
        window_start = info.window.start, window_end = info.window.end, selected_time = info.selected,
        recheck_after = info.retry_after, explanation_url = info.explanation_url, "got renewal info"
    );
    Ok(info)
}
/// The key of its signer and its number, both in base64 (section 4.1).
fn certificate_id(leaf: &[u8]) -> Result<String, String> {
    let (_, leaf) = x509_parser::parse_x509_certificate(leaf).map_err(|error| error.to_string())?;
    let signer = leaf.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier(signer) => {
            signer.key_identifier.as_ref().map(|key| key.0)
        }
        _ => None,
    });
    let signer = signer.ok_or("the certificate does not say who signed it")?;
    Ok(format!("{}.{}", BASE64.encode(signer), BASE64.encode(leaf.raw_serial())))
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::certificates_from_pem;

    /// The example of RFC 9773, appendix A.
    const EXAMPLE: &str = "-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
";
    #[test]
    fn certificates_are_named_as_the_rfc_has_it() {
        let leaf = certificates_from_pem(EXAMPLE.as_bytes()).unwrap().swap_remove(0);
        assert_eq!(certificate_id(&leaf).unwrap(), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    }
}
