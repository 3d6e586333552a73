//! The fields of an entry, in Caddy's order.
use super::record::{Part, Record};
use crate::{
    config::placeholder,
    http::{Connection, Failure, TlsInfo, TlsVersion},
    logging::{Fields, Object},
};
use http::{StatusCode, Version};
use std::{net::IpAddr, time::Duration};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A request, as both logs show it.
pub(super) struct Request<'a> {
    pub(super) record: &'a Record,
    pub(super) connection: &'a Connection,
    pub(super) client_ip: Option<IpAddr>,
    pub(super) version: Version,
    pub(super) credentials: bool,
}
impl Request<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let record = self.record;
        match self.connection.remote {
            Some(remote) => {
                into.address("remote_ip", remote.ip());
                into.text("remote_port", itoa::Buffer::new().format(remote.port()));
            }
            None => {
                into.text("remote_ip", "@");
                into.text("remote_port", "");
            }
        }
        match self.client_ip {
            Some(ip) => into.address("client_ip", ip),
            None => into.text("client_ip", "@"),
        }
        into.text("proto", proto(self.version));
        into.bytes("method", record.part(Part::Method));
        into.bytes("host", record.part(Part::Host));
        into.bytes("uri", record.part(Part::Uri));
        into.object("headers", |into| record.write_fields(Part::RequestFields, self.credentials, into));
        if record.chunked {
            into.texts("transfer_encoding", [&b"chunked"[..]].into_iter());
        }
        if let Some(tls) = &self.connection.tls {
            into.object("tls", |into| write_tls(tls, into));
        }
    }
}
fn proto(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}
fn write_tls(tls: &TlsInfo, into: &mut Object<'_>) {
    into.boolean("resumed", tls.resumed);
    // As they stand in the protocol.
    into.integer("version", if tls.version == TlsVersion::Tls12 { 0x303 } else { 0x304 });
    into.integer("cipher_suite", tls.cipher_suite_id.into());
    into.text("proto", &tls.alpn);
    into.text("server_name", &tls.server_name);
    into.boolean("ech", false);
    let client = tls.peer_certificates.first().and_then(|der| X509Certificate::from_der(der).ok());
    if let Some((_, client)) = client {
        let name = client.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        into.text("client_common_name", name.unwrap_or_default());
        into.text("client_serial", &client.tbs_certificate.serial.to_string());
    }
}

/// A line of the access log.
pub(super) struct AccessFields<'a> {
    pub(super) request: Request<'a>,
    /// Bytes of the request's body that were read, and of the response's that were sent.
    pub(super) read: u64,
    pub(super) sent: u64,
    pub(super) duration: Duration,
    pub(super) status: u16,
    /// The response has no type, and is not given one: Caddy shows an empty list then.
    pub(super) untyped: bool,
    pub(super) extra: &'a [(String, placeholder::Value<'static>)],
}
impl Fields for AccessFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let record = self.request.record;
        into.object("request", |into| self.request.write(into));
        into.unsigned("bytes_read", self.read);
        into.text("user_id", record.text(Part::User));
        into.duration("duration", self.duration);
        into.unsigned("size", self.sent);
        into.unsigned("status", self.status.into());
        into.object("resp_headers", |into| {
            record.write_fields(Part::ResponseFields, self.request.credentials, into);
            if self.untyped {
                into.texts("Content-Type", std::iter::empty());
            }
        });
        if !record.part(Part::Uuid).is_empty() {
            into.text("uuid", record.text(Part::Uuid));
        }
        self.extra.iter().for_each(|(name, value)| write_value(name, value, into));
    }
}
fn write_value(name: &str, value: &placeholder::Value<'_>, into: &mut Object<'_>) {
    match value {
        placeholder::Value::Null => into.value(name, &serde_json::Value::Null),
        placeholder::Value::Bool(value) => into.boolean(name, *value),
        placeholder::Value::Int(value) => into.integer(name, *value),
        placeholder::Value::Float(value) => into.float(name, *value),
        placeholder::Value::List(values) => into.texts(name, values.iter().map(String::as_bytes)),
        placeholder::Value::Duration(value) => into.duration(name, *value),
        value => into.text(name, &value.to_text()),
    }
}

/// A line of the error log.
pub(super) struct ErrorFields<'a> {
    pub(super) request: Request<'a>,
    pub(super) duration: Duration,
    pub(super) failure: &'a Failure,
}
impl Fields for ErrorFields<'_> {
    fn write(&self, into: &mut Object<'_>) {
        let error = &self.failure.error;
        let about = |into: &mut Object<'_>| match error.status {
            Some(status) => {
                into.unsigned("status", StatusCode::as_u16(&status).into());
                into.text("err_id", &error.id);
                into.text("err_trace", &error.trace());
            }
            None => into.text("error", &error.message),
        };
        into.object("request", |into| self.request.write(into));
        into.duration("duration", self.duration);
        match &self.failure.second {
            None => about(into),
            Some(second) => {
                into.text("error", &second.whole());
                into.object("first_error", |into| {
                    into.text("msg", &error.logged());
                    about(into);
                });
            }
        }
    }
}
