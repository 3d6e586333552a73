//! Responses before the final one (RFC 9110, section 15.2) on their way to a client. Hyper has no call for them, so what
//! writes to an HTTP/1.1 client's connection asks here, between two writes of hyper's.
use super::status_text;
use crate::net::write_canonical;
use http::{HeaderMap, StatusCode};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Of one connection, which serves one request at a time.
#[derive(Debug, Default)]
pub struct Interim {
    waits: AtomicBool,
    text: Mutex<Vec<u8>>,
}
impl Interim {
    /// Has a response sent as soon as it can be.
    pub fn say(&self, status: StatusCode, headers: &HeaderMap) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend_from_slice(
            format!("HTTP/1.1 {} {}\r\n", status.as_str(), status_text(status)).as_bytes(),
        );
        for (name, value) in headers {
            write_canonical(name.as_str(), &mut text);
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"\r\n");
        self.waits.store(true, Relaxed);
    }
    /// What is to be written now; empty most of the time.
    pub fn take(&self) -> Vec<u8> {
        if !self.waits.swap(false, Relaxed) {
            return vec![];
        }
        std::mem::take(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner))
    }
    /// Whether there is something to be written.
    pub fn waits(&self) -> bool {
        self.waits.load(Relaxed)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn responses_wait_in_their_order() {
        let interim = Interim::default();
        assert!(interim.take().is_empty());
        let mut headers = HeaderMap::new();
        headers.append("link", "</a>".parse().unwrap());
        headers.append("link", "</b>".parse().unwrap());
        interim.say(StatusCode::CONTINUE, &HeaderMap::new());
        interim.say(StatusCode::EARLY_HINTS, &headers);
        let text = String::from_utf8(interim.take()).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n"
        );
        assert!(!interim.waits() && interim.take().is_empty());
    }
}
