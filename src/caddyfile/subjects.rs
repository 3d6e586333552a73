//! Names that certificates may be for.
use std::net::IpAddr;

/// Whether anyone at all may issue a certificate for it.
pub(super) fn qualifies(subject: &str) -> bool {
    !subject.trim().is_empty()
        && !subject.starts_with('.')
        && !subject.ends_with('.')
        && (!subject.contains('*') || subject.starts_with("*.") || subject == "*")
        && !subject.contains(|c: char| "()[]{}<> \t\n\"\\!@#$%^&|;'+=".contains(c))
}
/// Whether a public authority would: neither an address nor an internal name, and with one wildcard label at most, unless
/// the certificate is obtained during the handshake, when the real name is known.
pub(super) fn is_public(subject: &str, on_demand: bool) -> bool {
    !is_ip(subject) && !is_internal(subject) && (subject.matches("*.").count() < 2 || on_demand)
}
fn is_ip(subject: &str) -> bool {
    let bare = subject.strip_prefix('[').and_then(|s| s.strip_suffix(']')).unwrap_or(subject);
    bare.parse::<IpAddr>().is_ok()
}
fn is_internal(subject: &str) -> bool {
    let name = subject.strip_suffix('.').unwrap_or(subject);
    let ends = |end: &str| {
        name.len()
            .checked_sub(end.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|n| n.eq_ignore_ascii_case(end))
    };
    name.eq_ignore_ascii_case("localhost")
        || [".localhost", ".local", ".internal", ".home.arpa"].into_iter().any(ends)
}
/// Whether a public authority would issue a certificate for it outside of a handshake. Other than [`is_public`] this takes
/// public addresses too.
pub(super) fn qualifies_publicly(subject: &str) -> bool {
    let wildcard = !subject.contains('*')
        || subject.matches('*').count() == 1 && subject.matches('.').count() > 1 && subject.starts_with("*.");
    qualifies(subject) && !is_internal(subject) && !is_internal_ip(subject) && wildcard
}
fn is_internal_ip(subject: &str) -> bool {
    match subject.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.octets()[..2] == [0, 0]
        }
        Ok(IpAddr::V6(ip)) => ip.octets()[0] < 2 || ip.is_unicast_link_local() || ip.is_unique_local(),
        Err(_) => false,
    }
}
/// Whether Tailscale manages it.
pub(super) fn is_tailscale(subject: &str) -> bool {
    subject.to_lowercase().ends_with(".ts.net")
}
/// Whether a name with wildcards covers another name. Labels become wildcards from the left, one after the other.
pub(super) fn covers(wildcard: &str, subject: &str) -> bool {
    if subject.eq_ignore_ascii_case(wildcard) {
        return true;
    }
    if !wildcard.contains('*') {
        return false;
    }
    let (wildcard, subject) = (wildcard.to_lowercase(), subject.to_lowercase());
    let mut labels: Vec<&str> = subject.split('.').collect();
    for at in 0..labels.len() {
        if labels[at].is_empty() {
            continue;
        }
        labels[at] = "*";
        if labels.join(".") == wildcard {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn wildcards_cover_whole_labels() {
        assert!(covers("*.a.com", "x.a.com"));
        assert!(covers("*.*.com", "x.a.com"));
        assert!(covers("A.com", "a.COM"));
        assert!(!covers("*.a.com", "y.x.a.com"));
        assert!(!covers("*.a.com", "a.com"));
    }
    #[test]
    fn internal_names_and_addresses_are_not_public() {
        for name in
            ["localhost", "x.localhost", "a.local", "a.internal", "10.0.0.1", "::1", "8.8.8.8", "*.*.a.com"]
        {
            assert!(!is_public(name, false), "{name}");
        }
        assert!(is_public("a.com", false));
        assert!(is_public("*.*.a.com", true));
    }
    #[test]
    fn some_texts_are_no_names() {
        for text in ["}", "a b", "{env.X}", ".a", "a.", "a.*.com", ""] {
            assert!(!qualifies(text), "{text}");
        }
        assert!(qualifies("*") && qualifies("*.a.com"));
    }
}
