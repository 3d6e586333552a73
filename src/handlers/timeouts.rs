//! `timeouts`: deadlines for a client that stalls while it sends or receives, for some routes.
//!
//! ```caddyfile
//! timeouts [<matcher>] {
//!     read_timeout    <duration> [<min_rate>]
//!     write_timeout   <duration> [<min_rate>]
//!     max_write_chunk <size>
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Order, Parse, Parsed, Support, Words, unknown},
    config::{Duration, Module, is_default, parse_go_duration, parse_int64, parse_size},
};
use grammar::Line;
use serde::Serialize;

pub const TIMEOUTS: Directive = Directive {
    name: "timeouts",
    docs: "timeouts [<matcher>] { read_timeout, write_timeout, max_write_chunk }: deadlines for clients that stall.",
    order: Order::ByRow,
    support: Support::NotYet("its run time comes later"),
    parse: Parse::Handler(parse),
};

/// JSON: `http.handlers.timeouts`.
#[derive(Default, Serialize)]
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
    Ok(Module::of("timeouts", &timeouts))
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
}
