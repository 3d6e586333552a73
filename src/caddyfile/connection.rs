//! TLS connection policies: which handshakes a server takes, and how.
//!
//! In Caddy the policy of a `tls` directive is one thing, whichever servers its site is on: what one server makes of it,
//! above all the names that it is for, is what all of them have in the end. So it is here, with a warning ([`Shared`]).
use super::{
    Cx, Options,
    pairing::{Pairing, Served},
    servers::listens_beside,
    subjects,
};
use crate::config::{AutomaticHttps, CertificateSelection, ConnectionMatch, ConnectionPolicy, Server};
use grammar::{Error, Token};
use std::collections::{HashMap, VecDeque};

/// The site and which of its `tls` directives.
type Origin = (usize, usize);

/// A policy on its way into a server.
struct Draft<'s> {
    policy: ConnectionPolicy,
    /// Of a directive's own policy: which one, and a key of the site.
    origin: Option<(Origin, &'s Token)>,
}
impl From<ConnectionPolicy> for Draft<'_> {
    fn from(policy: ConnectionPolicy) -> Self {
        Self { policy, origin: None }
    }
}
/// What the directives' policies have become, and which servers have them where.
#[derive(Default)]
pub(super) struct Shared<'s> {
    latest: HashMap<Origin, ConnectionPolicy>,
    places: Vec<Place<'s>>,
}
struct Place<'s> {
    server: usize,
    at: usize,
    origin: Origin,
    key: &'s Token,
}
impl Shared<'_> {
    /// Gives all servers what the last one has made of their policies.
    pub(super) fn settle(self, servers: &mut [(String, Server)], cx: &mut Cx<'_>) {
        for Place { server, at, origin, key } in self.places {
            let place =
                servers.get_mut(server).and_then(|(_, server)| server.tls_connection_policies.get_mut(at));
            if let (Some(policy), Some(latest)) = (place, self.latest.get(&origin))
                && policy != latest
            {
                let message = "as in Caddy, the tls settings of this site only count for those of its names that are \
                               served last; give the names of each port a site of their own";
                cx.warn(key, message);
                policy.clone_from(latest);
            }
        }
    }
}

