//! The PROXY protocol, both versions, as a load balancer writes it before everything else
//! (<https://www.haproxy.org/download/3.3/doc/proxy-protocol.txt>).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What stands at the beginning of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It may be a header, but there is not enough of it.
    Unclear,
    /// No header.
    Other,
    /// It begins like one, and is none.
    Broken,
    /// A header of that many bytes. Without ends it concerns the proxy's own connection (or one of another kind).
    Header { length: usize, ends: Option<Ends> },
}
/// Of the connection to the proxy: the client's address, and the one it has dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub client: SocketAddr,
    pub dialled: SocketAddr,
}
const V1: &[u8] = b"PROXY ";
/// Of a whole header of version 1, in bytes.
const LONGEST_V1: usize = 107;
const V2: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Of version 2, before the addresses.
const FIXED: usize = 16;

/// Looks at what has come so far.
pub fn beginning(bytes: &[u8]) -> Beginning {
    let begins = |signature: &[u8]| bytes.iter().zip(signature).all(|(a, b)| a == b);
    if begins(V2) {
        return if bytes.len() < FIXED { Beginning::Unclear } else { version2(bytes) };
    }
    if begins(V1) {
        return if bytes.len() < V1.len() { Beginning::Unclear } else { version1(bytes) };
    }
    Beginning::Other
}
fn version1(bytes: &[u8]) -> Beginning {
    let head = &bytes[..bytes.len().min(LONGEST_V1)];
    let Some(end) = head.windows(2).position(|two| two == b"\r\n") else {
        return if bytes.len() < LONGEST_V1 { Beginning::Unclear } else { Beginning::Broken };
    };
    let Ok(line) = std::str::from_utf8(&head[..end]) else { return Beginning::Broken };
    let header = |ends| Beginning::Header { length: end + 2, ends };
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => header(None),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, target, from, to] => {
            let ends = ends_of(family == "TCP4", (source, from), (target, to));
            ends.map_or(Beginning::Broken, |ends| header(Some(ends)))
        }
        _ => Beginning::Broken,
    }
}
fn ends_of(is_v4: bool, source: (&str, &str), target: (&str, &str)) -> Option<Ends> {
    let end = |(ip, port): (&str, &str)| {
        let ip: IpAddr = ip.parse().ok().filter(|ip: &IpAddr| ip.is_ipv4() == is_v4)?;
        // Digits and nothing else, unlike what Rust reads.
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        Some(SocketAddr::new(ip, port.parse().ok().filter(|_| digits)?))
    };
    Some(Ends { client: end(source)?, dialled: end(target)? })
}
fn version2(bytes: &[u8]) -> Beginning {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else { return Beginning::Unclear };
    let [.., version, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let addresses = match family {
        0x11 => 12,
        0x21 => 36,
        // Datagrams, Unix sockets, or nobody knows what: there is no address for us in it.
        _ => 0,
    };
    let (local, proxied) = (0x20, 0x21);
    if ![local, proxied].contains(&version) || version == proxied && length < addresses {
        return Beginning::Broken;
    }
    let header = |ends| Beginning::Header { length: FIXED + length, ends };
    if version == local || addresses == 0 {
        return header(None);
    }
    let Some(addresses) = rest.get(..addresses) else { return Beginning::Unclear };
    header(match family {
        0x11 => v2_ends::<4>(addresses, |ip| Ipv4Addr::from(ip).into()),
        _ => v2_ends::<16>(addresses, |ip| Ipv6Addr::from(ip).into()),
    })
}
fn v2_ends<const SIZE: usize>(bytes: &[u8], ip: impl Fn([u8; SIZE]) -> IpAddr) -> Option<Ends> {
    let (source, rest) = bytes.split_first_chunk::<SIZE>()?;
    let (target, rest) = rest.split_first_chunk::<SIZE>()?;
    let (from, rest) = rest.split_first_chunk::<2>()?;
    let to = rest.first_chunk::<2>()?;
    let end = |address: &[u8; SIZE], port: &[u8; 2]| SocketAddr::new(ip(*address), u16::from_be_bytes(*port));
    Some(Ends { client: end(source, from), dialled: end(target, to) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(version: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = V2.to_vec();
        bytes.extend([version, family]);
        bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        bytes.extend(rest);
        bytes
    }
    fn header(length: usize, client: &str, dialled: &str) -> Beginning {
        let ends = Ends { client: client.parse().unwrap(), dialled: dialled.parse().unwrap() };
        Beginning::Header { length, ends: Some(ends) }
    }
    #[test]
    fn both_versions_tell_both_ends() {
        let line = b"PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n";
        assert_eq!(
            beginning(&[&line[..], b"GET /"].concat()),
            header(line.len(), "1.2.3.4:1111", "5.6.7.8:2222")
        );
        let line = b"PROXY TCP6 2001:db8::1 ::2 1 2\r\n";
        assert_eq!(beginning(line), header(line.len(), "[2001:db8::1]:1", "[::2]:2"));
        let four = [9, 8, 7, 6, 5, 4, 3, 2, 4, 87, 8, 174];
        assert_eq!(beginning(&v2(0x21, 0x11, &four)), header(28, "9.8.7.6:1111", "5.4.3.2:2222"));
        let more = [&four[..], &[4, 0, 4, 1, 2, 3, 4]].concat();
        assert_eq!(beginning(&v2(0x21, 0x11, &more)), header(35, "9.8.7.6:1111", "5.4.3.2:2222"));
        let six = [&[0; 15][..], &[1], &[0; 15], &[2], &[0, 1, 0, 2]].concat();
        assert_eq!(beginning(&v2(0x21, 0x21, &six)), header(52, "[::1]:1", "[::2]:2"));
    }
    #[test]
    fn some_headers_tell_of_no_client() {
        for bytes in [
            &b"PROXY UNKNOWN\r\n"[..],
            b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
            &v2(0x20, 0x11, &[0; 12]),
            &v2(0x21, 0, &[]),
            &v2(0x21, 0x31, &[0; 216]),
        ] {
            assert_eq!(beginning(bytes), Beginning::Header { length: bytes.len(), ends: None });
        }
    }
    #[test]
    fn what_can_be_read_in_two_ways_is_broken() {
        for bytes in [
            &b"PROXY TCP4 1.2.3.4\r\n"[..],
            b"PROXY TCP4 1.2.3.4 5.6.7.8 x 2\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
            b"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
            b"PROXY TCP4 ::1 5.6.7.8 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 70000\r\n",
            &[&b"PROXY TCP4 1.2.3.4 "[..], &[b' '; 100]].concat(),
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 4]),
            &v2(0x21, 0x21, &[0; 35]),
        ] {
            assert_eq!(beginning(bytes), Beginning::Broken, "{bytes:?}");
        }
    }
    #[test]
    fn a_header_may_come_byte_by_byte() {
        let six = [&[0; 15][..], &[1], &[0; 15], &[2], &[0, 1, 0, 2]].concat();
        for whole in [b"PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n".to_vec(), v2(0x21, 0x21, &six)] {
            for end in 0..whole.len() {
                assert_eq!(beginning(&whole[..end]), Beginning::Unclear, "{end}");
            }
            assert!(matches!(beginning(&whole), Beginning::Header { .. }));
        }
        for other in [&b"GET / HTTP/1.1"[..], b"\x16\x03\x01", b"PROXX", b"proxy ", b"\r\n\r\n\0\r\nX"] {
            assert_eq!(beginning(other), Beginning::Other);
        }
    }
}
