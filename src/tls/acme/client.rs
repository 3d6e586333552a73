//! The protocol (RFC 8555): one signed request after another, with one authority and one account.
use super::jws::{Signer, sign};
use crate::net::https::{Answer, Client};
use aws_lc_rs::signature::EcdsaKeyPair;
use http::{HeaderMap, Method, header};
use rustls_acme::acme::Problem;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// How often a request is repeated because its nonce was not taken.
const NONCES: usize = 5;

/// What an authority offers (RFC 8555, section 7.1.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Directory {
    pub(super) new_nonce: String,
    pub(super) new_account: String,
    pub(super) new_order: String,
    /// ARI (RFC 9773); empty where there is none.
    #[serde(default)]
    pub(super) renewal_info: String,
    #[serde(default)]
    pub(super) meta: Meta,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub(super) external_account_required: bool,
}
/// Why an authority, or the way to it, did not do what it was asked.
#[derive(Debug)]
pub struct AcmeError {
    /// The last part of the problem's type, such as `rateLimited`; empty if it is not the authority that complains.
    pub kind: String,
    pub message: String,
    /// Not before that long is it to be asked again.
    pub retry_after: Option<Duration>,
}
impl AcmeError {
    pub(super) fn own(message: impl fmt::Display) -> Self {
        Self { kind: String::new(), message: message.to_string(), retry_after: None }
    }
    pub(super) fn of(problem: Option<&Problem>, or: &str) -> Self {
        let kind = problem.and_then(|p| p.typ.as_deref()).unwrap_or_default();
        let detail = problem.and_then(|p| p.detail.as_deref()).unwrap_or(or);
        let short = kind.rsplit(':').next().unwrap_or_default().to_owned();
        let message = if kind.is_empty() { detail.to_owned() } else { format!("{kind} - {detail}") };
        Self { kind: short, message, retry_after: None }
    }
}
impl fmt::Display for AcmeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
pub(super) type Result<T> = std::result::Result<T, AcmeError>;

/// An authority, and the nonces that it has given.
#[derive(Debug)]
pub(super) struct Session {
    http: Client,
    pub(super) directory: Directory,
    nonces: Mutex<Vec<String>>,
}
impl Session {
    pub(super) async fn open(http: Client, directory: &str) -> Result<Self> {
        let answer = http.get(directory).await.map_err(AcmeError::own)?;
        let directory = decode(&checked(answer)?)?;
        Ok(Self { http, directory, nonces: Mutex::default() })
    }
    /// A signed request. A nonce that has gone stale is no reason to fail (RFC 8555, section 6.5).
    pub(super) async fn post(
        &self,
        key: &EcdsaKeyPair,
        signer: Signer<'_>,
        url: &str,
        payload: &str,
    ) -> Result<Answer> {
        let mut tries = 0;
        loop {
            let nonce = self.nonce().await?;
            let body = sign(key, signer, &nonce, url, payload).map_err(AcmeError::own)?;
            let headers = [("Content-Type", "application/jose+json")];
            let answer = self.http.send(Method::POST, url, &headers, body).await.map_err(AcmeError::own)?;
            self.keep_nonce(&answer.headers);
            match checked(answer) {
                Err(error) if error.kind == "badNonce" && tries < NONCES => tries += 1,
                checked => return checked,
            }
        }
    }
    /// A request that nobody signs.
    pub(super) async fn get(&self, url: &str) -> Result<Answer> {
        checked(self.http.get(url).await.map_err(AcmeError::own)?)
    }
    async fn nonce(&self) -> Result<String> {
        let kept = self.nonces.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let answer =
            self.http.send(Method::HEAD, &self.directory.new_nonce, &[], "").await.map_err(AcmeError::own)?;
        let nonce = answer.headers.get("replay-nonce").and_then(|nonce| nonce.to_str().ok());
        nonce.map(str::to_owned).ok_or_else(|| AcmeError::own("the directory gives no nonce"))
    }
    fn keep_nonce(&self, headers: &HeaderMap) {
        if let Some(nonce) = headers.get("replay-nonce").and_then(|nonce| nonce.to_str().ok()) {
            self.nonces.lock().unwrap_or_else(PoisonError::into_inner).push(nonce.to_owned());
        }
    }
}
pub(super) fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| AcmeError::own(format!("unexpected answer: {error}")))
}
/// A header field as text.
pub(super) fn field<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name)?.to_str().ok()
}
/// `Retry-After`, in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok(),
    }
}
fn checked(answer: Answer) -> Result<Answer> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let problem = serde_json::from_slice::<Problem>(&answer.body).ok();
    let or = format!("HTTP {}", answer.status.as_u16());
    let retry_after = retry_after(&answer.headers);
    Err(AcmeError { retry_after, ..AcmeError::of(problem.as_ref(), &or) })
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn problems_keep_their_type_and_their_patience() {
        let body = br#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}"#;
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "120".parse().unwrap());
        let answer =
            Answer { status: http::StatusCode::TOO_MANY_REQUESTS, headers, body: body.as_slice().into() };
        let error = checked(answer).unwrap_err();
        assert_eq!((&*error.kind, error.retry_after), ("rateLimited", Some(Duration::from_secs(120))));
        assert_eq!(error.to_string(), "urn:ietf:params:acme:error:rateLimited - too many");
        let answer =
            Answer { status: http::StatusCode::BAD_GATEWAY, headers: HeaderMap::new(), body: "".into() };
        assert_eq!(checked(answer).unwrap_err().to_string(), "HTTP 502");
    }
}
