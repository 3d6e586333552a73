//! Which sites share a server: those whose listener addresses serve the same keys.
use super::{Binding, Options, address::SiteAddress, site::Site};
use crate::config::{NetworkAddress, join_address};
use grammar::Error;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A server to be: where it listens, and the sites with those of their keys that are served there.
pub(super) struct Pairing<'s> {
    /// Addresses with their protocols; an empty protocol stands for the server's own.
    pub(super) listen: BTreeMap<String, Vec<String>>,
    pub(super) sites: Vec<Served<'s>>,
}
/// A site, and its keys that are served at one address.
#[derive(Clone)]
pub(super) struct Served<'s> {
    pub(super) site: &'s Site,
    pub(super) index: usize,
    /// Indices of the site's keys.
    keys: Vec<usize>,
}
impl<'s> Served<'s> {
    pub(super) fn keys(&self) -> impl Iterator<Item = &'s SiteAddress> + '_ {
        self.keys.iter().filter_map(|at| self.site.keys.get(*at)).map(|key| &key.address)
    }
    /// The keys as they are written.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'s grammar::Token> + '_ {
        self.keys.iter().filter_map(|at| self.site.keys.get(*at)).map(|key| &key.token)
    }
    /// The hosts of its keys, each once and sorted; none at all if one of the keys has none.
    pub(super) fn hosts(&self) -> Vec<&'s str> {
        let mut hosts: Vec<&str> = self.keys().map(|key| key.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.first() == Some(&"") { vec![] } else { hosts }
    }
    fn same(&self, other: &Self) -> bool {
        self.index == other.index && self.keys == other.keys
    }
}
type ByProtocol<'s> = BTreeMap<String, Vec<Served<'s>>>;

/// Groups the sites by where they listen.
///
/// # Errors
/// All keys that cannot be listened on.
pub(super) fn pair<'s>(sites: &'s [Site], options: &Options) -> Result<Vec<Pairing<'s>>, Vec<Error>> {
    let mut addresses: BTreeMap<String, ByProtocol<'s>> = BTreeMap::new();
    let mut errors = vec![];
    for (index, site) in sites.iter().enumerate() {
        for (at, key) in site.keys.iter().enumerate() {
            let listeners = match listeners(site, &key.address, options) {
                Ok(listeners) => listeners,
                Err(why) => {
                    let text = &key.token.text;
                    errors.push(key.token.error(format!(
                        "server block {index}, key {at} ({text}): determining listener address: {why}"
                    )));
                    continue;
                }
            };
            for (address, protocols) in listeners {
                let by_protocol = addresses.entry(address).or_default();
                for protocol in protocols {
                    let served = by_protocol.entry(protocol).or_default();
                    match served.last_mut() {
                        Some(last) if last.index == index => last.keys.push(at),
                        _ => served.push(Served { site, index, keys: vec![at] }),
                    }
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let pairings = merge(addresses);
    for served in pairings.iter().flat_map(|pairing| &pairing.sites) {
        served.site.servers.set(served.site.servers.get() + 1);
    }
    Ok(pairings)
}
/// Addresses (and protocols) that serve the very same become one server. A protocol whose sites another one has taken
/// along leaves an empty server behind, as it does in Caddy.
fn merge(mut addresses: BTreeMap<String, ByProtocol<'_>>) -> Vec<Pairing<'_>> {
    // Candidates by what they serve first, so that a thousand addresses aren't each compared with each.
    let mut similar: HashMap<(usize, usize), Vec<(String, String)>> = HashMap::new();
    for (address, by_protocol) in &addresses {
        for (protocol, served) in by_protocol {
            let first = served.first().map_or(0, |served| served.index);
            similar.entry((served.len(), first)).or_default().push((address.clone(), protocol.clone()));
        }
    }
    let mut pairings = vec![];
    let order: Vec<(String, Vec<String>)> =
        addresses.iter().map(|(a, protocols)| (a.clone(), protocols.keys().cloned().collect())).collect();
    let mut taken: BTreeSet<(String, String)> = BTreeSet::new();
    for (address, protocols) in order {
        // What an earlier address has taken along is not looked at again; within an address it leaves a gap.
        let open: Vec<String> =
            protocols.into_iter().filter(|p| !taken.contains(&(address.clone(), p.clone()))).collect();
        for protocol in open {
            let own = (address.clone(), protocol.clone());
            if taken.contains(&own) {
                pairings.push(Pairing { listen: BTreeMap::new(), sites: vec![] });
                continue;
            }
            let sites = addresses.get_mut(&address).and_then(|by| by.remove(&protocol)).unwrap_or_default();
            let mut listen: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let key = (sites.len(), sites.first().map_or(0, |served| served.index));
            for (other, other_protocol) in similar.get(&key).into_iter().flatten() {
                let place = (other.clone(), other_protocol.clone());
                let is_own = place == own;
                let theirs = addresses.get(other).and_then(|by| by.get(other_protocol));
                let equal = theirs.is_some_and(|theirs| {
                    theirs.len() == sites.len() && theirs.iter().zip(&sites).all(|(a, b)| a.same(b))
                });
                if is_own || equal && !taken.contains(&place) {
                    listen.entry(other.clone()).or_default().push(other_protocol.clone());
                    taken.insert(place);
                }
            }
            pairings.push(Pairing { listen, sites });
        }
    }
    pairings
}
/// The addresses at which a key is served, each with its protocols.
fn listeners(
    site: &Site,
    key: &SiteAddress,
    options: &Options,
) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let port = key.listen_port(options.http_port(), options.https_port())?;
    let anywhere = [Binding { addresses: vec![String::new()], protocols: vec![] }];
    let bindings = match (site.bindings.as_slice(), options.default_bind.as_slice()) {
        ([], []) => anywhere.as_slice(),
        ([], default) => default,
        (own, _) => own,
    };
    let mut listeners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for binding in bindings {
        for address in &binding.addresses {
            let (network, host, _) =
                NetworkAddress::split(address).map_err(|e| format!("splitting listener address: {e}"))?;
            let joined = join_address(&network, &host, &port);
            let parsed = NetworkAddress::parse(&joined, "tcp", 0)
                .map_err(|e| format!("parsing network address: {e}"))?;
            let protocols = listeners.entry(parsed.to_string()).or_default();
            protocols.extend(binding.protocols.iter().cloned());
        }
    }
    for protocols in listeners.values_mut().filter(|protocols| protocols.is_empty()) {
        protocols.insert(String::new());
    }
    Ok(listeners)
}
