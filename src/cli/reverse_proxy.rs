//! `reverse-proxy`: passes all requests on.
use super::{failure::Failure, quick};
use crate::{config::NetworkAddress, handlers::reverse_proxy::dials};
use clap::Args;
use serde_json::{Value, json};

/// A quick and production-ready reverse proxy
#[derive(Args, Debug)]
pub(super) struct ReverseProxy {
    /// Address on which to receive traffic
    #[arg(short, long, value_name = "string", default_value = "localhost")]
    from: String,
    /// Upstream address(es) to which traffic should be sent
    #[arg(short, long, value_name = "strings", value_delimiter = ',')]
    to: Vec<String>,
    /// Set upstream Host header to address of upstream
    #[arg(short, long)]
    change_host_header: bool,
    /// Disable TLS verification (WARNING: DISABLES SECURITY BY NOT VERIFYING TLS CERTIFICATES!)
    #[arg(long)]
    insecure: bool,
    /// Disable HTTP->HTTPS redirects
    #[arg(short = 'r', long)]
    disable_redirects: bool,
    /// Use internal CA for issuing certs
    #[arg(short, long)]
    internal_certs: bool,
    /// Set a request header to send to the upstream (format: "Field: value")
    #[arg(short = 'H', long, value_name = "stringArray")]
    header_up: Vec<String>,
    /// Set a response header to send back to the client (format: "Field: value")
    #[arg(short = 'd', long, value_name = "stringArray")]
    header_down: Vec<String>,
    /// Enable the access log
    #[arg(long)]
    access_log: bool,
    /// Enable verbose debug logs
    #[arg(short = 'v', long)]
    debug: bool,
}
/// Where requests come from.
#[derive(Debug)]
struct From {
    scheme: String,
    host: String,
    port: String,
}
impl From {
    /// What is not said follows from what is.
    fn parse(text: &str) -> Result<Self, Failure> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        if rest.contains('/') {
            return Err(Failure::new(format!("paths are not allowed: {text}")));
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') && (!host.contains(':') || host.ends_with(']')) => {
                (host, port)
            }
            _ => (rest, ""),
        };
        let invalid = |why: String| Failure::new(format!("invalid downstream address {text}: {why}"));
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err(invalid(format!("invalid port '{port}'")));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let scheme = match scheme {
            "" if port == "80" || host.is_empty() => "http",
            "" => "https",
            scheme => scheme,
        };
        let port = match (port, scheme) {
            ("", "http") => "80",
            ("", "https") => "443",
            (port, _) => port,
        };
        Ok(Self { scheme: scheme.into(), host, port: port.into() })
    }
    fn shown(&self) -> String {
        let usual = matches!((self.scheme.as_str(), self.port.as_str()), ("http", "80") | ("https", "443"));
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if usual { String::new() } else { format!(":{}", self.port) };
        format!("{}://{host}{port}", self.scheme)
    }
}
impl ReverseProxy {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (config, from, to) = self.configuration()?;
        quick::run(&config, async |_| {
            tracing::info!(target: "", from = from.shown(), to = ?to, "caddy proxying");
            if to.len() > 1 {
                tracing::info!(target: "", policy = "random", "using default load balancing policy");
            }
        })
    }
    /// With where requests come from, and the addresses that they go to.
    fn configuration(&self) -> Result<(Value, From, Vec<String>), Failure> {
        if self.to.is_empty() {
            return Err(Failure::new("--to is required"));
        }
        let from = From::parse(&self.from)?;
        let (mut scheme, mut to) = (String::new(), vec![]);
        for text in &self.to {
            let invalid = |why: String| Failure::new(format!("invalid upstream address {text}: {why}"));
            let (its_scheme, dials) = dials(text).map_err(invalid)?;
            // Schemes do not mix: the first that is named counts.
            if scheme.is_empty() {
                scheme = its_scheme;
            }
            to.extend(dials);
        }
        for address in &to {
            let invalid = |why: String| Failure::new(format!("invalid upstream address {address}: {why}"));
            NetworkAddress::parse(address, "tcp", 0).map_err(invalid)?;
        }
        let mut route = json!({ "handle": [self.handler(&scheme, &to)?] });
        if !from.host.is_empty() {
            route["match"] = json!([{ "host": [from.host] }]);
        }
        let mut server = json!({ "listen": [format!(":{}", from.port)], "routes": [route] });
        if self.access_log {
            server["logs"] = json!({});
        }
        if from.scheme == "http" {
            server["automatic_https"] = json!({ "disable": true });
        } else if self.disable_redirects {
            server["automatic_https"] = json!({ "disable_redirects": true });
        }
        let mut apps = json!({ "http": { "servers": { "proxy": server } } });
        if self.internal_certs && !from.host.is_empty() {
            let policy = json!({ "subjects": [from.host], "issuers": [{ "module": "internal" }] });
            apps["tls"] = json!({ "automation": { "policies": [policy] } });
        }
        Ok((quick::configuration(&apps, self.debug), from, to))
    }
    fn handler(&self, scheme: &str, to: &[String]) -> Result<Value, Failure> {
        let mut transport = json!({ "protocol": "http" });
        if scheme == "https" {
            transport["tls"] = json!({});
            if self.insecure {
                transport["tls"]["insecure_skip_verify"] = json!(true);
            }
        }
        let upstreams: Vec<Value> = to.iter().map(|dial| json!({ "dial": dial })).collect();
        let mut handler =
            json!({ "handler": "reverse_proxy", "transport": transport, "upstreams": upstreams });
        let mut up = quick::header_fields("header-up", &self.header_up)?;
        if self.change_host_header {
            up.insert("Host".into(), json!(["{http.reverse_proxy.upstream.hostport}"]));
        }
        if !up.is_empty() {
            handler["headers"]["request"] = json!({ "set": up });
        }
        let down = quick::header_fields("header-down", &self.header_down)?;
        if !down.is_empty() {
            handler["headers"]["response"] = json!({ "set": down });
        }
        Ok(handler)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_an_address_does_not_say_follows_from_what_it_says() {
        for (text, shown) in [
            ("localhost", "https://localhost"),
            (":8080", "http://:8080"),
            ("example.com:80", "http://example.com"),
            ("http://Example.com:81", "http://example.com:81"),
            ("[::1]:9000", "https://[::1]:9000"),
        ] {
            assert_eq!(From::parse(text).unwrap().shown(), shown, "{text}");
        }
        assert_eq!(From::parse("a/b").unwrap_err().text(), "paths are not allowed: a/b");
        assert_eq!(
            From::parse("a:b").unwrap_err().text(),
            "invalid downstream address a:b: invalid port 'b'"
        );
    }
}
