//! `start`: runs in the background, and returns once it serves.
use super::failure::Failure;
use clap::Args;
use std::{
    io::{self, Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

/// Starts the server in the background
#[derive(Args, Debug)]
pub(super) struct Start {
    /// Configuration file
    #[arg(short, long, value_name = "string")]
    config: Option<String>,
    /// Name of config adapter to apply
    #[arg(short, long, value_name = "string")]
    adapter: Option<String>,
    /// Environment file(s) to load
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    envfile: Vec<String>,
    /// Path of file to which to write process ID
    #[arg(long, value_name = "string")]
    pidfile: Option<String>,
    /// Reload changed config file automatically
    #[arg(short, long)]
    watch: bool,
}
/// What comes first.
enum Outcome {
    Serves,
    Ended(String),
}
/// Bytes by which the process that was started is known from others that connect.
const CONFIRMATION: usize = 32;

impl Start {
    pub(super) fn run(self) -> Result<(), Failure> {
        let failed = |doing: &str, error: io::Error| Failure::new(format!("{doing}: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").or_else(|_| TcpListener::bind("[::1]:0"));
        let listener =
            listener.map_err(|error| failed("opening listener for success confirmation", error))?;
        let address = listener.local_addr().map_err(|error| failed("opening listener", error))?;
        let program = std::env::current_exe().map_err(|error| failed("starting caddy process", error))?;
        let mut command = Command::new(program);
        command.args(["run", "--pingback", &address.to_string()]).stdin(Stdio::piped());
        command.args(self.arguments());
        let mut child = command.spawn().map_err(|error| failed("starting caddy process", error))?;
        let pid = child.id();
        let mut expected = [0; CONFIRMATION];
        aws_lc_rs::rand::fill(&mut expected)
            .map_err(|_| Failure::new("generating random confirmation bytes: there are none"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // If it has gone already, waiting for it will say so.
            let _ = stdin.write_all(&expected);
        }
        let (tell, outcome) = mpsc::channel();
        let tell_of_end = tell.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut said = vec![];
                let read = stream.take(CONFIRMATION as u64).read_to_end(&mut said);
                if read.is_ok() && said == expected {
                    let _ = tell.send(Outcome::Serves);
                    return;
                }
            }
        });
        thread::spawn(move || {
            let ended = match child.wait() {
                Ok(status) => match status.code() {
                    Some(code) => format!("exit status {code}"),
                    None => status.to_string(),
                },
                Err(error) => error.to_string(),
            };
            let _ = tell_of_end.send(Outcome::Ended(ended));
        });
        match outcome.recv() {
            Ok(Outcome::Serves) => {
                out!("Successfully started Caddy (pid={pid}) - Caddy is running in the background");
                Ok(())
            }
            Ok(Outcome::Ended(how)) => Err(Failure::new(format!("caddy process exited with error: {how}"))),
            Err(_) => Err(Failure::new("caddy process is gone")),
        }
    }
    fn arguments(&self) -> Vec<String> {
        let mut all = vec![];
        let mut add = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                all.extend([name.to_owned(), value.clone()]);
            }
        };
        add("--config", &self.config);
        add("--adapter", &self.adapter);
        add("--pidfile", &self.pidfile);
        for file in &self.envfile {
            all.extend(["--envfile".to_owned(), file.clone()]);
        }
        if self.watch {
            all.push("--watch".to_owned());
        }
        all
    }
}
