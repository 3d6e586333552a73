//! The `net` writer: lines go to a socket. While nobody is there they go to standard error.
use super::sink::Target;
use crate::config::{
    self, NetworkAddress, is_default,
    placeholder::{Unknown, expand_global},
};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Write},
    net::{TcpStream, ToSocketAddrs, UdpSocket},
    os::unix::net::{UnixDatagram, UnixStream},
    time::{Duration, Instant},
};

/// JSON: `caddy.logging.writers.net`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetConfig {
    /// Such as `udp/host:514`; TCP if no network is named. Placeholders are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// 0: 10 seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub dial_timeout: config::Duration,
    /// Start even if nobody listens there yet.
    #[serde(skip_serializing_if = "is_default")]
    pub soft_start: bool,
}
/// How long a connection may take to be made, or to take a line.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is left alone after it could not be made.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct NetWriter {
    address: NetworkAddress,
    patience: Duration,
    soft_start: bool,
    connection: Option<Connection>,
    dialled: Option<Instant>,
}
#[derive(Debug)]
enum Connection {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Unix(UnixStream),
    UnixDatagram(UnixDatagram),
}
impl NetWriter {
    /// Nothing is dialled yet.
    ///
    /// # Errors
    /// The address is none.
    pub(super) fn new(config: &NetConfig) -> Result<Self, String> {
        let text = expand_global(&config.address, Unknown::Fail)
            .map_err(|why| format!("invalid host in address: {why}"))?;
        let address = NetworkAddress::parse(&text, "tcp", 0)
            .map_err(|why| format!("parsing network address '{text}': {why}"))?;
        if !address.is_unix() && address.ports() != 1 {
            return Err("multiple ports not supported".into());
        }
        if config.dial_timeout < config::Duration::ZERO {
            return Err("timeout cannot be less than 0".into());
        }
        Ok(Self {
            address,
            patience: config.dial_timeout.some().unwrap_or(PATIENCE),
            soft_start: config.soft_start,
            connection: None,
            dialled: None,
        })
    }
    /// As Caddy's writer key.
    pub(super) fn name(&self) -> String {
        self.address.to_string()
    }
    fn dial(&mut self) -> io::Result<()> {
        self.dialled = Some(Instant::now());
        self.connection = None;
        let NetworkAddress { network, host, start_port, .. } = &self.address;
        let connection = match network.as_str() {
            "unix" => Connection::Unix(UnixStream::connect(host)?),
            "unixgram" => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(host)?;
                Connection::UnixDatagram(socket)
            }
            network => {
                let host = if host.is_empty() { "localhost" } else { host };
                let wanted = |address: &std::net::SocketAddr| match network.as_bytes().last() {
                    Some(b'4') => address.is_ipv4(),
                    Some(b'6') => address.is_ipv6(),
                    _ => true,
                };
                let mut found = (host, *start_port).to_socket_addrs()?.filter(wanted);
                if network.starts_with("udp") {
                    let address = found.next().ok_or(io::ErrorKind::NotFound)?;
                    let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                    let socket = UdpSocket::bind(own)?;
                    socket.connect(address)?;
                    Connection::Udp(socket)
                } else {
                    let mut outcome = Err(io::ErrorKind::NotFound.into());
                    for address in found {
                        outcome = TcpStream::connect_timeout(&address, self.patience);
                        if outcome.is_ok() {
                            break;
                        }
                    }
                    let stream = outcome?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    Connection::Tcp(stream)
                }
            }
        };
        self.connection = Some(connection);
        Ok(())
    }
    fn send(&mut self, lines: &[u8]) -> io::Result<()> {
        let each = |send: &dyn Fn(&[u8]) -> io::Result<usize>| {
            // A datagram for each line, as Caddy writes them.
            lines.split_inclusive(|&byte| byte == b'\n').try_for_each(|line| send(line).map(drop))
        };
        match &mut self.connection {
            None => Err(io::ErrorKind::NotConnected.into()),
            Some(Connection::Tcp(stream)) => stream.write_all(lines),
            Some(Connection::Unix(stream)) => stream.write_all(lines),
            Some(Connection::Udp(socket)) => each(&|line| socket.send(line)),
            Some(Connection::UnixDatagram(socket)) => each(&|line| socket.send(line)),
        }
    }
}
impl Target for NetWriter {
    fn prepare(&mut self) -> Result<(), String> {
        if self.dialled.is_some() {
            return Ok(());
        }
        let Err(error) = self.dial() else { return Ok(()) };
        if !self.soft_start {
            return Err(format!("dial {}: {error}", self.name()));
        }
        self.dialled = None;
        let why = format!(
            "[ERROR] net log writer failed to connect: {error} (will retry connection and print errors here in the meantime)\n"
        );
        // There is no other place left to say it.
        let _ = io::stderr().write_all(why.as_bytes());
        Ok(())
    }
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.send(lines).is_ok() {
            return Ok(());
        }
        let may_dial = self.dialled.is_none_or(|last| last.elapsed() > PAUSE);
        if may_dial && self.dial().is_ok() && self.send(lines).is_ok() {
            return Ok(());
        }
        io::stderr().write_all(lines)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, net::TcpListener};

    fn writer(address: &str, soft_start: bool) -> NetWriter {
        let config = NetConfig { address: address.into(), soft_start, ..NetConfig::default() };
        NetWriter::new(&config).unwrap()
    }
    #[test]
    fn lines_go_to_who_listens_and_to_who_listens_later() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut writer = writer(&address, false);
        assert_eq!(writer.name(), address);
        writer.prepare().unwrap();
        writer.write(b"one\ntwo\n").unwrap();
        drop(writer);
        let mut read = String::new();
        listener.accept().unwrap().0.read_to_string(&mut read).unwrap();
        assert_eq!(read, "one\ntwo\n");
    }
    #[test]
    fn each_line_is_a_datagram() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut writer = writer(&format!("udp/{}", socket.local_addr().unwrap()), false);
        writer.prepare().unwrap();
        writer.write(b"one\ntwo\n").unwrap();
        let received = || {
            let mut buffer = [0; 64];
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        assert_eq!([received(), received()], ["one\n", "two\n"]);
    }
    #[test]
    fn whom_nobody_hears_is_an_error_unless_it_starts_softly() {
        // A port that was just given back.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let why = writer(&address, false).prepare().unwrap_err();
        assert!(why.starts_with(&format!("dial {address}: ")), "{why}");
        let mut soft = writer(&address, true);
        soft.prepare().unwrap();
        let listener = TcpListener::bind(&address).unwrap();
        soft.write(b"late\n").unwrap();
        drop(soft);
        let mut read = String::new();
        listener.accept().unwrap().0.read_to_string(&mut read).unwrap();
        assert_eq!(read, "late\n");
    }
    #[test]
    fn an_address_has_one_port() {
        let config = NetConfig { address: "host:1-2".into(), ..NetConfig::default() };
        assert_eq!(NetWriter::new(&config).unwrap_err(), "multiple ports not supported");
    }
}
