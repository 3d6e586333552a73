//! The formats.
use super::syntax::zstd_level;
use crate::http::BuildError;
use async_compression::{
    Level,
    tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder},
    zstd::CParameter,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tokio::io::AsyncWrite;

/// A module of `http.encoders`.
#[derive(Clone, Debug)]
pub(super) enum Coding {
    Gzip(Level),
    Zstd(Level, Vec<CParameter>),
    Br(Level),
}
/// JSON: `http.encoders.gzip`, `http.encoders.br`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Leveled {
    level: i64,
}
/// JSON: `http.encoders.zstd`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Zstd {
    /// `fastest`, `default`, `better` or `best`.
    level: String,
    /// Whether a checksum follows the frame.
    checksum: Option<bool>,
}
/// Caddy's defaults.
const GZIP_LEVEL: i64 = 5;
const BR_LEVEL: i64 = 4;
/// 128 KiB, so that clients need no more memory.
const ZSTD_WINDOW_LOG: u32 = 17;

impl Coding {
    /// # Errors
    /// There is no such encoder, or it cannot have that level.
    pub(super) fn build(name: &str, config: Value) -> Result<Self, BuildError> {
        match name {
            "gzip" => {
                let level = crate::config::decode::<Leveled, _>(config)?.level;
                within(level, -3, 9)?;
                // Go's library has some of its own below zero: none, Huffman alone, its default.
                Ok(Self::Gzip(match level {
                    -3 | -2 => Level::Precise(1),
                    -1 | 0 => precise(GZIP_LEVEL),
                    level => precise(level),
                }))
            }
            "zstd" => {
                let Zstd { level, checksum } = crate::config::decode(config)?;
                let level = if level.is_empty() { 3 } else { zstd_level(&level)? };
                let checksum = CParameter::checksum_flag(checksum.unwrap_or(true));
                let params = vec![CParameter::window_log(ZSTD_WINDOW_LOG), checksum];
                Ok(Self::Zstd(Level::Precise(level), params))
            }
            "br" => {
                let level = crate::config::decode::<Leveled, _>(config)?.level;
                within(level, -1, 11)?;
                Ok(Self::Br(precise(if level < 1 { BR_LEVEL } else { level })))
            }
            _ => Err(format!("loading encoder modules: unknown module: http.encoders.{name}").into()),
        }
    }
    pub(super) fn encoder(&self) -> Encoder {
        let out = vec![];
        match self {
            Self::Gzip(level) => Encoder::Gzip(GzipEncoder::with_quality(out, *level)),
            Self::Zstd(level, params) => {
                Encoder::Zstd(ZstdEncoder::with_quality_and_params(out, *level, params))
            }
            Self::Br(level) => Encoder::Br(Box::new(BrotliEncoder::with_quality(out, *level))),
        }
    }
}
fn precise(level: i64) -> Level {
    i32::try_from(level).map_or(Level::Default, Level::Precise)
}
fn within(level: i64, lowest: i64, highest: i64) -> Result<(), String> {
    match level {
        level if level < lowest => Err(format!("quality too low; must be >= {lowest}")),
        level if level > highest => Err(format!("quality too high; must be <= {highest}")),
        _ => Ok(()),
    }
}

/// Encodes into memory, so it never waits.
pub(super) enum Encoder {
    Gzip(GzipEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<Vec<u8>>),
    Br(Box<BrotliEncoder<Vec<u8>>>),
}
impl Encoder {
    pub(super) fn write(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let written = now(self.writer().poll_write(&mut Context::from_waker(Waker::noop()), data))?;
            data = data.get(written..).unwrap_or_default();
        }
        Ok(())
    }
    /// Everything that was written can be read by the client, once it has what [`Encoder::take`] gives.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        now(self.writer().poll_flush(&mut Context::from_waker(Waker::noop())))
    }
    pub(super) fn finish(&mut self) -> io::Result<()> {
        now(self.writer().poll_shutdown(&mut Context::from_waker(Waker::noop())))
    }
    /// What has come out so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        mem::take(self.out())
    }
    pub(super) fn len(&mut self) -> usize {
        self.out().len()
    }
    fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Br(encoder) => encoder.get_mut(),
        }
    }
    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        match self {
            Self::Gzip(encoder) => Pin::new(encoder),
            Self::Zstd(encoder) => Pin::new(encoder),
            Self::Br(encoder) => Pin::new(encoder.as_mut()),
        }
    }
}
fn now<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::Error::other("memory is always ready")),
    }
}
