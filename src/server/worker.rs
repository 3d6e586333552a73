//! A worker: one thread with a runtime, listening sockets and connections of its own. Nothing on a request's way is
//! shared with another worker but what is immutable, atomic, or sharded.
use super::{
    address::Address,
    connection,
    listen::Listener,
    memory,
    site::{Binding, Served},
    socket::{Accepted, Socket},
    sweep::{Sweep, TICK},
};
use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    net::SocketAddr,
    rc::Rc,
    task::{Context, Poll},
    thread,
    time::Duration,
};
use tokio::{
    net::{TcpListener, UnixListener},
    runtime::{Builder, LocalOptions},
    sync::{mpsc, oneshot},
    task::{AbortHandle, spawn_local},
};

/// What a worker is told by the control runtime.
pub(super) enum Command {
    /// From here on serve exactly this; `listeners` are those of the addresses that are new.
    Serve { served: Vec<Served>, listeners: Vec<(Address, Listener)>, done: oneshot::Sender<()> },
    /// A connection that someone else has accepted.
    Take { address: Address, accepted: Accepted },
    /// Take no more connections, and end when there are none left.
    Finish,
}
/// The control runtime's end of a worker.
#[derive(Debug)]
pub(super) struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<thread::JoinHandle<()>>,
}
impl Handle {
    /// Starts a worker that serves nothing yet.
    ///
    /// # Errors
    /// The system has no thread or no event loop to give.
    pub(super) fn start(number: usize) -> io::Result<Self> {
        let (commands, received) = mpsc::unbounded_channel();
        let runtime = move || Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let (started, outcome) = std::sync::mpsc::channel();
        let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            drop(started.send(Ok(())));
            runtime.block_on(Worker::default().run(received));
        })?;
        outcome.recv().map_err(io::Error::other)??;
        Ok(Self { commands, thread: Some(thread) })
    }
    /// Whether it is still there to hear it.
    pub(super) fn tell(&self, command: Command) -> bool {
        self.commands.send(command).is_ok()
    }
    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }
}

/// In ticks: how often memory is given back while connections go idle.
const GIVE_BACK_EVERY: usize = 3;
/// Pause after an accept that failed for want of something (descriptors, memory), as the cause will not go away at once.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Worker {
    sweep: Rc<Sweep>,
    places: HashMap<Address, Place>,
}
/// An address that is served.
struct Place {
    binding: Rc<Binding>,
    /// Accepts; another worker, or the control runtime, may do it instead.
    accepting: Option<Accepting>,
}
struct Accepting {
    listener: Rc<Listening>,
    task: AbortHandle,
}
enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}
impl Worker {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let sweep = self.sweep.clone();
        let sweeping = spawn_local(async move {
            let mut freed = 0;
            for tick in 1_usize.. {
                tokio::time::sleep(TICK).await;
                freed += sweep.tick();
                if freed > 0 && tick.is_multiple_of(GIVE_BACK_EVERY) {
                    freed = 0;
                    // What was woken is to be taken apart first.
                    tokio::task::yield_now().await;
                    memory::give_back();
                }
            }
        });
        while let Some(command) = commands.recv().await {
            match command {
                Command::Serve { served, listeners, done } => {
                    self.serve(served, listeners);
                    // Who asked may have given up waiting.
                    let _ = done.send(());
                }
                Command::Take { address, accepted } => self.take(&address, accepted),
                Command::Finish => break,
            }
        }
        self.serve(vec![], vec![]);
        self.sweep.emptied().await;
        sweeping.abort();
    }
    fn serve(&mut self, served: Vec<Served>, listeners: Vec<(Address, Listener)>) {
        let mut before = std::mem::take(&mut self.places);
        let mut listeners: HashMap<_, _> = listeners.into_iter().collect();
        for served in served {
            let address = served.address.clone();
            let place = match before.remove(&address) {
                Some(place) => self.keep(place, served),
                None => self.open(served, listeners.remove(&address)),
            };
            self.places.insert(address, place);
        }
        before.into_values().for_each(|place| self.close(place));
    }
    /// Same socket, new configuration. Connections stay, unless they were made under another TLS policy.
    fn keep(&self, place: Place, served: Served) -> Place {
        if place.binding.served().has_same_security(&served) {
            place.binding.replace(served);
            return place;
        }
        let binding = Rc::new(Binding::new(served));
        place.binding.supersede();
        self.drain(&place.binding);
        let accepting = place.accepting.map(|Accepting { listener, task }| {
            task.abort();
            self.accept(listener, binding.clone())
        });
        Place { binding, accepting }
    }
    fn open(&self, served: Served, listener: Option<Listener>) -> Place {
        let binding = Rc::new(Binding::new(served));
        let listening = listener.map(|listener| match listener {
            Listener::Tcp(listener) => TcpListener::from_std(listener).map(Listening::Tcp),
            Listener::Unix(listener) => UnixListener::from_std(listener).map(Listening::Unix),
        });
        let accepting = match listening {
            Some(Ok(listening)) => Some(self.accept(Rc::new(listening), binding.clone())),
            Some(Err(error)) => {
                tracing::error!(target: "http", %error, "listening socket is unusable");
                None
            }
            None => None,
        };
        Place { binding, accepting }
    }
    fn accept(&self, listener: Rc<Listening>, binding: Rc<Binding>) -> Accepting {
        let (sweep, accepts) = (self.sweep.clone(), listener.clone());
        let task = spawn_local(async move {
            loop {
                match poll_fn(|cx| accepts.poll_accept(cx)).await {
                    Ok((socket, from)) => begin(sweep.clone(), binding.clone(), socket, from),
                    Err(error) if concerns_one_connection(&error) => {}
                    Err(error) => {
                        tracing::error!(target: "http", %error, "accepting a connection");
                        tokio::time::sleep(OUT_OF_RESOURCES).await;
                    }
                }
            }
        });
        Accepting { listener, task: task.abort_handle() }
    }
    /// Closes the socket, after taking what waits in its queue: that would be lost.
    fn close(&self, place: Place) {
        if let Some(Accepting { listener, task }) = place.accepting {
            task.abort();
            let mut cx = Context::from_waker(std::task::Waker::noop());
            while let Poll::Ready(Ok((socket, from))) = listener.poll_accept(&mut cx) {
                begin(self.sweep.clone(), place.binding.clone(), socket, from);
            }
        }
        self.drain(&place.binding);
    }
    fn drain(&self, binding: &Rc<Binding>) {
        binding.drain();
        self.sweep.wake(binding);
    }
    fn take(&self, address: &Address, accepted: Accepted) {
        let Some(place) = self.places.get(address) else { return };
        match accepted.adopt() {
            Ok(socket) => begin(self.sweep.clone(), place.binding.clone(), socket, None),
            Err(error) => tracing::error!(target: "http", %error, "accepting a connection"),
        }
    }
}
impl Listening {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, Option<SocketAddr>)>> {
        match self {
            Self::Tcp(listener) => {
                listener.poll_accept(cx).map_ok(|(stream, from)| (Socket::Tcp(stream), Some(from)))
            }
            Self::Unix(listener) => {
                listener.poll_accept(cx).map_ok(|(stream, _)| (Socket::Unix(stream), None))
            }
        }
    }
}
fn begin(sweep: Rc<Sweep>, binding: Rc<Binding>, socket: Socket, from: Option<SocketAddr>) {
    spawn_local(connection::serve(socket, from, sweep, binding));
}
/// The peer has changed its mind before it was accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
