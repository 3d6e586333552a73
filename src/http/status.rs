//! Status codes as Go names them.
use http::StatusCode;
use std::borrow::Cow;

/// Go's `http.StatusText`: empty for what it does not know.
pub fn status_text(status: StatusCode) -> &'static str {
    match status.as_u16() {
        203 => "Non-Authoritative Information",
        413 => "Request Entity Too Large",
        414 => "Request URI Too Long",
        416 => "Requested Range Not Satisfiable",
        _ => status.canonical_reason().unwrap_or(""),
    }
}
/// The words behind the code in a status line, where they are others than the `http` crate's.
pub fn unusual_reason(status: StatusCode) -> Option<Cow<'static, str>> {
    match status.as_u16() {
        203 | 413 | 414 | 416 => Some(status_text(status).into()),
        _ if status.canonical_reason().is_none() => Some(format!("status code {}", status.as_str()).into()),
        _ => None,
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn go_has_its_own_words() {
        let reason = |code| unusual_reason(StatusCode::from_u16(code).unwrap());
        assert_eq!(reason(200), None);
        assert_eq!(reason(413).unwrap(), "Request Entity Too Large");
        assert_eq!(reason(299).unwrap(), "status code 299");
    }
}
