//! Caddyfile to JSON. Parse time only: nothing here knows the runtime.
//!
//! `adapt` reads the global options, then the named routes, then the sites, each line through its row of the table
//! ([`directive`]); then it makes servers of the sites ([`servers`]), policies of what they say of TLS ([`connection`],
//! [`automation`]), and of all that the configuration ([`apps`]).
mod acme;
mod address;
mod apps;
mod automation;
mod connection;
mod cx;
mod directive;
mod hint;
mod issuers;
mod matchers;
mod options;
mod order;
mod pairing;
pub mod plugins;
mod policies;
mod recover;
mod response;
mod routes;
mod servers;
mod shorthand;
mod site;
mod sort;
mod subjects;
#[cfg(test)]
pub(crate) mod testing;
mod values;
mod words;
pub use acme::{dns_challenge, dns_provider, is_dns_setting, preferred_chains};
pub use cx::{Cx, subroute};
pub use directive::{
    Directive, Emit, GlobalOption, MatcherSyntax, ModuleSyntax, Order, Parse, Parsed, Support, Syntax,
};
pub use hint::{nearest, unknown};
pub use options::{Options, ServerOptions};
pub use order::read_order;
pub use response::{ResponseMatchers, response_matcher};
pub use shorthand::shorthand_of;
pub use site::{Binding, CustomLog, SiteTls};
pub use values::{PRIVATE_RANGES, scalar};
pub use words::{Block, Words};

use crate::config::Route;
use grammar::{Error, File, Line, Source};
use order::Ranks;
use recover::Mistakes;
use serde_json::Value;
use servers::NamedRoutes;
use site::Site;
use std::mem;

/// What an adapter makes of a text.
#[derive(Debug, Default)]
pub struct Adapted {
    /// Caddy's JSON, keys in Caddy's order.
    pub json: Value,
    pub warnings: Vec<Error>,
    /// What adapts but does not run yet: `run` and `validate` refuse it, `adapt` does not.
    pub not_yet: Vec<Error>,
}
/// Adapts a Caddyfile, reading every directive through `syntax`.
///
/// # Errors
/// All that is wrong, as far as one pass can tell, in the order in which Caddy would find it.
pub fn adapt(file: &str, text: &str, source: &dyn Source, syntax: &Syntax) -> Result<Adapted, Vec<Error>> {
    let mut parsed = grammar::parse(file, text, source).map_err(|error| vec![error])?;
    let mut cx = Cx::new(syntax);
    check_keys(&parsed, &mut cx);
    read_options(parsed.options.as_deref().unwrap_or_default(), &mut cx);
    let named = read_named_routes(&mut parsed, &mut cx);
    for site in &mut parsed.sites {
        shorthand::expand_lines(&mut site.lines);
    }
    let sites = mem::take(&mut parsed.sites);
    let sites: Vec<Site> = sites.into_iter().map(|site| Site::read(&site, &mut cx)).collect();
    if !cx.errors.is_empty() {
        return Err(cx.errors);
    }
    let json = apps::assemble(&sites, &named, &mut cx)?;
    // Caddy says last that the text isn't formatted.
    cx.warnings.append(&mut parsed.warnings);
    let Cx { warnings, not_yet, .. } = cx;
    Ok(Adapted { json, warnings, not_yet })
}
/// A matcher or a directive where a site's address belongs.
fn check_keys(parsed: &File, cx: &mut Cx<'_>) {
    for site in &parsed.sites {
        for (at, key) in site.keys.iter().enumerate() {
            let place = format!("{}:{}", key.span.file, key.span.line);
            let text = &key.text;
            if at == 0 && text.starts_with('@') {
                let message = format!("{place}: cannot define a matcher outside of a site block: '{text}'");
                cx.errors.push(key.error(message).placed());
            }
            if cx.find(text).is_some() {
                let message = format!(
                    "{place}: parsed '{text}' as a site address, but it is a known directive; directives must \
                     appear in a site block"
                );
                cx.errors.push(key.error(message).placed());
            }
        }
    }
}
fn read_options(lines: &[Line], cx: &mut Cx<'_>) {
    let mut options = Options::default();
    for line in lines {
        let name = line.name();
        let Some(known) = cx.syntax.options.iter().find(|option| option.name == name.text) else {
            let place = format!("{}:{}", name.span.file, name.span.line);
            let message = format!("{place}: unrecognized global option: {}", name.text);
            let all: Vec<&str> = cx.syntax.options.iter().map(|option| option.name).collect();
            let error = unknown(name, message, &all).placed();
            cx.errors.push(plugins::or_instead(error, plugins::option(&name.text)));
            continue;
        };
        if let Support::NotYet(why) = known.support {
            cx.not_yet(name, &format!("global option {} ({why})", known.name));
        }
        let before = options.clone();
        let read = recover::read_all(line, |line| {
            options = before.clone();
            (known.parse)(line, &mut options, cx)
        });
        if let Err(Mistakes { before, last }) = read {
            let context = format!("parsing caddyfile tokens for '{}': ", known.name);
            let all = before.into_iter().chain([last]);
            cx.errors.extend(all.map(|error| error.within(&context, None).or_at(name)));
        }
    }
    // The longest address is the most specific.
    options.servers.sort_by_key(|servers| std::cmp::Reverse(servers.address.len()));
    if let Some(pair) = options.servers.windows(2).find(|pair| pair[0].address == pair[1].address) {
        cx.errors.push(Error::plain(format!(
            "cannot have 'servers' global options with duplicate listener addresses: {}",
            pair[0].address
        )));
    }
    cx.ranks = Ranks::new(cx.syntax, &options.order);
    cx.options = options;
}
/// Named routes have groups of their own, and see no site's matchers.
fn read_named_routes(parsed: &mut File, cx: &mut Cx<'_>) -> NamedRoutes {
    let mut named = NamedRoutes::new();
    for route in &mut parsed.named_routes {
        shorthand::expand_lines(route.line.block.as_deref_mut().unwrap_or_default());
        cx.enter_site(route.line.lines());
        let mut routes = match cx.sorted_block(&route.line) {
            Ok(routes) => routes,
            Err(error) => {
                cx.errors.push(error);
                continue;
            }
        };
        let handlers = match routes.as_mut_slice() {
            // As in Caddy, of several handlers that would run one after the other only the first is left.
            [only] if only.matchers.is_empty() => {
                if only.handlers.len() > 1 {
                    let message = "of this named route only the first directive is used, as in Caddy; put its \
                                   directives into a route block";
                    cx.warn(route.line.name(), message);
                }
                only.handlers.truncate(1);
                mem::take(&mut only.handlers)
            }
            _ => vec![subroute(routes)],
        };
        if named.contains_key(&route.name) {
            let message = format!("cannot have duplicate named_routes: {}", route.name);
            cx.errors.push(route.line.error(message));
        }
        let invokes = mem::take(&mut cx.invoked);
        named.insert(route.name.clone(), (Route { handlers, ..Route::default() }, invokes));
    }
    cx.groups = 0;
    named
}
