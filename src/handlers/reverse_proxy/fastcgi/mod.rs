//! `http.reverse_proxy.transport.fastcgi`: asks applications that speak FastCGI, such as php-fpm. Each request has a
//! connection of its own.
mod answer;
mod env;
mod record;
mod upload;
use super::{
    config::FastCgiTransport,
    forward::Failure,
    request::Outgoing,
    transport,
    upstream::{InFlight, Target},
};
use crate::http::{Body, Exchange, HttpError, Text, Upstream, wire::Timeouts};
use answer::{Answering, Said};
use bytes::BytesMut;
use env::Seen;
use http::{Method, StatusCode, Version, header};
use http_body::Body as _;
use std::{future::poll_fn, io, mem, time::Duration};
use upload::{Failed, Stdin};

const LOGGER: &str = "http.reverse_proxy.transport.fastcgi";
/// Bytes of a body that are read before an application is asked: it must know the length, and many bodies whose length
/// nobody says are short.
pub(super) const BUFFER: i64 = 4096;
/// A body of up to so many bytes gets a `Content-Length`, as Go's server gives it one.
const SHORT: usize = 2048;
const DIAL_TIMEOUT: Duration = Duration::from_secs(3);

/// The transport, compiled.
#[derive(Debug)]
pub(super) struct FastCgi {
    root: Text,
    resolve_root_symlink: bool,
    split_path: Vec<String>,
    env: Vec<(String, Text)>,
    dial_timeout: Duration,
    timeouts: Timeouts,
    capture_stderr: bool,
}
impl FastCgi {
    /// # Errors
    /// A `split_path` that is no ASCII, as in Caddy.
    pub(super) fn build(config: FastCgiTransport) -> Result<Self, String> {
        if let Some(split) = config.split_path.iter().find(|split| !split.is_ascii()) {
            return Err(format!("split_path {split:?} contains non-ASCII characters"));
        }
        let root = if config.root.is_empty() { "{http.vars.root}" } else { &config.root };
        Ok(Self {
            root: Text::new(root),
            resolve_root_symlink: config.resolve_root_symlink,
            split_path: config.split_path,
            env: config.env.into_iter().map(|(name, value)| (name, Text::new(&value))).collect(),
            dial_timeout: config.dial_timeout.some().unwrap_or(DIAL_TIMEOUT),
            timeouts: Timeouts { read: config.read_timeout.some(), write: config.write_timeout.some() },
            capture_stderr: config.capture_stderr,
        })
    }
    /// Asks the application. The body is left there if nothing of it was lost; else there is [`Body::Abort`].
    ///
    /// # Errors
    /// No answer, whatever the reason.
    pub(super) async fn send(
        &self,
        x: &mut Exchange,
        target: &Target,
        outgoing: &Outgoing<'_>,
        body: &mut Body,
    ) -> Result<Upstream, Failure> {
        let in_flight = InFlight::begin(&target.host);
        let path = outgoing.target.split('?').next().unwrap_or_default();
        // PHP might take what stands before it for the whole, and execute a file that is no script.
        if path.to_ascii_lowercase().contains("%00") {
            return Err(refused(StatusCode::BAD_REQUEST, "invalid request path"));
        }
        let length = length(x, body)?;
        let (fields, _) = outgoing.fields(x);
        let seen = Seen { method: outgoing.method, target: outgoing.target, fields: &fields, length };
        let env =
            self.env(x, &seen).map_err(|why| Failure::Broken(format!("building environment: {why}")))?;
        let begun = record::begin(env.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
        let stream = transport::connected(&target.address, self.dial_timeout)
            .await
            .map_err(|why| Failure::Broken(format!("dialing backend: {why}")))?
            .with_timeouts(self.timeouts);
        let bodiless = [Method::HEAD, Method::OPTIONS].contains(outgoing.method);
        let sent = if bodiless { Body::Empty } else { mem::replace(body, Body::Abort) };
        let stdin = Stdin::new(begun, sent, if bodiless { 0 } else { length });
        let mut answering = Answering::new(stream, stdin, self.capture_stderr);
        let mut said = BytesMut::new();
        let head = poll_fn(|cx| answering.poll_head(&mut said, cx)).await;
        let (status, headers) = head.map_err(failure)?;
        let whole = answering.rest(&mut said).map_err(failure)?;
        let left = Said::length_of(&headers);
        let body = match said.freeze() {
            _ if *outgoing.method == Method::HEAD => Body::Empty,
            said if whole && left.map_or(said.len() <= SHORT, |left| left == said.len() as u64) => {
                if said.is_empty() { Body::Empty } else { Body::Bytes(said) }
            }
            first => Body::boxed(Said { first, answering, left, _held: Box::new(in_flight) }),
        };
        Ok(Upstream { status, version: Version::HTTP_09, headers, body, passing: None })
    }
}
/// Which an application must know beforehand.
fn length(x: &Exchange, body: &Body) -> Result<u64, Failure> {
    if let Some(exact) = body.size_hint().exact() {
        return Ok(exact);
    }
    let said =
        x.request.headers.get(header::CONTENT_LENGTH).and_then(|said| said.to_str().ok()?.parse().ok());
    said.ok_or_else(|| refused(StatusCode::LENGTH_REQUIRED, "missing or invalid Content-Length"))
}
fn refused(status: StatusCode, why: &str) -> Failure {
    Failure::Body(HttpError::new(status, why))
}
fn failure(error: crate::http::BoxError) -> Failure {
    if error.is::<Failed>() {
        return Failure::Body(error);
    }
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.kind() == io::ErrorKind::TimedOut => Failure::Timeout("i/o timeout".into()),
        _ => Failure::Broken(error.to_string()),
    }
}
