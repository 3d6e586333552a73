//! Fields that are for one connection and are not passed on (RFC 9110, section 7.6.1).
use http::{HeaderMap, HeaderName, header};
use smallvec::SmallVec;

/// Go's and Caddy's list, and what would have an upstream speak HTTP/2 behind our back (RFC 7540, section 3.2.1).
pub fn hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "alt-svc"
            | "connection"
            | "http2-settings"
            | "proxy-connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}
/// The fields that `Connection` says are for this connection only, in lower case; seldom any.
pub fn names_in_connection(headers: &HeaderMap) -> Listed {
    let mut listed = Listed(vec![]);
    for value in headers.get_all(header::CONNECTION) {
        for token in value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            let usual = [&b"keep-alive"[..], b"close", b"upgrade", b""]
                .iter()
                .any(|usual| token.eq_ignore_ascii_case(usual));
            if !usual {
                listed.0.push(String::from_utf8_lossy(token).to_ascii_lowercase());
            }
        }
    }
    listed
}
/// Names of fields.
#[derive(Debug)]
pub struct Listed(Vec<String>);
impl Listed {
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|listed| listed == name)
    }
}
/// Removes both kinds from a message that is passed on.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // As most often; `Connection` itself is among them.
    if !headers.keys().any(hop_by_hop) {
        return;
    }
    let listed = names_in_connection(headers);
    let gone: SmallVec<[HeaderName; 4]> =
        headers.keys().filter(|name| hop_by_hop(name) || listed.contains(name.as_str())).cloned().collect();
    gone.iter().for_each(|name| _ = headers.remove(name));
}
