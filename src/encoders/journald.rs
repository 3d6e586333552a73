//! `journald`: puts the level before every line as systemd's journal reads it (`<6>`).
//!
//! ```caddyfile
//! format journald {
//!     wrap <encoder> …
//! }
//! ```
use super::NAMESPACE;
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    logging::{Encoder, EncoderModule, Entry, Level},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "journald",
    docs: "journald { wrap <encoder> }: log entries for systemd's journal, with its priorities.",
    parse,
    support: Support::Full,
};
/// `caddy.logging.encoders.journald`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journald {
    /// An encoder.
    #[serde(skip_serializing_if = "is_default")]
    pub wrap: Option<Value>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut encoder) = (Words::new(line), Journald::default());
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "wrap" => encoder.wrap = Some(super::wrapped(sub, cx)?),
            other => return Err(sub.error(format!("unrecognized subdirective {other}"))),
        }
    }
    Ok(fields(&encoder))
}

pub const MODULE: EncoderModule = EncoderModule {
    name: "journald",
    build: |config, encoders| {
        let Journald { wrap } =
            crate::config::decode(Value::Object(config)).map_err(|error| error.to_string())?;
        let mut wrapped = encoders.wrapped(wrap)?;
        wrapped.leave_out_time();
        Ok(Box::new(Prioritized { wrapped }))
    },
};
#[derive(Debug)]
struct Prioritized {
    wrapped: Box<dyn Encoder>,
}
impl Encoder for Prioritized {
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        // As syslog has them: sd-daemon(3).
        out.extend_from_slice(match entry.level {
            Level::Debug => b"<7>",
            Level::Info => b"<6>",
            Level::Warn => b"<4>",
            Level::Error => b"<3>",
            Level::Panic | Level::Fatal => b"<2>",
        });
        self.wrapped.encode(entry, out);
    }
    fn leave_out_time(&mut self) {
        self.wrapped.leave_out_time();
    }
}
