//! Sites as servers.
use super::{
    Cx, Options,
    address::specificity,
    connection::{self, Shared},
    cx::Invoked,
    pairing::{Pairing, Served},
    routes::join,
    subroute,
};
use crate::config::{MatcherSet, NetworkAddress, Route, Server, ServerLogs};
use grammar::Error;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The named routes, each with those that it invokes.
pub(super) type NamedRoutes = BTreeMap<String, (Route, Invoked)>;

/// Builds one server of each pairing, and gives each the `servers` options that are meant for it.
///
/// # Errors
/// Sites that contradict each other.
pub(super) fn servers<'s>(
    pairings: &mut [Pairing<'s>],
    named_routes: &NamedRoutes,
    cx: &mut Cx<'_>,
) -> Result<BTreeMap<String, Server>, Error> {
    let mut names = HashSet::new();
    for options in cx.options.servers.iter().filter(|options| !options.name.is_empty()) {
        if !names.insert(&options.name) {
            return Err(Error::plain(format!(
                "applying global server options: cannot use duplicate server name '{}'",
                options.name
            )));
        }
    }
    let (mut servers, mut shared) = (vec![], Shared::default());
    for (number, pairing) in pairings.iter_mut().enumerate() {
        let mut server = server(number, pairing, named_routes, &mut shared, cx)?;
        let options = cx
            .options
            .servers
            .iter()
            .find(|options| options.address.is_empty() || server.listen.contains(&options.address));
        let mut name = format!("srv{number}");
        if let Some(options) = options {
            apply(&mut server, &options.settings);
            if !options.name.is_empty() {
                name.clone_from(&options.name);
            }
        }
        servers.push((name, server));
    }
    shared.settle(&mut servers, cx);
    Ok(servers.into_iter().collect())
}
fn server<'s>(
    number: usize,
    pairing: &mut Pairing<'s>,
    named_routes: &NamedRoutes,
    shared: &mut Shared<'s>,
    cx: &mut Cx<'_>,
) -> Result<Server, Error> {
    let mut server = Server::default();
    unambiguous(&pairing.sites)?;
    listen(&mut server, pairing);
    automatic_https(&mut server, &cx.options);
    warn_of_keys(pairing, cx);
    let mut ranked: Vec<(Rank, Served<'_>)> =
        pairing.sites.drain(..).map(|served| (Rank::of(&served), served)).collect();
    super::sort::stable(&mut ranked, |(a, _), (b, _)| a.before(b));
    pairing.sites = ranked.into_iter().map(|(_, served)| served).collect();
    if pairing.sites.iter().any(|served| !served.site.logs.is_empty()) {
        server.logs = Some(ServerLogs::default());
    }
    invoked_routes(&mut server, pairing, named_routes)?;
    let seen = connection::collect(&mut server, pairing, shared, &cx.options);
    let alone = pairing.sites.len() == 1;
    for served in &pairing.sites {
        let matchers = matcher_sets(served);
        let routes = cx.group(served.site.take_routes());
        placed(&matchers, routes, alone).into_iter().for_each(|route| join(&mut server.routes, route));
        if !served.site.error_routes.is_empty() {
            let routes = placed(&matchers, served.site.error_routes.clone(), alone);
            server.errors.get_or_insert_default().routes.extend(routes);
        }
        log_names(&mut server, served);
    }
    if let Some(logs) = &mut server.logs {
        logs.skip_hosts.sort();
    }
    connection::finish(&mut server, pairing, seen, shared, number, &cx.options)?;
    Ok(server)
}
/// Keys that Caddy takes, but that seldom mean what is wanted.
fn warn_of_keys(pairing: &Pairing<'_>, cx: &mut Cx<'_>) {
    for (key, token) in pairing.sites.iter().flat_map(|served| served.keys().zip(served.texts())) {
        if !key.path.is_empty() {
            cx.warn(
                token,
                "Using a path in a site address is deprecated; please use the 'handle' directive instead",
            );
        }
        if matches!(key.host.as_str(), "0.0.0.0" | "::") {
            cx.warn(
                token,
                "Site block has an unspecified IP address which only matches requests having that Host header; you \
                 probably want the 'bind' directive to configure the socket",
            );
        }
    }
}
/// The same key may not stand in two sites of a server.
fn unambiguous(sites: &[Served<'_>]) -> Result<(), Error> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for served in sites {
        for key in served.texts() {
            if *seen.entry(&key.text).or_insert(served.index) != served.index {
                return Err(key.error(format!("ambiguous site definition: {}", key.text)));
            }
        }
    }
    Ok(())
}
fn listen(server: &mut Server, pairing: &Pairing<'_>) {
    server.listen = pairing.listen.keys().cloned().collect();
    let protocols = pairing.listen.values().map(|protocols| {
        let named: Vec<String> = protocols.iter().filter(|p| !p.is_empty()).cloned().collect();
        (!named.is_empty()).then_some(named)
    });
    let protocols: Vec<Option<Vec<String>>> = protocols.collect();
    if protocols.iter().any(Option::is_some) {
        server.listen_protocols = protocols;
    }
}
fn automatic_https(server: &mut Server, options: &Options) {
    for option in &options.auto_https {
        let auto = server.automatic_https.get_or_insert_default();
        match option.as_str() {
            "off" => auto.disable = true,
            "disable_redirects" => auto.disable_redirects = true,
            "disable_certs" => auto.disable_certificates = true,
            "ignore_loaded_certs" => auto.ignore_loaded_certificates = true,
            _ => {}
        }
    }
}
fn invoked_routes(
    server: &mut Server,
    pairing: &Pairing<'_>,
    named_routes: &NamedRoutes,
) -> Result<(), Error> {
    let invoked = pairing.sites.iter().flat_map(|served| &served.site.invoked);
    let mut names: Vec<_> = invoked.collect();
    while let Some((name, at)) = names.pop() {
        if server.named_routes.contains_key(name) {
            continue;
        }
        let missing = || at.error(format!("cannot invoke named route '{name}', which was not defined"));
        let (route, invokes) = named_routes.get(name).ok_or_else(missing)?;
        server.named_routes.insert(name.clone(), route.clone());
        names.extend(invokes);
    }
    Ok(())
}
/// Whether any of the addresses has another port than `port`.
pub(super) fn listens_beside(addresses: &[String], port: i64) -> bool {
    addresses.iter().any(|address| {
        NetworkAddress::parse(address, "tcp", 0)
            .is_ok_and(|address| i64::from(address.start_port) > port || i64::from(address.end_port) < port)
    })
}

/// How closely a site's keys look: sites are tried in this order.
struct Rank {
    host: usize,
    path: usize,
    wildcard: bool,
}
impl Rank {
    fn of(served: &Served<'_>) -> Self {
        let (mut host, mut path, mut path_specificity, mut wildcard) = (0, 0, 0, false);
        for key in served.keys() {
            wildcard |= key.host.is_empty() || key.host.contains('*');
            host = host.max(specificity(&key.host));
            if specificity(&key.path) > path_specificity {
                (path, path_specificity) = (key.path.len(), specificity(&key.path));
            }
        }
        Self { host, path, wildcard }
    }
    fn before(&self, other: &Self) -> bool {
        match (self.host, other.host) {
            (0, _) => false,
            (_, 0) => true,
            _ if self.wildcard != other.wildcard => other.wildcard,
            (a, b) if a == b => self.path > other.path,
            (a, b) => a > b,
        }
    }
}

/// A set for each distinct path, with the hosts of its keys. Behind a key without a host none counts any more.
fn matcher_sets(served: &Served<'_>) -> Vec<MatcherSet> {
    let mut pairs: Vec<(&str, Vec<&str>)> = vec![];
    let mut everywhere = false;
    for key in served.keys() {
        let at = pairs.iter().position(|(path, _)| *path == key.path).unwrap_or_else(|| {
            pairs.push((&key.path, vec![]));
            pairs.len() - 1
        });
        let hosts = &mut pairs[at].1;
        if key.host.is_empty() && !everywhere {
            hosts.clear();
            everywhere = true;
        }
        if !everywhere && !hosts.contains(&key.host.as_str()) {
            hosts.push(&key.host);
        }
    }
    let sets = pairs.into_iter().map(|(path, hosts)| {
        let mut set = MatcherSet::new();
        if !hosts.is_empty() {
            set.insert("host".to_owned(), json!(hosts));
        }
        if !path.is_empty() {
            set.insert("path".to_owned(), json!([path]));
        }
        set
    });
    sets.filter(|set| !set.is_empty()).collect()
}
/// What a site's routes are among its server's: behind its matchers, one route that ends the request. Of a site that is
/// alone and has no matchers they are what they are, unless one of them asks for a host, which would look as if the
/// server had to get a certificate for it.
fn placed(matchers: &[MatcherSet], routes: Vec<Route>, alone: bool) -> Vec<Route> {
    if matchers.is_empty() && routes.is_empty() {
        return vec![];
    }
    let asks_for_host = || {
        let mut sets = routes.iter().flat_map(|route| &route.matchers);
        sets.any(|set| set.contains_key("host"))
    };
    if matchers.is_empty() && alone && !asks_for_host() {
        return routes;
    }
    let handlers = if routes.is_empty() { vec![] } else { vec![subroute(routes)] };
    vec![Route { matchers: matchers.to_vec(), handlers, terminal: true, ..Route::default() }]
}
fn log_names(server: &mut Server, served: &Served<'_>) {
    let Some(logs) = &mut server.logs else { return };
    let everywhere = served.keys().any(|key| key.host.is_empty());
    for log in served.site.logs.iter().filter(|log| !log.no_hostname) {
        let name = log.name.clone().unwrap_or_default();
        if everywhere && log.hostnames.is_empty() {
            logs.default_logger_name = name;
            continue;
        }
        let own = if log.hostnames.is_empty() { log_hosts(served, false) } else { log.hostnames.clone() };
        for host in own {
            logs.logger_names.entry(host).or_default().0.push(name.clone());
        }
    }
    if served.site.logs.is_empty() {
        logs.skip_unmapped_hosts |= everywhere;
        logs.skip_hosts.extend(log_hosts(served, true));
    }
}
/// The hosts of a site's keys, each once; if asked for, with a port that isn't HTTP's or HTTPS's own.
fn log_hosts(served: &Served<'_>, with_port: bool) -> Vec<String> {
    let hosts = served.keys().filter(|key| !key.host.is_empty()).map(|key| {
        let usual = matches!(key.port.as_str(), "" | "80" | "443");
        if usual || !with_port {
            return key.host.clone();
        }
        let host = if key.host.contains(':') { format!("[{}]", key.host) } else { key.host.clone() };
        format!("{host}:{}", key.port)
    });
    let mut hosts: Vec<String> = hosts.collect();
    hosts.sort();
    hosts.dedup();
    hosts
}
/// What a `servers` option sets replaces what the server had.
fn apply(server: &mut Server, settings: &Server) {
    let s = settings.clone();
    *server = Server {
        listen: std::mem::take(&mut server.listen),
        routes: std::mem::take(&mut server.routes),
        errors: server.errors.take(),
        named_routes: std::mem::take(&mut server.named_routes),
        tls_connection_policies: std::mem::take(&mut server.tls_connection_policies),
        automatic_https: server.automatic_https.take(),
        logs: server.logs.take(),
        listen_protocols: std::mem::take(&mut server.listen_protocols),
        ..s
    };
    if let Some(from) = &settings.logs {
        let logs = server.logs.get_or_insert_default();
        logs.should_log_credentials |= from.should_log_credentials;
        logs.trace |= from.trace;
    }
}
