//! Names that Caddy's plugins bring and that are not built in, and names of Caddy 1: what to use instead.
//!
//! The core asks here when it does not know a name, so that the error says more than that.

use grammar::Error;

/// A plugin that is not built in.
struct Plugin {
    /// Its repository, as people name it.
    name: &'static str,
    directives: &'static [&'static str],
    options: &'static [&'static str],
    matchers: &'static [&'static str],
    /// Module ids.
    modules: &'static [&'static str],
    /// Begins with a verb.
    instead: &'static str,
}
const NONE: Plugin =
    Plugin { name: "", directives: &[], options: &[], matchers: &[], modules: &[], instead: "" };
/// A shared folder is what several instances need.
const SHARED: &str =
    "keep state in files (`storage file_system <folder>`), on a shared volume for several instances";
const FORWARD_AUTH: &str = "let Authelia, authentik or oauth2-proxy decide, with `forward_auth`";
const RANGES: &str = "write the ranges down with `trusted_proxies static <ranges…>`";

static PLUGINS: &[Plugin] = &[
    Plugin {
        name: "caddyserver/cache-handler",
        directives: &["cache"],
        options: &["cache"],
        modules: &["admin.api.souin"],
        instead: "put a cache such as Varnish before or behind it, and say with `header Cache-Control` what it may keep",
        ..NONE
    },
    Plugin {
        name: "darkweak/souin",
        directives: &["souin", "souin_middleware_handler"],
        options: &["souin"],
        instead: "put a cache such as Varnish before or behind it, and say with `header Cache-Control` what it may keep",
        ..NONE
    },
    Plugin {
        name: "pberkel/caddy-storage-redis",
        modules: &["caddy.storage.redis"],
        instead: SHARED,
        ..NONE
    },
    Plugin {
        name: "a storage plugin",
        modules: &[
            "caddy.storage.azure_blob",
            "caddy.storage.badger",
            "caddy.storage.consul",
            "caddy.storage.dynamodb",
            "caddy.storage.etcd",
            "caddy.storage.firestore",
            "caddy.storage.gcs",
            "caddy.storage.mongodb",
            "caddy.storage.mysql",
            "caddy.storage.nats",
            "caddy.storage.postgres",
            "caddy.storage.s3",
            "caddy.storage.sqlite",
            "caddy.storage.vault",
        ],
        instead: SHARED,
        ..NONE
    },
    Plugin {
        name: "mholt/caddy-l4",
        options: &["layer4"],
        modules: &["caddy.listeners.layer4"],
        instead: "pass TCP and UDP on with HAProxy or nginx beside it",
        ..NONE
    },
    Plugin {
        name: "hslatman/caddy-crowdsec-bouncer",
        directives: &["crowdsec", "appsec"],
        options: &["crowdsec"],
        instead: "run CrowdSec's firewall bouncer on the machine",
        ..NONE
    },
    Plugin {
        name: "corazawaf/coraza-caddy",
        directives: &["coraza_waf"],
        instead: "put a web application firewall before it, or refuse what you know with matchers and `error 403`",
        ..NONE
    },
    Plugin {
        name: "fabriziosalmi/caddy-waf",
        directives: &["waf"],
        instead: "put a web application firewall before it, or refuse what you know with matchers and `error 403`",
        ..NONE
    },
    Plugin {
        name: "JasonLovesDoggo/caddy-defender",
        directives: &["defender"],
        instead: "refuse ranges with the matcher `client_ip` and `error 403`",
        ..NONE
    },
    Plugin {
        name: "erfianugrah/caddy-ddos-mitigator",
        directives: &["ddos_mitigator"],
        instead: "limit requests with `rate_limit`",
        ..NONE
    },
    Plugin {
        name: "greenpau/caddy-security",
        directives: &["authenticate", "authorize", "authp"],
        options: &["security"],
        instead: FORWARD_AUTH,
        ..NONE
    },
    Plugin { name: "ggicci/caddy-jwt", directives: &["jwtauth"], instead: FORWARD_AUTH, ..NONE },
    Plugin {
        name: "a plugin of marmelab's",
        directives: &["jwt_issuer", "simple_rest_rbac"],
        instead: FORWARD_AUTH,
        ..NONE
    },
    Plugin {
        name: "porech/caddy-maxmind-geolocation",
        matchers: &["maxmind_geolocation"],
        instead: "match the ranges of a country with `client_ip`, or a header that a CDN sets",
        ..NONE
    },
    Plugin {
        name: "zhangjiayin/caddy-geoip2",
        directives: &["geoip2_vars"],
        options: &["geoip2"],
        instead: "match the ranges of a country with `client_ip`, or a header that a CDN sets",
        ..NONE
    },
    Plugin {
        name: "muety/caddy-remote-host",
        matchers: &["remote_host"],
        instead: "match addresses with `remote_ip`",
        ..NONE
    },
    Plugin {
        name: "tuzzmaniandevil/caddy-dynamic-clientip",
        matchers: &["dynamic_client_ip"],
        instead: "match addresses with `client_ip`",
        ..NONE
    },
    Plugin {
        name: "mpilhlt/caddy-conneg",
        matchers: &["conneg"],
        instead: "match the header `Accept` with `header`",
        ..NONE
    },
    Plugin {
        name: "FrankenPHP",
        directives: &["php_server", "php"],
        options: &["frankenphp"],
        instead: "run PHP-FPM and pass requests on with `php_fastcgi`",
        ..NONE
    },
    Plugin {
        name: "dunglas/mercure",
        directives: &["mercure"],
        options: &["mercure"],
        instead: "run a Mercure hub beside it and pass `/.well-known/mercure` on with `reverse_proxy`",
        ..NONE
    },
    Plugin {
        name: "dunglas/vulcain",
        directives: &["vulcain"],
        instead: "run a Vulcain gateway beside it and pass requests on with `reverse_proxy`",
        ..NONE
    },
    Plugin {
        name: "mholt/caddy-webdav",
        directives: &["webdav"],
        instead: "run a WebDAV server beside it and pass requests on with `reverse_proxy`",
        ..NONE
    },
    Plugin {
        name: "caddyserver/forwardproxy",
        directives: &["forward_proxy"],
        instead: "run a forward proxy such as Squid beside it",
        ..NONE
    },
    Plugin {
        name: "mholt/caddy-dynamicdns",
        options: &["dynamic_dns"],
        instead: "run a dynamic DNS client such as ddclient beside it",
        ..NONE
    },
    Plugin {
        name: "abiosoft/caddy-exec",
        directives: &["exec"],
        options: &["exec"],
        modules: &["events.handlers.exec"],
        instead: "start programs with the service manager, or let a service of yours do it behind `reverse_proxy`",
        ..NONE
    },
    Plugin {
        name: "greenpau/caddy-git",
        directives: &["git"],
        options: &["git"],
        instead: "update the files with a timer or a web hook of your own",
        ..NONE
    },
    Plugin {
        name: "aksdb/caddy-cgi",
        directives: &["cgi"],
        instead: "run the programs behind a FastCGI wrapper such as fcgiwrap and pass requests on with `reverse_proxy` \
                  and its `transport fastcgi`",
        ..NONE
    },
    Plugin {
        name: "mliezun/caddy-snake",
        directives: &["python"],
        instead: "run the application with Gunicorn or Uvicorn and pass requests on with `reverse_proxy`",
        ..NONE
    },
    Plugin {
        name: "baldinof/caddy-supervisor",
        options: &["supervisor"],
        instead: "start programs with the service manager",
        ..NONE
    },
    Plugin {
        name: "tailscale/caddy-tailscale",
        directives: &["tailscale_auth"],
        options: &["tailscale"],
        modules: &["http.reverse_proxy.transport.tailscale"],
        instead: "run tailscaled beside it: its certificates come with `get_certificate tailscale`",
        ..NONE
    },
    Plugin {
        name: "sablierapp/sablier",
        directives: &["sablier"],
        instead: "keep the services running",
        ..NONE
    },
    Plugin {
        name: "kirsch33/realip",
        directives: &["realip"],
        instead: "name the proxies with `trusted_proxies` in the global option `servers`",
        ..NONE
    },
    Plugin {
        name: "sjtug/caddy2-filter",
        directives: &["filter"],
        instead: "change bodies with `replace`",
        ..NONE
    },
    Plugin {
        name: "greenpau/caddy-trace",
        directives: &["trace"],
        instead: "log handlers with `trace` in the global option `servers`",
        ..NONE
    },
    Plugin {
        name: "caddyserver/ntlm-transport",
        modules: &["http.reverse_proxy.transport.http_ntlm"],
        instead: "let the upstream take another kind of authentication",
        ..NONE
    },
    Plugin {
        name: "a plugin for trusted proxies",
        modules: &[
            "http.ip_sources.bunny",
            "http.ip_sources.cloudfront",
            "http.ip_sources.combine",
            "http.ip_sources.dns",
            "http.ip_sources.fastly",
            "http.ip_sources.gcore",
            "http.ip_sources.list",
        ],
        instead: RANGES,
        ..NONE
    },
];
/// Directives of Caddy 1, and what took their place.
static FORMER: &[(&str, &str)] = &[
    ("browse", "file_server browse"),
    ("errors", "handle_errors"),
    ("ext", "try_files"),
    ("fastcgi", "php_fastcgi"),
    ("gzip", "encode gzip"),
    ("index", "file_server { index … }"),
    ("limits", "request_body { max_size … }"),
    ("markdown", "templates"),
    ("mime", "header Content-Type"),
    ("proxy", "reverse_proxy"),
    ("status", "respond"),
    ("websocket", "reverse_proxy"),
];
/// Encoders that Caddy had.
const SINGLE_FIELD: &str = "caddy.logging.encoders.single_field";

