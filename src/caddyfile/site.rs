//! What directives say of their site beside its routes.
use super::{
    Cx, Emit, Parsed, Words,
    address::SiteAddress,
    cx::Invoked,
    order::{self, Found},
    routes::{is_definition, unordered},
};
use crate::config::{ConnectionPolicy, Log, Route};
use grammar::{Error, Line, Token};
use serde_json::Value;
use std::cell::{Cell, RefCell};

/// One `bind` directive or `default_bind` option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// Network addresses without a port.
    pub addresses: Vec<String>,
    /// `h1`, `h2`, … or none: the server's.
    pub protocols: Vec<String>,
}
impl Binding {
    /// Reads the words and the block of `bind` and `default_bind`.
    ///
    /// # Errors
    /// A sub-directive other than `protocols`, or that without words.
    pub fn read(words: &mut Words<'_>) -> Parsed<Self> {
        let mut binding = Self { addresses: words.rest(), protocols: vec![] };
        let mut block = words.block();
        while let Some(sub) = block.next() {
            match sub.text() {
                "protocols" => {
                    binding.protocols = sub.rest();
                    if binding.protocols.is_empty() {
                        return Err(sub.error("protocols requires one or more arguments"));
                    }
                }
                other => {
                    let message = format!("unknown subdirective: {other}");
                    return Err(super::unknown(sub.token(), message, &["protocols"]));
                }
            }
        }
        Ok(binding)
    }
}
/// One `log`: of a site or of the global options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomLog {
    /// As it is written, if it is: of a site, the core names the others `log0`, `log1`, … and fills in `include`. The
    /// global option writes `default` here.
    pub name: Option<String>,
    /// `hostnames`: instead of the site's.
    pub hostnames: Vec<String>,
    /// `no_hostname`: used only by name.
    pub no_hostname: bool,
    pub log: Log,
}
/// What one `tls` directive says.
#[derive(Clone, Debug, Default)]
pub struct SiteTls {
    /// Without `match`, which the core fills in; `certificate_selection` has the tags of `load_files`.
    pub policy: ConnectionPolicy,
    /// `<cert> <key>`, unless another site names the file before. [`Cx::certificate_tag`](super::Cx::certificate_tag)
    /// gives the tag.
    pub load_files: Vec<crate::config::LoadFile>,
    /// `load`.
    pub load_folders: Vec<String>,
    /// The issuers, explicit or implied, with the global ones and the defaults merged in; each with its `module` key.
    /// None if the directive says nothing of issuers.
    pub issuers: Vec<Value>,
    /// `get_certificate`; each with its `via` key.
    pub managers: Vec<Value>,
    /// Empty if it isn't set.
    pub key_type: String,
    pub on_demand: bool,
    pub reuse_private_keys: bool,
    /// `tls force_automate`.
    pub force_automate: bool,
    /// Zero if it isn't set.
    pub renewal_window_ratio: f64,
}

