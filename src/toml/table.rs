//! A table of the file, read key by key.
use super::{report::Report, values::FromToml};
use grammar::{Error, nearest};
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value, and its bytes in the text.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: Range<usize>,
}
/// One table. Which keys it knows is what it is asked for; [`Table::finish`] complains of all others.
pub(super) struct Table<'t> {
    /// As messages name it: `ratelimit`, `routes[2]`; empty for the whole file.
    name: String,
    table: Option<&'t DeTable<'t>>,
    /// Its head in the text.
    at: Range<usize>,
    known: Vec<&'static str>,
    pub(super) report: &'t Report<'t>,
}
impl<'t> Table<'t> {
    pub(super) fn root(table: &'t DeTable<'t>, report: &'t Report<'t>) -> Self {
        Self { name: String::new(), table: Some(table), at: 0..0, known: vec![], report }
    }
    /// Whether it stands in the file at all.
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }
    pub(super) fn place(&self) -> Range<usize> {
        self.at.clone()
    }
    /// `[key]`; an empty one if there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Table<'t> {
        let mut section =
            Table { name: key.to_owned(), table: None, at: 0..0, known: vec![], report: self.report };
        if let Some(found) = self.find(key) {
            section.at = found.span();
            match found.get_ref() {
                DeValue::Table(table) => section.table = Some(table),
                other => self.report.error(
                    found.span(),
                    format!("{key}: expected a section, [{key}], found {}", described(other)),
                ),
            }
        }
        section
    }
    /// `[[key]]`, one after the other.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Table<'t>> {
        let Some(found) = self.find(key) else { return vec![] };
        let DeValue::Array(array) = found.get_ref() else {
            let message =
                format!("{key}: expected sections, [[{key}]], found {}", described(found.get_ref()));
            self.report.error(found.span(), message);
            return vec![];
        };
        let mut tables = vec![];
        for (i, entry) in array.iter().enumerate() {
            let name = format!("{key}[{i}]");
            match entry.get_ref() {
                DeValue::Table(table) => tables.push(Table {
                    name,
                    table: Some(table),
                    at: entry.span(),
                    known: vec![],
                    report: self.report,
                }),
                other => self.report.error(
                    entry.span(),
                    format!("{name}: expected a section, [[{key}]], found {}", described(other)),
                ),
            }
        }
        tables
    }
    /// Whether a key is there, whatever its value.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.find(key).is_some()
    }
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let list = self.table.and_then(|table| table.get(key)).and_then(|value| value.get_ref().as_array());
        list.is_some_and(|list| list.is_empty())
    }
    /// The value of a key, if it is there and in order.
    pub(super) fn get<T: FromToml>(&mut self, key: &'static str) -> Option<At<T>> {
        let found = self.find(key)?;
        self.read(key, found)
    }
    pub(super) fn or<T: FromToml>(&mut self, key: &'static str, default: T) -> T {
        self.get(key).map_or(default, |found| found.value)
    }
    /// The value of a key that the document spells in two ways.
    pub(super) fn either<T: FromToml>(&mut self, key: &'static str, other: &'static str) -> Option<At<T>> {
        self.alone(key, other);
        let [first, second] = [key, other].map(|key| self.get(key));
        first.or(second)
    }
    /// The list of a key that the document spells in two ways.
    pub(super) fn either_list<T: FromToml>(&mut self, key: &'static str, other: &'static str) -> Vec<At<T>> {
        self.alone(key, other);
        let [first, second] = [key, other].map(|key| self.list(key));
        first.or(second).unwrap_or_default()
    }
    /// The values of a key, of which those that are wrong are left out.
    pub(super) fn list<T: FromToml>(&mut self, key: &'static str) -> Option<Vec<At<T>>> {
        let found = self.find(key)?;
        let DeValue::Array(array) = found.get_ref() else {
            self.wrong(key, found.span(), format!("expected a list, found {}", described(found.get_ref())));
            return None;
        };
        Some(array.iter().filter_map(|entry| self.read(key, entry)).collect())
    }
    /// Both spellings at once are one too many.
    fn alone(&self, key: &'static str, other: &'static str) {
        let Some(table) = self.table else { return };
        if let (Some(_), Some((second, _))) = (table.get_key_value(key), table.get_key_value(other)) {
            self.wrong(
                other,
                second.span(),
                format!("is the same as {key}, which is set too: keep one of them"),
            );
        }
    }
    /// Something is wrong with the value of a key.
    pub(super) fn wrong(&self, key: &str, at: Range<usize>, why: impl AsRef<str>) {
        self.report.error(at, format!("{}: {}", self.path(key), why.as_ref()));
    }
    /// The key has to be there, and is not.
    pub(super) fn missing(&self, key: &str, why: &str) {
        self.report.error(self.head(), format!("{}: missing: {why}", self.path(key)));
    }
    /// Keys that nobody has asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table.into_iter().flat_map(|table| table.iter()) {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let error = Error {
                span: Some(self.report.span(key.span())),
                ..Error::plain(format!("{}: unknown key", self.path(name)))
            };
            self.report.push(match nearest(name, self.known.iter().copied()) {
                Some(meant) => error.hint(format!("did you mean {meant}?")),
                None => error,
            });
        }
    }
    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
    fn head(&self) -> Range<usize> {
        self.at.clone()
    }
    fn find(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table?.get(key)
    }
    fn read<T: FromToml>(&self, key: &str, found: &Spanned<DeValue<'_>>) -> Option<At<T>> {
        match T::from_toml(found.get_ref()) {
            Ok(value) => Some(At { value, at: found.span() }),
            Err(why) => {
                let found_what = described(found.get_ref());
                let why = why.unwrap_or_else(|| format!("expected {}, found {found_what}", T::WHAT));
                self.wrong(key, found.span(), why);
                None
            }
        }
    }
}
/// A value, for messages.
fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => format!("the time {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}
