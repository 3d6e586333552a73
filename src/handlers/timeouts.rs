//! `timeouts`: deadlines for a client that stalls while it sends or receives, for some routes.
//!
//! ```caddyfile
//! timeouts [<matcher>] {
//!     read_timeout    <duration> [<min_rate>]
//!     write_timeout   <duration> [<min_rate>]
//!     max_write_chunk <size>
//! }
//! ```
//!
//! Example: `timeouts /upload* { read_timeout 10s 1000 }`: an upload may rest for ten seconds, and has then to come at
//! 1,000 bytes a second on average. What is not said is as the server has it. Every byte that a client takes counts, so
//! `max_write_chunk` changes nothing.
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, unknown},
    config::{Duration, Module, is_default, parse_go_duration, parse_int64, parse_size},
    http::{Build, BuildError, Exchange, Flow, Handler, HandlerConfig, HandlerModule, Least, Step},
};
use grammar::Line;
use serde::{Deserialize, Serialize};

pub const TIMEOUTS: Directive = Directive {
    name: "timeouts",
    docs: "timeouts [<matcher>] { read_timeout, write_timeout, max_write_chunk }: deadlines for clients that stall.",
    order: Order::ByRow,
    support: Support::Full,
    parse: Parse::Handler(parse),
};
pub const MODULE: HandlerModule = HandlerModule::of::<Timeouts>();

/// JSON: `http.handlers.timeouts`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Timeouts {
    #[serde(skip_serializing_if = "is_default")]
    read_timeout: Duration,
    /// Bytes a second, on average.
    #[serde(skip_serializing_if = "is_default")]
    read_min_rate: i64,
    #[serde(skip_serializing_if = "is_default")]
    write_timeout: Duration,
    #[serde(skip_serializing_if = "is_default")]
    write_min_rate: i64,
    /// In bytes.
    #[serde(skip_serializing_if = "is_default")]
    max_write_chunk: u64,
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Module> {
    let (mut timeouts, mut words) = (Timeouts::default(), Words::new(line));
    let mut block = words.block();
    while let Some(words) = block.next() {
        match words.text() {
            "read_timeout" => {
                (timeouts.read_timeout, timeouts.read_min_rate) =
                    deadline(words, "read_timeout", timeouts.read_min_rate)?;
            }
            "write_timeout" => {
                (timeouts.write_timeout, timeouts.write_min_rate) =
                    deadline(words, "write_timeout", timeouts.write_min_rate)?;
            }
            "max_write_chunk" => {
                let size = words.one()?;
                let size = parse_size(size);
                timeouts.max_write_chunk =
                    size.map_err(|error| words.error(format!("parsing max_write_chunk: {error}")))?;
            }
            other => {
                let message = format!("unrecognized timeouts subdirective '{other}'");
                let known = ["read_timeout", "write_timeout", "max_write_chunk"];
                return Err(unknown(words.token(), message, &known));
            }
        }
    }
    Ok(Module::of(Timeouts::NAME, &timeouts))
}
impl HandlerConfig for Timeouts {
    const NAME: &'static str = "timeouts";
    fn build(self, cx: &mut Build) -> Result<Box<dyn Handler>, BuildError> {
        cx.pace();
        Ok(Box::new(Deadlines {
            read: least(self.read_timeout, self.read_min_rate),
            write: least(self.write_timeout, self.write_min_rate),
        }))
    }
}
/// `None` where the server's word holds.
fn least(timeout: Duration, rate: i64) -> Option<Least> {
    let idle = timeout.some()?.as_millis().try_into().unwrap_or(u64::MAX);
    Some(Least { idle, rate: rate.try_into().unwrap_or(0) })
}
#[derive(Debug)]
struct Deadlines {
    read: Option<Least>,
    write: Option<Least>,
}
impl Handler for Deadlines {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        if let Some(pace) = &x.pace {
            for (direction, least) in [(&pace.read, self.read), (&pace.write, self.write)] {
                if let Some(least) = least {
                    direction.want(least);
                }
            }
        }
        Step::Next.into()
    }
}
/// A duration of Go's (there are no days) and a rate, `rate` if the line has none.
fn deadline(words: &mut Words<'_>, name: &str, rate: i64) -> Parsed<(Duration, i64)> {
    let args = words.rest();
    let [duration, rest @ ..] = args.as_slice() else { return Err(words.arg_error()) };
    let rate = match rest {
        [] => Ok(rate),
        [rate] => parse_int64(rate),
        _ => return Err(words.arg_error()),
    };
    let duration = parse_go_duration(duration);
    let duration = duration.map_err(|error| words.error(format!("parsing {name}: {error}")))?;
    let rate = rate.map_err(|error| words.error(format!("parsing {name} min_rate: {error}")))?;
    Ok((duration, rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caddyfile::testing::Rows;

    const ROWS: Rows = Rows { directives: &[TIMEOUTS], matchers: &[], modules: &[] };
    #[test]
    fn durations_come_with_a_rate() {
        ROWS.adapt_to(&[(
            "timeouts {\nread_timeout 5s 100\nwrite_timeout 10s\nmax_write_chunk 4KiB\n}",
            r#"[{"handle":[{"handler":"timeouts","max_write_chunk":4096,"read_min_rate":100,"read_timeout":5000000000,"write_timeout":10000000000}]}]"#,
        )]);
    }
    #[test]
    fn what_is_wrong_is_said_in_caddy_s_words() {
        ROWS.fail_with(&[
            (
                "timeouts {\nread_timeout 1d\n}",
                "parsing read_timeout: time: unknown unit \"d\" in duration \"1d\", at -:3",
            ),
            (
                "timeouts {\nwrite_timeout 1s x\n}",
                "parsing write_timeout min_rate: strconv.ParseInt: parsing \"x\": invalid syntax, at -:3",
            ),
            (
                "timeouts {\nread_timeout\n}",
                "wrong argument count or unexpected line ending after 'read_timeout', at -:3",
            ),
            ("timeouts {\nmax_write_chunk x\n}", "parsing max_write_chunk: strconv.ParseFloat"),
            ("timeouts {\nnope\n}", "unrecognized timeouts subdirective 'nope', at -:3"),
        ]);
    }
    #[test]
    fn what_is_said_is_wanted_of_the_client() {
        use std::sync::Arc;
        let json = serde_json::json!({"read_timeout": 5_000_000_000_i64, "read_min_rate": 100});
        let config: Timeouts = serde_json::from_value(json).unwrap();
        let handler = Deadlines {
            read: least(config.read_timeout, config.read_min_rate),
            write: least(config.write_timeout, config.write_min_rate),
        };
        let (head, ()) = http::Request::get("/").body(()).unwrap().into_parts();
        let mut x = Exchange::new(head, crate::http::Body::Empty, Arc::default());
        let pace = x.pace.insert(Arc::default()).clone();
        assert!(matches!(handler.handle(&mut x), Flow::Now(Ok(Step::Next))));
        let server = Least { idle: 60_000, rate: 0 };
        assert_eq!(pace.read.wanted(server), Least { idle: 5000, rate: 100 });
        assert_eq!(pace.write.wanted(server), server);
    }
}
