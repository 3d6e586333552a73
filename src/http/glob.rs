//! Shell patterns for paths: Go's `path.Match`.

/// Whether `pattern` matches the whole of `name`: `*` and `?` do not cross a `/`, `[a-z]` and `[^a-z]` are classes, a
/// backslash takes the next character literally. A pattern that cannot be read matches nothing.
pub fn matches(pattern: &str, name: &str) -> bool {
    Glob::new(pattern).is_some_and(|glob| glob.matches(name))
}

/// A pattern that has been read.
#[derive(Clone, Debug)]
pub struct Glob(Box<[Piece]>);
#[derive(Clone, Debug)]
enum Piece {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Star,
    Class {
        negated: bool,
        ranges: Box<[(char, char)]>,
    },
}
impl Glob {
    /// `None` if it cannot be read: a class that does not close or is empty, a backslash at the end.
    pub fn new(pattern: &str) -> Option<Self> {
        let mut chars = pattern.chars().peekable();
        let mut pieces = vec![];
        while let Some(c) = chars.next() {
            pieces.push(match c {
                '*' => Piece::Star,
                '?' => Piece::Any,
                '\\' => Piece::Char(chars.next()?),
                '[' => {
                    let negated = chars.next_if_eq(&'^').is_some();
                    let mut ranges = vec![];
                    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                        let low = class_char(&mut chars)?;
                        let high = match chars.next_if_eq(&'-') {
                            Some(_) => class_char(&mut chars)?,
                            None => low,
                        };
                        ranges.push((low, high));
                    }
                    Piece::Class { negated, ranges: ranges.into() }
                }
                other => Piece::Char(other),
            });
        }
        Some(Self(pieces.into()))
    }
    pub fn matches(&self, name: &str) -> bool {
        let (mut pieces, mut rest) = (&*self.0, name);
        // Where to go on if what follows the last `*` does not match: the star takes one character more.
        let mut star: Option<(&[Piece], &str)> = None;
        loop {
            match pieces.split_first() {
                Some((Piece::Star, behind)) => {
                    star = Some((behind, rest));
                    pieces = behind;
                    continue;
                }
                Some((piece, behind)) => {
                    let mut chars = rest.chars();
                    if chars.next().is_some_and(|c| piece.takes(c)) {
                        (pieces, rest) = (behind, chars.as_str());
                        continue;
                    }
                }
                None if rest.is_empty() => return true,
                None => {}
            }
            let Some((behind, from)) = star else { return false };
            let mut chars = from.chars();
            match chars.next() {
                None | Some('/') => return false,
                Some(_) => {
                    star = Some((behind, chars.as_str()));
                    (pieces, rest) = (behind, chars.as_str());
                }
            }
        }
    }
    /// The text it stands for, if it has no wildcard.
    pub fn literal(&self) -> Option<String> {
        let char = |piece: &Piece| match piece {
            Piece::Char(c) => Some(*c),
            _ => None,
        };
        self.0.iter().map(char).collect()
    }
}
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        other => Some(other),
    }
}
impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any => c != '/',
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            Self::Star => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go's own documentation and tests say of `path.Match`.
    #[test]
    fn patterns_match_as_in_go() {
        let cases = [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            (r"a\*b", "a*b", true),
            (r"a\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            (r"[\]a]", "]", true),
            (r"[\-]", "-", true),
            (r"[x\-]", "-", true),
            (r"[\-x]", "a", false),
            ("[]a]", "]", false),
            ("[-]", "-", false),
            ("[x-]", "x", false),
            ("[a-b-c]", "a", false),
            ("[", "a", false),
            ("[^", "a", false),
            ("a[", "a", false),
            (r"a\", "a", false),
            ("*x", "xxx", true),
            ("", "", true),
            ("", "a", false),
            ("**", "ab", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
