//! One request: from hyper's hands into the tree and back.
use super::{
    connection::Connection,
    entry::{self, Entry},
    reply::{InFlight, Reply},
    tunnel,
};
use crate::http::{Body, Exchange, Io, answer, unusual_reason};
use bytes::Bytes;
use hyper::{Request, Response, StatusCode, Version, body::Incoming, ext::ReasonPhrase, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use std::{fmt, rc::Rc};

/// Answers a request, whatever it is.
///
/// # Errors
/// The connection (HTTP/1) or the stream (HTTP/2) is to be closed without an answer.
pub(super) async fn respond(
    connection: Rc<Connection>,
    mut request: Request<Incoming>,
) -> Result<Response<Reply>, Aborted> {
    let in_flight = InFlight::begin(&connection.activity);
    let served = connection.binding.served();
    match entry::admit(&mut request, &served.site) {
        Entry::Serve => {}
        Entry::Answer(response) => return Ok(response.map(|()| Reply::new(Body::Empty, in_flight))),
        Entry::Refuse(text) => {
            connection.refusal.replace(Some(text));
            return Err(Aborted);
        }
    }
    let (head, body) = request.into_parts();
    let version = head.version;
    let mut x = Exchange::new(head, Body::Incoming(body), connection.known.clone());
    let answer = answer(&served.site.tree, &mut x).await.response;
    let mut response = Response::new(());
    *response.status_mut() = answer.status;
    *response.headers_mut() = std::mem::take(&mut x.headers);
    if let Some(Ok(reason)) =
        unusual_reason(answer.status).map(|text| ReasonPhrase::try_from(text.into_owned()))
    {
        response.extensions_mut().insert(reason);
    }
    let body = match answer.body {
        Body::Abort => return Err(Aborted),
        Body::Upgrade(upstream) => {
            upgrade(&connection, version, &mut x, &mut response, upstream);
            Body::Empty
        }
        body => body,
    };
    Ok(response.map(|()| Reply::new(body, in_flight)))
}
/// On HTTP/1 the connection's task takes over when hyper has written the 101; a stream of HTTP/2 has a task of its own.
fn upgrade(
    connection: &Rc<Connection>,
    version: Version,
    x: &mut Exchange,
    response: &mut Response<()>,
    upstream: Box<dyn Io>,
) {
    if version < Version::HTTP_2 {
        connection.upgrade.replace(Some(upstream));
    } else if let Some(client) = x.request.extensions.remove::<OnUpgrade>() {
        *response.status_mut() = StatusCode::OK;
        tokio::task::spawn_local(async move {
            if let Ok(client) = client.await {
                tunnel::between(TokioIo::new(client), Bytes::new(), upstream).await;
            }
        });
    }
}

/// Tells hyper to close the connection.
#[derive(Debug)]
pub(super) struct Aborted;
impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aborted")
    }
}
impl std::error::Error for Aborted {}
