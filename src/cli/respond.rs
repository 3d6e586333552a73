//! `respond`: a server that always says the same.
use super::{failure::Failure, quick};
use crate::{config::NetworkAddress, server::Address};
use clap::Args;
use rustix::fs::{FileType, fstat};
use serde_json::{Map, Value, json};
use std::io::{self, Read};

/// Simple, hard-coded HTTP responses for development and testing
///
/// The body may hold {{.N}} (the number of the server, if the ports are a range), {{.Port}} and {{.Address}}.
#[derive(Args, Debug)]
pub(super) struct Respond {
    /// The response status code
    #[arg(short, long, value_name = "int")]
    status: Option<u16>,
    /// The body of the HTTP response
    #[arg(short, long, value_name = "string", default_value = "")]
    body: String,
    /// The address to which to bind the listener
    #[arg(short, long, value_name = "string", default_value = ":0")]
    listen: String,
    /// Set a header on the response (format: "Field: value")
    #[arg(short = 'H', long = "header", value_name = "stringArray")]
    headers: Vec<String>,
    /// Enable the access log
    #[arg(long)]
    access_log: bool,
    /// Enable more verbose debug-level logging
    #[arg(short = 'v', long)]
    debug: bool,
    /// A status of three digits, or the body
    #[arg(value_name = "body|status")]
    unflagged: Vec<String>,
}
impl Respond {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = self.configuration(piped)?;
        quick::run(&config, async |instance| {
            for address in instance.listening().await {
                out!("Server address: {address}");
            }
        })
    }
    /// `piped` gives what comes on standard input.
    fn configuration(&self, piped: impl FnOnce() -> io::Result<Option<String>>) -> Result<Value, Failure> {
        let (status, mut body) = self.status_and_body()?;
        if body.is_empty() {
            let piped = piped().map_err(|error| Failure::new(error.to_string()))?;
            body = piped.unwrap_or_default();
        }
        let headers = quick::header_fields("header", &self.headers)?;
        let whole = NetworkAddress::parse(&self.listen, "tcp", 0)?;
        let mut servers = Map::new();
        for (n, address) in Address::parse(&self.listen, 0)?.iter().enumerate() {
            // A socket in the file system, or one that is open already, stands for itself.
            let listen = if address.port().is_some() { address.place() } else { self.listen.clone() };
            let port = address.port().unwrap_or(whole.start_port);
            let mut handler = json!({ "handler": "static_response", "status_code": status });
            let text = fill(&body, n, port, &listen)?;
            if !text.is_empty() {
                handler["body"] = json!(text);
            }
            if !headers.is_empty() {
                handler["headers"] = json!(headers);
            }
            let mut server = json!({
                "listen": [listen],
                "read_header_timeout": "10s",
                "idle_timeout": "30s",
                "max_header_bytes": 10 << 10,
                "routes": [{ "handle": [handler] }],
                "automatic_https": { "disable_redirects": true },
            });
            if self.access_log {
                server["logs"] = json!({});
            }
            servers.insert(format!("static{n}"), server);
        }
        Ok(quick::configuration(&json!({ "http": { "servers": servers } }), self.debug))
    }
    /// Flags win over the argument without one, which is a status if it is a number that can be one.
    fn status_and_body(&self) -> Result<(u16, String), Failure> {
        let (status, body) = (self.status.unwrap_or(200), self.body.clone());
        let argument = match &self.unflagged[..] {
            [] => return Ok((status, body)),
            [argument] => argument,
            _ => return Err(Failure::new("too many unflagged arguments")),
        };
        if !body.is_empty() && self.status.is_some() {
            return Err(Failure::new(format!("unflagged argument \"{argument}\" is overridden by flags")));
        }
        match argument.parse::<i64>() {
            Ok(number) if self.status.is_none() => {
                let known = u16::try_from(number).ok().filter(|number| (100..=999).contains(number));
                Ok((known.unwrap_or(status), body))
            }
            _ if body.is_empty() => Ok((status, argument.clone())),
            _ => Ok((status, body)),
        }
    }
}
/// What is piped into this process, if anything is.
fn piped() -> io::Result<Option<String>> {
    let stdin = io::stdin();
    let kind = FileType::from_raw_mode(fstat(&stdin)?.st_mode);
    if kind != FileType::Fifo {
        return Ok(None);
    }
    let mut bytes = vec![];
    stdin.lock().read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
/// Puts the server's own facts into the body. Of Go's templates this is all that there is.
fn fill(body: &str, n: usize, port: u16, address: &str) -> Result<String, Failure> {
    let (mut out, mut rest) = (String::new(), body);
    while let Some((before, action)) = rest.split_once("{{") {
        out.push_str(before);
        let (action, after) =
            action.split_once("}}").ok_or_else(|| Failure::new("template: body:1: unclosed action"))?;
        match action.trim() {
            ".N" => out.push_str(&n.to_string()),
            ".Port" => out.push_str(&port.to_string()),
            ".Address" => out.push_str(address),
            other => {
                return Err(Failure::new(format!(
                    "template: body: {{{{{other}}}}} is not supported: there are {{{{.N}}}}, {{{{.Port}}}} and {{{{.Address}}}}"
                )));
            }
        }
        rest = after;
    }
    Ok(out + rest)
}
#[cfg(test)]
mod tests {
    use super::*;
    use clap::{FromArgMatches, Parser};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        respond: Respond,
    }
    fn parsed(args: &[&str]) -> Respond {
        let matches =
            <Cli as clap::CommandFactory>::command().get_matches_from([&["respond"], args].concat());
        Cli::from_arg_matches(&matches).unwrap().respond
    }
    fn servers(args: &[&str]) -> Value {
        parsed(args).configuration(|| Ok(None)).unwrap()["apps"]["http"]["servers"].clone()
    }
    fn handler(args: &[&str]) -> Value {
        servers(args)["static0"]["routes"][0]["handle"][0].clone()
    }
    #[test]
    fn an_argument_is_a_status_or_a_body() {
        for (args, status, body) in [
            (&[][..], 200, json!(null)),
            (&["404"], 404, json!(null)),
            (&["hello"], 200, json!("hello")),
            (&["--status", "500", "404"], 500, json!("404")),
            (&["--body", "x", "404"], 404, json!("x")),
            (&["1000"], 200, json!(null)),
        ] {
            let handler = handler(args);
            assert_eq!((&handler["status_code"], &handler["body"]), (&json!(status), &body), "{args:?}");
        }
        assert_eq!(
            parsed(&["-s", "200", "-b", "x", "y"]).status_and_body().unwrap_err().text(),
            "unflagged argument \"y\" is overridden by flags"
        );
        assert_eq!(parsed(&["x", "y"]).status_and_body().unwrap_err().text(), "too many unflagged arguments");
    }
    #[test]
    fn what_is_piped_is_the_body_if_there_is_no_other() {
        let piped = |args: &[&str]| {
            let config = parsed(args).configuration(|| Ok(Some("piped".into()))).unwrap();
            config["apps"]["http"]["servers"]["static0"]["routes"][0]["handle"][0]["body"].clone()
        };
        assert_eq!(piped(&["201"]), "piped");
        assert_eq!(piped(&["own"]), "own");
    }
    #[test]
    fn a_range_of_ports_makes_servers_that_know_themselves() {
        let servers = servers(&["-l", "h:2000-2001", "{{.N}} {{ .Port }} {{.Address}}", "-H", "x-a: b"]);
        assert_eq!(servers["static0"]["routes"][0]["handle"][0]["body"], "0 2000 h:2000");
        assert_eq!(
            servers["static1"]["routes"][0]["handle"][0],
            json!({"handler": "static_response", "status_code": 200, "body": "1 2001 h:2001", "headers": {"X-A": ["b"]}})
        );
        assert!(fill("{{if}}", 0, 0, "").is_err() && fill("{{.N", 0, 0, "").is_err());
    }
}
