//! `file-server`: serves a folder.
use super::{failure::Failure, quick};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

/// Spins up a production-ready file server
#[derive(Args, Debug)]
pub(super) struct FileServer {
    #[command(subcommand)]
    command: Option<Export>,
    /// Domain name at which to serve the files
    #[arg(short, long, value_name = "string", default_value = "")]
    domain: String,
    /// The path to the root of the site
    #[arg(short, long, value_name = "string", default_value = "")]
    root: String,
    /// The address to which to bind the listener
    #[arg(short, long, value_name = "string", default_value = "")]
    listen: String,
    /// Enable directory browsing
    #[arg(short, long)]
    browse: bool,
    /// Show symlink paths when browse is enabled.
    #[arg(long)]
    reveal_symlinks: bool,
    /// Enable template rendering
    #[arg(short, long)]
    templates: bool,
    /// Enable the access log
    #[arg(short, long)]
    access_log: bool,
    /// Enable verbose debug logs
    #[arg(short = 'v', long)]
    debug: bool,
    /// Max directories to read
    #[arg(short, long, value_name = "int", default_value_t = 10_000)]
    file_limit: u32,
    /// Disable Zstandard and Gzip compression
    #[arg(long)]
    no_compress: bool,
    /// Specify precompression file extensions. Compression preference implied from flag order.
    #[arg(short, long, value_name = "strings", value_delimiter = ',')]
    precompressed: Vec<String>,
}
#[derive(Subcommand, Debug)]
enum Export {
    /// Exports the default file browser template
    ExportTemplate,
}
impl FileServer {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(Export::ExportTemplate) = self.command {
            return Err(Failure::new(
                "the page that lists a folder is built in and is no template; write one of your own for `browse <file>`",
            ));
        }
        let listen = self.listen();
        quick::run(&self.configuration(), async |_| err!("Caddy serving static files on {listen}"))
    }
    fn listen(&self) -> String {
        match (self.listen.as_str(), self.domain.as_str()) {
            ("", "") => ":80".into(),
            ("", _) => ":443".into(),
            (listen, _) => listen.into(),
        }
    }
    fn configuration(&self) -> Value {
        let mut handlers = vec![];
        if !self.no_compress {
            handlers.push(json!({
                "handler": "encode", "encodings": { "gzip": {}, "zstd": {} }, "prefer": ["zstd", "gzip"],
            }));
        }
        let with_root = |mut handler: Value, key: &str| {
            if !self.root.is_empty() {
                handler[key] = json!(self.root);
            }
            handler
        };
        if self.templates {
            handlers.push(with_root(json!({ "handler": "templates" }), "file_root"));
        }
        let mut files = with_root(json!({ "handler": "file_server" }), "root");
        if self.browse {
            let mut browse = json!({});
            if self.reveal_symlinks {
                browse["reveal_symlinks"] = json!(true);
            }
            if self.file_limit != 0 {
                browse["file_limit"] = json!(self.file_limit);
            }
            files["browse"] = browse;
        }
        if !self.precompressed.is_empty() {
            let all: Map<String, Value> =
                self.precompressed.iter().map(|coding| (coding.clone(), json!({}))).collect();
            files["precompressed"] = json!(all);
            files["precompressed_order"] = json!(self.precompressed);
        }
        handlers.push(files);
        let mut route = json!({ "handle": handlers });
        if !self.domain.is_empty() {
            route["match"] = json!([{ "host": [self.domain] }]);
        }
        let mut server = json!({
            "listen": [self.listen()],
            "read_header_timeout": "10s",
            "idle_timeout": "30s",
            "max_header_bytes": 10 << 10,
            "routes": [route],
        });
        if self.access_log {
            server["logs"] = json!({});
        }
        quick::configuration(&json!({ "http": { "servers": { "static": server } } }), self.debug)
    }
}
