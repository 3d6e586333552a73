//! `run`: serves by a configuration until it is told to stop.
use super::{
    envfile, environ,
    failure::{FAILED_QUIT, FORCED_QUIT, Failure},
    input::{Input, read},
    watch,
};
use crate::{
    admin::{Instance, Source, autosave_path},
    environment,
    logging::{Logs, ToLogs},
    state::State,
    storage::give_up_locks,
};
use clap::Args;
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::fs::OpenOptionsExt,
    process,
    sync::Arc,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};
use tracing_subscriber::layer::SubscriberExt;

/// Starts the server and blocks until it is stopped
#[derive(Args, Debug, Default)]
pub(super) struct Run {
    /// Configuration file
    #[arg(short, long, value_name = "string")]
    pub(super) config: Option<String>,
    /// Name of config adapter to apply
    #[arg(short, long, value_name = "string")]
    pub(super) adapter: Option<String>,
    /// Environment file(s) to load
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    pub(super) envfile: Vec<String>,
    /// Print environment
    #[arg(short, long)]
    pub(super) environ: bool,
    /// Use saved config, if any (and prefer over --config file)
    #[arg(short, long)]
    pub(super) resume: bool,
    /// Watch config file for changes and reload it automatically
    #[arg(short, long)]
    pub(super) watch: bool,
    /// Path of file to which to write process ID
    #[arg(long, value_name = "string")]
    pub(super) pidfile: Option<String>,
    /// Echo confirmation bytes to this address on success
    #[arg(long, value_name = "string")]
    pub(super) pingback: Option<String>,
}
impl Run {
    pub(super) fn run(self) -> Result<(), Failure> {
        let state = Arc::new(State::default());
        let logs = ToLogs::holding(Logs::standard(&state));
        // Nobody else sets one.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(logs.clone()));
        let outcome = self.load_and_serve(state, &logs);
        logs.release();
        logs.logs().flush();
        outcome
    }
    fn load_and_serve(self, state: Arc<State>, logs: &ToLogs) -> Result<(), Failure> {
        envfile::load(&self.envfile)?;
        if self.environ {
            environ::print();
        }
        let (json, source) = self.configuration()?;
        let pidfile = self.pidfile.as_deref().and_then(PidFile::write);
        serve(state, logs, move |instance| async move {
            if let Some(source) = source.clone() {
                instance.set_source(source);
            }
            let signals = Signals::listen()?;
            let loaded = instance.load(json.as_bytes(), true).await;
            loaded.map_err(|why| Failure::new(format!("loading initial config: {why}")))?;
            tracing::info!(target: "", "serving initial configuration");
            if let Some(address) = &self.pingback {
                ping_back(address)?;
            }
            if self.watch
                && let Some(source) = source
            {
                tokio::spawn(watch::watch(instance.clone(), source, self.envfile.clone()));
            }
            warn_without_home();
            until_stopped(&instance, signals, &self.envfile, pidfile).await
        })
    }
    /// The configuration to begin with, and the file it is from.
    fn configuration(&self) -> Result<(String, Option<Source>), Failure> {
        if self.resume
            && let Some(json) = self.saved()?
        {
            return Ok((json, None));
        }
        let input = Input::load(self.config.as_deref(), self.adapter.as_deref())?.runnable()?;
        let source = Source { file: input.file.clone(), adapter: input.adapter.to_owned() };
        Ok((input.to_json(), (!input.file.is_empty()).then_some(source)))
    }
    fn saved(&self) -> Result<Option<String>, Failure> {
        let path = autosave_path();
        let autosave_file = path.display().to_string();
        if !path.exists() {
            tracing::info!(target: "", autosave_file, "no autosave file exists");
            return Ok(None);
        }
        let json = read(&autosave_file)?;
        if self.config.is_none() {
            tracing::info!(target: "", autosave_file, "resuming from last configuration");
        } else {
            tracing::warn!(
                target: "", autosave_file,
                "--config and --resume flags were used together; ignoring --config and resuming from last configuration"
            );
        }
        Ok(Some(json))
    }
}
/// Makes the process' runtime and instance, and does `with` it.
pub(super) fn serve<F: Future<Output = Result<(), Failure>>>(
    state: Arc<State>,
    logs: &ToLogs,
    with: impl FnOnce(Arc<Instance>) -> F,
) -> Result<(), Failure> {
    let control = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let control = control.map_err(|error| Failure::new(format!("starting the runtime: {error}")))?;
    let instance = Instance::new(state, logs.clone())
        .map_err(|error| Failure::new(format!("starting the workers: {error}")))?;
    let outcome = control.block_on(with(instance));
    if outcome.is_err() {
        // Nobody waits for what still goes on.
        control.shutdown_background();
    }
    outcome
}

