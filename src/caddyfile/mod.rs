//! Caddyfile to JSON. Parse time only: nothing here knows the runtime.
mod acme;
mod cx;
mod directive;
mod hint;
mod options;
pub mod plugins;
mod response;
mod site;
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
pub use response::{ResponseMatchers, response_matcher};
pub use site::{Binding, CustomLog, SiteTls};
pub use values::{PRIVATE_RANGES, scalar};
pub use words::{Block, Words};

use grammar::{Error, Source};
use serde_json::Value;

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
/// All that is wrong, as far as one pass can tell, in the order of the text.
pub fn adapt(file: &str, text: &str, source: &dyn Source, syntax: &Syntax) -> Result<Adapted, Vec<Error>> {
    let parsed = grammar::parse(file, text, source).map_err(|error| vec![error])?;
    let mut cx = Cx::new(syntax, Options::default());
    let mut routes = vec![];
    for site in &parsed.sites {
        routes.extend(cx.sorted_routes(&site.lines).map_err(|error| vec![error])?);
    }
    let json = serde_json::json!({ "apps": { "http": { "servers": { "srv0": { "listen": [":443"], "routes": routes } } } } });
    let Cx { warnings, not_yet, .. } = cx;
    Ok(Adapted { json, warnings, not_yet })
}
