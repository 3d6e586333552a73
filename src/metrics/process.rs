//! What is counted of the process itself: the admin API, reloads, and what the system knows of it.
use super::{Counter, Family, Kind};
use crate::state::State;
use rustix::process::{Resource, getrlimit};
use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

/// Lives as long as the process, over all configurations.
#[derive(Debug, Default)]
pub struct Process {
    /// By path, code and method.
    requests: Mutex<BTreeMap<[String; 3], Counter>>,
    /// By path and method.
    errors: Mutex<BTreeMap<[String; 2], Counter>>,
    /// Whether the last configuration was put in force.
    successful: AtomicBool,
    /// When one last was, in seconds since 1970; the bits of an `f64`.
    success_time: AtomicU64,
}
impl Process {
    /// That of the process whose state this is.
    pub fn of(state: &State) -> Arc<Self> {
        state.get_or("metrics/process", Self::default)
    }
    /// A request to the admin API was answered. `path` is its route's pattern.
    pub fn admin_request(&self, path: &str, code: u16, method: &http::Method) {
        let labels = [path.to_owned(), code.to_string(), method_label(method).to_owned()];
        lock(&self.requests).entry(labels).or_default().inc();
    }
    /// It was refused.
    pub fn admin_error(&self, path: &str, method: &http::Method) {
        let labels = [path.to_owned(), method.as_str().to_ascii_uppercase()];
        lock(&self.errors).entry(labels).or_default().inc();
    }
    /// A configuration was put in force, or was not.
    pub fn reloaded(&self, successfully: bool) {
        self.successful.store(successfully, Relaxed);
        if successfully {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.success_time.store(now.as_secs_f64().to_bits(), Relaxed);
        }
    }
    pub fn families(&self) -> Vec<Family> {
        let mut requests = Family::new(
            "caddy_admin_http_requests_total",
            "Counter of requests made to the Admin API's HTTP endpoints.",
            Kind::Counter,
        );
        for ([path, code, method], count) in lock(&self.requests).iter() {
            let [path, code, method] = [path, code, method].map(Clone::clone);
            let labels =
                vec![("code", code), ("handler", "admin".into()), ("method", method), ("path", path)];
            requests.add(labels, count.get() as f64);
        }
        let mut errors = Family::new(
            "caddy_admin_http_request_errors_total",
            "Number of requests resulting in middleware errors.",
            Kind::Counter,
        );
        for ([path, method], count) in lock(&self.errors).iter() {
            let labels =
                vec![("handler", "admin".into()), ("method", method.clone()), ("path", path.clone())];
            errors.add(labels, count.get() as f64);
        }
        vec![
            requests,
            errors,
            Family::of(
                "caddy_config_last_reload_successful",
                "Whether the last configuration reload attempt was successful.",
                Kind::Gauge,
                f64::from(u8::from(self.successful.load(Relaxed))),
            ),
            Family::of(
                "caddy_config_last_reload_success_timestamp_seconds",
                "Timestamp of the last successful configuration reload.",
                Kind::Gauge,
                f64::from_bits(self.success_time.load(Relaxed)),
            ),
        ]
    }
}
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
/// A method as a label: those that are known, else `OTHER`.
pub(super) fn method_label(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "PUT", "HEAD", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| method.as_str().eq_ignore_ascii_case(known)).unwrap_or("OTHER")
}

/// What the system knows of this process, in the names that Prometheus clients share. What it does not tell is left out.
pub fn process_families() -> Vec<Family> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the program's name, which may hold anything.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or(vec![], |(_, rest)| rest.split_ascii_whitespace().collect());
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<f64>().ok());
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let page = rustix::param::page_size() as f64;
    let cpu = field(14).zip(field(15)).map(|(user, system)| (user + system) / ticks);
    let start = field(22).zip(booted()).map(|(since_boot, boot)| boot + since_boot / ticks);
    let open = fs::read_dir("/proc/self/fd").ok().map(|list| list.count() as f64);
    let most = getrlimit(Resource::Nofile).current.map(|most| most as f64);
    [
        ("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", Kind::Counter, cpu),
        (
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            Kind::Gauge,
            start,
        ),
        ("process_virtual_memory_bytes", "Virtual memory size in bytes.", Kind::Gauge, field(23)),
        (
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            Kind::Gauge,
            field(24).map(|pages| pages * page),
        ),
        (
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
            Kind::Gauge,
            // Without a limit, as Go has it: the largest number.
            Some(getrlimit(Resource::As).current.unwrap_or(u64::MAX) as f64),
        ),
        (
            "process_network_receive_bytes_total",
            "Number of bytes received by the process over the network.",
            Kind::Counter,
            octets("InOctets"),
        ),
        (
            "process_network_transmit_bytes_total",
            "Number of bytes sent by the process over the network.",
            Kind::Counter,
            octets("OutOctets"),
        ),
        ("process_open_fds", "Number of open file descriptors.", Kind::Gauge, open),
        ("process_max_fds", "Maximum number of open file descriptors.", Kind::Gauge, most),
    ]
    .into_iter()
    .filter_map(|(name, help, kind, value)| Some(Family::of(name, help, kind, value?)))
    .collect()
}
/// A counter of the process's network, which other processes may share.
fn octets(name: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/net/netstat").ok()?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("IpExt:"));
    let (names, values) = (lines.next()?.split_ascii_whitespace(), lines.next()?.split_ascii_whitespace());
    names.zip(values).find(|(known, _)| *known == name)?.1.parse().ok()
}
/// When the system was started, in seconds since 1970.
fn booted() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Form, render};

    #[test]
    fn the_admin_api_and_reloads_are_counted() {
        let process = Process::default();
        let method = http::Method::from_bytes(b"get").unwrap();
        process.admin_request("/config/", 200, &method);
        process.admin_request("/config/", 200, &http::Method::GET);
        process.admin_request("/load", 400, &http::Method::from_bytes(b"BREW").unwrap());
        process.admin_error("/load", &http::Method::POST);
        process.reloaded(true);
        process.reloaded(false);
        let text = render(process.families(), Form::Prometheus);
        for line in [
            "caddy_admin_http_requests_total{code=\"200\",handler=\"admin\",method=\"GET\",path=\"/config/\"} 2",
            "caddy_admin_http_requests_total{code=\"400\",handler=\"admin\",method=\"OTHER\",path=\"/load\"} 1",
            "caddy_admin_http_request_errors_total{handler=\"admin\",method=\"POST\",path=\"/load\"} 1",
            "caddy_config_last_reload_successful 0",
            "caddy_config_last_reload_success_timestamp_seconds 1.",
        ] {
            assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
        }
    }
    #[test]
    fn the_system_is_asked() {
        let text = render(process_families(), Form::Prometheus);
        for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
            assert!(text.contains(&format!("\n{name} ")), "{name}\n{text}");
        }
    }
}
