//! Versions and what is required of them, as Go's `Masterminds/semver` reads both.
use super::{Args, Failure};
use crate::handlers::templates::value::{Object, Outcome, Value};
use regex::{Captures, Regex};
use std::{cmp::Ordering, rc::Rc, sync::LazyLock};

pub(super) fn call(name: &str, args: &[Value]) -> Option<Outcome> {
    let args = &mut Args(args);
    Some(match name {
        "semver" => args.text().and_then(Version::parse).map(|version| Value::Object(Rc::new(version))),
        "semverCompare" => compare(args),
        _ => return None,
    })
}
fn compare(args: &mut Args<'_>) -> Outcome {
    let (wanted, version) = (args.text()?, args.text()?);
    let wanted = alternatives(wanted)?;
    let version = Version::parse(version)?;
    Ok(wanted.iter().any(|all| satisfies(all, &version)).into())
}
#[derive(Clone, Debug, Default)]
struct Version {
    /// Major, minor, patch.
    numbers: [u64; 3],
    pre: String,
    metadata: String,
    original: String,
}
/// The parts of a version; `x` and `*` stand for any number.
macro_rules! version_regex {
    ($digits:literal) => {
        concat!(
            r"v?(",
            $digits,
            r"+)(?:\.(",
            $digits,
            r"+))?(?:\.(",
            $digits,
            r"+))?",
            r"(?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
        )
    };
}
macro_rules! regex {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}
regex!(VERSION, concat!("^", version_regex!("[0-9]"), "$"));
regex!(
    RANGE,
    concat!(r"\s*(", version_regex!(r"[0-9xX*|]"), r")\s+-\s+(", version_regex!(r"[0-9xX*|]"), r")\s*")
);
regex!(
    REQUIREMENT,
    concat!(r"^\s*(|=|!=|>|<|>=|=>|<=|=<|~|~>|\^)\s*", version_regex!(r"[0-9xX*|]"), r"\s*$")
);

