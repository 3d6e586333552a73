//! Fields on their way through filters, by their path: what the encoder `filter` is made of.
use std::{borrow::Cow, collections::HashMap, fmt};

/// What filters may look at and change of a field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Texts(Vec<Cow<'a, str>>),
    /// A number, an object, …: it can be replaced, but not looked at.
    Other,
}
impl FieldValue<'_> {
    /// Changes the text, or each of the texts.
    pub fn map(&mut self, change: impl Fn(&str) -> String) {
        match self {
            Self::Text(text) => *text = change(text).into(),
            Self::Texts(texts) => texts.iter_mut().for_each(|text| *text = change(text).into()),
            Self::Other => {}
        }
    }
}
pub trait FieldFilter: fmt::Debug + Send + Sync {
    /// Changes a field, its key too; false leaves it out.
    fn filter(&self, key: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool;
}
/// Filters by the path to their fields, such as `request>headers>Cookie`.
#[derive(Debug, Default)]
pub struct FieldFilters {
    filter: Option<Box<dyn FieldFilter>>,
    below: HashMap<String, FieldFilters>,
}
impl FieldFilters {
    pub fn insert(&mut self, path: &str, filter: Box<dyn FieldFilter>) {
        let place = path.split('>').fold(self, |place, key| place.below.entry(key.to_owned()).or_default());
        place.filter = Some(filter);
    }
    pub(super) fn below(&self, key: &str) -> Option<&Self> {
        self.below.get(key)
    }
    pub(super) fn filter(&self) -> Option<&dyn FieldFilter> {
        self.filter.as_deref()
    }
}
