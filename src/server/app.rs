//! All servers of the process: started, reloaded and stopped as one.
use super::{
    address::Address,
    listen::{self, Listener},
    memory,
    plan::Plan,
    site::Served,
    socket::Accepted,
    worker::{Command, Handle},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    sync::{Mutex, oneshot},
    task::{AbortHandle, JoinSet},
    time::sleep,
};

/// The running servers. Lives on the control runtime; requests are served by the workers' own.
pub struct App {
    workers: Arc<[Handle]>,
    /// Locked for the length of a reload or a stop, so that two of them queue.
    running: Mutex<Running>,
}
#[derive(Default)]
struct Running {
    /// The addresses that are bound; where one socket serves all workers, the task that deals its connections.
    bound: BTreeMap<Address, Option<AbortHandle>>,
    /// What the system made of them: the port, where any would do.
    local: BTreeMap<Address, String>,
    background: JoinSet<()>,
    /// There are servers. Caddy has no HTTP app where there are none.
    serving: bool,
    /// There were, at some time: certificates have been looked after since.
    maintaining: bool,
    grace: Option<Duration>,
    delay: Duration,
    shutdown: Arc<OnceLock<Instant>>,
}
impl App {
    /// Starts a worker for each core, without anything to serve yet.
    ///
    /// # Errors
    /// The system has no threads to give.
    pub fn new() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers = (0..cores).map(Handle::start).collect::<io::Result<_>>()?;
        Ok(Self { workers, running: Mutex::default() })
    }
    /// Puts `plan` in the place of what is running now, if anything is. Listeners and connections that both have
    /// in common stay; the next request on each sees the new plan.
    ///
    /// # Errors
    /// An address cannot be bound: then nothing has changed.
    pub async fn reload(&self, plan: Plan) -> Result<(), String> {
        let mut running = self.running.lock().await;
        let mut fresh = vec![];
        for place in &plan.places {
            let address = &place.served.address;
            if !running.bound.contains_key(address) {
                fresh.push((address.clone(), listen::bind(address, self.workers.len(), place.keep)?));
            }
        }
        let mut local = fresh
            .iter()
            .map(|(address, listeners)| (address.clone(), local_address(address, listeners)))
            .collect();
        let served: Vec<Served> = plan.places.into_iter().map(|place| place.served).collect();
        served.iter().for_each(note_skipped);
        let mut bound = BTreeMap::new();
        for served in &served {
            if let Some(dealing) = running.bound.remove(&served.address) {
                bound.insert(served.address.clone(), dealing);
            }
        }
        self.hand_out(&served, fresh, &mut bound).await;
        running.local.retain(|address, _| bound.contains_key(address));
        running.local.append(&mut local);
        // What is left is no longer served.
        let gone = std::mem::replace(&mut running.bound, bound);
        gone.into_iter().for_each(|(address, dealing)| close(&address, dealing));
        for server in &plan.running {
            tracing::info!(target: "http.log", name = %server.name, protocols = ?server.protocols, "server running");
        }
        if plan.leaves_trust_alone {
            let path = "storage:pki/authorities/local/root.crt";
            tracing::info!(
                target: "pki.ca.local", path,
                "root certificate trust store installation disabled; unconfigured clients may show warnings"
            );
        }
        // The earlier tasks end with the set that they are in.
        running.background = JoinSet::new();
        plan.background.into_iter().for_each(|task| drop(running.background.spawn(task)));
        if running.serving {
            // Those before, whose connections go on here.
            note_stop(running.grace);
        }
        running.serving = !plan.running.is_empty();
        if running.serving && !running.maintaining {
            running.maintaining = true;
            tracing::info!(target: "tls.cache.maintenance", cache = self.name(), "started background certificate maintenance");
        }
        (running.grace, running.delay, running.shutdown) = (plan.grace, plan.delay, plan.shutdown.clone());
        // To read and build a configuration takes much more than it leaves.
        memory::give_back();
        Ok(())
    }
    /// Tells one process from another in the logs, as Caddy does by the address of its cache.
    fn name(&self) -> String {
        format!("{:p}", Arc::as_ptr(&self.workers).cast::<u8>())
    }
    /// Where it listens, as Go shows such addresses.
    pub async fn listening(&self) -> Vec<String> {
        self.running.lock().await.local.values().cloned().collect()
    }
    /// Tells every worker what to serve, and waits until each does.
    async fn hand_out(
        &self,
        served: &[Served],
        fresh: Vec<(Address, Vec<Listener>)>,
        bound: &mut BTreeMap<Address, Option<AbortHandle>>,
    ) {
        let mut shares: Vec<Vec<(Address, Listener)>> = self.workers.iter().map(|_| vec![]).collect();
        let mut dealt = vec![];
        for (address, listeners) in fresh {
            if address.is_shareable() {
                bound.insert(address.clone(), None);
                for (share, listener) in shares.iter_mut().zip(listeners) {
                    share.push((address.clone(), listener));
                }
            } else {
                dealt.extend(listeners.into_iter().map(|listener| (address.clone(), listener)));
            }
        }
        let mut all = vec![];
        for (worker, listeners) in self.workers.iter().zip(shares) {
            let (done, told) = oneshot::channel();
            worker.tell(Command::Serve { served: served.to_vec(), listeners, done });
            all.push(told);
        }
        for told in all {
            // A worker that is gone has nothing to switch.
            let _ = told.await;
        }
        for (address, listener) in dealt {
            let task = tokio::spawn(deal(address.clone(), listener, self.workers.clone()));
            bound.insert(address, Some(task.abort_handle()));
        }
    }
    /// Stops serving: no more connections, then what is in flight is given the grace period. Whether all of it ended
    /// in time.
    pub async fn stop(&self) -> bool {
        let mut running = self.running.lock().await;
        if !running.delay.is_zero() {
            // The first time counts.
            let _ = running.shutdown.set(Instant::now() + running.delay);
            let (delay_duration, time) = (running.delay.as_secs_f64(), SystemTime::now() + running.delay);
            let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            tracing::info!(target: "http", delay_duration, time, "shutdown scheduled");
            sleep(running.delay).await;
        }
        if running.serving {
            note_stop(running.grace);
        }
        if running.maintaining {
            tracing::info!(target: "tls.cache.maintenance", cache = self.name(), "stopped background certificate maintenance");
        }
        running.background.shutdown().await;
        for (address, dealing) in std::mem::take(&mut running.bound) {
            close(&address, dealing);
        }
        for worker in &*self.workers {
            worker.tell(Command::Finish);
        }
        let deadline = running.grace.map(|grace| Instant::now() + grace);
        loop {
            if self.workers.iter().all(Handle::has_ended) {
                return true;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}
/// Says that servers end, as Caddy does.
fn note_stop(grace: Option<Duration>) {
    match grace {
        Some(grace) => {
            tracing::info!(target: "http", duration = grace.as_secs_f64(), "servers shutting down; grace period initiated");
        }
        None => tracing::info!(target: "http", "servers shutting down with eternal grace period"),
    }
}
fn local_address(address: &Address, listeners: &[Listener]) -> String {
    match listeners.first() {
        Some(Listener::Tcp(listener)) => listener.local_addr().map(|local| local.to_string()).ok(),
        _ => None,
    }
    .unwrap_or_else(|| address.place())
}
/// Says what an address does without, as Caddy does.
fn note_skipped(served: &Served) {
    let (network, addr) = (served.address.network(), served.address.place());
    if served.security.is_none() && served.protocols.h2 {
        tracing::warn!(target: "http", network, addr, "HTTP/2 skipped because it requires TLS");
    }
    if served.security.is_none() && served.protocols.h3 {
        tracing::warn!(target: "http", network, addr, "HTTP/3 skipped because it requires TLS");
    }
}
fn close(address: &Address, dealing: Option<AbortHandle>) {
    if let Some(task) = dealing {
        task.abort();
    }
    if let Some(file) = address.file() {
        // It may be gone already.
        let _ = std::fs::remove_file(file);
    }
}
/// Accepts for all workers, each in its turn.
async fn deal(address: Address, listener: Listener, workers: Arc<[Handle]>) -> io::Result<()> {
    let listener = match listener {
        Listener::Tcp(listener) => Dealer::Tcp(tokio::net::TcpListener::from_std(listener)?),
        Listener::Unix(listener) => Dealer::Unix(tokio::net::UnixListener::from_std(listener)?),
    };
    for worker in workers.iter().cycle() {
        let accepted = loop {
            match listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => {
                    tracing::error!(target: "http", %error, "accepting a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        };
        worker.tell(Command::Take { address: address.clone(), accepted });
    }
    Ok(())
}
enum Dealer {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}
impl Dealer {
    async fn accept(&self) -> io::Result<Accepted> {
        Ok(match self {
            Self::Tcp(listener) => Accepted::Tcp(listener.accept().await?.0.into_std()?),
            Self::Unix(listener) => Accepted::Unix(listener.accept().await?.0.into_std()?),
        })
    }
}
