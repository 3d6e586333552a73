//! What a file says: the sections but the routes, with their defaults.
//!
//! A section that is not there switches off what it is about; one that is there switches it on, unless it says
//! `enabled = false`. Its other keys have to be in order either way.
use super::{
    report::Report,
    routes::{self, Route},
    table::{At, Table},
    values::{Count, Directory, Email, Format, LEVELS, Level, Port, Range, Seconds},
};
use std::net::{IpAddr, Ipv4Addr};
use toml::de::DeTable;

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Where the admin API listens.
const ADMIN_PORT: u16 = 2019;

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) server: Server,
    pub(super) tls: Option<Tls>,
    pub(super) limits: Option<Limits>,
    pub(super) security: Security,
    pub(super) health: Option<Health>,
    pub(super) logging: Logging,
    /// The port of `/metrics`.
    pub(super) metrics: Option<u16>,
    pub(super) routes: Vec<Route>,
}
#[derive(Debug)]
pub(super) struct Server {
    pub(super) http_port: u16,
    pub(super) https_port: u16,
    pub(super) bind: IpAddr,
    pub(super) trusted_proxies: Vec<String>,
}
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) email: Option<String>,
    pub(super) directory: String,
    /// A folder.
    pub(super) storage: String,
    pub(super) renew: bool,
}
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) global: Option<Bucket>,
    pub(super) per_ip: Option<Bucket>,
    pub(super) exempt: Vec<String>,
}
#[derive(Debug)]
pub(super) struct Bucket {
    /// Tokens in `per_seconds`.
    pub(super) rate: u32,
    pub(super) per_seconds: u32,
    pub(super) burst: u32,
}
#[derive(Debug, Default)]
pub(super) struct Security {
    /// `max-age` of HSTS, in seconds; `None`: no headers are added.
    pub(super) headers: Option<u32>,
    pub(super) compression: bool,
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
}
#[derive(Debug)]
pub(super) struct Health {
    pub(super) interval_seconds: u32,
    pub(super) timeout_seconds: u32,
    /// In a row, until a backend is down.
    pub(super) fails: u32,
    /// In a row, until it is up again.
    pub(super) passes: u32,
    /// Whether a backend that fails too many requests is left alone for a while.
    pub(super) circuit_breaker: bool,
}
#[derive(Debug)]
pub(super) struct Logging {
    pub(super) level: Level,
    pub(super) format: Format,
    pub(super) access: bool,
}
impl Settings {
    /// Tells `report` of everything that is wrong, and goes on with the default there.
    pub(super) fn read<'t>(document: &'t DeTable<'t>, report: &'t Report<'t>) -> Self {
        let mut root = Table::root(document, report);
        let mut ports = Ports::default();
        let mut server = root.section("server");
        let mut tls = root.section("tls");
        let tls_on = enabled(&mut tls);
        let mut metrics = root.section("metrics");
        let metrics_on = enabled(&mut metrics);
        let settings = Self {
            server: Server::read(&mut server, tls_on, &mut ports),
            tls: on(tls_on, Tls::read(&mut tls)),
            limits: Limits::read(root.section("ratelimit")),
            security: Security::read(root.section("security")),
            health: Health::read(root.section("health")),
            logging: Logging::read(root.section("logging")),
            metrics: on(metrics_on, ports.take(&mut metrics, "prometheus_port", 9090, metrics_on)),
            routes: routes::read(&mut root),
        };
        [server, tls, metrics, root].into_iter().for_each(Table::finish);
        settings
    }
}
fn enabled(section: &mut Table<'_>) -> bool {
    section.or("enabled", true) && section.is_there()
}
fn on<T>(on: bool, settings: T) -> Option<T> {
    on.then_some(settings)
}
/// The ports that are taken, each by its key.
struct Ports(Vec<(u16, String)>);
impl Default for Ports {
    fn default() -> Self {
        Self(vec![(ADMIN_PORT, "the admin API".to_owned())])
    }
}
impl Ports {
    fn take(&mut self, table: &mut Table<'_>, key: &'static str, default: u16, used: bool) -> u16 {
        let found = table.get::<Port>(key);
        let port = found.as_ref().map_or(default, |found| found.value.0);
        if !used {
            return port;
        }
        if let Some((_, other)) = self.0.iter().find(|(taken, _)| *taken == port) {
            let at = found.map_or_else(|| table.place(), |found| found.at);
            table.wrong(key, at, format!("port {port} is taken by {other} already"));
        }
        self.0.push((port, table.path(key)));
        port
    }
}
impl Server {
    fn read(table: &mut Table<'_>, tls: bool, ports: &mut Ports) -> Self {
        Self {
            http_port: ports.take(table, "http_port", 80, true),
            https_port: ports.take(table, "https_port", 443, tls),
            bind: table.or("bind_addr", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            trusted_proxies: ranges(table.list("trusted_proxies").unwrap_or_default()),
        }
    }
}
fn ranges(list: Vec<At<Range>>) -> Vec<String> {
    list.into_iter().map(|range| range.value.0).collect()
}
impl Tls {
    fn read(table: &mut Table<'_>) -> Self {
        Self {
            email: table.get("acme_email").map(|email: At<Email>| email.value.0),
            directory: table.or("acme_directory", Directory(LETS_ENCRYPT.to_owned())).0,
            storage: table.or("cert_storage", "/etc/proxy/certs".to_owned()),
            renew: table.or("auto_renew", true),
        }
    }
}
impl Limits {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let enabled = enabled(&mut table);
        let global_rate = table.either("global_requests_per_second", "requests_per_second");
        let global_burst = table.either("global_burst", "burst");
        let per_ip_rate = table.get("per_ip_requests_per_minute");
        let per_ip_burst = table.get("per_ip_burst");
        let limits = Self {
            global: bucket(&table, (1, "global_requests_per_second", global_rate), global_burst),
            per_ip: bucket(&table, (60, "per_ip_requests_per_minute", per_ip_rate), per_ip_burst),
            exempt: ranges(table.either_list("whitelist_ips", "whitelist")),
        };
        table.finish();
        on(enabled, limits)
    }
}
/// The bucket of a rate; as many tokens as it has in its time, unless its burst says otherwise.
fn bucket(
    table: &Table<'_>,
    (per_seconds, key, rate): (u32, &str, Option<At<Count>>),
    burst: Option<At<Count>>,
) -> Option<Bucket> {
    let burst_at = burst.as_ref().map(|burst| burst.at.clone());
    let burst = burst.map(|burst| burst.value.0);
    match (rate, burst_at) {
        (Some(rate), _) => {
            let rate = rate.value.0;
            Some(Bucket { rate, per_seconds, burst: burst.unwrap_or(rate) })
        }
        (None, Some(at)) => {
            table.wrong(key, at, "missing: a burst is of no use without its rate");
            None
        }
        (None, None) => None,
    }
}
impl Security {
    fn read(mut table: Table<'_>) -> Self {
        let there = table.is_there();
        let headers = table.or("add_security_headers", there);
        let hsts = table.or("hsts_max_age", Seconds(31_536_000)).0;
        let security = Self {
            headers: on(headers, hsts),
            compression: table.or("enable_compression", there),
            allow: ranges(table.list("allow_ips").unwrap_or_default()),
            deny: ranges(table.list("deny_ips").unwrap_or_default()),
        };
        table.finish();
        security
    }
}
impl Health {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let enabled = enabled(&mut table);
        let mut count = |key, default| table.or(key, Count(default)).0;
        let health = Self {
            interval_seconds: count("interval_seconds", 10),
            timeout_seconds: count("timeout_seconds", 5),
            fails: count("unhealthy_threshold", 3),
            passes: count("healthy_threshold", 2),
            circuit_breaker: table.or("circuit_breaker", false),
        };
        table.finish();
        on(enabled, health)
    }
}
impl Logging {
    fn read(mut table: Table<'_>) -> Self {
        let logging = Self {
            level: table.or("level", Level("INFO")),
            format: table.or("format", Format::Json),
            access: table.or("access_log", true),
        };
        table.finish();
        logging
    }
}
/// The level that `RUST_LOG` asks for: one for all, as `info` or among others as in `info,hyper=warn`.
pub(super) fn log_level(wanted: &str, report: &Report<'_>) -> Option<Level> {
    let words = || wanted.split(',').map(str::trim).filter(|word| !word.is_empty());
    let level = |word: &str| LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    let found = words().find_map(level).map(|(_, level)| *level);
    for word in words().filter(|word| level(word).is_none()) {
        report.warn(None, format!("RUST_LOG: {word:?} is no level for everything, so it is passed over"));
    }
    found
}
