//! The one table. A directive's place in it is its default order.
use crate::{
    caddyfile::{Directive, GlobalOption, MatcherSyntax, ModuleSyntax, Syntax},
    dns, encoders,
    handlers::{
        acme_server, basic_auth, encode, error, file_server, headers, intercept, invoke, log_append,
        log_error, map, metrics, push, rate_limit, replace, request_body, respond, reverse_proxy, rewrite,
        subroute, templates, timeouts, token_bucket, tracing, vars,
    },
    http::Modules,
    ip_sources, issuers, listeners,
    logging::EncoderModule,
    matchers, network_proxy, options, sites, stores,
    tls::TlsModules,
    trust, writers,
};

static DIRECTIVES: &[Directive] = &[
    tracing::TRACING,
    map::MAP,
    vars::VARS,
    vars::FS,
    vars::ROOT,
    log_append::LOG_APPEND,
    log_error::LOG_ERROR,
    vars::SKIP_LOG,
    vars::LOG_SKIP,
    vars::LOG_NAME,
    headers::HEADER,
    reverse_proxy::copy_response::HEADERS_DIRECTIVE,
    request_body::REQUEST_BODY,
    timeouts::TIMEOUTS,
    respond::REDIR,
    rewrite::METHOD,
    rewrite::REWRITE,
    rewrite::URI,
    rewrite::TRY_FILES,
    rate_limit::RATE_LIMIT,
    token_bucket::TOKEN_BUCKET,
    basic_auth::BASICAUTH,
    basic_auth::BASIC_AUTH,
    reverse_proxy::forward_auth::FORWARD_AUTH,
    headers::REQUEST_HEADER,
    encode::ENCODE,
    push::PUSH,
    intercept::INTERCEPT,
    templates::TEMPLATES,
    invoke::INVOKE,
    subroute::HANDLE,
    subroute::HANDLE_PATH,
    subroute::ROUTE,
    respond::ABORT,
    error::ERROR,
    reverse_proxy::copy_response::DIRECTIVE,
    respond::RESPOND,
    metrics::METRICS,
    reverse_proxy::REVERSE_PROXY,
    reverse_proxy::php_fastcgi::PHP_FASTCGI,
    file_server::FILE_SERVER,
    acme_server::DIRECTIVE,
    replace::REPLACE,
    subroute::HANDLE_ERRORS,
    sites::bind::DIRECTIVE,
    sites::log::DIRECTIVE,
    sites::tls::DIRECTIVE,
];
pub static MODULES: Modules = Modules {
    handlers: &[
        basic_auth::MODULE,
        encode::MODULE,
        error::MODULE,
        file_server::MODULE,
        headers::MODULE,
        intercept::MODULE,
        invoke::MODULE,
        log_append::MODULE,
        log_error::MODULE,
        metrics::MODULE,
        map::MODULE,
        push::MODULE,
        replace::MODULE,
        rate_limit::MODULE,
        request_body::MODULE,
        respond::MODULE,
        reverse_proxy::MODULE,
        reverse_proxy::copy_response::MODULE,
        reverse_proxy::copy_response::HEADERS_MODULE,
        rewrite::MODULE,
        subroute::MODULE,
        templates::MODULE,
        timeouts::MODULE,
        token_bucket::MODULE,
        vars::MODULE,
    ],
    matchers: &[
        matchers::expression::MODULE,
        matchers::file::MODULE,
        matchers::header::MODULE,
        matchers::header_regexp::MODULE,
        matchers::host::MODULE,
        matchers::ip::CLIENT_IP,
        matchers::ip::REMOTE_IP,
        matchers::method::MODULE,
        matchers::not::MODULE,
        matchers::path::MODULE,
        matchers::path_regexp::MODULE,
        matchers::protocol::MODULE,
        matchers::query::MODULE,
        matchers::tls::MODULE,
        matchers::url_pattern::MODULE,
        matchers::vars::MODULE,
        matchers::vars::REGEXP_MODULE,
    ],
    ip_sources: &[ip_sources::cloudflare::MODULE, ip_sources::ranges::MODULE],
};
static MATCHERS: &[MatcherSyntax] = &[
    matchers::expression::SYNTAX,
    matchers::file::SYNTAX,
    matchers::header::SYNTAX,
    matchers::header_regexp::SYNTAX,
    matchers::host::SYNTAX,
    matchers::ip::CLIENT_IP_SYNTAX,
    matchers::ip::REMOTE_IP_SYNTAX,
    matchers::method::SYNTAX,
    matchers::not::SYNTAX,
    matchers::path::SYNTAX,
    matchers::path_regexp::SYNTAX,
    matchers::protocol::SYNTAX,
    matchers::query::SYNTAX,
    matchers::tls::SYNTAX,
    matchers::url_pattern::SYNTAX,
    matchers::vars::SYNTAX,
    matchers::vars::REGEXP_SYNTAX,
];
static OPTIONS: &[GlobalOption] = &[
    options::plain::DEBUG,
    options::plain::HTTP_PORT,
    options::plain::HTTPS_PORT,
    options::plain::DEFAULT_BIND,
    options::plain::ORDER,
    options::plain::ADMIN,
    options::plain::PERSIST_CONFIG,
    options::plain::GRACE_PERIOD,
    options::plain::SHUTDOWN_DELAY,
    options::plain::AUTO_HTTPS,
    options::plain::EMAIL,
    options::plain::DEFAULT_SNI,
    options::plain::FALLBACK_SNI,
    sites::log::OPTION,
    options::storage::STORAGE,
    options::storage::STORAGE_CHECK,
    options::storage::STORAGE_CLEAN_INTERVAL,
    options::automation::RENEW_INTERVAL,
    options::automation::OCSP_INTERVAL,
    options::acme::ACME_CA,
    options::acme::ACME_CA_ROOT,
    options::acme::ACME_DNS,
    options::acme::ACME_EAB,
    options::automation::CERT_ISSUER,
    options::automation::SKIP_INSTALL_TRUST,
    options::automation::ON_DEMAND_TLS,
    options::automation::LOCAL_CERTS,
    options::automation::KEY_TYPE,
    options::apps::METRICS,
    options::servers::SERVERS,
    options::automation::OCSP_STAPLING,
    options::acme::CERT_LIFETIME,
    options::acme::PREFERRED_CHAINS,
    options::acme::DNS,
    options::automation::TLS_RESOLVERS,
    options::automation::TLS_AUTOMATE_NAMES,
    options::automation::ECH,
    options::automation::RENEWAL_WINDOW_RATIO,
    options::pki::PKI,
    options::apps::EVENTS,
    options::apps::FILESYSTEM,
];
/// How log entries are written.
pub static ENCODERS: &[EncoderModule] = &[
    encoders::append::MODULE,
    encoders::console::MODULE,
    encoders::filter::MODULE,
    encoders::journald::MODULE,
    encoders::json::MODULE,
    encoders::service::MODULE,
    encoders::transform::MODULE,
    encoders::transform::FORMATTED_MODULE,
];
/// What other syntax names, by Caddy's module id.
static MODULE_SYNTAX: &[ModuleSyntax] = &[
    encode::BR,
    encode::GZIP,
    encode::ZSTD,
    dns::acmedns::SYNTAX,
    dns::azure::SYNTAX,
    dns::cloudflare::SYNTAX,
    dns::desec::SYNTAX,
    dns::digitalocean::SYNTAX,
    dns::duckdns::SYNTAX,
    dns::gandi::SYNTAX,
    dns::googleclouddns::SYNTAX,
    dns::hetzner::SYNTAX,
    dns::ionos::SYNTAX,
    dns::namecheap::SYNTAX,
    dns::ovh::SYNTAX,
    dns::porkbun::SYNTAX,
    dns::rfc2136::SYNTAX,
    dns::route53::SYNTAX,
    encoders::append::SYNTAX,
    encoders::console::SYNTAX,
    encoders::filter::SYNTAX,
    encoders::journald::SYNTAX,
    encoders::json::SYNTAX,
    encoders::service::SYNTAX,
    encoders::transform::SYNTAX,
    encoders::transform::FORMATTED,
    encoders::filters::actions::COOKIE,
    encoders::filters::delete::SYNTAX,
    encoders::filters::hash::SYNTAX,
    encoders::filters::ip_mask::SYNTAX,
    encoders::filters::multi_regexp::SYNTAX,
    encoders::filters::actions::QUERY,
    encoders::filters::regexp::SYNTAX,
    encoders::filters::rename::SYNTAX,
    encoders::filters::replace::SYNTAX,
    encoders::filters::actions::SET_COOKIE,
    ip_sources::cloudflare::SYNTAX,
    ip_sources::ranges::SYNTAX,
    issuers::acme::SYNTAX,
    issuers::internal::SYNTAX,
    issuers::zerossl::SYNTAX,
    issuers::managers::http::SYNTAX,
    issuers::managers::tailscale::SYNTAX,
    issuers::permission::SYNTAX,
    listeners::plain::HTTP_REDIRECT,
    listeners::proxy_protocol::SYNTAX,
    listeners::plain::TLS,
    network_proxy::NONE,
    network_proxy::URL,
    reverse_proxy::dynamic_syntax::A,
    reverse_proxy::dynamic_syntax::MULTI,
    reverse_proxy::dynamic_syntax::SRV,
    reverse_proxy::fastcgi_syntax::FASTCGI,
    reverse_proxy::http_transport::HTTP,
    reverse_proxy::policies::CLIENT_IP_HASH,
    reverse_proxy::policies::COOKIE,
    reverse_proxy::policies::FIRST,
    reverse_proxy::policies::HEADER,
    reverse_proxy::policies::IP_HASH,
    reverse_proxy::policies::LEAST_CONN,
    reverse_proxy::policies::QUERY,
    reverse_proxy::policies::RANDOM,
    reverse_proxy::policies::RANDOM_CHOOSE,
    reverse_proxy::policies::ROUND_ROBIN,
    reverse_proxy::policies::URI_HASH,
    reverse_proxy::policies::WEIGHTED_ROUND_ROBIN,
    sites::log::MOCK_CORE,
    stores::FILE_SYSTEM,
    stores::HOST_FOLDERS,
    trust::combined::SYNTAX,
    trust::file::SYNTAX,
    trust::http::SYNTAX,
    trust::inline::SYNTAX,
    trust::pki::INTERMEDIATE,
    trust::pki::ROOT,
    trust::storage::SYNTAX,
    trust::system::SYNTAX,
    trust::leaf::LEAF,
    trust::leaf::FILE,
    trust::leaf::FOLDER,
    trust::leaf::PEM,
    trust::leaf::STORAGE,
    writers::standard::DISCARD,
    writers::file::SYNTAX,
    writers::net::SYNTAX,
    writers::standard::STDERR,
    writers::standard::STDOUT,
];
/// What a Caddyfile may say.
pub static SYNTAX: Syntax =
    Syntax { directives: DIRECTIVES, matchers: MATCHERS, options: OPTIONS, modules: MODULE_SYNTAX };