/// What is known of a server's policies once its sites have been looked at.
pub(super) struct Seen<'s> {
    policies: Vec<Draft<'s>>,
    /// Hosts whose sites have no policy of their own.
    plain: Vec<String>,
    /// The last policy that was added matches every handshake.
    catch_all: bool,
    /// Some key is served over TLS.
    tls: bool,
    /// Automatic HTTPS adds a policy at run time.
    automatic: bool,
}
/// Collects the policies of the server's sites, and the hosts that automatic HTTPS is to leave alone.
pub(super) fn collect<'s>(
    server: &mut Server,
    pairing: &Pairing<'s>,
    shared: &mut Shared<'s>,
    options: &Options,
) -> Seen<'s> {
    let off = server.automatic_https.as_ref().is_some_and(|auto| auto.disable);
    let mut seen = Seen { policies: vec![], plain: vec![], catch_all: false, tls: false, automatic: !off };
    for served in &pairing.sites {
        let mut hosts: Vec<String> = served.hosts().into_iter().map(str::to_owned).collect();
        if served.site.tls.is_empty() {
            seen.plain.extend(hosts.iter().filter(|host| !host.contains('*')).cloned());
        }
        // A policy of names whose certificates are managed on purpose goes before one that loads a wildcard's.
        let forces = served.site.tls.iter().any(|tls| tls.force_automate);
        for (at, tls) in served.site.tls.iter().enumerate() {
            let origin = (served.index, at);
            let mut policy = shared.latest.get(&origin).unwrap_or(&tls.policy).clone();
            cover(&mut policy, &mut hosts, options);
            shared.latest.insert(origin, policy.clone());
            if !settings_empty(&policy) || forces && !hosts.is_empty() {
                seen.catch_all = hosts.is_empty();
                let origin = served.texts().next().map(|key| (origin, key));
                seen.policies.push(Draft { policy, origin });
            } else {
                seen.plain.extend(hosts.iter().cloned());
            }
        }
        look_at_keys(server, served, options, &mut seen);
    }
    seen
}
/// Makes the policy match the hosts of its block.
fn cover(policy: &mut ConnectionPolicy, hosts: &mut Vec<String>, options: &Options) {
    let default = options.default_sni.as_deref().unwrap_or_default();
    let fallback = options.fallback_sni.as_deref().unwrap_or_default();
    if hosts.is_empty() {
        (policy.default_sni, policy.fallback_sni) = (default.to_owned(), fallback.to_owned());
        return;
    }
    // A handshake without a name is for the host that stands in for it.
    if let Some(host) = hosts.iter().find(|host| *host == default || *host == fallback) {
        if host == default {
            policy.default_sni = default.to_owned();
        } else {
            policy.fallback_sni = fallback.to_owned();
        }
        hosts.push(String::new());
    }
    hosts.sort();
    policy.matcher = Some(by_name(hosts.clone()));
}
fn by_name(names: Vec<String>) -> ConnectionMatch {
    ConnectionMatch { sni: Some(names), ..ConnectionMatch::default() }
}
fn look_at_keys(server: &mut Server, served: &Served<'_>, options: &Options, seen: &mut Seen<'_>) {
    let beside = listens_beside(&server.listen, options.http_port());
    let (http_port, https_port) = (options.http_port().to_string(), options.https_port().to_string());
    for key in served.keys() {
        if beside && key.scheme == "http" && !key.host.is_empty() {
            let AutomaticHttps { skip, .. } = server.automatic_https.get_or_insert_default();
            if !skip.contains(&key.host) {
                skip.push(key.host.clone());
            }
        }
        let skipped = server.automatic_https.as_ref().is_some_and(|auto| auto.skip.contains(&key.host));
        let has_tls = !served.site.tls.is_empty() || !key.host.is_empty() && !skipped;
        seen.tls |= key.scheme == "https" || !key.is_http(options.http_port()) && has_tls;
        let usual = key.port == https_port;
        let named = key.port != http_port && !key.host.is_empty();
        seen.automatic &= usual || named;
    }
}
/// Adds what is still missing, and tidies up.
///
/// # Errors
/// HTTP and HTTPS on one server, or policies that contradict each other.
pub(super) fn finish<'s>(
    server: &mut Server,
    pairing: &Pairing<'s>,
    seen: Seen<'s>,
    shared: &mut Shared<'s>,
    number: usize,
    options: &Options,
) -> Result<(), Error> {
    one_scheme(server, pairing, !seen.policies.is_empty(), options)?;
    let mut policies = shield(seen.policies, seen.plain);
    let default_sni = options.default_sni.clone().unwrap_or_default();
    let fallback_sni = options.fallback_sni.clone().unwrap_or_default();
    let needed =
        !policies.is_empty() || !seen.automatic || !default_sni.is_empty() || !fallback_sni.is_empty();
    if seen.tls && !seen.catch_all && needed {
        policies.push(ConnectionPolicy { default_sni, fallback_sni, ..ConnectionPolicy::default() }.into());
    }
    let policies = consolidate(policies).map_err(|why| {
        Error::plain(format!("consolidating TLS connection policies for server {number}: {why}"))
    })?;
    for (at, Draft { policy, origin }) in policies.into_iter().enumerate() {
        if let Some((origin, key)) = origin {
            shared.latest.insert(origin, policy.clone());
            shared.places.push(Place { server: number, at, origin, key });
        }
        server.tls_connection_policies.push(policy);
    }
    Ok(())
}
/// Hosts without a policy of their own must not fall under a wildcard's that asks for client certificates: right before
/// it goes a copy without that, for them.
fn shield<'s>(policies: Vec<Draft<'s>>, plain: Vec<String>) -> Vec<Draft<'s>> {
    let mut left = plain;
    left.sort();
    left.dedup();
    let mut shielded = Vec::with_capacity(policies.len());
    for draft in policies {
        let policy = &draft.policy;
        if policy.client_authentication.is_some() {
            let wildcards: Vec<&String> = sni(policy).iter().filter(|name| name.contains('*')).collect();
            let covers = |host: &str| wildcards.iter().any(|name| subjects::covers(name, host));
            let (covered, rest): (Vec<String>, Vec<String>) = left.into_iter().partition(|host| covers(host));
            left = rest;
            if !covered.is_empty() {
                let matcher = Some(by_name(covered));
                let copy = ConnectionPolicy { matcher, client_authentication: None, ..policy.clone() };
                shielded.push(copy.into());
            }
        }
        shielded.push(draft);
    }
    shielded
}
fn sni(policy: &ConnectionPolicy) -> &[String] {
    policy.matcher.as_ref().and_then(|m| m.sni.as_deref()).unwrap_or_default()
}
/// A server speaks HTTP or HTTPS, not both.
fn one_scheme(
    server: &Server,
    pairing: &Pairing<'_>,
    has_policies: bool,
    options: &Options,
) -> Result<(), Error> {
    let listen = format!("[{}]", server.listen.join(" "));
    let https_port = options.https_port().to_string();
    let mut https = None;
    for (key, token) in pairing.sites.iter().flat_map(|served| served.keys().zip(served.texts())) {
        let wants_https = if key.is_http(options.http_port()) {
            false
        } else if key.scheme == "https" || key.port == https_port || has_policies {
            true
        } else if key.host.is_empty() {
            false
        } else {
            continue;
        };
        if https.is_some_and(|before| before != wants_https) {
            let (is, hint) = match (wants_https, key.scheme.is_empty() && key.host.is_empty()) {
                (true, _) => ("HTTP", ""),
                (false, true) => ("HTTPS", " (try specifying https:// in the address)"),
                (false, false) => ("HTTPS", ""),
            };
            return Err(token.error(format!(
                "server listening on {listen} is configured for {is} and cannot natively multiplex HTTP and HTTPS: \
                 {}{hint}",
                key.original
            )));
        }
        if !wants_https && has_policies {
            return Err(token.error(format!(
                "server listening on {listen} is HTTP, but attempts to configure TLS connection policies"
            )));
        }
        https = Some(wants_https);
    }
    Ok(())
}

