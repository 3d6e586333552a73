//! The API of 2013-04-01, as far as the records of a name are concerned.
use super::{
    Route53,
    signature::{Credentials, Signed},
};
use crate::{
    dns::{
        api::{Api, quoted},
        xml,
    },
    environment,
    tls::{DnsProvider, TxtRecord, Working},
};
use chrono::Utc;
use http::Method;
use std::{env, fs, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

pub(super) const PLACES: Places<'static> =
    Places { api: "https://route53.amazonaws.com", machine: "http://169.254.169.254" };
/// What records get that have no lifetime of their own, in seconds.
const TTL: u64 = 300;
const RETRIES: i64 = 5;
const MOST_WAITING: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_secs(3);

/// Where the API is, and where a machine of Amazon's finds its credentials.
pub(super) struct Places<'a> {
    pub(super) api: &'a str,
    pub(super) machine: &'a str,
}
pub(super) struct Client {
    api: Api,
    machine: Api,
    config: Route53,
    /// The API knows sets of records only: what is read must still be true when it is written.
    writing: Mutex<()>,
}
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.api.fmt(f)
    }
}
impl Client {
    pub(super) fn new(config: Route53, places: &Places<'_>) -> Result<Self, String> {
        let secrets = [&*config.secret_access_key, &*config.session_token];
        Ok(Self {
            api: Api::new(places.api, &secrets)?,
            machine: Api::new(places.machine, &[])?,
            config,
            writing: Mutex::default(),
        })
    }
    /// The configuration's, the environment's, the shared file's, or the machine's.
    async fn credentials(&self) -> Result<Credentials, String> {
        let config = &self.config;
        if !config.access_key_id.is_empty() && !config.secret_access_key.is_empty() {
            return Ok(Credentials {
                key_id: config.access_key_id.clone(),
                secret: config.secret_access_key.clone(),
                session_token: config.session_token.clone(),
            });
        }
        let variable = |name: &str| environment::var(name).unwrap_or_default();
        let own = Credentials {
            key_id: variable("AWS_ACCESS_KEY_ID"),
            secret: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: variable("AWS_SESSION_TOKEN"),
        };
        if config.profile.is_empty() && !own.key_id.is_empty() && !own.secret.is_empty() {
            return Ok(own);
        }
        let set = |text: String| Some(text).filter(|text| !text.is_empty());
        let path = set(variable("AWS_SHARED_CREDENTIALS_FILE"));
        let path = path.or_else(|| Some(format!("{}/.aws/credentials", env::var("HOME").ok()?)));
        let profile = set(config.profile.clone()).or_else(|| set(variable("AWS_PROFILE")));
        let profile = profile.unwrap_or_else(|| "default".into());
        let text = path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        match of_profile(&text, &profile) {
            Some(found) => Ok(found),
            None => self.of_machine().await,
        }
    }
    async fn of_machine(&self) -> Result<Credentials, String> {
        let lifetime = [("X-aws-ec2-metadata-token-ttl-seconds", "300")];
        let token = self.machine.send(Method::PUT, "/latest/api/token", &lifetime, String::new()).await?;
        let token = String::from_utf8_lossy(&token.body).into_owned();
        let headers = [("X-aws-ec2-metadata-token", token.as_str())];
        let roles = "/latest/meta-data/iam/security-credentials/";
        let role = self.machine.send(Method::GET, roles, &headers, String::new()).await?;
        let role = String::from_utf8_lossy(&role.body).trim().to_owned();
        let found = self.machine.call(Method::GET, &format!("{roles}{role}"), &headers, None).await?;
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        Ok(Credentials {
            key_id: text("AccessKeyId"),
            secret: text("SecretAccessKey"),
            session_token: text("Token"),
        })
    }
    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: &str,
    ) -> Result<String, String> {
        let most = if self.config.max_retries > 0 { self.config.max_retries } else { RETRIES };
        let mut pause = Duration::from_millis(500);
        for attempt in 1.. {
            match self.try_call(method.clone(), path, query, body).await {
                Err(error) if attempt < most && is_passing(&error) => sleep(pause).await,
                answer => return answer,
            }
            pause = (pause * 2).min(Duration::from_secs(20));
        }
        Err("too many attempts".into())
    }
    async fn try_call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: &str,
    ) -> Result<String, String> {
        let credentials = self.credentials().await?;
        let time = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
        let host = self.api.base().split_once("://").map_or("", |(_, host)| host);
        // The service is the same one everywhere, and signed for as if it were here.
        let (region, service) = ("us-east-1", "route53");
        let signed =
            Signed { method: method.as_str(), host, path, query, body, time: &time, region, service };
        let authorization = signed.authorization(&credentials);
        let mut headers = vec![("Authorization", authorization.as_str()), ("X-Amz-Date", &time)];
        if !credentials.session_token.is_empty() {
            headers.push(("X-Amz-Security-Token", &credentials.session_token));
        }
        let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", signed.query()) };
        let answer = self.api.send(method, &target, &headers, body.to_owned()).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
    async fn zone(&self, name: &str) -> Result<String, String> {
        if !self.config.hosted_zone_id.is_empty() {
            return Ok(self.config.hosted_zone_id.trim_start_matches("/hostedzone/").to_owned());
        }
        let wanted = format!("{name}.");
        let query = [("dnsname", wanted.as_str()), ("maxitems", "5")];
        let answer = self.call(Method::GET, "/2013-04-01/hostedzonesbyname", &query, "").await?;
        let public = |zone: &&str| {
            xml::text(zone, "Name").is_some_and(|name| name == wanted)
                && xml::text(zone, "PrivateZone").is_none_or(|private| private != "true")
        };
        let zones = xml::within(&answer, "HostedZone");
        let id = zones.into_iter().find(public).and_then(|zone| xml::text(zone, "Id"));
        let id = id.ok_or_else(|| format!("HostedZoneNotFound: no public zone {name}"))?;
        Ok(id.trim_start_matches("/hostedzone/").to_owned())
    }
    async fn change(
        &self,
        record: &TxtRecord,
        wait: bool,
        change: impl FnOnce(&mut Vec<String>),
    ) -> Result<(), String> {
        let _alone = self.writing.lock().await;
        let sets = format!("/2013-04-01/hostedzone/{}/rrset", self.zone(&record.zone).await?);
        let name = format!("{}.", record.full_name());
        let query = [("name", name.as_str()), ("type", "TXT"), ("maxitems", "1")];
        let answer = self.call(Method::GET, &sets, &query, "").await?;
        let ours = |set: &&str| {
            xml::text(set, "Name").as_ref() == Some(&name) && xml::text(set, "Type").as_deref() == Some("TXT")
        };
        let found = xml::within(&answer, "ResourceRecordSet").into_iter().find(ours);
        let old: Vec<String> = found.map_or(vec![], |set| {
            xml::within(set, "ResourceRecord").into_iter().filter_map(|one| xml::text(one, "Value")).collect()
        });
        let ttl = found.and_then(|set| xml::text(set, "TTL")).unwrap_or_default();
        let mut new = old.clone();
        change(&mut new);
        let body = match (new.is_empty(), old.is_empty()) {
            (true, true) => return Ok(()),
            (true, false) => batch("DELETE", &name, &ttl, &old),
            _ => batch("UPSERT", &name, &record.ttl_or(TTL).to_string(), &new),
        };
        let answer = self.call(Method::POST, &format!("{sets}/"), &[], &body).await?;
        match xml::text(&answer, "Id") {
            Some(id) if wait => self.await_sync(&id).await,
            _ => Ok(()),
        }
    }
    async fn await_sync(&self, change: &str) -> Result<(), String> {
        let path = format!("/2013-04-01/change/{}", change.trim_start_matches("/change/"));
        let most = self.config.route53_max_wait.some().unwrap_or(MOST_WAITING);
        let deadline = Instant::now() + most;
        while xml::text(&self.call(Method::GET, &path, &[], "").await?, "Status").as_deref() != Some("INSYNC")
        {
            if Instant::now() + POLL > deadline {
                return Err(format!("the change is not everywhere after {} s", most.as_secs()));
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}
fn is_passing(error: &str) -> bool {
    ["HTTP 5", "HTTP 429", "Throttling", "PriorRequestNotComplete"].iter().any(|sign| error.contains(sign))
}
fn batch(action: &str, name: &str, ttl: &str, values: &[String]) -> String {
    let record =
        |value: &String| format!("<ResourceRecord><Value>{}</Value></ResourceRecord>", xml::escape(value));
    let records: String = values.iter().map(record).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>TXT</Type><TTL>{ttl}</TTL><ResourceRecords>{records}</ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        xml::escape(name)
    )
}
/// Out of a shared credentials file.
fn of_profile(text: &str, profile: &str) -> Option<Credentials> {
    let (mut within, mut found) = ("", [const { String::new() }; 3]);
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            within = header.trim();
        }
        let Some((key, value)) = line.split_once('=').filter(|_| within == profile) else { continue };
        let names = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
        if let Some(at) = names.iter().position(|name| *name == key.trim()) {
            found[at] = value.trim().to_owned();
        }
    }
    let [key_id, secret, session_token] = found;
    (!key_id.is_empty() && !secret.is_empty()).then_some(Credentials { key_id, secret, session_token })
}
impl DnsProvider for Client {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async {
            let wait = self.config.wait_for_route53_sync;
            let added = self.change(record, wait, |values| values.push(quoted(&record.value)));
            added.await.map(|()| String::new())
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        let wait = self.config.wait_for_route53_sync && !self.config.skip_route53_sync_on_delete;
        Box::pin(self.change(record, wait, |values| {
            values.retain(|value| value.trim_matches('"') != record.value);
        }))
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Asked, Simulated, ok, record, status};
    use std::sync::Mutex;