/// Who can sign certificates, and who can write the records that prove names.
pub static TLS: TlsModules = TlsModules {
    issuers: &[issuers::acme::MODULE, issuers::internal::MODULE],
    managers: &[issuers::managers::http::MODULE, issuers::managers::tailscale::MODULE],
    permissions: &[issuers::permission::MODULE],
    dns: &[
        dns::acmedns::MODULE,
        dns::route53::MODULE,
        dns::namecheap::MODULE,
        dns::googleclouddns::MODULE,
        dns::azure::MODULE,
        dns::cloudflare::MODULE,
        dns::desec::MODULE,
        dns::digitalocean::MODULE,
        dns::duckdns::MODULE,
        dns::gandi::MODULE,
        dns::hetzner::MODULE,
        dns::ionos::MODULE,
        dns::ovh::MODULE,
        dns::porkbun::MODULE,
        dns::rfc2136::MODULE,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caddyfile::Order, http, state::State};
    use serde_json::json;
    use std::{collections::HashSet, sync::Arc};

    /// Caddy's `defaultDirectiveOrder`.
    const CADDYS_ORDER: &str = "tracing map vars fs root log_append skip_log log_skip log_name header \
                                copy_response_headers request_body timeouts redir method rewrite uri try_files \
                                basicauth basic_auth forward_auth request_header encode push intercept templates \
                                invoke handle handle_path route abort error copy_response respond metrics \
                                reverse_proxy php_fastcgi file_server acme_server";
    const COMPAT: &str = include_str!("../COMPAT.md");

    /// Every row: the part of the table, the name, the docs.
    fn rows() -> Vec<(String, &'static str, &'static str)> {
        let mut rows = vec![];
        rows.extend(SYNTAX.directives.iter().map(|row| ("Directives".to_owned(), row.name, row.docs)));
        rows.extend(SYNTAX.matchers.iter().map(|row| ("Matchers".to_owned(), row.name, row.docs)));
        rows.extend(SYNTAX.options.iter().map(|row| ("Global options".to_owned(), row.name, row.docs)));
        rows.extend(SYNTAX.modules.iter().map(|row| (format!("`{}`", row.namespace), row.name, row.docs)));
        rows
    }
    #[test]
    fn no_name_stands_twice() {
        let mut seen = HashSet::new();
        for (part, name, _) in rows() {
            assert!(seen.insert((part.clone(), name)), "{part}: {name} stands twice");
        }
        let handlers = MODULES.handlers.iter().map(|module| ("handler", module.name));
        let matchers = MODULES.matchers.iter().map(|module| ("matcher", module.name));
        let mut seen = HashSet::new();
        for module in handlers.chain(matchers) {
            assert!(seen.insert(module), "{module:?} stands twice");
        }
    }
    #[test]
    fn everything_is_documented() {
        for (part, name, docs) in rows() {
            assert!(!docs.trim().is_empty(), "{part}: {name} has no docs");
        }
    }
    #[test]
    fn directives_stand_in_caddys_order() {
        let known: Vec<&str> = CADDYS_ORDER.split_whitespace().collect();
        let rows = SYNTAX.directives.iter().filter(|row| row.order == Order::ByRow).map(|row| row.name);
        let (of_caddy, _of_plugins): (Vec<&str>, Vec<&str>) = rows.partition(|name| known.contains(name));
        let expected: Vec<&str> = known.into_iter().filter(|name| of_caddy.contains(name)).collect();
        assert_eq!(of_caddy, expected);
    }
    #[test]
    fn no_module_takes_a_field_that_it_does_not_know() {
        // Any name is one of its own.
        const FREE: [&str; 1] = ["vars"];
        let builds = |route: serde_json::Value| {
            let server = serde_json::from_value(json!({ "routes": [route] })).unwrap();
            http::build(server, &MODULES, Arc::new(State::default())).map(drop)
        };
        let mut lax = vec![];
        for module in MODULES.handlers.iter().filter(|module| !FREE.contains(&module.name)) {
            let route = json!({ "handle": [{ "handler": module.name, "no_such_field": 1 }] });
            if !builds(route).is_err_and(|error| error.to_string().contains("no_such_field")) {
                lax.push(module.name);
            }
        }
        for module in MODULES.matchers {
            let route = json!({ "match": [{ module.name: { "no_such_field": 1 } }] });
            if builds(route).is_ok() {
                lax.push(module.name);
            }
        }
        assert!(lax.is_empty(), "these take a field that they do not know: {lax:?}");
    }
    #[test]
    fn compat_md_has_a_row_for_every_row_of_the_table() {
        let sections: Vec<&str> = COMPAT.split("\n## ").skip(1).collect();
        let mut missing = vec![];
        for (part, name, _) in rows() {
            let mut of_part = sections.iter().filter(|section| {
                let head = section.lines().next().unwrap_or_default();
                head.contains(&part)
            });
            let row = format!("\n| `{name}`");
            if !of_part.any(|section| section.contains(&row)) {
                missing.push(format!("{name} under {part}"));
            }
        }
        assert!(missing.is_empty(), "COMPAT.md has no row for {}", missing.join(", "));
    }
}
