//! dns-01: a record that proves a name (RFC 8555, section 8.4), written through a DNS provider.
use super::resolver::Resolver;
use crate::config::DnsChallenge;
use serde_json::{Map, Value};
use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

/// How long to look for a record, unless the configuration says otherwise.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_secs(2);

pub type Working<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;
/// A TXT record at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtRecord {
    /// Such as `example.com`.
    pub zone: String,
    /// Relative to the zone, such as `_acme-challenge.www`; empty for the zone itself.
    pub name: String,
    pub value: String,
    /// Zero: as the provider likes.
    pub ttl: Duration,
}
impl TxtRecord {
    /// The whole name.
    pub fn full_name(&self) -> String {
        if self.name.is_empty() { self.zone.clone() } else { format!("{}.{}", self.name, self.zone) }
    }
    /// The name as most providers want it: `@` for the zone itself.
    pub fn relative(&self) -> &str {
        if self.name.is_empty() { "@" } else { &self.name }
    }
    /// In seconds, at least `least`, which is also what no wish leads to.
    pub fn ttl_or(&self, least: u64) -> u64 {
        self.ttl.as_secs().max(least)
    }
}
/// One file each in `dns/`: a provider's API, as far as TXT records are concerned. Errors never hold credentials.
pub trait DnsProvider: fmt::Debug + Send + Sync {
    /// Adds a record beside those of the same name; gives what [`delete`](Self::delete) finds it by.
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String>;
    fn delete<'a>(&'a self, record: &'a TxtRecord, id: &'a str) -> Working<'a, ()>;
}
/// One row of the table of DNS providers.
pub struct DnsModule {
    pub name: &'static str,
    pub build: BuildProvider,
}
type BuildProvider = fn(Map<String, Value>) -> Result<Arc<dyn DnsProvider>, String>;
/// Proves names by records.
#[derive(Clone, Debug)]
pub struct DnsSolver {
    provider: Arc<dyn DnsProvider>,
    resolver: Resolver,
    ttl: Duration,
    /// Before the first look for the record.
    delay: Duration,
    /// How long to look for it; `None` does not look.
    timeout: Option<Duration>,
    /// Where to write the record instead.
    override_domain: Option<String>,
}
/// A record that is there. Who is done calls [`clean_up`](Self::clean_up); who is stopped has it done behind his back.
pub(super) struct Presented {
    record: TxtRecord,
    id: String,
    /// `None` once it is being taken away.
    provider: Option<Arc<dyn DnsProvider>>,
}
impl Presented {
    /// That a record stays is the lesser trouble: whoever waits for a certificate is not told.
    pub(super) async fn clean_up(mut self) {
        if let Some(provider) = self.provider.take() {
            delete(&*provider, &self.record, &self.id).await;
        }
    }
}
impl Drop for Presented {
    fn drop(&mut self) {
        let (Some(provider), Ok(runtime)) = (self.provider.take(), Handle::try_current()) else { return };
        let (record, id) = (self.record.clone(), std::mem::take(&mut self.id));
        runtime.spawn(async move { delete(&*provider, &record, &id).await });
    }
}
async fn delete(provider: &dyn DnsProvider, record: &TxtRecord, id: &str) {
    if let Err(error) = provider.delete(record, id).await {
        tracing::error!(
            target: "http.acme_client", record = record.full_name(), error, "cleaning up solver"
        );
    }
}
impl DnsSolver {
    /// `resolvers` are the `tls` app's, for a challenge that names none.
    pub fn new(challenge: &DnsChallenge, provider: Arc<dyn DnsProvider>, resolvers: &[String]) -> Self {
        let own = &challenge.resolvers;
        let resolvers = if own.is_empty() { resolvers } else { own };
        Self {
            provider,
            resolver: Resolver::new(resolvers.to_vec()),
            ttl: challenge.ttl.std(),
            delay: challenge.propagation_delay.std(),
            timeout: match challenge.propagation_timeout {
                unset if unset.0 == 0 => Some(PATIENCE),
                never if never.0 < 0 => None,
                set => Some(set.std()),
            },
            override_domain: Some(challenge.override_domain.clone()).filter(|domain| !domain.is_empty()),
        }
    }
    /// Writes the record that proves `name`, and waits until it is to be seen.
    pub(super) async fn present(&self, name: &str, value: &str) -> Result<Presented, String> {
        let full = match &self.override_domain {
            Some(domain) => domain.trim_end_matches('.').to_ascii_lowercase(),
            None => {
                let asked = format!("_acme-challenge.{}", name.trim_start_matches("*."));
                self.resolver.canonical(&asked).await?
            }
        };
        let zone = self.resolver.zone(&full).await;
        let zone = zone.map_err(|why| format!("could not determine zone for domain \"{full}\": {why}"))?;
        let relative = full.strip_suffix(&zone).unwrap_or(&full).trim_end_matches('.').to_owned();
        let record = TxtRecord { name: relative, value: value.to_owned(), ttl: self.ttl, zone };
        let added = self.provider.append(&record).await;
        let id =
            added.map_err(|why| format!("adding temporary record for zone \"{}\": {why}", record.zone))?;
        let presented = Presented { record, id, provider: Some(self.provider.clone()) };
        match self.await_propagation(&full, &presented.record).await {
            Ok(()) => Ok(presented),
            Err(error) => {
                presented.clean_up().await;
                Err(error)
            }
        }
    }
    async fn await_propagation(&self, full: &str, record: &TxtRecord) -> Result<(), String> {
        sleep(self.delay).await;
        let Some(timeout) = self.timeout else { return Ok(()) };
        let deadline = Instant::now() + timeout;
        loop {
            let last = match self.resolver.sees(&record.zone, full, &record.value).await {
                Ok(true) => return Ok(()),
                Ok(false) => "<nil>".to_owned(),
                Err(error) => error,
            };
            if Instant::now() + POLL > deadline {
                return Err(format!(
                    "timed out waiting for record to fully propagate; verify DNS provider configuration is correct - last error: {last}"
                ));
            }
            sleep(POLL).await;
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, net::dns::Record, net::dns::kind, tls::acme::resolver::tests::server};
    use std::sync::Mutex;

    /// Writes into a server's zone, unless it is told to lose what it gets.
    #[derive(Default)]
    struct Zone {
        records: Arc<Mutex<Vec<Record>>>,
        loses: bool,
    }
    impl fmt::Debug for Zone {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Zone")
        }
    }
    impl DnsProvider for Zone {
        fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
            if !self.loses {
                self.records.lock().unwrap().push(Record::text(&record.full_name(), &record.value, 1));
            }
            Box::pin(async { Ok("17".into()) })
        }
        fn delete<'a>(&'a self, record: &'a TxtRecord, id: &'a str) -> Working<'a, ()> {
            assert_eq!(id, "17");
            self.records.lock().unwrap().retain(|known| known.joined() != record.value.as_bytes());
            Box::pin(async { Ok(()) })
        }
    }
    async fn solver(zone: Arc<Zone>, challenge: Value) -> DnsSolver {
        let resolver = server(&zone.records).await;
        let challenge: config::DnsChallenge = serde_json::from_value(challenge).unwrap();
        DnsSolver::new(&challenge, zone, &[resolver.to_string()])
    }
    fn texts(zone: &Zone) -> Vec<String> {
        let records = zone.records.lock().unwrap();
        records.iter().filter(|record| record.kind == kind::TXT).map(|record| record.name.clone()).collect()
    }
    #[tokio::test]
    async fn a_record_is_written_where_the_name_leads_and_taken_away_again() {
        let zone = Arc::new(Zone::default());
        let lead = |from, to| Record::of_name(from, kind::CNAME, to, 1).unwrap();
        zone.records.lock().unwrap().push(lead("_acme-challenge.b.net", "b.proofs.example.org"));
        let solver = solver(zone.clone(), serde_json::json!({})).await;
        for (name, at) in [
            ("a.example.org", "_acme-challenge.a.example.org"),
            ("*.a.example.org", "_acme-challenge.a.example.org"),
            ("b.net", "b.proofs.example.org"),
        ] {
            let presented = solver.present(name, "proof").await.unwrap();
            assert_eq!(texts(&zone), [at], "{name}");
            presented.clean_up().await;
            assert!(texts(&zone).is_empty());
        }
    }
    #[tokio::test]
    async fn another_domain_may_take_the_record() {
        let zone = Arc::new(Zone::default());
        let solver =
            solver(zone.clone(), serde_json::json!({"override_domain": "Proofs.example.org."})).await;
        let presented = solver.present("x.net", "proof").await.unwrap();
        assert_eq!(texts(&zone), ["proofs.example.org"]);
        drop(presented);
        while !texts(&zone).is_empty() {
            tokio::task::yield_now().await;
        }
    }
    #[tokio::test]
    async fn a_record_that_does_not_appear_is_an_error_unless_nobody_looks() {
        let zone = Arc::new(Zone { loses: true, ..Zone::default() });
        let looks = solver(zone.clone(), serde_json::json!({"propagation_timeout": 1})).await;
        let error = looks.present("a.example.org", "proof").await.err().unwrap();
        assert!(error.starts_with("timed out waiting for record to fully propagate"), "{error}");
        let blind = solver(zone, serde_json::json!({"propagation_timeout": -1})).await;
        blind.present("a.example.org", "proof").await.unwrap();
    }
}
