//! Network addresses: `[network/]host[:port[-port]]`.
use super::parse_uint16;
use std::fmt;

/// Where to listen, or whom to dial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkAddress {
    /// `tcp`, `udp`, `unix`, `fd`, … in lower case; empty where the text gives none.
    pub network: String,
    /// Without brackets. For sockets in the file system the path, for `fd` the number.
    pub host: String,
    pub start_port: u16,
    /// As `start_port`, unless the address is a range.
    pub end_port: u16,
}
impl NetworkAddress {
    /// Caddy's `ParseNetworkAddressWithDefaults`: an address without a port has `default_port`.
    ///
    /// # Errors
    /// In Caddy's words, such as `invalid start port: …` or `end port must not be less than start port`.
    pub fn parse(text: &str, default_network: &str, default_port: u16) -> Result<Self, String> {
        let (network, host, port) = parts(text)?;
        let network = if network.is_empty() { default_network.to_owned() } else { network };
        if is_path(&network) || is_fd(&network) {
            return Ok(Self { network, host, ..Self::default() });
        }
        let (start_port, end_port) = match port.as_str() {
            "" => (default_port, default_port),
            ports => range(ports)?,
        };
        Ok(Self { network, host, start_port, end_port })
    }
    /// Network, host and port as they are written, empty where they are missing: Caddy's `SplitNetworkAddress`.
    ///
    /// # Errors
    /// Colons or brackets are where they can't be.
    pub fn split(text: &str) -> Result<(String, String, String), String> {
        parts(text)
    }
    /// How many ports it stands for.
    pub fn ports(&self) -> u32 {
        u32::from(self.end_port.saturating_sub(self.start_port)) + 1
    }
    /// A socket in the file system (or an abstract one, `@name`).
    pub fn is_unix(&self) -> bool {
        is_path(&self.network)
    }
    /// A descriptor that the process was started with.
    pub fn is_fd(&self) -> bool {
        is_fd(&self.network)
    }
}
/// As Caddy writes it: `tcp` is left out, IPv6 stands in brackets.
impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = match (self.start_port, self.end_port) {
            _ if self.is_unix() || self.is_fd() => String::new(),
            (start, end) if start == end => start.to_string(),
            (start, end) => format!("{start}-{end}"),
        };
        let network = if self.network == "tcp" { "" } else { &self.network };
        f.write_str(&join_address(network, &self.host, &port))
    }
}
/// Caddy's `JoinNetworkAddress`.
pub fn join_address(network: &str, host: &str, port: &str) -> String {
    let mut out = String::new();
    if !network.is_empty() {
        out = format!("{network}/");
    }
    if !host.is_empty() && port.is_empty() || is_path(network) || is_fd(network) {
        return out + host;
    }
    if port.is_empty() {
        return out;
    }
    if host.contains(':') { out + &format!("[{host}]:{port}") } else { out + &format!("{host}:{port}") }
}
/// Network, host and port as they are written; each may be missing.
fn parts(text: &str) -> Result<(String, String, String), String> {
    let (network, rest) = match text.split_once('/') {
        Some((network, rest)) => (network.trim().to_lowercase(), rest),
        None => (String::new(), text),
    };
    if is_path(&network) || is_fd(&network) {
        return Ok((network, rest.to_owned(), String::new()));
    }
    match split_host_port(rest) {
        Ok((host, port)) => Ok((network, host, port)),
        // A host alone is fine: so is IPv6, in brackets or not.
        Err(problem) => {
            let bare = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(rest);
            if rest.is_empty() || !bare.contains(':') || bare.parse::<std::net::Ipv6Addr>().is_ok() {
                return Ok((network, bare.to_owned(), String::new()));
            }
            Err(problem)
        }
    }
}
/// Go's `net.SplitHostPort`.
fn split_host_port(text: &str) -> Result<(String, String), String> {
    let fail = |why: &str| Err(format!("address {text}: {why}"));
    let Some((host, port)) = text.rsplit_once(':') else { return fail("missing port in address") };
    if let Some(inner) = host.strip_prefix('[') {
        return match inner.strip_suffix(']') {
            Some(inner) if !inner.contains(['[', ']']) => Ok((inner.to_owned(), port.to_owned())),
            Some(_) => fail("unexpected '[' in address"),
            None if text.ends_with(']') => fail("missing port in address"),
            None => fail("missing ']' in address"),
        };
    }
    if host.contains(':') {
        return fail("too many colons in address");
    }
    if text.contains(['[', ']']) {
        return fail("unexpected '[' in address");
    }
    Ok((host.to_owned(), port.to_owned()))
}
fn range(ports: &str) -> Result<(u16, u16), String> {
    let (start, end) = ports.split_once('-').unwrap_or((ports, ports));
    let number =
        |which: &str, text: &str| parse_uint16(text).map_err(|why| format!("invalid {which} port: {why}"));
    let (start, end) = (number("start", start)?, number("end", end)?);
    if end < start {
        return Err("end port must not be less than start port".into());
    }
    Ok((start, end))
}
fn is_path(network: &str) -> bool {
    matches!(network, "unix" | "unixgram" | "unixpacket") || network.starts_with("unix+")
}
fn is_fd(network: &str) -> bool {
    matches!(network, "fd" | "fdgram")
}

#[cfg(test)]
mod tests {
    use super::*;
    fn address(text: &str) -> Result<String, String> {
        let a = NetworkAddress::parse(text, "tcp", 443)?;
        Ok(format!("{}|{}|{}-{}", a.network, a.host, a.start_port, a.end_port))
    }
    #[test]
    fn parts_may_be_missing() {
        assert_eq!(address(":8080"), Ok("tcp||8080-8080".into()));
        assert_eq!(address("a.com"), Ok("tcp|a.com|443-443".into()));
        assert_eq!(address("udp4/[::1]:53"), Ok("udp4|::1|53-53".into()));
        assert_eq!(address("::1"), Ok("tcp|::1|443-443".into()));
        assert_eq!(address("[::1]"), Ok("tcp|::1|443-443".into()));
        assert_eq!(address("localhost:1-9"), Ok("tcp|localhost|1-9".into()));
        assert_eq!(address("unix//run/s:1"), Ok("unix|/run/s:1|0-0".into()));
        assert_eq!(address("fd/3"), Ok("fd|3|0-0".into()));
    }
    #[test]
    fn errors_are_caddy_s() {
        assert_eq!(address(":9-1"), Err("end port must not be less than start port".into()));
        assert_eq!(
            address(":x"),
            Err("invalid start port: strconv.ParseUint: parsing \"x\": invalid syntax".into())
        );
        assert_eq!(
            address(":70000"),
            Err("invalid start port: strconv.ParseUint: parsing \"70000\": value out of range".into())
        );
        assert_eq!(address("1:2:3"), Err("address 1:2:3: too many colons in address".into()));
    }
    #[test]
    fn it_is_written_as_caddy_writes_it() {
        for text in [":443", "127.0.0.1:8080", "udp/[::1]:53", "unix//run/s", "fd/3", "a:1-9"] {
            assert_eq!(NetworkAddress::parse(text, "tcp", 0).unwrap().to_string(), text);
        }
    }
}
