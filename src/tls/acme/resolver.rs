//! Asks the DNS what the DNS challenge has to know: zones, where names lead to, whether a record is to be seen.
use crate::net::dns::{Message, kind, query, rcode};
use std::{collections::HashSet, fs, io, net::IpAddr, net::SocketAddr};
use tokio::net::lookup_host;

const PORT: u16 = 53;
/// Where the system names none.
const PUBLIC: [&str; 4] = ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1"];
/// A name may lead to another that often.
const HOPS: usize = 8;

/// Whom to ask.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    /// `host` or `host:port`; none: the system's, and for records the zone's own servers.
    configured: Vec<String>,
}
impl Resolver {
    pub fn new(configured: Vec<String>) -> Self {
        Self { configured }
    }
    /// The zone that `name` belongs to: the first name up from it that has an SOA record of its own.
    ///
    /// # Errors
    /// There is none, or nobody to ask.
    pub(super) async fn zone(&self, name: &str) -> Result<String, String> {
        let mut said = String::new();
        for (at, _) in std::iter::once((0, ' ')).chain(name.match_indices('.').map(|(at, _)| (at + 1, '.'))) {
            let domain = &name[at..];
            let answer = match self.ask(domain, kind::SOA).await {
                Ok(answer) => answer,
                Err(error) => {
                    said = format!(": {error}");
                    continue;
                }
            };
            match answer.code() {
                rcode::SUCCESS => {}
                rcode::NO_SUCH_NAME => {
                    said = ": NXDOMAIN".into();
                    continue;
                }
                code => {
                    let code = rcode::name(code);
                    return Err(format!("unexpected response code '{code}' for {domain}"));
                }
            }
            // Where a name leads elsewhere, the SOA is that of the other place.
            if answer.found(kind::CNAME).next().is_none()
                && let Some(record) = answer.found(kind::SOA).next()
            {
                return Ok(record.name.clone());
            }
        }
        Err(format!("could not find the start of authority for {name}{said}"))
    }
    /// Where `name` leads to by CNAME records; itself, if it leads nowhere.
    ///
    /// # Errors
    /// Nobody to ask.
    pub(super) async fn canonical(&self, name: &str) -> Result<String, String> {
        let mut name = name.trim_end_matches('.').to_ascii_lowercase();
        for _ in 0..HOPS {
            let answer = self.ask(&name, kind::CNAME).await?;
            let next = answer.found(kind::CNAME).find(|record| record.name == name);
            match next.and_then(|record| record.target()) {
                Some(next) => name = next,
                None => return Ok(name),
            }
        }
        Err(format!("{name}: too many CNAME records, one after another"))
    }
    /// Whether a TXT record of `zone` is to be seen by those who will look for it: at every server of the zone, or at
    /// those that the configuration names.
    ///
    /// # Errors
    /// Nobody to ask.
    pub(super) async fn sees(&self, zone: &str, name: &str, value: &str) -> Result<bool, String> {
        let servers = match self.configured.is_empty() {
            true => self.authoritative(zone).await?,
            false => self.servers().await?,
        };
        let mut asked = 0;
        for server in servers {
            let answer = match query(server, name, kind::TXT).await {
                Ok(answer) => answer,
                // Most often a server whose network is not ours, as an IPv6 address where there is no IPv6.
                Err(error) => {
                    tracing::debug!(target: "http.acme_client", error, "asking a name server");
                    continue;
                }
            };
            asked += 1;
            if !answer.found(kind::TXT).any(|record| record.joined() == value.as_bytes()) {
                return Ok(false);
            }
        }
        if asked == 0 { Err(format!("no name server of {zone} answers")) } else { Ok(true) }
    }
    async fn authoritative(&self, zone: &str) -> Result<Vec<SocketAddr>, String> {
        let answer = self.ask(zone, kind::NS).await?;
        let mut servers = vec![];
        for name in answer.found(kind::NS).filter_map(|record| record.target()) {
            servers.extend(lookup_host((name.as_str(), PORT)).await.into_iter().flatten());
        }
        match servers.is_empty() {
            true => Err("could not determine authoritative nameservers".into()),
            false => Ok(servers),
        }
    }
    /// The first answer that says something, or else the last that says nothing.
    async fn ask(&self, name: &str, kind: u16) -> Result<Message, String> {
        let mut last = Err("there is no DNS server to ask".to_owned());
        for server in self.servers().await? {
            last = query(server, name, kind).await;
            if last.as_ref().is_ok_and(|answer| !answer.answers.is_empty()) {
                break;
            }
        }
        last
    }
    async fn servers(&self) -> Result<Vec<SocketAddr>, String> {
        if self.configured.is_empty() {
            let system = fs::read_to_string("/etc/resolv.conf").map(|text| nameservers(&text));
            let system = system.unwrap_or_default();
            let public = || PUBLIC.iter().filter_map(|text| text.parse().ok()).collect();
            let addresses: Vec<IpAddr> = if system.is_empty() { public() } else { system };
            return Ok(addresses.into_iter().map(|address| (address, PORT).into()).collect());
        }
        let (mut found, mut failed) = (vec![], None);
        for text in &self.configured {
            match resolve(text).await {
                Ok(addresses) => found.extend(addresses),
                Err(error) => failed = Some(format!("resolver {text}: {error}")),
            }
        }
        match failed {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(unique(found)),
        }
    }
}
/// `host`, `host:port`, an address with or without a port.
async fn resolve(text: &str) -> io::Result<Vec<SocketAddr>> {
    let text = text.strip_prefix("udp/").or_else(|| text.strip_prefix("tcp/")).unwrap_or(text);
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(vec![address]);
    }
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(vec![(address, PORT).into()]);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    Ok(lookup_host((host, port.parse().unwrap_or(PORT))).await?.collect())
}
fn unique(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut seen = HashSet::new();
    addresses.into_iter().filter(|address| seen.insert(*address)).collect()
}
fn nameservers(resolv_conf: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let rest = line.trim().strip_prefix("nameserver")?.trim();
        // An address may carry the name of an interface.
        rest.split('%').next()?.parse().ok()
    };
    resolv_conf.lines().filter_map(address).collect()
}
#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::net::dns::Record;
    use std::sync::{Arc, Mutex};
    use tokio::net::UdpSocket;

    /// A server of the zone `example.org`; what else there is can be changed.
    pub(in crate::tls::acme) async fn server(records: &Arc<Mutex<Vec<Record>>>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records = records.clone();
        records.lock().unwrap().push(Record::of_name("example.org", kind::SOA, "ns.example.org", 1).unwrap());
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let asked = Message::decode(&buffer[..length]).unwrap();
                let answer = answer(&asked, &records.lock().unwrap());
                socket.send_to(&answer.encode().unwrap(), from).await.unwrap();
            }
        });
        address
    }
    fn answer(asked: &Message, records: &[Record]) -> Message {
        let question = &asked.questions[0];
        let named: Vec<_> = records.iter().filter(|record| record.name == question.name).collect();
        let mut answer = asked.reply(if named.is_empty() { rcode::NO_SUCH_NAME } else { rcode::SUCCESS });
        let fits = |record: &&&Record| [question.kind, kind::CNAME].contains(&record.kind);
        answer.answers = named.iter().filter(fits).map(|record| Record::clone(record)).collect();
        answer
    }
    #[tokio::test]
    async fn a_zone_is_the_first_name_upwards_with_an_soa_of_its_own() {
        let records = Arc::new(Mutex::new(vec![
            Record::of_name("_acme-challenge.www.example.org", kind::CNAME, "x.delegated.example", 1)
                .unwrap(),
        ]));
        let resolver = Resolver::new(vec![server(&records).await.to_string()]);
        for name in ["_acme-challenge.www.example.org", "a.b.example.org", "example.org"] {
            assert_eq!(resolver.zone(name).await.unwrap(), "example.org", "{name}");
        }
        let error = resolver.zone("www.example.net").await.unwrap_err();
        assert_eq!(error, "could not find the start of authority for www.example.net: NXDOMAIN");
        let led = resolver.canonical("_acme-challenge.WWW.example.org").await.unwrap();
        assert_eq!(led, "x.delegated.example");
        assert_eq!(resolver.canonical("other.example.org").await.unwrap(), "other.example.org");
    }
    #[tokio::test]
    async fn names_that_lead_in_a_circle_are_refused() {
        let lead = |from, to| Record::of_name(from, kind::CNAME, to, 1).unwrap();
        let records = Arc::new(Mutex::new(vec![lead("a.org", "b.org"), lead("b.org", "a.org")]));
        let resolver = Resolver::new(vec![server(&records).await.to_string()]);
        assert!(resolver.canonical("a.org").await.unwrap_err().contains("too many CNAME records"));
    }
    #[tokio::test]
    async fn a_record_is_seen_when_every_server_that_answers_has_it() {
        let (first, second) = (Arc::default(), Arc::default());
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let servers = [server(&first).await, silent, server(&second).await];
        let resolver = Resolver::new(servers.iter().map(SocketAddr::to_string).collect());
        let sees = || resolver.sees("example.org", "x.example.org", "proof");
        first.lock().unwrap().push(Record::text("x.example.org", "proof", 1));
        assert!(!sees().await.unwrap());
        second
            .lock()
            .unwrap()
            .extend([Record::text("x.example.org", "another", 1), Record::text("x.example.org", "proof", 1)]);
        assert!(sees().await.unwrap());
    }
    #[test]
    fn the_systems_servers_are_read_as_resolvers_read_them() {
        let text = "# c\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nsearch a.b\nnameserver nonsense\n";
        let expected: [IpAddr; 2] = ["10.0.0.2".parse().unwrap(), "fe80::1".parse().unwrap()];
        assert_eq!(nameservers(text), expected);
    }
    #[tokio::test]
    async fn a_resolver_is_a_host_with_or_without_a_port() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:54", "[2001:db8::1]:54"),
            ("localhost:55", "127.0.0.1:55"),
        ] {
            let found = resolve(text).await.unwrap();
            assert!(found.contains(&expected.parse().unwrap()), "{text}: {found:?}");
        }
    }
}
