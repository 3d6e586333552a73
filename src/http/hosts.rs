//! Which routes of a list a host can reach at all: so that a thousand sites cost what one costs.
use super::{Exchange, tree::Route, uri::lower_ascii};
use foldhash::HashMap;

/// For lists in which many routes ask for hosts. What it leaves out cannot match; what it gives is still to be matched.
#[derive(Debug)]
pub(super) struct HostIndex {
    /// The routes that ask for a name, in their order. `*.example.com` stands for one label before `example.com`.
    by_name: HashMap<Box<str>, Vec<usize>>,
    wildcards: bool,
    /// The routes that any host might reach.
    rest: Vec<usize>,
}
/// Below this a list is quicker walked than looked up.
const WORTH_IT: usize = 4;

impl HostIndex {
    /// `None` if it would not save anything.
    pub(super) fn new(routes: &[Route]) -> Option<Self> {
        let mut index = Self { by_name: HashMap::default(), wildcards: false, rest: vec![] };
        for (at, route) in routes.iter().enumerate() {
            match route.sets.hosts() {
                None => index.rest.push(at),
                Some(names) => {
                    for name in names {
                        index.wildcards |= name.starts_with("*.");
                        let found = index.by_name.entry(name.into()).or_default();
                        if found.last() != Some(&at) {
                            found.push(at);
                        }
                    }
                }
            }
        }
        (routes.len() - index.rest.len() >= WORTH_IT).then_some(index)
    }
    /// The first route from `from` on that the request's host might reach.
    pub(super) fn next(&self, from: usize, x: &Exchange) -> Option<usize> {
        let host = x.host().trim_matches(['[', ']']);
        let host = &*lower_ascii(host);
        let exact = self.by_name.get(host).and_then(|found| first(found, from));
        let wildcard = self.under_wildcard(host).and_then(|found| first(found, from));
        [exact, wildcard, first(&self.rest, from)].into_iter().flatten().min()
    }
    fn under_wildcard(&self, host: &str) -> Option<&Vec<usize>> {
        let (_, parent) = host.split_once('.').filter(|_| self.wildcards)?;
        // Names are short: a buffer on the stack spares an allocation a request.
        let mut name = smallvec::SmallVec::<[u8; 128]>::from_slice(b"*.");
        name.extend_from_slice(parent.as_bytes());
        self.by_name.get(std::str::from_utf8(&name).ok()?)
    }
}
fn first(found: &[usize], from: usize) -> Option<usize> {
    found.get(found.partition_point(|at| *at < from)).copied()
}
