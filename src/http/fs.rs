//! Paths of files, as a request names them.
use std::borrow::Cow;

/// `path` within `root`, wherever its dots lead; a slash at the end stays. Caddy's `SanitizedPathJoin`.
pub fn path_within(root: &str, path: &str) -> String {
    let mut kept: Vec<&str> = vec![];
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = kept.pop(),
            other => kept.push(other),
        }
    }
    let root = clean(if root.is_empty() { "." } else { root });
    // What no file system can hold names nothing below the root.
    if kept.iter().any(|segment| segment.contains('\0')) {
        return root.into_owned();
    }
    let mut joined = match (&*root, kept.join("/")) {
        (root, below) if below.is_empty() => root.to_owned(),
        (".", below) => below,
        (root, below) => format!("{}/{below}", root.trim_end_matches('/')),
    };
    if path.ends_with('/') && path.len() > 1 {
        joined.push('/');
    }
    joined
}
/// The shortest path that is the same: Go's `path.Clean`.
pub fn clean(path: &str) -> Cow<'_, str> {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = vec![];
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => _ = kept.pop(),
            ".." if rooted => {}
            other => kept.push(other),
        }
    }
    let joined = kept.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}").into(),
        (false, true) => ".".into(),
        (false, false) => joined.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_in_go() {
        let cases = [
            ("", "."),
            ("/", "/"),
            ("a/./b//c/", "a/b/c"),
            ("/../a", "/a"),
            ("../a/..", ".."),
            ("a/..", "."),
            ("../../a", "../../a"),
        ];
        for (path, expected) in cases {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
    #[test]
    fn nothing_leads_out_of_the_root() {
        let cases = [
            ("/srv", "/a", "/srv/a"),
            ("/srv/", "a/", "/srv/a/"),
            ("/srv", "/", "/srv"),
            ("/srv", "/../../etc/passwd", "/srv/etc/passwd"),
            ("/srv", "/a/../..", "/srv"),
            ("", "/a", "a"),
            (".", "a/b", "a/b"),
            ("/", "/a", "/a"),
            ("x/../y", "/a//b/", "y/a/b/"),
            ("/srv", "/a\0b", "/srv"),
        ];
        for (root, path, expected) in cases {
            assert_eq!(path_within(root, path), expected, "{root} and {path}");
        }
    }
}
