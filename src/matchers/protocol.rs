//! `protocol`: the scheme, the version of HTTP, or gRPC.
//!
//! ```caddyfile
//! protocol http|https|grpc|http/<version>[+]
//! @new protocol http/2+
//! ```
use crate::{
    caddyfile::{MatcherSyntax, Support},
    http::{Build, BuildError, Exchange, Flow, Matcher, MatcherConfig, MatcherModule},
};
use http::{Version, header::CONTENT_TYPE};
use serde::Deserialize;

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "protocol",
    docs: "protocol http|https|grpc|http/<version>[+]\nThe request comes by this protocol; `+` adds what is newer.",
    parse: |lines, _| {
        let mut name = String::new();
        super::lines::each(lines, |words| {
            let word = words.arg().ok_or_else(|| words.error("expected exactly one protocol"))?;
            name.clone_from(&word.text);
            Ok(())
        })?;
        Ok(name.into())
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<Protocol>();

/// JSON: `http.matchers.protocol`: its name.
#[derive(Deserialize)]
#[serde(transparent)]
struct Protocol(String);
impl MatcherConfig for Protocol {
    const NAME: &'static str = "protocol";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let (name, newer) = self.0.strip_suffix('+').map_or((&*self.0, false), |name| (name, true));
        let version = match name {
            "http/1.0" => Some(Version::HTTP_10),
            "http/1.1" => Some(Version::HTTP_11),
            "http/2" => Some(Version::HTTP_2),
            "http/3" => Some(Version::HTTP_3),
            _ => None,
        };
        Ok(Box::new(match (&*self.0, version) {
            ("http", _) => Wanted::Tls(false),
            ("https", _) => Wanted::Tls(true),
            ("grpc", _) => Wanted::Grpc,
            (_, Some(version)) if newer => Wanted::AtLeast(version),
            (_, Some(version)) => Wanted::Version(version),
            _ => Wanted::Unknown,
        }))
    }
}
#[derive(Debug)]
enum Wanted {
    Tls(bool),
    Grpc,
    Version(Version),
    AtLeast(Version),
    /// Caddy takes any name; what it does not know never matches.
    Unknown,
}
impl Matcher for Wanted {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        match self {
            Self::Tls(tls) => x.connection.tls.is_some() == *tls,
            Self::Grpc => {
                let kind = x.request.headers.get(CONTENT_TYPE);
                kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
            }
            Self::Version(version) => x.request.version == *version,
            Self::AtLeast(version) => x.request.version >= *version,
            Self::Unknown => false,
        }
        .into()
    }
}
