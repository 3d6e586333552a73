//! `[[routes]]`.
use super::{
    table::{At, Table},
    values::{Backend, Count, Host, PathAndQuery, Prefix, Sticky},
};

#[derive(Debug)]
pub(super) struct Route {
    pub(super) host: String,
    /// `None`: it takes what no route of this host with a prefix takes. Empty: all paths.
    pub(super) prefix: Option<String>,
    /// Host and port of each.
    pub(super) backends: Vec<String>,
    /// Whether backends are spoken to over TLS.
    pub(super) tls: bool,
    /// One for each backend; none: all are alike.
    pub(super) weights: Vec<u32>,
    /// The cookie's name.
    pub(super) sticky: Option<String>,
    pub(super) health_path: Option<String>,
    pub(super) websocket: bool,
}
/// In the order of the file.
pub(super) fn read(root: &mut Table<'_>) -> Vec<Route> {
    let tables = root.sections("routes");
    if tables.is_empty() {
        root.missing("routes", "there has to be a section [[routes]]");
    }
    let mut taken: Vec<(String, Option<String>, String)> = vec![];
    let mut routes = vec![];
    for mut table in tables {
        let host = table.get::<Host>("host");
        if !table.has("host") {
            table.missing("host", "a route is for a host");
        }
        let prefix = table.get::<Prefix>("path_prefix");
        if let Some(host) = &host {
            check_place(&mut taken, &table, host, prefix.as_ref());
        }
        let route = backends(&mut table).map(|(backends, tls)| Route {
            host: host.map(|host| host.value.0).unwrap_or_default(),
            prefix: prefix.map(|prefix| prefix.value.0),
            weights: weights(&mut table, backends.len()),
            backends,
            tls,
            sticky: table.or("sticky", Sticky(None)).0,
            health_path: table.get("health_path").map(|path: At<PathAndQuery>| path.value.0),
            websocket: table.or("websocket", true),
        });
        if route.is_none() {
            // Its other keys are none that nobody knows.
            for key in ["weights", "sticky", "health_path", "websocket"] {
                table.has(key);
            }
        }
        routes.extend(route);
        table.finish();
    }
    routes
}
/// Two routes cannot be for the same; and one whose paths an earlier one takes is of no use.
fn check_place(
    taken: &mut Vec<(String, Option<String>, String)>,
    table: &Table<'_>,
    host: &At<Host>,
    prefix: Option<&At<Prefix>>,
) {
    let name = &host.value.0;
    let path = prefix.map(|prefix| prefix.value.0.clone());
    let at = prefix.map_or_else(|| host.at.clone(), |prefix| prefix.at.clone());
    let key = if prefix.is_some() { "path_prefix" } else { "host" };
    let of_host = || taken.iter().filter(|(other, ..)| other == name);
    let same =
        |other: &Option<String>| other.as_deref().unwrap_or_default() == path.as_deref().unwrap_or_default();
    if let Some((.., other)) = of_host().find(|(_, other, _)| same(other)) {
        table.wrong(key, at, format!("{other} is for the same host and the same paths"));
    } else if let Some(path) = &path
        && let Some((.., other)) =
            of_host().find(|(_, other, _)| other.as_deref().is_some_and(|other| below(other, path)))
    {
        let message = format!("{}: no request comes here, since {other} takes them all", table.path(key));
        table.report.warn(Some(at), message);
    }
    taken.push((name.clone(), path, table.path("").trim_end_matches('.').to_owned()));
}
/// Whether all paths that begin with `path` begin with `prefix` too.
fn below(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
/// Where the backends are, and whether they are spoken to over TLS; `None` if that is not known.
fn backends(table: &mut Table<'_>) -> Option<(Vec<String>, bool)> {
    let there = table.has("backends");
    let Some(list) = table.list::<Backend>("backends") else {
        if !there {
            table.missing("backends", "a route has to lead somewhere");
        }
        return None;
    };
    let Some(first) = list.first() else {
        if table.is_empty_list("backends") {
            table.missing("backends", "a route has to lead somewhere");
        }
        return None;
    };
    if let Some(other) = list.iter().find(|backend| backend.value.tls != first.value.tls) {
        table.wrong(
            "backends",
            other.at.clone(),
            "all of a route's backends are http:// or all are https://",
        );
    }
    let tls = first.value.tls;
    Some((list.into_iter().map(|backend| backend.value.dial).collect(), tls))
}
fn weights(table: &mut Table<'_>, backends: usize) -> Vec<u32> {
    let Some(weights) = table.list::<Count>("weights") else { return vec![] };
    if weights.len() != backends {
        let at = weights.first().map_or_else(|| table.place(), |first| first.at.clone());
        table.wrong("weights", at, format!("{} of them for {backends} backends", weights.len()));
    }
    weights.into_iter().map(|weight| weight.value.0).collect()
}
