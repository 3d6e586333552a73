//! One certificate, from the order to the chain (RFC 8555, section 7.4).
use super::{
    account::Account,
    challenges::{Challenges, Offered, Place, Shared},
    client::{AcmeError, Result, Session, decode, field, retry_after},
    dns::DnsSolver,
    jws::{Signer, key_authorization},
};
use crate::{config::PreferredChains, net::https::Answer, tls::certificates_from_pem};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{SecondsFormat, Utc};
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::sign::CertifiedKey;
use rustls_acme::acme::{Challenge, ChallengeType, Order, OrderStatus};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two looks at what the authority is doing, unless it says otherwise.
const POLL: Duration = Duration::from_secs(1);
/// How long it may do so.
const PATIENCE: Duration = Duration::from_secs(300);

/// How names are proved.
pub(super) struct Solvers {
    pub(super) challenges: Arc<Challenges>,
    pub(super) http: bool,
    pub(super) alpn: bool,
    /// If it is there, no other is tried.
    pub(super) dns: Option<DnsSolver>,
    /// Where other instances find what they are to answer; `None`: nobody else does.
    pub(super) place: Option<Place>,
}
/// What is asked for.
pub(super) struct Ask<'a> {
    pub(super) name: &'a str,
    pub(super) key: &'a KeyPair,
    pub(super) profile: &'a str,
    pub(super) lifetime: Option<Duration>,
    /// ARI's name of the certificate that this one takes the place of (RFC 9773).
    pub(super) replaces: Option<&'a str>,
    pub(super) chains: Option<&'a PreferredChains>,
}
/// A chain, and where it can be had again.
pub(super) struct Obtained {
    pub(super) pem: String,
    pub(super) url: String,
}
/// `rustls_acme`'s own type refuses what is not a DNS name.
#[derive(Deserialize)]
struct Authorization {
    status: String,
    challenges: Vec<Challenge>,
}
pub(super) struct Ordering<'a> {
    pub(super) session: &'a Session,
    pub(super) account: &'a Account,
    pub(super) solvers: &'a Solvers,
}
impl Ordering<'_> {
    pub(super) async fn obtain(&self, ask: &Ask<'_>) -> Result<Obtained> {
        // A failed authorization spoils its order, so the next kind of challenge gets a new one.
        let mut failed = AcmeError::own("no challenge is enabled that the authority offers");
        for kind in self.kinds(ask.name) {
            match self.obtain_by(ask, kind).await {
                Ok(obtained) => return Ok(obtained),
                Err(Attempt::Challenge(error)) => {
                    tracing::error!(
                        target: "http.acme_client",
                        identifier = ask.name, challenge_type = kind, problem = error.message, "challenge failed"
                    );
                    failed = error;
                }
                Err(Attempt::NotOffered) => {}
                Err(Attempt::Other(error)) => return Err(error),
            }
        }
        Err(failed)
    }
    fn kinds(&self, name: &str) -> Vec<&'static str> {
        if self.solvers.dns.is_some() {
            return vec!["dns-01"];
        }
        let mut kinds = vec![];
        if self.solvers.alpn {
            kinds.push("tls-alpn-01");
        }
        if self.solvers.http {
            kinds.push("http-01");
        }
        // Nobody but the DNS can prove a wildcard.
        if name.starts_with("*.") { vec![] } else { kinds }
    }
    async fn obtain_by(&self, ask: &Ask<'_>, kind: &'static str) -> std::result::Result<Obtained, Attempt> {
        let (url, order) = self.new_order(ask).await?;
        for authorization in &order.authorizations {
            self.authorize(authorization, ask.name, kind).await?;
        }
        tracing::info!(target: "http.acme_client", order = url, "validations succeeded; finalizing order");
        let csr = json!({ "csr": BASE64.encode(csr(ask)?) });
        self.wait(&url, |status| matches!(status, OrderStatus::Ready | OrderStatus::Valid { .. })).await?;
        self.post(&order.finalize, &csr).await?;
        let order = self.wait(&url, |status| matches!(status, OrderStatus::Valid { .. })).await?;
        let OrderStatus::Valid { certificate } = order.status else {
            return Err(AcmeError::own("the order has no certificate").into());
        };
        Ok(self.download(certificate, ask.chains).await?)
    }
    async fn new_order(&self, ask: &Ask<'_>) -> Result<(String, Order)> {
        let kind = if ask.name.parse::<IpAddr>().is_ok() { "ip" } else { "dns" };
        let mut payload = json!({ "identifiers": [{ "type": kind, "value": ask.name }] });
        if !ask.profile.is_empty() {
            payload["profile"] = ask.profile.into();
        }
        if let Some(lifetime) = ask.lifetime {
            let end = Utc::now() + lifetime;
            payload["notAfter"] = end.to_rfc3339_opts(SecondsFormat::Secs, true).into();
        }
        if let Some(replaces) = ask.replaces.filter(|_| !self.session.directory.renewal_info.is_empty()) {
            payload["replaces"] = replaces.into();
        }
        let url = &self.session.directory.new_order;
        let answer = match self.post(url, &payload).await {
            // An authority that does not know, or like, what is replaced is no reason to have no certificate. (Pebble
            // answers `serverInternal` where a serial number begins with a zero.)
            Err(error)
                if ask.replaces.is_some()
                    && ["alreadyReplaced", "malformed", "serverInternal"].contains(&&*error.kind) =>
            {
                if let Some(fields) = payload.as_object_mut() {
                    fields.remove("replaces");
                }
                self.post(url, &payload).await?
            }
            answer => answer?,
        };
        let url =
            field(&answer, "location").ok_or_else(|| AcmeError::own("the order has no URL"))?.to_owned();
        Ok((url, decode(&answer)?))
    }
    async fn authorize(&self, url: &str, name: &str, kind: &'static str) -> std::result::Result<(), Attempt> {
        let authorization: Authorization = decode(&self.read(url).await?)?;
        if authorization.status == "valid" {
            return Ok(());
        }
        let typ = match kind {
            "dns-01" => ChallengeType::Dns01,
            "http-01" => ChallengeType::Http01,
            _ => ChallengeType::TlsAlpn01,
        };
        let challenge = authorization.challenges.iter().find(|challenge| challenge.typ == typ);
        let challenge = challenge.ok_or(Attempt::NotOffered)?;
        tracing::info!(
            target: "http.acme_client", identifier = name, challenge_type = kind, "trying to solve challenge"
        );
        let answer = key_authorization(&self.account.key, &challenge.token);
        let _shared = self.share(name, kind, challenge, &answer).map_err(AcmeError::own)?;
        let presented =
            self.present(name, &typ, &challenge.token, answer).await.map_err(Attempt::Challenge)?;
        let solved = self.solve(url, challenge).await;
        presented.clean_up().await;
        solved.map_err(Attempt::Challenge)
    }
    /// Leaves what others may be asked for where they find it.
    fn share(
        &self,
        name: &str,
        kind: &str,
        challenge: &Challenge,
        answer: &str,
    ) -> std::result::Result<Option<Shared>, String> {
        let Some(place) = self.solvers.place.as_ref().filter(|_| kind != "dns-01") else { return Ok(None) };
        let identifier = if name.parse::<IpAddr>().is_ok() { "ip" } else { "dns" };
        let left = json!({
            "type": kind,
            "url": challenge.url,
            "status": "pending",
            "token": challenge.token,
            "keyAuthorization": answer,
            "identifier": { "type": identifier, "value": name },
        });
        let key = if kind == "tls-alpn-01" { alpn_name(name) } else { name.to_owned() };
        self.solvers.challenges.leave(place, &key, &left).map(Some)
    }
    async fn present(
        &self,
        name: &str,
        typ: &ChallengeType,
        token: &str,
        answer: String,
    ) -> Result<Presented> {
        let challenges = &self.solvers.challenges;
        match (typ, &self.solvers.dns) {
            (ChallengeType::Dns01, Some(dns)) => {
                let value = BASE64.encode(digest::digest(&digest::SHA256, answer.as_bytes()));
                dns.present(name, &value).await.map(Presented::Record).map_err(AcmeError::own)
            }
            (ChallengeType::Http01, _) => Ok(Presented::Offered(challenges.offer_http(name, token, answer))),
            _ => {
                let certificate = alpn_certificate(name, &answer).map_err(AcmeError::own)?;
                Ok(Presented::Offered(challenges.offer_alpn(&alpn_name(name), Arc::new(certificate))))
            }
        }
    }
    async fn solve(&self, authorization: &str, challenge: &Challenge) -> Result<()> {
        self.post(&challenge.url, &json!({})).await?;
        let started = Instant::now();
        loop {
            let answer = self.read(authorization).await?;
            let pause = retry_after(&answer.headers).unwrap_or(POLL).min(PATIENCE);
            let now: Authorization = decode(&answer)?;
            match now.status.as_str() {
                "valid" => return Ok(()),
                "pending" | "processing" if started.elapsed() < PATIENCE => tokio::time::sleep(pause).await,
                status => {
                    let problem = now.challenges.iter().find_map(|challenge| challenge.error.as_ref());
                    return Err(AcmeError::of(problem, &format!("authorization is {status}")));
                }
            }
        }
    }
    async fn wait(&self, url: &str, done: impl Fn(&OrderStatus) -> bool) -> Result<Order> {
        let started = Instant::now();
        loop {
            let answer = self.read(url).await?;
            let pause = retry_after(&answer.headers).unwrap_or(POLL).min(PATIENCE);
            let order: Order = decode(&answer)?;
            if done(&order.status) {
                return Ok(order);
            }
            if order.status == OrderStatus::Invalid || started.elapsed() >= PATIENCE {
                return Err(AcmeError::of(order.error.as_ref(), "the order did not become valid"));
            }
            tokio::time::sleep(pause).await;
        }
    }
    async fn download(&self, url: String, chains: Option<&PreferredChains>) -> Result<Obtained> {
        let first = self.read(&url).await?;
        let mut offered = vec![(url, text(&first)?)];
        if chains.is_some() {
            for alternate in alternates(&first) {
                let answer = self.read(&alternate).await?;
                offered.push((alternate, text(&answer)?));
            }
        }
        tracing::info!(
            target: "http.acme_client",
            count = offered.len(), first_url = offered[0].0, "successfully downloaded available certificate chains"
        );
        let at = chains.and_then(|chains| preferred(&offered, chains)).unwrap_or(0);
        let (url, pem) = offered.swap_remove(at);
        Ok(Obtained { pem, url })
    }
    async fn post(&self, url: &str, payload: &Value) -> Result<Answer> {
        let signer = Signer::Account(&self.account.location);
        self.session.post(&self.account.key, signer, url, &payload.to_string()).await
    }
    /// A POST-as-GET (RFC 8555, section 6.3).
    async fn read(&self, url: &str) -> Result<Answer> {
        self.session.post(&self.account.key, Signer::Account(&self.account.location), url, "").await
    }
}
/// Why one kind of challenge led to nothing.
enum Attempt {
    NotOffered,
    Challenge(AcmeError),
    Other(AcmeError),
}
impl From<AcmeError> for Attempt {
    fn from(error: AcmeError) -> Self {
        Self::Other(error)
    }
}
enum Presented {
    /// Taken back when it is dropped.
    Offered(#[expect(dead_code, reason = "held for its end")] Offered),
    Record(super::dns::Presented),
}
impl Presented {
    async fn clean_up(self) {
        if let Self::Record(record) = self {
            record.clean_up().await;
        }
    }
}
fn csr(ask: &Ask<'_>) -> Result<Vec<u8>> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![alternative_name(ask.name).map_err(AcmeError::own)?];
    let csr = params.serialize_request(ask.key).map_err(AcmeError::own)?;
    Ok(csr.der().to_vec())
}
fn alternative_name(name: &str) -> std::result::Result<SanType, String> {
    match name.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => Ok(SanType::DnsName(name.try_into().map_err(|error| format!("{name}: {error}"))?)),
    }
}
/// What the authority's handshake gets to see (RFC 8737, section 3).
pub(super) fn alpn_certificate(name: &str, answer: &str) -> std::result::Result<CertifiedKey, String> {
    let text = |error: rcgen::Error| error.to_string();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![alternative_name(name)?];
    let digest = digest::digest(&digest::SHA256, answer.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(text)?;
    let certificate = params.self_signed(&key).map_err(text)?;
    let der = key.serialize_der().try_into().map_err(|error: &str| error.to_owned())?;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}
/// An address is asked for by its name in the reverse zone (RFC 8738, section 6).
fn alpn_name(name: &str) -> String {
    match name.parse::<IpAddr>() {
        Err(_) => name.to_owned(),
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Ok(IpAddr::V6(v6)) => {
            let nibbles = v6.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]).rev();
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}
fn text(answer: &Answer) -> Result<String> {
    String::from_utf8(answer.body.to_vec()).map_err(AcmeError::own)
}
/// `Link: <url>;rel="alternate"`.
fn alternates(answer: &Answer) -> Vec<String> {
    let links = answer.headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let links = links.flat_map(|links| links.split(','));
    let alternate = |link: &str| {
        let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("rel=\"alternate\"").then(|| url.to_owned())
    };
    links.filter_map(alternate).collect()
}
fn preferred(offered: &[(String, String)], chains: &PreferredChains) -> Option<usize> {
    if chains.smallest == Some(true) {
        return (0..offered.len()).min_by_key(|&i| offered[i].1.len());
    }
    let issuers = |pem: &str| -> Vec<String> {
        let certificates = certificates_from_pem(pem.as_bytes()).unwrap_or_default();
        let names = certificates.iter().filter_map(|der| {
            let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
            certificate.issuer().iter_common_name().next()?.as_str().ok().map(str::to_owned)
        });
        names.collect()
    };
    let root = |name: &String| offered.iter().position(|(_, pem)| issuers(pem).last() == Some(name));
    let any = |name: &String| offered.iter().position(|(_, pem)| issuers(pem).contains(name));
    chains.root_common_name.iter().find_map(root).or_else(|| chains.any_common_name.iter().find_map(any))
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn addresses_are_asked_for_in_the_reverse_zone() {
        assert_eq!(alpn_name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        assert!(
            alpn_name("2001:db8::1").starts_with("1.0.0.0.")
                && alpn_name("2001:db8::1").ends_with(".2.ip6.arpa")
        );
        assert_eq!(alpn_name("a.b"), "a.b");
    }
    #[test]
    fn alternate_chains_are_found_in_links() {
        let mut headers = http::HeaderMap::new();
        headers.append("link", "<https://ca/dir>;rel=\"index\"".parse().unwrap());
        headers.append(
            "link",
            "<https://ca/1>;rel=\"alternate\", <https://ca/2>; rel=\"alternate\"".parse().unwrap(),
        );
        let answer = Answer { status: http::StatusCode::OK, headers, body: "".into() };
        assert_eq!(alternates(&answer), ["https://ca/1", "https://ca/2"]);
    }
}
