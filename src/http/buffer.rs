//! `{http.request.body}`: whoever uses it has the whole body read into memory first, and passed on from there.
use super::{Body, Exchange, Flow, Handler, HttpError, Matcher, Response, Result, Rise, Step};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde_json::Value;
use std::mem;

/// Whether a module's field uses the request's body as text. What stands in its routes is theirs.
pub(super) fn mentions_body(key: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => names_body(text),
        Value::Array(_) if ["routes", "handle_response"].contains(&key) => false,
        Value::Array(items) => items.iter().any(|item| mentions_body(key, item)),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| names_body(key) || mentions_body(key, value))
        }
        _ => false,
    }
}
fn names_body(text: &str) -> bool {
    text.contains("{http.request.body}") || text.contains("{http.request.body_base64}")
}
/// A handler or matcher for which the body is read first.
#[derive(Debug)]
pub(super) struct BodyFirst<T: ?Sized>(pub(super) Box<T>);
impl Handler for BodyFirst<dyn Handler> {
    fn handle<'t: 'x, 'x>(&'t self, x: &'x mut Exchange) -> Flow<'x, Step<'t>> {
        Flow::wait(async move {
            x.buffer_body().await?;
            self.0.handle(x).result().await
        })
    }
    fn finish<'t: 'x, 'x>(&'t self, x: &'x mut Exchange, response: Response) -> Flow<'x, Rise<'t>> {
        self.0.finish(x, response)
    }
}
impl Matcher for BodyFirst<dyn Matcher> {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        Flow::wait(async move {
            x.buffer_body().await?;
            self.0.matches(x).result().await
        })
    }
    fn waits(&self) -> bool {
        true
    }
    fn hosts(&self) -> Option<&[Box<str>]> {
        self.0.hosts()
    }
}
impl Exchange {
    /// Reads the request's body into memory, unless it is there. Where the client breaks it off, what came counts, as in
    /// Caddy.
    ///
    /// # Errors
    /// A failure of ours, such as the 413 of `request_body`.
    pub async fn buffer_body(&mut self) -> Result<Bytes> {
        if let Body::Bytes(bytes) = &self.body {
            return Ok(bytes.clone());
        }
        let mut body = mem::take(&mut self.body);
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => whole.extend_from_slice(frame.data_ref().map_or(&[], Bytes::as_ref)),
                Err(error) => match HttpError::behind(&*error) {
                    Some(ours) => return Err(ours),
                    None => break,
                },
            }
        }
        let whole = whole.freeze();
        self.body = Body::Bytes(whole.clone());
        Ok(whole)
    }
}
