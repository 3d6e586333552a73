//! Three upstreams under load: one is killed and comes back, one is slow, and no request fails.
mod common;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/server.rs"]
mod server;
use server::{Server, wait_for};
use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

const PORT: &str = "FAILOVER_UPSTREAM_PORT";
const SLOW: &str = "FAILOVER_UPSTREAM_SLOW";
const CLIENTS: usize = 8;
const REQUESTS: usize = 10_000;

/// An upstream in a process of its own, so that it can be killed.
struct Upstream(Child);
impl Upstream {
    fn start(port: u16, slow: bool) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "upstream"]).env(PORT, port.to_string());
        if slow {
            command.env(SLOW, "1");
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for("the upstream", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self(child)
    }
}
impl Drop for Upstream {
    /// SIGKILL.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
/// Says its port.
#[test]
#[ignore = "is the upstream of the other test"]
fn upstream() {
    let Ok(port) = env::var(PORT) else { return };
    let slow = env::var(SLOW).is_ok();
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    for stream in listener.incoming().map_while(Result::ok) {
        let port = port.clone();
        thread::spawn(move || {
            let mut to = stream.try_clone().unwrap();
            let mut lines = BufReader::new(stream).lines();
            while let Some(Ok(line)) = lines.next() {
                if !line.is_empty() {
                    continue;
                }
                if slow {
                    thread::sleep(Duration::from_millis(10));
                }
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{port}", port.len());
                if to.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
    }
}
/// One request on a connection that is kept; who has answered.
fn ask(client: &mut Option<TcpStream>, site: u16) -> Result<u16, String> {
    let stream = client.get_or_insert_with(|| TcpStream::connect(("127.0.0.1", site)).unwrap());
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").map_err(|error| error.to_string())?;
    let mut answer = vec![];
    let mut chunk = [0; 1024];
    loop {
        let read = stream.read(&mut chunk).map_err(|error| error.to_string())?;
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return Err("closed".into());
            }
            continue;
        };
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(head.lines().next().unwrap_or_default().into());
        }
        if let Ok(port) = body.parse() {
            return Ok(port);
        }
    }
}
#[test]
fn no_request_fails_while_an_upstream_dies_and_comes_back() {
    let ports: Vec<u16> = (0..3).map(|_| common::free_port()).collect();
    let site = common::free_port();
    let mut dying = Some(Upstream::start(ports[0], false));
    let _others = [Upstream::start(ports[1], false), Upstream::start(ports[2], true)];
    let config = format!(
        "{{\n\tadmin off\n}}\nhttp://:{site} {{\n\treverse_proxy 127.0.0.1:{} 127.0.0.1:{} 127.0.0.1:{} {{
		lb_policy round_robin
		lb_try_duration 5s
		fail_duration 1s
	}}\n}}\n",
        ports[0], ports[1], ports[2]
    );
    let server = Server::start(env!("CARGO_BIN_EXE_proxy"), &(config, false), site).unwrap();
    let (done, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let by_dying = Arc::<AtomicUsize>::default();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (done, over, by_dying, dying) = (done.clone(), over.clone(), by_dying.clone(), ports[0]);
            thread::spawn(move || {
                let (mut client, mut failures) = (None, vec![]);
                while !over.load(SeqCst) || done.load(SeqCst) < REQUESTS {
                    match ask(&mut client, site) {
                        Ok(port) => _ = by_dying.fetch_add(usize::from(port == dying), SeqCst),
                        Err(error) => {
                            failures.push(error);
                            client = None;
                        }
                    }
                    done.fetch_add(1, SeqCst);
                }
                failures
            })
        })
        .collect();
    let served = || by_dying.load(SeqCst);
    wait_for("traffic", || served() > 300);
    dying.take();
    let (killed, when) = (done.load(SeqCst), Instant::now());
    wait_for("traffic without it", || done.load(SeqCst) > killed + 1000 && when.elapsed().as_millis() > 1500);
    let before = served();
    dying = Some(Upstream::start(ports[0], false));
    wait_for("traffic to it again", || served() > before + 100);
    over.store(true, SeqCst);
    let failures: Vec<String> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    assert!(failures.is_empty(), "{} of {} failed: {failures:?}", failures.len(), done.load(SeqCst));
    drop(dying);
    server.stop();
}
