//! Conditional requests and ranges (RFC 9110, sections 13 and 14), as Go's `http.ServeContent` reads them.
use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE},
};
use std::time::{Duration, SystemTime};

/// What a request asks of a representation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Parts(Vec<Part>),
    NotModified,
    PreconditionFailed,
    /// No part of it lies within the representation, or it cannot be read; why, in Go's words.
    Unsatisfiable(&'static str),
}
/// Bytes of it: where they start, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: u64,
    pub(super) length: u64,
}
impl Part {
    /// `Content-Range`, of a representation of that size.
    pub(super) fn content_range(&self, size: u64) -> String {
        // Of an empty representation Go's last byte is the one before the first.
        let last = i128::from(self.start) + i128::from(self.length) - 1;
        format!("bytes {}-{last}/{size}", self.start)
    }
}
/// What is known of the representation.
pub(super) struct Validators<'v> {
    /// With its quotes; empty if there is none.
    pub(super) tag: &'v str,
    /// `None` where the time tells nothing.
    pub(super) modified: Option<SystemTime>,
    pub(super) size: u64,
}
/// `reads` says whether the method is GET or HEAD.
pub(super) fn wanted(headers: &HeaderMap, reads: bool, of: &Validators<'_>) -> Wanted {
    let matches = if_match(headers, of).or_else(|| unmodified_since(headers, of));
    if matches == Some(false) {
        return Wanted::PreconditionFailed;
    }
    match none_match(headers, of) {
        Some(false) if reads => return Wanted::NotModified,
        Some(false) => return Wanted::PreconditionFailed,
        Some(true) => {}
        None if reads && modified_since(headers, of) == Some(false) => return Wanted::NotModified,
        None => {}
    }
    let range = text(headers, RANGE);
    if range.is_empty() || reads && if_range(headers, of) == Some(false) {
        return Wanted::All;
    }
    match parts(range, of.size) {
        Err(NO_OVERLAP) if of.size == 0 => Wanted::All,
        Err(why) => Wanted::Unsatisfiable(why),
        // More than there is: an attack, or a client that should know better.
        Ok(parts) if parts.iter().map(|part| part.length).sum::<u64>() > of.size => Wanted::All,
        Ok(parts) if parts.is_empty() => Wanted::All,
        Ok(parts) => Wanted::Parts(parts),
    }
}
pub(super) const NO_OVERLAP: &str = "invalid range: failed to overlap";
const INVALID: &str = "invalid range";

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).unwrap_or("")
}
fn time(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    parse_date(text(headers, name))
}
/// Any of the three forms of RFC 9110, section 5.6.7. Of the obsolete `asctime` Go does not insist on the two columns
/// for the day.
pub(super) fn parse_date(text: &str) -> Option<SystemTime> {
    let parsed = httpdate::parse_http_date(text).ok();
    parsed.or_else(|| match text.split(' ').collect::<Vec<_>>()[..] {
        [weekday, month, day @ ("1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"), time, year] => {
            httpdate::parse_http_date(&format!("{weekday} {month}  {day} {time} {year}")).ok()
        }
        _ => None,
    })
}
/// In HTTP times have no fractions.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    time.checked_sub(Duration::from_nanos(since.subsec_nanos().into())).unwrap_or(time)
}
fn if_match(headers: &HeaderMap, of: &Validators<'_>) -> Option<bool> {
    let list = headers.get(IF_MATCH).filter(|value| !value.is_empty())?;
    let list = std::str::from_utf8(list.as_bytes()).unwrap_or("");
    Some(any_tag(list, |tag| tag == of.tag && tag.starts_with('"')))
}
fn none_match(headers: &HeaderMap, of: &Validators<'_>) -> Option<bool> {
    let list = headers.get(IF_NONE_MATCH).filter(|value| !value.is_empty())?;
    let list = std::str::from_utf8(list.as_bytes()).unwrap_or("");
    Some(!any_tag(list, |tag| strong(tag) == strong(of.tag)))
}
fn strong(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
/// Whether one of the tags will do; a `*` always does.
fn any_tag(mut list: &str, will_do: impl Fn(&str) -> bool) -> bool {
    loop {
        list = list.trim_matches([' ', '\t', '\r', '\n']);
        if let Some(rest) = list.strip_prefix(',') {
            list = rest;
        } else if list.starts_with('*') {
            return true;
        } else {
            let Some(tag) = first_tag(list) else { return false };
            if will_do(tag) {
                return true;
            }
            list = &list[tag.len()..];
        }
    }
}
/// The tag that a text begins with.
fn first_tag(text: &str) -> Option<&str> {
    let start = if text.starts_with("W/\"") { 3 } else { 1 };
    let opaque = text.get(start..).filter(|_| strong(text).starts_with('"'))?;
    let end = opaque.find(|c: char| c == '"' || c.is_ascii() && !c.is_ascii_graphic())?;
    opaque[end..].starts_with('"').then(|| &text[..start + end + 1])
}
fn unmodified_since(headers: &HeaderMap, of: &Validators<'_>) -> Option<bool> {
    let since = time(headers, IF_UNMODIFIED_SINCE)?;
    Some(whole_seconds(of.modified?) <= since)
}
fn modified_since(headers: &HeaderMap, of: &Validators<'_>) -> Option<bool> {
    let since = time(headers, IF_MODIFIED_SINCE)?;
    Some(whole_seconds(of.modified?) > since)
}
fn if_range(headers: &HeaderMap, of: &Validators<'_>) -> Option<bool> {
    let value = text(headers, IF_RANGE);
    if value.is_empty() {
        return None;
    }
    if let Some(tag) = first_tag(value.trim()) {
        return Some(tag == of.tag && tag.starts_with('"'));
    }
    let same = |modified| time(headers, IF_RANGE) == Some(whole_seconds(modified));
    Some(of.modified.is_some_and(same))
}
/// The parts that a `Range` names.
fn parts(range: &str, size: u64) -> Result<Vec<Part>, &'static str> {
    let list = range.strip_prefix("bytes=").ok_or(INVALID)?;
    let (mut parts, mut beyond) = (vec![], false);
    for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (start, end) = part.split_once('-').ok_or(INVALID)?;
        let (start, end) = (start.trim(), end.trim());
        if start.is_empty() {
            let length = number(end)?.min(size);
            parts.push(Part { start: size - length, length });
            continue;
        }
        let start = number(start)?;
        if start >= size {
            beyond = true;
            continue;
        }
        let last = if end.is_empty() { size - 1 } else { number(end)? };
        if start > last {
            return Err(INVALID);
        }
        parts.push(Part { start, length: last.min(size - 1) - start + 1 });
    }
    if beyond && parts.is_empty() { Err(NO_OVERLAP) } else { Ok(parts) }
}
/// Go reads 63 bits with an optional plus.
fn number(text: &str) -> Result<u64, &'static str> {
    text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok()).ok_or(INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01 00:00:00.5
    const MODIFIED: SystemTime = SystemTime::UNIX_EPOCH;
    fn ask(headers: &[(&str, &str)]) -> Wanted {
        let modified = MODIFIED + Duration::from_millis(1_767_225_600_500);
        let of = Validators { tag: "\"t\"", modified: Some(modified), size: 10 };
        let header =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        wanted(&headers.iter().map(header).collect(), true, &of)
    }
    const SAME: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
    const EARLIER: &str = "Wed, 31 Dec 2025 23:59:59 GMT";

    #[test]
    fn preconditions_are_tried_in_the_order_of_the_rfc() {
        use Wanted::{All, NotModified, PreconditionFailed};
        for (headers, expected) in [
            (&[("if-none-match", "\"t\"")][..], NotModified),
            (&[("if-none-match", "W/\"t\"")], NotModified),
            (&[("if-none-match", "\"a\", W/\"b\" ,\"t\"")], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", "\"a\"")], All),
            (&[("if-none-match", "t")], All),
            (&[("if-none-match", "\"a\""), ("if-modified-since", SAME)], All),
            (&[("if-modified-since", SAME)], NotModified),
            (&[("if-modified-since", EARLIER)], All),
            (&[("if-modified-since", "yesterday")], All),
            (&[("if-match", "\"t\"")], All),
            (&[("if-match", "*")], All),
            (&[("if-match", "W/\"t\"")], PreconditionFailed),
            (&[("if-match", "\"a\"")], PreconditionFailed),
            (&[("if-match", "\"t\""), ("if-unmodified-since", EARLIER)], All),
            (&[("if-unmodified-since", EARLIER)], PreconditionFailed),
            (&[("if-unmodified-since", SAME)], All),
            (&[("if-match", "\"a\""), ("if-none-match", "\"t\"")], PreconditionFailed),
        ] {
            assert_eq!(ask(headers), expected, "{headers:?}");
        }
    }
    #[test]
    fn ranges_name_parts() {
        let parts = |parts: &[(u64, u64)]| {
            Wanted::Parts(parts.iter().map(|&(start, length)| Part { start, length }).collect())
        };
        let (invalid, beyond) = (Wanted::Unsatisfiable(INVALID), Wanted::Unsatisfiable(NO_OVERLAP));
        for (range, expected) in [
            ("bytes=0-4", parts(&[(0, 5)])),
            ("bytes=5-", parts(&[(5, 5)])),
            ("bytes=-3", parts(&[(7, 3)])),
            ("bytes=-30", parts(&[(0, 10)])),
            ("bytes=2-99", parts(&[(2, 8)])),
            ("bytes=0-0, ,9-", parts(&[(0, 1), (9, 1)])),
            ("bytes=0-1,20-", parts(&[(0, 2)])),
            ("bytes=0-9,0-9", Wanted::All),
            ("bytes=", Wanted::All),
            ("", Wanted::All),
            ("bytes=10-", beyond),
            ("bytes=4-2", invalid),
            ("bytes=--1", Wanted::Unsatisfiable(INVALID)),
            ("bytes=a-", Wanted::Unsatisfiable(INVALID)),
            ("bytes=1", Wanted::Unsatisfiable(INVALID)),
            ("lines=0-1", Wanted::Unsatisfiable(INVALID)),
        ] {
            assert_eq!(ask(&[("range", range)]), expected, "{range}");
        }
    }
    #[test]
    fn a_range_counts_if_what_it_is_of_is_the_same() {
        let part = Wanted::Parts(vec![Part { start: 0, length: 1 }]);
        for (value, all) in [
            ("\"t\"", false),
            ("\"a\"", true),
            ("W/\"t\"", true),
            (SAME, false),
            (EARLIER, true),
            ("nonsense", true),
        ] {
            let expected = if all { &Wanted::All } else { &part };
            assert_eq!(ask(&[("range", "bytes=0-0"), ("if-range", value)]), *expected, "{value}");
        }
    }
    #[test]
    fn a_range_of_nothing_is_everything() {
        let of = Validators { tag: "", modified: None, size: 0 };
        let headers = HeaderMap::from_iter([(RANGE, "bytes=0-".parse().unwrap())]);
        assert_eq!(wanted(&headers, true, &of), Wanted::All);
    }
}
