//! `Accept-Encoding`, as Caddy reads it: also for the sidecars of `file_server`.
use http::{
    HeaderMap,
    header::{ACCEPT_ENCODING, SEC_WEBSOCKET_KEY},
};
use smallvec::SmallVec;

/// The encodings that there are, and which of them comes first where the client does not care.
#[derive(Debug, Default)]
pub struct Preference {
    names: Box<[Box<str>]>,
    /// So many of them are in order; the rest are equals.
    ranked: usize,
}
impl Preference {
    pub fn new(preferred: &[String], others: &[String]) -> Self {
        let names = preferred.iter().chain(others).map(|name| name.as_str().into()).collect();
        Self { names, ranked: preferred.len() }
    }
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
    /// The places of the names that the client accepts, what it likes best first.
    pub fn accepted(&self, headers: &HeaderMap) -> SmallVec<[usize; 4]> {
        let mut found: SmallVec<[(f32, usize); 4]> = SmallVec::new();
        let value = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
        // The handshake of a WebSocket is not to be encoded.
        let is_websocket = headers.get(SEC_WEBSOCKET_KEY).is_some_and(|key| !key.is_empty());
        if !is_websocket {
            for accepted in value.split(',') {
                let (name, params) = accepted.split_once(';').unwrap_or((accepted, ""));
                let name = name.trim();
                let at = self.names.iter().position(|known| known.eq_ignore_ascii_case(name));
                let quality = quality(params);
                if let Some(at) = at
                    && quality >= SMALLEST
                {
                    let place = found.iter().position(|other| self.comes_before((quality, at), *other));
                    found.insert(place.unwrap_or(found.len()), (quality, at));
                }
            }
        }
        found.into_iter().map(|(_, at)| at).collect()
    }
    fn comes_before(&self, (quality, at): (f32, usize), (other_quality, other): (f32, usize)) -> bool {
        if (quality - other_quality).abs() < SMALLEST {
            return at.min(self.ranked) < other.min(self.ranked);
        }
        quality > other_quality
    }
}
/// Qualities that differ by less are equal, and less than this is not accepted.
const SMALLEST: f32 = 0.00001;

/// `q=0.5`; 1 for what is none.
fn quality(params: &str) -> f32 {
    let first = params.split(';').next().unwrap_or("").trim();
    let value = first.split_at_checked(2).filter(|(name, _)| name.eq_ignore_ascii_case("q="));
    let value = value.and_then(|(_, value)| value.parse::<f32>().ok());
    value.filter(|value| (0.0..=1.0).contains(value)).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(header: &'static str) -> Vec<&'static str> {
        let preference = Preference::new(&["zstd".into(), "br".into()], &["gzip".into(), "x".into()]);
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, header.parse().unwrap())]);
        let names = ["zstd", "br", "gzip", "x"];
        preference.accepted(&headers).into_iter().map(|at| names[at]).collect()
    }
    #[test]
    fn the_client_s_qualities_come_first_then_our_order() {
        for (header, expected) in [
            ("", vec![]),
            ("gzip", vec!["gzip"]),
            ("GZIP", vec!["gzip"]),
            ("gzip, zstd", vec!["zstd", "gzip"]),
            ("gzip, br;q=0.9, zstd;q=0.1", vec!["gzip", "br", "zstd"]),
            ("gzip;q=0.5, zstd;q=0.5", vec!["zstd", "gzip"]),
            ("gzip;q=0, identity, *", vec![]),
            ("x, gzip", vec!["x", "gzip"]),
            ("gzip, x", vec!["gzip", "x"]),
            ("gzip;q=2, br;Q=0.5", vec!["gzip", "br"]),
            ("gzip;q=x;y", vec!["gzip"]),
            ("deflate, gzip;q=1.0;a=b", vec!["gzip"]),
        ] {
            assert_eq!(accepted(header), expected, "{header}");
        }
    }
    #[test]
    fn a_websocket_s_handshake_is_not_encoded() {
        let preference = Preference::new(&["gzip".into()], &[]);
        let headers = [(ACCEPT_ENCODING, "gzip".parse().unwrap()), (SEC_WEBSOCKET_KEY, "x".parse().unwrap())];
        assert!(preference.accepted(&HeaderMap::from_iter(headers)).is_empty());
    }
}