/// A site block, its directives read.
pub(super) struct Site {
    pub(super) keys: Vec<Key>,
    /// What makes its routes, in sorted order: see [`take_routes`](Self::take_routes).
    routes: RefCell<Vec<Found>>,
    /// How many servers are still to be built that serve it.
    pub(super) servers: Cell<usize>,
    /// Of `handle_errors`, those with status codes first.
    pub(super) error_routes: Vec<Route>,
    pub(super) bindings: Vec<Binding>,
    /// With their names.
    pub(super) logs: Vec<CustomLog>,
    pub(super) tls: Vec<SiteTls>,
    /// Certificate authorities that its directives want, by id.
    pub(super) authorities: Vec<String>,
    /// Named routes that it invokes.
    pub(super) invoked: Invoked,
}
pub(super) struct Key {
    pub(super) token: Token,
    pub(super) address: SiteAddress,
}
impl Site {
    /// Reads a site block. What is wrong is collected in `cx`.
    pub(super) fn read(block: &grammar::Site, cx: &mut Cx<'_>) -> Self {
        let mut site = Self {
            keys: vec![],
            routes: RefCell::default(),
            servers: Cell::new(0),
            error_routes: vec![],
            bindings: vec![],
            logs: vec![],
            tls: vec![],
            authorities: vec![],
            invoked: Invoked::new(),
        };
        if block.keys.is_empty() {
            let message =
                "server block without any key is global configuration, and if used, it must be first";
            let first = block.lines.first();
            cx.errors.push(first.map_or_else(|| Error::plain(message), |line| line.error(message)));
        }
        cx.enter_site(&block.lines);
        for line in block.lines.iter().filter(|line| is_definition(line)) {
            if let Err(error) = cx.define_matcher(line) {
                cx.errors.push(error);
            }
        }
        for line in block.lines.iter().filter(|line| !is_definition(line)) {
            match read_line(line, block, cx) {
                Ok((directive, emits)) => {
                    for emit in emits {
                        site.accept(directive, emit, line, cx);
                    }
                }
                Err(error) => cx.errors.push(error),
            }
            site.invoked.append(&mut cx.invoked);
        }
        cx.matchers.clear();
        order::sort(site.routes.get_mut());
        // As in Caddy, two that are alike in this change places.
        super::sort::stable(&mut site.error_routes, |a, b| !a.matchers.is_empty() || b.matchers.is_empty());
        for token in &block.keys {
            match SiteAddress::parse(token) {
                Ok(address) => site.keys.push(Key { token: token.clone(), address }),
                Err(why) => cx.errors.push(token.error(format!("parsing key: {why}"))),
            }
        }
        site
    }
    /// What makes its routes, for one of its servers; the last one gets it without a copy.
    pub(super) fn take_routes(&self) -> Vec<Found> {
        let left = self.servers.get().saturating_sub(1);
        self.servers.set(left);
        if left == 0 { self.routes.take() } else { self.routes.borrow().clone() }
    }
    fn accept(&mut self, directive: &'static str, emit: Emit, line: &Line, cx: &mut Cx<'_>) {
        match emit {
            Emit::Route(_) | Emit::Bundle(_) => match cx.ranks.of(directive) {
                Some(rank) => self.routes.get_mut().push(Found::new(directive, rank, emit)),
                None => cx.errors.push(unordered(directive, line)),
            },
            Emit::ErrorRoute(route) => self.error_routes.push(route),
            Emit::Bind(binding) => self.bindings.push(binding),
            Emit::Log(log) => self.logs.push(named(*log, cx)),
            Emit::Tls(tls) => self.tls.push(*tls),
            Emit::Authority(id) => self.authorities.push(id),
        }
    }
}
/// Reads a line of a site block.
fn read_line(line: &Line, block: &grammar::Site, cx: &mut Cx<'_>) -> Parsed<(&'static str, Vec<Emit>)> {
    let name = line.name();
    let Some(directive) = cx.find(&name.text) else {
        let place = format!("{}:{}", name.span.file, name.span.line);
        let mut message = format!("{place}: unrecognized directive: {}", name.text);
        if !block.braces {
            message += "\nDid you mean to define a second site? If so, you must use curly braces around each site to \
                        separate their configurations.";
        }
        let all: Vec<&str> = cx.directive_names().collect();
        let error = super::unknown(name, message, &all).placed();
        return Err(super::plugins::or_instead(error, super::plugins::directive(&name.text)));
    };
    Ok((order::normal_name(directive.name), cx.parse(directive, line)?))
}
/// A site's log with its name, and with the loggers that it takes if it says more than its name.
fn named(mut log: CustomLog, cx: &mut Cx<'_>) -> CustomLog {
    if log.log == Log::default() {
        return log;
    }
    let name = log.name.get_or_insert_with(|| {
        cx.logs += 1;
        format!("log{}", cx.logs - 1)
    });
    log.log.include = vec![format!("http.log.access.{name}")];
    log
}
