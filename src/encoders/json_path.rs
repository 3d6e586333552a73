//! Finds a value in JSON text without reading all of it.

/// The text of the value at `path`: names of objects, and `[n]` for elements of arrays. `None` if it is not there.
pub(super) fn find<'j>(json: &'j str, path: &[String]) -> Option<&'j str> {
    let mut at = json.trim_start();
    for step in path {
        let index = step.strip_prefix('[').and_then(|step| step.strip_suffix(']'));
        at = match index {
            Some(index) => element(at, index.parse().ok()?)?,
            None => member(at, step)?,
        };
    }
    Some(at.get(..length(at)?)?.trim_end())
}
fn member<'j>(object: &'j str, name: &str) -> Option<&'j str> {
    let mut rest = object.strip_prefix('{')?.trim_start();
    while rest.starts_with('"') {
        let (key, behind) = rest.split_at_checked(length(rest)?)?;
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        if key.get(1..key.len() - 1) == Some(name) {
            return Some(value);
        }
        rest = next(value)?;
    }
    None
}
fn element(array: &str, index: usize) -> Option<&str> {
    let mut rest = array.strip_prefix('[')?.trim_start();
    for _ in 0..index {
        rest = next(rest)?;
    }
    (!rest.starts_with(']')).then_some(rest)
}
/// What stands behind a value and its comma.
fn next(value: &str) -> Option<&str> {
    Some(value.get(length(value)?..)?.trim_start().strip_prefix(',')?.trim_start())
}
/// Of the value that `json` begins with, in bytes.
fn length(json: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in json.bytes().enumerate() {
        if quoted {
            (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            if !quoted && depth == 0 {
                return Some(at + 1);
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    (depth == 0 && !quoted).then_some(json.len())
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_path() {
        let json = r#"{"a":{"b":["x","y\"],z"],"n":-1.5},"e":{},"l":[], "t":true,"s":"a\"b"}"#;
        let found = |path: &str| {
            let path: Vec<String> = path.split('>').map(str::to_owned).collect();
            find(json, &path)
        };
        for (path, value) in [
            ("a>b>[0]", Some("\"x\"")),
            ("a>b>[1]", Some("\"y\\\"],z\"")),
            ("a>b>[2]", None),
            ("a>b", Some(r#"["x","y\"],z"]"#)),
            ("a>n", Some("-1.5")),
            ("e", Some("{}")),
            ("e>x", None),
            ("l>[0]", None),
            ("t", Some("true")),
            ("s", Some(r#""a\"b""#)),
            ("none", None),
            ("s>x", None),
        ] {
            assert_eq!(found(path), value, "{path}");
        }
    }
}
