//! Listening sockets: how each kind of address is bound.
use super::address::{Address, Family};
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};
use std::{
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::{
        fd::{BorrowedFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::{fs::PermissionsExt, net},
    },
    time::Duration,
};

/// As Go's `net` asks for; the kernel caps it at `somaxconn`.
const BACKLOG: i32 = 4096;

/// A socket that is bound and listens, without blocking.
#[derive(Debug)]
pub enum Listener {
    Tcp(std::net::TcpListener),
    Unix(net::UnixListener),
}
/// Options of the connections that a listener accepts, which inherit them: no system call a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    pub idle: Duration,
    pub interval: Duration,
    pub count: u32,
}
impl Default for KeepAlive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(15), interval: Duration::from_secs(15), count: 9 }
    }
}

/// Binds `address` for each of `workers`: a socket for each, or one for all where there can be only one.
///
/// # Errors
/// In Caddy's words: `listening on ADDR: listen tcp ADDR: bind: address already in use`.
pub fn bind(address: &Address, workers: usize, keep: KeepAlive) -> Result<Vec<Listener>, String> {
    let count = if address.is_shareable() { workers } else { 1 };
    let bound = (0..count).map(|_| match address {
        Address::Tcp { family, host, port } => tcp(*family, host, *port, keep),
        Address::Unix { path, mode } => unix(path, *mode),
        Address::Inherited { fd } => inherited(*fd),
    });
    bound.collect::<io::Result<_>>().map_err(|error| {
        let (network, place) = (address.network(), address.place());
        format!("listening on {address}: listen {network} {place}: {}", as_go_says(&error))
    })
}
fn tcp(family: Family, host: &str, port: u16, keep: KeepAlive) -> io::Result<Listener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "no suitable address");
    for at in interfaces(family, host, port)? {
        match tcp_at(at, keep) {
            Ok(listener) => return Ok(Listener::Tcp(listener)),
            // A machine without IPv6 has no `[::]`.
            Err(error) if error.raw_os_error() == Some(libc_eafnosupport()) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
/// `EAFNOSUPPORT`, as rustix knows it.
fn libc_eafnosupport() -> i32 {
    rustix::io::Errno::AFNOSUPPORT.raw_os_error()
}
fn interfaces(family: Family, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let (v4, v6) = ((Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into());
    if host.is_empty() {
        return Ok(match family {
            Family::Any => vec![v6, v4],
            Family::V4 => vec![v4],
            Family::V6 => vec![v6],
        });
    }
    let mut found: Vec<_> = (host, port).to_socket_addrs()?.collect();
    found.retain(|at| match family {
        Family::Any => true,
        Family::V4 => at.is_ipv4(),
        Family::V6 => at.is_ipv6(),
    });
    // A name with several addresses: the first IPv4 one, as Go prefers it.
    found.sort_by_key(SocketAddr::is_ipv6);
    Ok(found)
}
fn tcp_at(at: SocketAddr, keep: KeepAlive) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if !keep.idle.is_zero() {
        let options =
            TcpKeepalive::new().with_time(keep.idle).with_interval(keep.interval).with_retries(keep.count);
        socket.set_tcp_keepalive(&options)?;
    }
    if at.is_ipv6() {
        // `[::]` alone stands for all interfaces, both families.
        socket.set_only_v6(!at.ip().is_unspecified())?;
    }
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
fn unix(path: &str, mode: u32) -> io::Result<Listener> {
    let listener = match path.strip_prefix('@') {
        Some(name) => net::UnixListener::bind_addr(&net::SocketAddr::from_abstract_name(name)?)?,
        None => {
            // What a process that is gone has left behind.
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = net::UnixListener::bind(path)?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            listener
        }
    };
    listener.set_nonblocking(true)?;
    Ok(Listener::Unix(listener))
}
fn inherited(fd: i32) -> io::Result<Listener> {
    let socket = Socket::from(duplicate(fd)?);
    socket.set_nonblocking(true)?;
    match socket.local_addr().as_ref().map(SockAddr::domain) {
        Ok(Domain::UNIX) => Ok(Listener::Unix(socket.into())),
        Ok(_) => Ok(Listener::Tcp(socket.into())),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}
/// The number comes from the configuration and may name anything or nothing; what is duplicated is ours to close.
#[allow(unsafe_code)]
fn duplicate(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: borrowed for this one call, which fails if nothing is open under the number; it is not -1.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(rustix::io::fcntl_dupfd_cloexec(borrowed, 3)?)
}
/// `bind: address already in use`: the system's text without Rust's additions.
fn as_go_says(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text).to_ascii_lowercase();
    match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied => {
            format!("bind: {text}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn one(text: &str) -> Address {
        Address::parse(text, 0).unwrap().remove(0)
    }
    #[test]
    fn every_worker_has_a_socket_on_a_fixed_port() {
        let Listener::Tcp(free) = bind(&one("127.0.0.1:0"), 2, KeepAlive::default()).unwrap().remove(0)
        else {
            panic!("not TCP")
        };
        let port = free.local_addr().unwrap().port();
        let bound = bind(&one(&format!("127.0.0.1:{port}")), 2, KeepAlive::default()).unwrap();
        assert_eq!(bound.len(), 2);
    }
    #[test]
    fn what_is_taken_is_reported_as_caddy_does() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = taken.local_addr().unwrap();
        let error = bind(&one(&at.to_string()), 1, KeepAlive::default()).unwrap_err();
        assert_eq!(error, format!("listening on {at}: listen tcp {at}: bind: address already in use"));
    }
    #[test]
    fn a_unix_socket_replaces_what_was_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let address = one(&format!("unix/{}|0220", path.display()));
        drop(bind(&address, 2, KeepAlive::default()).unwrap());
        assert_eq!(bind(&address, 2, KeepAlive::default()).unwrap().len(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o220);
    }
    #[test]
    fn a_descriptor_that_is_not_open_is_an_error() {
        let error = bind(&one("fd/987"), 1, KeepAlive::default()).unwrap_err();
        assert_eq!(error, "listening on fd/987: listen fd 987: bad file descriptor");
    }
}
