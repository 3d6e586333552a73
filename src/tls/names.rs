//! What kind of a name it is: whether it can have a certificate, and whether a public authority would give one.
use std::net::IpAddr;

/// Whether `name` can have a certificate at all, by certmagic's rule.
pub fn qualifies(name: &str) -> bool {
    let wildcard = name.strip_prefix("*.").unwrap_or(if name == "*" { "" } else { name });
    !name.trim().is_empty()
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !wildcard.contains('*')
        && !name.contains(|c: char| "()[]{}<> \t\n\"\\!@#$%^&|;'+=".contains(c))
}
/// Whether `name` means something on this machine or network only.
pub fn is_internal(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let below = |parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
    name == "localhost"
        || ["localhost", "local", "internal", "home.arpa"].iter().any(|parent| below(parent))
        || name.parse::<IpAddr>().is_ok_and(is_private)
}
/// Whether a public authority may give `name` a certificate.
pub fn qualifies_publicly(name: &str) -> bool {
    let wildcard = name.matches('*').count();
    qualifies(name)
        && !is_internal(name)
        && (wildcard == 0 || (wildcard == 1 && name.starts_with("*.") && name.matches('.').count() > 1))
}
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.octets().starts_with(&[0, 0])
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            v6.is_loopback() || v6.is_unspecified() || first & 0xffc0 == 0xfe80 || first & 0xfe00 == 0xfc00
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn names_are_told_apart_as_certmagic_does() {
        for (name, any, internal, public) in [
            ("example.com", true, false, true),
            ("*.example.com", true, false, true),
            ("*.com", true, false, false),
            ("*", true, false, false),
            ("a.*.example.com", false, false, false),
            ("localhost", true, true, false),
            ("x.localhost", true, true, false),
            ("db.internal", true, true, false),
            ("internal", true, false, true),
            ("10.0.0.1", true, true, false),
            ("8.8.8.8", true, false, true),
            ("::1", true, true, false),
            ("", false, false, false),
            (".example.com", false, false, false),
            ("exam ple.com", false, false, false),
            ("{env.X}", false, false, false),
        ] {
            assert_eq!(
                (qualifies(name), is_internal(name), qualifies_publicly(name)),
                (any, internal, public),
                "{name}"
            );
        }
    }
}
