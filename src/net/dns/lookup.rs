//! Names of hosts and services: the system's way, or by asking certain DNS servers.
use super::{Message, kind, query, rcode};
use std::{
    cmp::Reverse,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::lookup_host, time::timeout};

const PORT: u16 = 53;

/// Which addresses are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Family {
    #[default]
    Any,
    V4,
    V6,
}
impl Family {
    pub fn has(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}
/// Where a service is to be found (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// A host's name, with a dot at its end.
    pub target: String,
    pub port: u16,
    pub priority: u16,
    pub weight: u16,
}
/// Whom to ask: the system if there are no servers; else these, in an order that chance decides.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    pub servers: Vec<SocketAddr>,
    /// Until a server has answered, of all its attempts.
    pub timeout: Option<Duration>,
}
impl Resolver {
    /// The addresses of a host, none of which is twice.
    ///
    /// # Errors
    /// In Go's words, with the name.
    pub async fn addresses(&self, host: &str, family: Family) -> Result<Vec<IpAddr>, String> {
        let failed = |why: &str| format!("lookup {host}: {why}");
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let mut found: Vec<IpAddr> = if self.servers.is_empty() {
            let found = lookup_host((host, 0)).await.map_err(|_| failed("no such host"))?;
            found.map(|address| address.ip()).collect()
        } else {
            let v4 = async {
                if family == Family::V6 { Ok(None) } else { self.ask(host, kind::A).await.map(Some) }
            };
            let v6 = async {
                if family == Family::V4 { Ok(None) } else { self.ask(host, kind::AAAA).await.map(Some) }
            };
            let (v4, v6) = tokio::join!(v4, v6);
            let error = v4.as_ref().err().or(v6.as_ref().err()).cloned();
            let answers = [v4, v6].into_iter().flatten().flatten();
            let found: Vec<_> =
                answers.flat_map(|answer| answer.answers).filter_map(|record| record.address()).collect();
            match error.filter(|_| found.is_empty()) {
                Some(error) => return Err(failed(&error)),
                None => found,
            }
        };
        found.retain(|address| family.has(*address));
        let mut seen = vec![];
        found.retain(|address| {
            !seen.contains(address) && {
                seen.push(*address);
                true
            }
        });
        if found.is_empty() { Err(failed("no such host")) } else { Ok(found) }
    }
    /// Where a service is to be found, the place to be tried first first: by priority, and within one by chance, as the
    /// weights say.
    ///
    /// # Errors
    /// In Go's words, with the name.
    pub async fn services(&self, name: &str) -> Result<Vec<Service>, String> {
        let name = name.trim_end_matches('.');
        let answer = self.ask(name, kind::SRV).await.map_err(|why| format!("lookup {name}: {why}"))?;
        let found: Vec<_> = answer
            .found(kind::SRV)
            .filter_map(|record| {
                let [priority, weight, port] = record.service()?;
                Some(Service { target: record.target()? + ".", port, priority, weight })
            })
            .collect();
        if found.is_empty() { Err(format!("lookup {name}: no such host")) } else { Ok(in_turn(found)) }
    }
    /// One server's answer; the next one's if there is none.
    async fn ask(&self, name: &str, kind: u16) -> Result<Message, String> {
        let mut servers = self.servers.clone();
        if servers.is_empty() {
            servers = system();
        }
        fastrand::shuffle(&mut servers);
        let mut last = Err("no DNS server to ask".into());
        for server in servers {
            let asked = query(server, name, kind);
            last = match self.timeout {
                None => asked.await,
                Some(limit) => {
                    timeout(limit, asked).await.unwrap_or_else(|_| Err(format!("{server}: i/o timeout")))
                }
            };
            match last.as_ref().map(Message::code) {
                Ok(rcode::SUCCESS) => return last,
                Ok(rcode::NO_SUCH_NAME) => return Err("no such host".into()),
                Ok(code) => last = Err(format!("{server}: {}", rcode::name(code))),
                Err(_) => {}
            }
        }
        last
    }
}
/// The servers of `/etc/resolv.conf`; this machine's own if there are none, as in Go.
fn system() -> Vec<SocketAddr> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let address = |line: &str| line.trim().strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok();
    let found: Vec<_> = text.lines().filter_map(address).map(|address| (address, PORT).into()).collect();
    if found.is_empty() { vec![(Ipv4Addr::LOCALHOST, PORT).into()] } else { found }
}
/// RFC 2782's order.
fn in_turn(mut services: Vec<Service>) -> Vec<Service> {
    services.sort_by_key(|service| (service.priority, Reverse(service.weight)));
    let mut ordered = Vec::with_capacity(services.len());
    while let Some(first) = services.first() {
        let priority = first.priority;
        let same = services.iter().take_while(|service| service.priority == priority);
        let total: u32 = same.clone().map(|service| u32::from(service.weight)).sum();
        let mut left = fastrand::u32(..=total);
        let chosen = same.clone().position(|service| {
            let weight = u32::from(service.weight);
            let here = left <= weight;
            left = left.saturating_sub(weight);
            here
        });
        ordered.push(services.remove(chosen.unwrap_or(0)));
    }
    ordered
}
#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    fn service(target: &str, priority: u16, weight: u16) -> Service {
        Service { target: target.into(), port: 1, priority, weight }
    }
    #[test]
    fn services_are_tried_by_priority_and_then_by_weight() {
        let mut first = [0, 0];
        for _ in 0..1000 {
            let all = vec![service("late", 2, 100), service("heavy", 1, 90), service("light", 1, 10)];
            let all = in_turn(all);
            assert_eq!(all[2].target, "late");
            first[usize::from(all[0].target == "light")] += 1;
        }
        assert!(first[0] > 800 && first[1] > 20, "{first:?}");
        assert_eq!(in_turn(vec![service("a", 0, 0), service("b", 0, 0)]).len(), 2);
    }
    /// Answers each question with one record of this type and data.
    async fn server(kind: u16, data: &'static [u8]) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let end = 12 + buffer[12..length].iter().position(|&byte| byte == 0).unwrap() + 5;
                let asked = u16::from_be_bytes([buffer[end - 4], buffer[end - 3]]);
                let found = asked == kind;
                let mut answer = buffer[..end].to_vec();
                answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
                if found {
                    answer.extend([0xc0, 12]);
                    answer.extend(kind.to_be_bytes());
                    answer.extend([0, 1, 0, 0, 0, 60]);
                    answer.extend((data.len() as u16).to_be_bytes());
                    answer.extend(data);
                }
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }
    #[tokio::test]
    async fn a_server_of_ones_own_is_asked() {
        let resolver = Resolver { servers: vec![server(1, &[10, 0, 0, 7]).await], timeout: None };
        let found = resolver.addresses("app.internal", Family::Any).await.unwrap();
        assert_eq!(found, [IpAddr::from([10, 0, 0, 7])]);
        let error = resolver.addresses("app.internal", Family::V6).await.unwrap_err();
        assert_eq!(error, "lookup app.internal: no such host");
    }
    #[tokio::test]
    async fn services_are_found() {
        let data = b"\x00\x01\x00\x02\x1f\x90\x03app\x08internal\x00";
        let resolver = Resolver { servers: vec![server(33, data).await], timeout: None };
        let found = resolver.services("_http._tcp.internal").await.unwrap();
        let wanted = Service { target: "app.internal.".into(), port: 8080, priority: 1, weight: 2 };
        assert_eq!(found, [wanted]);
    }
    #[tokio::test]
    async fn the_system_knows_localhost() {
        let found = Resolver::default().addresses("localhost", Family::V4).await.unwrap();
        assert_eq!(found, [IpAddr::from([127, 0, 0, 1])]);
    }
}