/// What ends a process, as the log names it.
enum End {
    Signal(&'static str),
    Api,
}
/// The signals that mean something to us.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    hangup: Signal,
    user1: Signal,
    user2: Signal,
}
impl Signals {
    /// From here on none of them ends the process by itself: to be called before anything is served, so that who sees
    /// it serve can send one.
    ///
    /// # Errors
    /// The system does not let us.
    pub(super) fn listen() -> Result<Self, Failure> {
        let on = |kind: SignalKind| {
            signal(kind).map_err(|error| Failure::new(format!("listening to signals: {error}")))
        };
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            quit: on(SignalKind::quit())?,
            hangup: on(SignalKind::hangup())?,
            user1: on(SignalKind::user_defined1())?,
            user2: on(SignalKind::user_defined2())?,
        })
    }
}
/// Serves until a signal or the API ends it.
pub(super) async fn until_stopped(
    instance: &Arc<Instance>,
    signals: Signals,
    envfiles: &[String],
    pidfile: Option<PidFile>,
) -> Result<(), Failure> {
    let Signals { mut interrupt, mut terminate, mut quit, mut hangup, mut user1, mut user2 } = signals;
    let end = loop {
        tokio::select! {
            _ = interrupt.recv() => {
                tracing::info!(target: "", signal = "SIGINT", "shutting down");
                break End::Signal("SIGINT");
            }
            _ = terminate.recv() => {
                tracing::info!(target: "", signal = "SIGTERM", "shutting down apps, then terminating");
                break End::Signal("SIGTERM");
            }
            () = instance.stop_asked() => break End::Api,
            _ = quit.recv() => return Err(at_once("SIGQUIT")),
            _ = hangup.recv() => tracing::info!(target: "", signal = "SIGHUP", "not implemented"),
            _ = user2.recv() => tracing::info!(target: "", signal = "SIGUSR2", "not implemented"),
            _ = user1.recv() => reload(instance, envfiles).await,
        }
    };
    shut_down(instance, &end, pidfile, interrupt, quit).await
}
/// Reads the file again that the configuration came from.
async fn reload(instance: &Arc<Instance>, envfiles: &[String]) {
    let Some(Source { file, adapter }) = instance.source() else {
        tracing::info!(target: "", signal = "SIGUSR1", "last config unknown, ignored SIGUSR1");
        return;
    };
    tracing::info!(target: "", signal = "SIGUSR1", file, adapter, "reloading config from last-known source");
    let (from, envfiles) = ((file.clone(), adapter.clone()), envfiles.to_vec());
    let read = spawn_blocking(move || {
        envfile::load(&envfiles)?;
        Input::load(Some(&from.0), Some(&from.1))?.runnable()
    });
    let loaded = match read.await {
        Ok(Ok(input)) => instance.load(input.to_json().as_bytes(), true).await.map_err(|why| why.to_string()),
        Ok(Err(failure)) => Err(failure.text()),
        Err(error) => Err(error.to_string()),
    };
    match loaded {
        Ok(()) => tracing::info!(
            target: "", signal = "SIGUSR1", file, adapter, "successfully reloaded config from file"
        ),
        Err(error) => tracing::error!(
            target: "", signal = "SIGUSR1", file, adapter, error, "failed to reload config from file"
        ),
    }
}
fn at_once(signal: &'static str) -> Failure {
    tracing::info!(target: "", signal, "quitting process immediately");
    give_up_locks();
    Failure::silent(FORCED_QUIT)
}
/// Stops serving, unless someone insists on ending at once.
async fn shut_down(
    instance: &Arc<Instance>,
    end: &End,
    pidfile: Option<PidFile>,
    mut interrupt: Signal,
    mut quit: Signal,
) -> Result<(), Failure> {
    match end {
        End::Signal(signal) => tracing::warn!(target: "", signal, "exiting; byeee!! 👋"),
        End::Api => tracing::warn!(target: "admin.api", "exiting; byeee!! 👋"),
    }
    let stop = async {
        // What did not end in time ends with the process, as in Caddy.
        instance.stop().await;
        let removed = pidfile.is_none_or(PidFile::remove);
        instance.close_endpoint().await;
        if removed { 0 } else { FAILED_QUIT }
    };
    let exit_code = tokio::select! {
        exit_code = stop => exit_code,
        _ = interrupt.recv() => {
            tracing::warn!(target: "", signal = "SIGINT", "force quit");
            return Err(Failure::silent(FORCED_QUIT));
        }
        _ = quit.recv() => return Err(at_once("SIGQUIT")),
    };
    match (end, exit_code) {
        (End::Signal(signal), 0) => tracing::info!(target: "", signal, exit_code, "shutdown complete"),
        (End::Api, 0) => tracing::info!(target: "admin.api", exit_code, "shutdown complete"),
        _ => {
            tracing::error!(target: "", exit_code, "unclean shutdown");
            return Err(Failure::silent(exit_code));
        }
    }
    Ok(())
}

/// The file with the process' number; removed when it ends in good order.
pub(super) struct PidFile(String);
impl PidFile {
    fn write(file: &str) -> Option<Self> {
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
        match open.and_then(|mut out| writeln!(out, "{}", process::id())) {
            Ok(()) => Some(Self(file.to_owned())),
            Err(error) => {
                tracing::error!(target: "", pidfile = file, %error, "unable to write PID file");
                None
            }
        }
    }
    /// Whether it could be.
    fn remove(self) -> bool {
        let removed = fs::remove_file(&self.0);
        if let Err(error) = &removed {
            tracing::error!(target: "", pidfile = self.0, %error, "cleaning up PID file:");
        }
        removed.is_ok()
    }
}
/// Tells the process that has started this one that it is up: with the bytes that it has sent.
fn ping_back(address: &str) -> Result<(), Failure> {
    let mut confirmation = vec![];
    let read = io::stdin().read_to_end(&mut confirmation);
    read.map_err(|error| Failure::new(format!("reading confirmation bytes from stdin: {error}")))?;
    let stream = TcpStream::connect(address);
    let mut stream =
        stream.map_err(|error| Failure::new(format!("dialing confirmation address: {error}")))?;
    let written = stream.write_all(&confirmation);
    written.map_err(|error| Failure::new(format!("writing confirmation bytes to {address}: {error}")))
}
fn warn_without_home() {
    let set = |name: &str| environment::var(name).is_some_and(|value| !value.is_empty());
    if !set("HOME") && !["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].into_iter().all(set) {
        tracing::warn!(
            target: "",
            "$HOME environment variable is empty - please fix; some assets might be stored in ./caddy"
        );
    }
}
