//! Patterns with a `%`: compared with the path as it stands in the request line where the `%` is, decoded elsewhere.
use crate::http::glob;

/// `path` is escaped, cleaned and in lower case, as is `pattern`.
///
/// The path is walked along with the pattern: what is copied is decoded, unless the pattern shows an escape (`%2f`) or an
/// escaped wildcard (`%*`) there. The copy is then compared as a glob.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    match copy(pattern.as_bytes(), path.as_bytes()) {
        Some(copied) => {
            let copied = String::from_utf8_lossy(&copied).to_lowercase();
            glob::matches(&pattern.replace("%*", "*"), &copied)
        }
        None => false,
    }
}
/// `None` if what ends a wildcard does not come. Where a wildcard starts at an escape, Caddy takes the escape's last digit
/// for its beginning; so do we, as what matches may depend on it.
fn copy(pattern: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let (mut at, mut pos) = (0, 0);
    while let (Some(&wanted), Some(&next)) = (pattern.get(at), path.get(pos)) {
        let escape = path.get(pos..pos + 3).filter(|_| next == b'%');
        if escape.is_some() {
            pos += 2;
        }
        match wanted {
            b'%' if pattern.get(at + 1..at + 3).is_some_and(|code| code[0] != b'*') => {
                out.extend_from_slice(escape.unwrap_or_default());
                pos += 1;
                at += 2;
            }
            b'%' | b'*' => {
                at += usize::from(wanted == b'%');
                let rest = path.get(pos..)?;
                let until = match pattern.get(at + 1) {
                    Some(end) => rest.iter().position(|b| b == end)?,
                    None => rest.len(),
                };
                let (run, _) = rest.split_at(until);
                if wanted == b'%' {
                    out.extend_from_slice(run)
                } else {
                    out.extend(decoded(run)?)
                }
                pos += until;
            }
            _ => {
                out.extend(decoded(escape.unwrap_or(&[next]))?);
                pos += 1;
            }
        }
        at += 1;
    }
    let rest = path.get(pos..).unwrap_or_default();
    out.extend(decoded(rest).unwrap_or_else(|| rest.to_vec()));
    Some(out)
}
/// `None` if an escape is broken.
fn decoded(escaped: &[u8]) -> Option<Vec<u8>> {
    let hex = |at: usize| escaped.get(at).is_some_and(u8::is_ascii_hexdigit);
    let whole = memchr::memchr_iter(b'%', escaped).all(|at| hex(at + 1) && hex(at + 2));
    whole.then(|| percent_encoding::percent_decode(escaped).collect())
}
