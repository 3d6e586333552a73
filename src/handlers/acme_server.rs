//! `acme_server`: gives out certificates of our own authorities to ACME clients.
//!
//! ```caddyfile
//! acme_server [<matcher>] {
//!     ca         <id>
//!     lifetime   <duration>
//!     resolvers  <addresses…>
//!     challenges <http-01|dns-01|tls-alpn-01…>
//!     allow_wildcard_names
//!     allow|deny {
//!         domains   <domains…>
//!         ip_ranges <ranges…>
//!     }
//!     sign_with_root
//! }
//! ```
use crate::{
    caddyfile::{Cx, Directive, Emit, Order, Parse, Parsed, Support, Words},
    config::{Duration, MatcherSet, Module, Route, is_default, parse_duration},
};
use grammar::Line;
use serde::{Deserialize, Serialize};

pub const DIRECTIVE: Directive = Directive {
    name: "acme_server",
    docs: "acme_server [<matcher>] { ca <id>; lifetime <duration>; resolvers <addresses…>; challenges <names…>; \
           allow_wildcard_names; allow { domains, ip_ranges }; deny { domains, ip_ranges }; sign_with_root }: \
           gives out certificates of our own authorities over ACME.",
    order: Order::ByRow,
    parse: Parse::Matched(parse),
    support: Support::NotYet("its run time comes later"),
};
/// `http.handlers.acme_server`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeServer {
    /// The authority; empty: `local`.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: String,
    /// Of certificates; 0: 12 hours.
    #[serde(skip_serializing_if = "is_default")]
    pub lifetime: Duration,
    /// The host of the directory's URLs; empty: the one of the request.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// Empty: `/acme/`.
    #[serde(skip_serializing_if = "is_default")]
    pub path_prefix: String,
    #[serde(skip_serializing_if = "is_default")]
    pub sign_with_root: bool,
    /// Whom to ask about DNS challenges.
    #[serde(skip_serializing_if = "is_default")]
    pub resolvers: Vec<String>,
    /// Those that are offered; none: all.
    #[serde(skip_serializing_if = "is_default")]
    pub challenges: Vec<String>,
    /// None: every name.
    #[serde(skip_serializing_if = "is_default")]
    pub policy: Option<Policy>,
}
/// Which names may have certificates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Only these.
    #[serde(skip_serializing_if = "is_default")]
    pub allow: Option<Names>,
    /// Never these.
    #[serde(skip_serializing_if = "is_default")]
    pub deny: Option<Names>,
    #[serde(skip_serializing_if = "is_default")]
    pub allow_wildcard_names: bool,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// Such as `a.example` or `*.example`.
    #[serde(skip_serializing_if = "is_default")]
    pub domains: Vec<String>,
    /// Addresses and CIDR ranges.
    #[serde(skip_serializing_if = "is_default")]
    pub ip_ranges: Vec<String>,
}
/// `line` is without the matcher.
fn parse(line: &Line, set: Option<MatcherSet>, _: &mut Cx<'_>) -> Parsed<Vec<Emit>> {
    let (mut words, mut server, mut authority) = (Words::new(line), AcmeServer::default(), None);
    words.none()?;
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "ca" => {
                server.ca = sub.one()?.into();
                authority = Some(server.ca.clone());
            }
            "lifetime" => server.lifetime = parse_duration(sub.need()?).map_err(|why| sub.error(why))?,
            "resolvers" => {
                server.resolvers = sub.rest();
                if server.resolvers.is_empty() {
                    return Err(sub.error("must specify at least one resolver address"));
                }
            }
            "challenges" => server.challenges.extend(sub.rest()),
            "allow_wildcard_names" => server.policy.get_or_insert_default().allow_wildcard_names = true,
            "allow" => server.policy.get_or_insert_default().allow = Some(names(sub)?),
            "deny" => server.policy.get_or_insert_default().deny = Some(names(sub)?),
            "sign_with_root" => {
                sub.none()?;
                server.sign_with_root = true;
            }
            other => return Err(sub.error(format!("unrecognized ACME server directive: {other}"))),
        }
    }
    let route = Emit::Route(Route::of(set, Module::of("acme_server", &server)));
    Ok([route].into_iter().chain(authority.map(Emit::Authority)).collect())
}
fn names(words: &mut Words<'_>) -> Parsed<Names> {
    let (which, mut names, mut block) = (words.text(), Names::default(), words.block());
    while let Some(sub) = block.next() {
        if sub.left() == 0 {
            return Err(sub.arg_error());
        }
        match sub.text() {
            "domains" => names.domains.extend(sub.rest()),
            "ip_ranges" => names.ip_ranges.extend(sub.rest()),
            other => return Err(sub.error(format!("unrecognized '{which}' subdirective: {other}"))),
        }
    }
    Ok(names)
}
