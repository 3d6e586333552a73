//! dns-01: a record that proves a name (RFC 8555, section 8.4), written through a DNS provider.
use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

pub type Working<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;
/// One file each in `dns/`: a provider's API, as far as TXT records are concerned.
pub trait DnsProvider: fmt::Debug + Send + Sync {
    /// Adds a TXT record to `zone` (`example.com`) under the relative `name` (`_acme-challenge.www`); gives what
    /// [`delete`](Self::delete) finds it by.
    fn append<'a>(
        &'a self,
        zone: &'a str,
        name: &'a str,
        value: &'a str,
        ttl: Duration,
    ) -> Working<'a, String>;
    fn delete<'a>(&'a self, zone: &'a str, name: &'a str, value: &'a str, id: &'a str) -> Working<'a, ()>;
}
/// How the DNS is asked.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The zone that `name` belongs to, by its SOA record, and the name after following CNAMEs.
    fn zone<'a>(&'a self, name: &'a str) -> Working<'a, String>;
    /// Where a CNAME at `name` leads to.
    fn canonical<'a>(&'a self, name: &'a str) -> Working<'a, String>;
    /// Whether a TXT record is to be seen by those who will look for it.
    fn sees<'a>(&'a self, zone: &'a str, name: &'a str, value: &'a str) -> Working<'a, bool>;
}
/// Proves names by records.
#[derive(Clone, Debug)]
pub struct DnsSolver {
    pub provider: Arc<dyn DnsProvider>,
    pub resolver: Arc<dyn Resolver>,
    pub ttl: Duration,
    /// Before the first look for the record.
    pub delay: Duration,
    /// How long to look for it; `None` does not look.
    pub timeout: Option<Duration>,
    /// Where to write the record instead.
    pub override_domain: Option<String>,
}
/// A record that is there, to be taken away again.
pub(super) struct Record {
    zone: String,
    name: String,
    value: String,
    id: String,
}
const POLL: Duration = Duration::from_secs(2);
impl DnsSolver {
    pub(super) async fn present(&self, name: &str, value: &str) -> Result<Record, String> {
        let full = match &self.override_domain {
            Some(domain) => domain.clone(),
            None => {
                let asked = format!("_acme-challenge.{}", name.trim_start_matches("*."));
                self.resolver.canonical(&asked).await?
            }
        };
        let zone = self.resolver.zone(&full).await?;
        let relative = full.strip_suffix(&zone).unwrap_or(&full).trim_end_matches('.').to_owned();
        let id = self.provider.append(&zone, &relative, value, self.ttl).await?;
        let record = Record { zone, name: relative, value: value.to_owned(), id };
        match self.await_propagation(&full, &record).await {
            Ok(()) => Ok(record),
            Err(error) => {
                // The record is of no more use; that it stays is the lesser trouble.
                self.clean_up(record).await.ok();
                Err(error)
            }
        }
    }
    async fn await_propagation(&self, full: &str, record: &Record) -> Result<(), String> {
        tokio::time::sleep(self.delay).await;
        let Some(timeout) = self.timeout else { return Ok(()) };
        let seen = async {
            while !self.resolver.sees(&record.zone, full, &record.value).await.unwrap_or(false) {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(timeout, seen).await.map_err(|_| {
            format!("timed out waiting for record to fully propagate; verify DNS provider configuration is correct ({full})")
        })
    }
    pub(super) async fn clean_up(&self, record: Record) -> Result<(), String> {
        self.provider.delete(&record.zone, &record.name, &record.value, &record.id).await
    }
}