/// The error of a name that is not known, with what to use instead if it is a plugin's.
pub(super) fn or_instead(error: Error, instead: Option<String>) -> Error {
    match instead {
        Some(instead) => error.hint(instead),
        None => error,
    }
}
/// What to say of a directive that is not known.
pub fn directive(name: &str) -> Option<String> {
    let former = || {
        let (_, instead) = FORMER.iter().find(|(former, _)| *former == name)?;
        Some(format!("`{name}` is of Caddy 1; use `{instead}`"))
    };
    say(&format!("`{name}`"), |plugin| plugin.directives.contains(&name)).or_else(former)
}
/// What to say of a global option that is not known.
pub fn option(name: &str) -> Option<String> {
    say(&format!("`{name}`"), |plugin| plugin.options.contains(&name))
}
/// What to say of a matcher that is not known.
pub fn matcher(name: &str) -> Option<String> {
    say(&format!("`{name}`"), |plugin| plugin.matchers.contains(&name))
}
/// What to say of a module that is not known, by its id.
pub fn module(id: &str) -> Option<String> {
    if id == SINGLE_FIELD {
        return Some("`single_field` is gone from Caddy too; use `format transform \"{common_log}\"`".into());
    }
    if let Some(name) = id.strip_prefix("dns.providers.") {
        return Some(format!(
            "no plugin for `{name}` is built in; if its DNS takes signed updates use `rfc2136`, else send \
             `_acme-challenge` to an ACME-DNS server with a CNAME record and use `acmedns`"
        ));
    }
    say(&format!("`{id}`"), |plugin| plugin.modules.contains(&id))
}
fn say(what: &str, has: impl Fn(&Plugin) -> bool) -> Option<String> {
    let plugin = PLUGINS.iter().find(|plugin| has(plugin))?;
    Some(format!("{what} comes from {}, which is not built in; {}", plugin.name, plugin.instead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_unknown_name_of_a_plugin_says_whose_it_is_and_what_to_use() {
        assert_eq!(
            directive("php_server").unwrap(),
            "`php_server` comes from FrankenPHP, which is not built in; run PHP-FPM and pass requests on with \
             `php_fastcgi`"
        );
        assert!(option("layer4").unwrap().contains("mholt/caddy-l4"));
        assert!(matcher("maxmind_geolocation").unwrap().contains("`client_ip`"));
        assert!(module("caddy.storage.redis").unwrap().contains("storage file_system"));
        assert!(module("dns.providers.linode").unwrap().contains("acmedns"));
    }
    #[test]
    fn caddy_1_is_pointed_to_what_took_its_place() {
        assert_eq!(directive("proxy").unwrap(), "`proxy` is of Caddy 1; use `reverse_proxy`");
    }
    #[test]
    fn other_names_say_nothing() {
        assert_eq!(
            [directive("nope"), option("nope"), matcher("nope"), module("x.nope")],
            [const { None }; 4]
        );
    }
    #[test]
    fn no_name_stands_twice() {
        for names in [
            PLUGINS.iter().flat_map(|p| p.directives).collect::<Vec<_>>(),
            PLUGINS.iter().flat_map(|p| p.options).collect(),
            PLUGINS.iter().flat_map(|p| p.matchers).collect(),
            PLUGINS.iter().flat_map(|p| p.modules).collect(),
        ] {
            assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{names:?}");
        }
    }
}
