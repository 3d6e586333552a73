//! `httpInclude`: the body of a request that the server makes to itself.
use crate::http::{Body, Exchange, OwnServer};
use http::{HeaderName, HeaderValue, Uri};
use http_body_util::{BodyExt, Limited};

/// Counts how deep such requests are within each other.
const DEPTH: HeaderName = HeaderName::from_static("caddy-templates-include");
const DEEPEST: u32 = 3;
/// Of a body, in bytes.
const LONGEST: usize = 64 << 20;

/// # Errors
/// What the template is to fail with: also statuses of 400 and above.
pub(super) async fn ask(server: &OwnServer, x: &mut Exchange, uri: &str) -> Result<String, String> {
    let depth = match x.request.headers.get(DEPTH) {
        None => 0,
        Some(text) => {
            let parsed = text.to_str().ok().and_then(|text| text.parse::<u32>().ok());
            parsed.ok_or_else(|| format!("parsing Caddy-Templates-Include: {text:?}"))?
        }
    };
    if depth >= DEEPEST {
        return Err("virtual request cycle".into());
    }
    let server = server.get().ok_or("there is no server to ask")?;
    let mut asked = x.asking(target(uri)?);
    asked.request.headers.insert(DEPTH, HeaderValue::from(depth + 1));
    let response = server.answer(&mut asked).await.response;
    if matches!(response.body, Body::Abort) {
        return Err("net/http: abort Handler".into());
    }
    if response.status.as_u16() >= 400 {
        return Err(format!("http {}", response.status.as_u16()));
    }
    let body = Limited::new(response.body, LONGEST).collect().await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}
/// Path and query of a URI or of a reference; its host does not count.
fn target(uri: &str) -> Result<Uri, String> {
    let parsed =
        if uri.starts_with('/') || uri.contains("://") { uri.parse() } else { format!("/{uri}").parse() };
    let uri: Uri = parsed.map_err(|error| format!("parse {uri:?}: {error}"))?;
    Ok(uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from))
}