    fn config(secret: &str) -> Route53 {
        Route53 { access_key_id: "ID".into(), secret_access_key: secret.into(), ..Route53::default() }
    }
    /// Whether a request is signed with the secret `s`.
    fn is_signed(asked: &Asked) -> bool {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let (key_id, secret) = ("ID".to_owned(), "s".to_owned());
        let credentials = Credentials { key_id, secret, session_token: String::new() };
        let signed = Signed {
            method: &asked.method,
            host: asked.header("host"),
            path,
            query: &pairs,
            body: &asked.body,
            time: asked.header("x-amz-date"),
            region: "us-east-1",
            service: "route53",
        };
        asked.header("authorization") == signed.authorization(&credentials)
    }
    #[tokio::test]
    async fn the_set_of_the_name_is_replaced_by_signed_requests() {
        let set =
            Mutex::new("<ResourceRecord><Value>&quot;another&quot;</Value></ResourceRecord>".to_owned());
        let server = Simulated::start(move |asked| {
            let mut set = set.lock().unwrap();
            if !is_signed(asked) {
                return status(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>");
            }
            match asked.line().as_str() {
                "GET /2013-04-01/hostedzonesbyname?dnsname=example.com.&maxitems=5" => ok(
                    "<HostedZones><HostedZone><Id>/hostedzone/P</Id><Name>example.com.</Name><Config><PrivateZone>true</PrivateZone></Config></HostedZone><HostedZone><Id>/hostedzone/Z</Id><Name>example.com.</Name></HostedZone></HostedZones>",
                ),
                "GET /2013-04-01/hostedzone/Z/rrset?maxitems=1&name=_acme-challenge.example.com.&type=TXT" => ok(
                    format!("<ResourceRecordSet><Name>_acme-challenge.example.com.</Name><Type>TXT</Type><TTL>300</TTL><ResourceRecords>{set}</ResourceRecords></ResourceRecordSet>"),
                ),
                "POST /2013-04-01/hostedzone/Z/rrset/" => {
                    let action = if asked.body.contains("<Action>DELETE<") { "" } else { "UPSERT" };
                    let values = xml::within(&asked.body, "ResourceRecords").concat();
                    *set = if action.is_empty() { String::new() } else { values };
                    ok("<ChangeInfo><Id>/change/C</Id><Status>PENDING</Status></ChangeInfo>")
                }
                "GET /2013-04-01/change/C" => ok("<ChangeInfo><Status>INSYNC</Status></ChangeInfo>"),
                other => status(404, other),
            }
        })
        .await;
        let places = Places { api: &server.url, machine: &server.url };
        let client = Client::new(Route53 { wait_for_route53_sync: true, ..config("s") }, &places).unwrap();
        let [ours, another] = ["proof", "another"].map(|value| record("_acme-challenge", value));
        client.append(&ours).await.unwrap();
        client.delete(&another, "").await.unwrap();
        client.delete(&ours, "").await.unwrap();
        let changes: Vec<String> = server.bodies().into_iter().filter(|body| !body.is_empty()).collect();
        assert!(
            changes[0].contains("another")
                && changes[0].contains("proof")
                && changes[0].contains("<TTL>300<")
        );
        assert!(!changes[1].contains("another") && changes[2].contains("<Action>DELETE<"), "{changes:?}");
        assert!(server.lines().contains(&"GET /2013-04-01/change/C".to_owned()));
        let error = Client::new(config("wrong"), &places).unwrap().append(&ours).await.unwrap_err();
        assert!(error.contains("HTTP 403: <Error><Code>SignatureDoesNotMatch"), "{error}");
    }
    #[test]
    fn a_profile_of_the_shared_file_signs_in() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key=B\n[other]\naws_access_key_id=C\naws_secret_access_key=D\naws_session_token=E\n";
        let found = of_profile(text, "other").unwrap();
        assert_eq!([found.key_id, found.secret, found.session_token], ["C", "D", "E"]);
        assert_eq!(of_profile(text, "default").unwrap().secret, "B");
        assert!(of_profile(text, "none").is_none());
    }
}