impl Version {
    fn parse(text: &str) -> Result<Self, Failure> {
        let found =
            VERSION.as_ref().and_then(|regex| regex.captures(text)).ok_or("invalid semantic version")?;
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let mut numbers = [0; 3];
        for (at, number) in numbers.iter_mut().enumerate() {
            *number = match part(at + 1) {
                "" => 0,
                digits => digits.parse().map_err(|_| "invalid semantic version")?,
            };
        }
        Ok(Self { numbers, pre: part(4).into(), metadata: part(5).into(), original: text.into() })
    }
    fn order(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| order_pre(&self.pre, &other.pre))
    }
}
/// A version with one is before the same without; numbers are before words.
fn order_pre(a: &str, b: &str) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return b.len().min(1).cmp(&a.len().min(1));
    }
    let key = |part: &str| {
        let number = part.parse::<u64>().ok();
        (number.is_none(), number, part.to_owned())
    };
    a.split('.').map(key).cmp(b.split('.').map(key))
}
impl Object for Version {
    fn get(&self, name: &str, args: &[Value]) -> Option<Outcome> {
        let number = |at: usize| Value::Int(i64::try_from(self.numbers[at]).unwrap_or(i64::MAX));
        let with = |numbers: [u64; 3]| {
            let prefix = if self.original.starts_with('v') { "v" } else { "" };
            let [major, minor, patch] = numbers;
            let original = format!("{prefix}{major}.{minor}.{patch}");
            Value::Object(Rc::new(Self { numbers, original, ..Self::default() }))
        };
        let [major, minor, patch] = self.numbers;
        Some(Ok(match (name, args) {
            ("Major", []) => number(0),
            ("Minor", []) => number(1),
            ("Patch", []) => number(2),
            ("Prerelease", []) => self.pre.as_str().into(),
            ("Metadata", []) => self.metadata.as_str().into(),
            ("Original", []) => self.original.as_str().into(),
            ("String", []) => self.text().into(),
            ("IncMajor", []) => with([major.saturating_add(1), 0, 0]),
            ("IncMinor", []) => with([major, minor.saturating_add(1), 0]),
            // A version before a release becomes that release.
            ("IncPatch", []) if !self.pre.is_empty() => with(self.numbers),
            ("IncPatch", []) => with([major, minor, patch.saturating_add(1)]),
            (_, [Value::Object(other)]) => {
                let other = match Self::parse(&other.text()) {
                    Ok(other) => other,
                    Err(failure) => return Some(Err(failure)),
                };
                let order = self.order(&other);
                match name {
                    "Compare" => Value::Int(order as i64),
                    "Equal" => order.is_eq().into(),
                    "LessThan" => order.is_lt().into(),
                    "LessThanEqual" => order.is_le().into(),
                    "GreaterThan" => order.is_gt().into(),
                    "GreaterThanEqual" => order.is_ge().into(),
                    _ => return None,
                }
            }
            _ => return None,
        }))
    }
    fn text(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let part =
            |mark: &str, text: &str| if text.is_empty() { String::new() } else { format!("{mark}{text}") };
        format!("{major}.{minor}.{patch}{}{}", part("-", &self.pre), part("+", &self.metadata))
    }
}
/// One comparison.
#[derive(Debug)]
struct Requirement {
    operator: String,
    version: Version,
    /// How many of its numbers are there; the others may be any.
    given: usize,
}
/// Separated by `||`; of each all have to hold, which are separated by commas or spaces.
fn alternatives(text: &str) -> Result<Vec<Vec<Requirement>>, Failure> {
    let ranges = |found: &Captures<'_>| {
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        format!(" >={}, <={} ", part(1), part(7))
    };
    let range = RANGE.as_ref().ok_or("ranges")?;
    let text = range.replace_all(text, ranges);
    text.split("||").map(requirements).collect()
}
fn requirements(text: &str) -> Result<Vec<Requirement>, Failure> {
    let mut out = vec![];
    let mut operator = String::new();
    // An operator may stand apart from its version.
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        operator.push_str(word);
        if !word.ends_with(['=', '!', '>', '<', '~', '^']) {
            out.push(requirement(&std::mem::take(&mut operator), text)?);
        }
    }
    if out.is_empty() && operator.is_empty() {
        out.push(requirement("*", text)?);
    }
    if operator.is_empty() { Ok(out) } else { Err(format!("improper constraint: {text:?}").into()) }
}
fn requirement(word: &str, whole: &str) -> Result<Requirement, Failure> {
    let improper = || format!("improper constraint: {whole:?}");
    let found = REQUIREMENT.as_ref().and_then(|regex| regex.captures(word)).ok_or_else(improper)?;
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let is_any = |text: &str| matches!(text, "" | "x" | "X" | "*");
    let given = (2..5).take_while(|at| !is_any(part(*at))).count();
    let mut numbers = [0; 3];
    for (at, number) in numbers.iter_mut().enumerate().take(given) {
        *number = part(at + 2).parse().map_err(|_| improper())?;
    }
    let version = Version { numbers, pre: part(5).into(), ..Version::default() };
    Ok(Requirement { operator: part(1).into(), version, given })
}
/// A version before a release counts only where one of the requirements names one too.
fn satisfies(all: &[Requirement], version: &Version) -> bool {
    let names_pre = all.iter().any(|one| !one.version.pre.is_empty());
    (version.pre.is_empty() || names_pre) && all.iter().all(|one| one.holds(version))
}
impl Requirement {
    fn holds(&self, version: &Version) -> bool {
        let order = version.order(&self.version);
        let ([major, minor, patch], [own_major, own_minor, own_patch]) =
            (version.numbers, self.version.numbers);
        let same_minor = [major, minor] == [own_major, own_minor];
        match (self.operator.as_str(), self.given) {
            ("!=", 1) => major != own_major,
            ("!=", 2) => !same_minor || order_pre(&version.pre, &self.version.pre).is_ne(),
            ("!=", _) => order.is_ne(),
            (">", 1) => major > own_major,
            (">", 2) => [major, minor] > [own_major, own_minor],
            (">", _) => order.is_gt(),
            ("<", _) => order.is_lt(),
            (">=" | "=>", _) => order.is_ge(),
            ("<=" | "=<", 1) => major <= own_major,
            ("<=" | "=<", 0 | 2) => [major, minor] <= [own_major, own_minor],
            ("<=" | "=<", _) => order.is_le(),
            ("^", _) if order.is_lt() => false,
            ("^", given) if own_major > 0 || given == 1 => major == own_major,
            ("^", _) if major > 0 => false,
            ("^", given) if own_minor > 0 || given == 2 => minor == own_minor,
            ("^", _) => minor == 0 && patch == own_patch,
            ("" | "=", 3) => order.is_eq(),
            // All others are `~`.
            _ if order.is_lt() => false,
            (_, 0) => true,
            (_, 3) if self.version.numbers == [0; 3] => true,
            (_, 1) => major == own_major,
            _ => same_minor,
        }
    }
}
