//! When a certificate is to be renewed: what is left of its lifetime, and what its authority suggests (ARI, RFC 9773).
use super::Certificate;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// At this part of the lifetime, and at that many looks at it, a certificate is renewed whatever anyone has configured.
const LAST_PART: f64 = 1.0 / 50.0;
const LAST_LOOKS: u32 = 5;
/// At this part of it, the authority's suggestion counts no more.
const EMERGENCY: f64 = 1.0 / 20.0;

/// What an authority suggests, as Caddy keeps it beside the certificate. Times are texts of RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RenewalInfo {
    #[serde(rename = "suggestedWindow")]
    pub window: Window,
    /// Why, for people.
    #[serde(rename = "explanationURL", skip_serializing_if = "String::is_empty")]
    pub explanation_url: String,
    /// The certificate's name in ARI.
    #[serde(rename = "_uniqueIdentifier", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Not before that time is the authority to be asked again.
    #[serde(rename = "_retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// A time within the window, chosen once.
    #[serde(rename = "_selectedTime")]
    pub selected: String,
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    pub start: String,
    pub end: String,
}
impl RenewalInfo {
    /// Chooses a time within the window; one that was chosen for the same window stays.
    ///
    /// # Errors
    /// The window is none.
    pub fn select(mut self, earlier: Option<&Self>) -> Result<Self, String> {
        let (Some(start), Some(end)) = (read(&self.window.start), read(&self.window.end)) else {
            return Err("a renewal window without a start or an end".into());
        };
        let length = end.duration_since(start).unwrap_or_default().as_secs();
        if length < 2 {
            return Err("a renewal window that ends before it starts".into());
        }
        let same =
            earlier.filter(|earlier| earlier.window == self.window && read(&earlier.selected).is_some());
        self.selected = match same {
            Some(earlier) => earlier.selected.clone(),
            None => write(start + Duration::from_secs(fastrand::u64(1..length))),
        };
        Ok(self)
    }
    /// Whether the authority may be asked again: only one that has answered before.
    pub fn is_stale(&self, now: SystemTime) -> bool {
        !self.window.start.is_empty()
            && self.retry_after.as_deref().and_then(read).is_none_or(|not_before| now > not_before)
    }
}
/// Whether renewal is due; `interval` is how often this is asked.
pub(super) fn is_due(
    certificate: &Certificate,
    info: Option<&RenewalInfo>,
    now: SystemTime,
    ratio: f64,
    interval: Duration,
) -> bool {
    let left = certificate.not_after.duration_since(now).unwrap_or_default();
    let suggested = info.and_then(|info| read(&info.selected));
    suggested.is_some_and(|time| now + interval > time)
        || suggested.is_some() && certificate.is_due(now, EMERGENCY)
        || certificate.is_due(now, ratio)
        || certificate.is_due(now, LAST_PART)
        || left < interval * LAST_LOOKS
}
/// Go's zero time and everything else before 1970 is none.
fn read(text: &str) -> Option<SystemTime> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    (time.timestamp() > 0).then(|| time.into())
}
/// As Go prints it.
pub(in crate::tls) fn write(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true)
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{KeyType, key_to_pem};
    use rcgen::CertificateParams;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const INTERVAL: Duration = Duration::from_secs(600);

    /// Of ninety days, that many of which are over.
    fn certificate(over: u32) -> Certificate {
        let key = KeyType::P256.generate().unwrap();
        let mut params = CertificateParams::new(vec!["a.b".into()]).unwrap();
        let start = SystemTime::now() - DAY * over;
        (params.not_before, params.not_after) = (start.into(), (start + DAY * 90).into());
        let chain = params.self_signed(&key).unwrap().pem();
        Certificate::from_pem(chain.as_bytes(), key_to_pem(&key).as_bytes(), vec![]).unwrap()
    }
    fn info(start: i32, end: i32) -> RenewalInfo {
        let now = SystemTime::now();
        let at = |days: i32| {
            let distance = DAY * days.unsigned_abs();
            write(if days < 0 { now - distance } else { now + distance })
        };
        let window = Window { start: at(start), end: at(end) };
        RenewalInfo { window, ..RenewalInfo::default() }.select(None).unwrap()
    }
    #[test]
    fn a_third_of_the_lifetime_or_the_authoritys_time_whichever_comes_first() {
        let due = |over: u32, info: Option<&RenewalInfo>| {
            is_due(&certificate(over), info, SystemTime::now(), 1.0 / 3.0, INTERVAL)
        };
        assert!(!due(59, None) && due(61, None));
        assert!(!due(10, Some(&info(20, 30))), "not yet");
        assert!(due(10, Some(&info(-2, -1))), "revoked, say");
        assert!(due(61, Some(&info(20, 30))), "as without it");
        let late = |over: u32| is_due(&certificate(over), None, SystemTime::now(), 0.001, INTERVAL);
        assert!(!late(87) && late(89), "whatever is configured");
    }
    #[test]
    fn a_time_is_chosen_once_within_the_window() {
        let first = info(20, 30);
        let (start, end) = (read(&first.window.start).unwrap(), read(&first.window.end).unwrap());
        let chosen = read(&first.selected).unwrap();
        assert!(start < chosen && chosen < end);
        let again = RenewalInfo { selected: String::new(), ..first.clone() };
        assert_eq!(again.select(Some(&first)).unwrap().selected, first.selected);
        let backwards = Window { start: first.window.end.clone(), end: first.window.start.clone() };
        assert!(RenewalInfo { window: backwards, ..RenewalInfo::default() }.select(None).is_err());
        assert!(RenewalInfo::default().select(None).is_err());
    }
    #[test]
    fn the_authority_is_asked_again_when_it_likes() {
        let now = SystemTime::now();
        let with = |retry: Option<SystemTime>| RenewalInfo { retry_after: retry.map(write), ..info(20, 30) };
        assert!(with(None).is_stale(now) && with(Some(now - DAY)).is_stale(now));
        assert!(!with(Some(now + DAY)).is_stale(now));
        assert!(!RenewalInfo::default().is_stale(now), "it has never answered");
    }
    #[test]
    fn it_is_written_as_caddy_writes_it() {
        let info = RenewalInfo {
            window: Window { start: "2026-01-01T00:00:00Z".into(), end: "2026-01-03T00:00:00Z".into() },
            explanation_url: String::new(),
            id: "aki.serial".into(),
            retry_after: Some("2025-12-01T00:00:00Z".into()),
            selected: "2026-01-02T00:00:00Z".into(),
        };
        assert_eq!(
            serde_json::to_string(&info).unwrap(),
            r#"{"suggestedWindow":{"start":"2026-01-01T00:00:00Z","end":"2026-01-03T00:00:00Z"},"_uniqueIdentifier":"aki.serial","_retryAfter":"2025-12-01T00:00:00Z","_selectedTime":"2026-01-02T00:00:00Z"}"#
        );
        assert_eq!(read("0001-01-01T00:00:00Z"), None);
    }
}
