//! What the providers' APIs have in common: requests with JSON in both directions, and errors that give nothing away.
use crate::{
    config::placeholder::{Unknown, expand_global},
    net::https::{Answer, Client},
    tls::{DnsProvider, TxtRecord, Working},
};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;

/// For one request.
const DEADLINE: Duration = Duration::from_secs(30);
const AGENT: &str = concat!("proxy/", env!("CARGO_PKG_VERSION"));
/// Of what an API complains about, this much is shown.
const COMPLAINT: usize = 300;

/// A module's JSON, with all its placeholders expanded.
///
/// # Errors
/// A field that there is not, or of another type.
pub(super) fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    crate::config::decode(expanded(Value::Object(fields))?).map_err(|error| error.to_string())
}
fn expanded(value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => expand_global(&text, Unknown::Empty)?.into(),
        Value::Array(all) => all.into_iter().map(expanded).collect::<Result<_, _>>()?,
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| Ok((key, expanded(value)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        other => other,
    })
}
/// A value that no log shows.
pub(super) struct Secret(pub(super) String);
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("REDACTED")
    }
}
pub(super) struct Api {
    client: Client,
    /// Without a slash at its end.
    base: String,
    /// What no error may repeat.
    secrets: Vec<String>,
}
impl Api {
    pub(super) fn new(base: &str, secrets: &[&str]) -> Result<Self, String> {
        let secrets = secrets.iter().filter(|secret| !secret.is_empty());
        Ok(Self {
            client: Client::new(&[], AGENT, DEADLINE)?,
            base: base.trim_end_matches('/').to_owned(),
            secrets: secrets.map(|secret| (*secret).to_owned()).collect(),
        })
    }
    /// One request to `path` below the base. `Null` where the answer is empty.
    ///
    /// # Errors
    /// No answer, no success, or no JSON.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let mut headers = headers.to_vec();
        headers.push(("Accept", "application/json"));
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.send(method, path, &headers, body).await?;
        self.json(&answer)
    }
    /// What is at `path`; `None` if there is nothing.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub(super) async fn find(&self, path: &str, headers: &[(&str, &str)]) -> Result<Option<Value>, String> {
        let answer = self.ask(Method::GET, path, headers, String::new()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.json(&self.checked(answer)?).map(Some)
    }
    fn json(&self, answer: &Answer) -> Result<Value, String> {
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| format!("{}: an answer that is no JSON", self.host()))
    }
    /// As [`call`](Self::call), whatever is sent and answered.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, String> {
        self.checked(self.ask(method, path, headers, body).await?)
    }
    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, String> {
        let url = format!("{}{path}", self.base);
        let answer = self.client.send(method, &url, headers, body).await;
        answer.map_err(|error| self.without_secrets(error))
    }
    fn checked(&self, answer: Answer) -> Result<Answer, String> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let status = answer.status.as_u16();
        let complaint = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(json) => complaint(&json),
            Err(_) => None,
        };
        let text = complaint.unwrap_or_else(|| String::from_utf8_lossy(&answer.body).trim().to_owned());
        let text: String = text.chars().take(COMPLAINT).collect();
        Err(self.without_secrets(format!("{}: HTTP {status}: {text}", self.host())))
    }
    pub(super) fn base(&self) -> &str {
        &self.base
    }
    fn host(&self) -> &str {
        let rest = self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }
    pub(super) fn without_secrets(&self, mut text: String) -> String {
        for secret in &self.secrets {
            text = text.replace(secret, "REDACTED");
        }
        text
    }
}
impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Api({})", self.host())
    }
}
/// What an API says is wrong, wherever in its answer it says so.
fn complaint(json: &Value) -> Option<String> {
    let found: Vec<String> = match json {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(complaint).collect(),
        Value::Object(fields) => {
            let places =
                ["message", "errors", "error", "error_description", "detail", "error_chain", "cause"];
            places.iter().filter_map(|place| complaint(fields.get(*place)?)).collect()
        }
        _ => vec![],
    };
    (!found.is_empty()).then(|| found.join("; "))
}
/// A field as text, whether it is written as text or as a number.
pub(super) fn id(json: &Value, field: &str) -> Result<String, String> {
    match json.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(format!("an answer without `{field}`")),
    }
}
/// The texts of a list.
pub(super) fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
/// An API that knows sets of records only: a name's values are read and written as one.
pub(super) trait RecordSets: std::fmt::Debug + Send + Sync {
    /// Changes the values of the record's name, each as a zone file has it. A set without values is deleted.
    ///
    /// # Errors
    /// What the API says, or that it says nothing.
    fn change(
        &self,
        record: &TxtRecord,
        change: impl FnOnce(&mut Vec<String>) + Send,
    ) -> impl Future<Output = Result<(), String>> + Send;
}
impl<T: RecordSets> DnsProvider for T {
    fn append<'a>(&'a self, record: &'a TxtRecord) -> Working<'a, String> {
        Box::pin(async {
            self.change(record, |values| values.push(quoted(&record.value))).await.map(|()| String::new())
        })
    }
    fn delete<'a>(&'a self, record: &'a TxtRecord, _: &'a str) -> Working<'a, ()> {
        Box::pin(self.change(record, |values| {
            values.retain(|value| value.trim_matches('"') != record.value);
        }))
    }
}
/// As a zone file has it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
/// As part of a URL.
pub(super) fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string()
}
/// RFC 3986, section 2.3.
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
/// Seconds since 1970.
pub(super) fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::simulated::{Simulated, status};
    use serde_json::json;

    #[tokio::test]
    async fn complaints_are_repeated_but_not_secrets() {
        for (body, expected) in [
            (r#"{"message": "no s3cret"}"#, "HTTP 403: no REDACTED"),
            (
                r#"{"errors": [{"message": "a"}, {"message": "b", "error_chain": ["c"]}]}"#,
                "HTTP 403: a; b; c",
            ),
            (r#"{"error": {"message": "d", "code": 7}}"#, "HTTP 403: d"),
            ("plain s3cret text", "HTTP 403: plain REDACTED text"),
        ] {
            let server = Simulated::start(move |_| status(403, body)).await;
            let api = Api::new(&server.url, &["s3cret", ""]).unwrap();
            let error = api.call(Method::GET, "/x", &[], None).await.unwrap_err();
            assert_eq!(error, format!("{}: {expected}", api.host()));
            assert!(!format!("{api:?}").contains("s3cret"));
        }
    }
    #[test]
    fn placeholders_are_expanded_wherever_they_are() {
        let fields = json!({"a": "{env.PATH}", "b": {"c": ["{env.NOT_SET_ANYWHERE}x"]}});
        let Value::Object(fields) = fields else { unreachable!() };
        let read: Value = read(fields).unwrap();
        assert_eq!(read, json!({"a": std::env::var("PATH").unwrap(), "b": {"c": ["x"]}}));
    }
    #[test]
    fn an_id_may_be_a_number() {
        assert_eq!(id(&json!({"id": 17}), "id").unwrap(), "17");
        assert_eq!(id(&json!({"id": "x"}), "id").unwrap(), "x");
        assert!(id(&json!({"id": ""}), "id").is_err());
    }
}
