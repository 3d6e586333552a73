//! `tls`: the request comes over TLS.
//!
//! ```caddyfile
//! tls [early_data]
//! @early tls early_data
//! ```
use crate::{
    caddyfile::{MatcherSyntax, Support, Words},
    config::fields,
    http::{Exchange, Flow, Matcher, MatcherModule},
};
use serde::{Deserialize, Serialize};

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "tls",
    docs: "tls [early_data]\nThe connection has TLS; with `early_data`, its handshake is not complete.",
    parse: |lines, _| {
        let mut tls = Tls::default();
        for line in lines {
            let mut words = Words::new(line);
            match words.arg() {
                Some(word) if word.is("early_data") => tls.handshake_complete = Some(false),
                Some(word) => return Err(word.error(format!("unrecognized option '{}'", word.text))),
                None => {}
            }
            words.none()?;
            if let Some(first) = words.block().next() {
                return Err(first.error("malformed tls matcher: blocks are not supported yet"));
            }
        }
        Ok(fields(&tls).into())
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::plain::<Tls>("tls");

/// JSON: `http.matchers.tls`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    /// If set: whether the handshake was complete when the request came. Without it (QUIC's early data) a request may
    /// have been replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake_complete: Option<bool>,
}
impl Matcher for Tls {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        let tls = x.connection.tls.as_ref();
        tls.is_some_and(|tls| self.handshake_complete.is_none_or(|complete| complete != tls.early)).into()
    }
}
