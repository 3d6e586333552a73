//! Where a server listens: what a network address of the configuration stands for.
use crate::config::NetworkAddress;
use std::{fmt, path::PathBuf};

/// One address that can be bound. A range of ports makes several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    Tcp {
        family: Family,
        /// Empty for all interfaces; a name is resolved when it is bound.
        host: String,
        port: u16,
    },
    /// A path, or an abstract name behind `@`; permission bits for the file.
    Unix { path: String, mode: u32 },
    /// A listening socket that the process was started with.
    Inherited { fd: i32 },
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Any,
    V4,
    V6,
}
/// What one listens with when the address says nothing of it: the owner may write, as in Caddy.
const UNIX_MODE: u32 = 0o200;

impl Address {
    /// All addresses that `text` stands for, `default_port` where it names none.
    ///
    /// # Errors
    /// In Caddy's words.
    pub fn parse(text: &str, default_port: u16) -> Result<Vec<Self>, String> {
        let parsed = NetworkAddress::parse(text, "tcp", default_port)?;
        let family = match parsed.network.as_str() {
            "tcp" => Family::Any,
            "tcp4" => Family::V4,
            "tcp6" => Family::V6,
            "unix" => return Ok(vec![unix(&parsed.host)?]),
            "fd" => {
                let fd = parsed.host.parse();
                let fd = fd.map_err(|_| format!("invalid file descriptor: {}", parsed.host))?;
                return Ok(vec![Self::Inherited { fd }]);
            }
            "fdgram" => return Err("fdgram, which is for HTTP/3, is not supported yet".into()),
            other => return Err(format!("unsupported network type: {other}")),
        };
        let ports = parsed.start_port..=parsed.end_port;
        Ok(ports.map(|port| Self::Tcp { family, host: parsed.host.clone(), port }).collect())
    }
    /// Port, where there is one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp { port, .. } => Some(*port),
            _ => None,
        }
    }
    /// Whether each worker can have a socket of its own on it.
    pub fn is_shareable(&self) -> bool {
        matches!(self, Self::Tcp { port, .. } if *port != 0)
    }
    /// The file that goes with the socket.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Unix { path, .. } if !path.starts_with('@') => Some(path.into()),
            _ => None,
        }
    }
    /// Go's name of the network.
    pub fn network(&self) -> &'static str {
        match self {
            Self::Tcp { family: Family::Any, .. } => "tcp",
            Self::Tcp { family: Family::V4, .. } => "tcp4",
            Self::Tcp { family: Family::V6, .. } => "tcp6",
            Self::Unix { .. } => "unix",
            Self::Inherited { .. } => "fd",
        }
    }
    /// Host and port, or path: without the network.
    pub fn place(&self) -> String {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port, .. } => format!("{host}:{port}"),
            Self::Unix { path, .. } => path.clone(),
            Self::Inherited { fd } => fd.to_string(),
        }
    }
}
/// As Caddy prints it: TCP goes without saying.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network() {
            "tcp" => f.write_str(&self.place()),
            network => write!(f, "{network}/{}", self.place()),
        }
    }
}

fn unix(text: &str) -> Result<Address, String> {
    let (path, mode) = text.split_once('|').unwrap_or((text, ""));
    let mode = match mode {
        "" => UNIX_MODE,
        digits => u32::from_str_radix(digits, 8)
            .map_err(|_| format!("could not parse octal permission value '{digits}'"))?,
    };
    if mode & 0o200 == 0 {
        return Err(format!(
            "owner of the socket requires '-w-' (write, octal: '2') permissions at least; got '{}' in {:04o}",
            permissions(mode >> 6),
            mode
        ));
    }
    Ok(Address::Unix { path: path.into(), mode })
}
fn permissions(bits: u32) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')]
        .map(|(bit, letter)| if bits & bit != 0 { letter } else { '-' })
        .iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    fn shown(text: &str) -> Vec<String> {
        Address::parse(text, 443).unwrap().iter().map(Address::to_string).collect()
    }
    #[test]
    fn hosts_ports_and_networks() {
        assert_eq!(shown(":8080"), [":8080"]);
        assert_eq!(shown("tcp/localhost"), ["localhost:443"]);
        assert_eq!(shown("[::1]:80"), ["[::1]:80"]);
        assert_eq!(shown("::1"), ["[::1]:443"]);
        assert_eq!(shown("tcp4/127.0.0.1:80"), ["tcp4/127.0.0.1:80"]);
        assert_eq!(shown("h:8000-8002"), ["h:8000", "h:8001", "h:8002"]);
        assert_eq!(shown("unix//run/a.sock"), ["unix//run/a.sock"]);
        assert_eq!(shown("unix/@name"), ["unix/@name"]);
        assert_eq!(shown("fd/3"), ["fd/3"]);
    }
    #[test]
    fn a_unix_socket_has_its_mode() {
        let parsed = Address::parse("unix//run/a.sock|0222", 0).unwrap();
        assert_eq!(parsed, [Address::Unix { path: "/run/a.sock".into(), mode: 0o222 }]);
    }
    #[test]
    fn errors_are_caddys() {
        let error = |text| Address::parse(text, 80).unwrap_err();
        assert_eq!(error(":9-8"), "end port must not be less than start port");
        assert_eq!(
            error("unix//a|0444"),
            "owner of the socket requires '-w-' (write, octal: '2') permissions at least; got 'r--' in 0444"
        );
    }
}