/// Catch-alls last; those with the same matchers as one; neighbours that differ in nothing but names as one.
fn consolidate(policies: Vec<Draft<'_>>) -> Result<Vec<Draft<'_>>, String> {
    let (named, catch_all): (Vec<Draft<'_>>, Vec<Draft<'_>>) =
        policies.into_iter().partition(|draft| draft.policy.matcher.is_some());
    let mut ahead: VecDeque<Draft<'_>> = named.into_iter().chain(catch_all).collect();
    let mut done: Vec<Draft<'_>> = vec![];
    while let Some(mut draft) = ahead.pop_front() {
        loop {
            let policy = &mut draft.policy;
            while let Some(next) = ahead.pop_front_if(|next| differ_in_names(policy, &next.policy)) {
                if let Some(names) = policy.matcher.as_mut().and_then(|m| m.sni.as_mut()) {
                    names.extend_from_slice(sni(&next.policy));
                }
            }
            let alike = |other: &Draft<'_>| other.policy.matcher == policy.matcher;
            let other = if let Some(at) = done.iter().position(alike) {
                done.remove(at)
            } else if let Some(other) = ahead.iter().position(alike).and_then(|at| ahead.remove(at)) {
                other
            } else {
                break;
            };
            *policy = merge(policy, &other.policy)?;
        }
        done.push(draft);
    }
    Ok(done)
}
/// Both match by name alone, and say the same otherwise.
fn differ_in_names(a: &ConnectionPolicy, b: &ConnectionPolicy) -> bool {
    let settings = |policy: &ConnectionPolicy| ConnectionPolicy { matcher: None, ..policy.clone() };
    only_sni(a) && only_sni(b) && a.matcher != b.matcher && settings(a) == settings(b)
}
fn only_sni(policy: &ConnectionPolicy) -> bool {
    matches!(
        &policy.matcher,
        Some(ConnectionMatch { sni: Some(_), local_ip: None, remote_ip: None, sni_regexp: None })
    )
}
/// Two policies of the same handshakes as one.
fn merge(a: &ConnectionPolicy, b: &ConnectionPolicy) -> Result<ConnectionPolicy, String> {
    let conflict = |what: &str, a: String, b: String| {
        Err(format!("two policies with same match criteria have conflicting {what}: {a} vs. {b}"))
    };
    let list = |what: &str, a: &[String], b: &[String]| {
        if !a.is_empty() && !b.is_empty() && a != b {
            return conflict(what, format!("[{}]", a.join(" ")), format!("[{}]", b.join(" ")))
                .map(|()| vec![]);
        }
        Ok(if a.is_empty() { b.to_vec() } else { a.to_vec() })
    };
    let text = |what: &str, a: &str, b: &str| {
        if !a.is_empty() && !b.is_empty() && a != b {
            return conflict(what, a.to_owned(), b.to_owned()).map(|()| String::new());
        }
        Ok(if a.is_empty() { b.to_owned() } else { a.to_owned() })
    };
    if let (None, Some(wanted)) = (&a.client_authentication, &b.client_authentication) {
        conflict("client auth configuration", "<nil>".to_owned(), wanted.to_string())?;
    }
    Ok(ConnectionPolicy {
        matcher: a.matcher.clone(),
        alpn: list("ALPN", &a.alpn, &b.alpn)?,
        cipher_suites: list("cipher suites", &a.cipher_suites, &b.cipher_suites)?,
        client_authentication: a.client_authentication.clone(),
        curves: list("curves", &a.curves, &b.curves)?,
        default_sni: text("default SNI", &a.default_sni, &b.default_sni)?,
        fallback_sni: text("fallback SNI", &a.fallback_sni, &b.fallback_sni)?,
        protocol_min: text("min protocol", &a.protocol_min, &b.protocol_min)?,
        protocol_max: text("max protocol", &a.protocol_max, &b.protocol_max)?,
        certificate_selection: selection(a, b)?,
        insecure_secrets_log: a.insecure_secrets_log.clone(),
        drop: a.drop,
        handshake_context: a.handshake_context.clone(),
    })
}
fn selection(a: &ConnectionPolicy, b: &ConnectionPolicy) -> Result<Option<CertificateSelection>, String> {
    let (one, other) = match (&a.certificate_selection, &b.certificate_selection) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return Ok(one.as_ref().or(other.as_ref()).cloned()),
    };
    let mut merged = one.clone();
    for tag in &other.any_tag {
        if !merged.any_tag.contains(tag) {
            merged.any_tag.push(tag.clone());
        }
    }
    Ok(Some(merged))
}
/// The policy changes nothing about a handshake.
fn settings_empty(policy: &ConnectionPolicy) -> bool {
    ConnectionPolicy { matcher: None, ..policy.clone() } == ConnectionPolicy::default()
}
