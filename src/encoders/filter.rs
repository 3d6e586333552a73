//! `filter`: changes or removes fields before another encoder writes them.
//!
//! ```caddyfile
//! format filter {
//!     wrap <encoder> …
//!     <field> <filter> …
//!     fields {
//!         <field> <filter> …
//!     }
//! }
//! ```
//! Example: `request>headers>Authorization delete`, `request>remote_ip ip_mask 16 32`. Several `regexp` filters of one
//! field make a `multi_regexp`.
use super::{
    NAMESPACE,
    filters::{self, multi_regexp::MultiRegexp, regexp::Regexp},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::{fields, is_default},
    logging::{Encoder, EncoderModule, Entry, FieldFilters, Fields, Object},
};
use grammar::{Error, Line};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "filter",
    docs: "filter { wrap <encoder>; <field> <filter> …; fields { <field> <filter> … } }: changes the fields of log \
           entries.",
    parse,
    support: Support::Full,
};
/// `caddy.logging.encoders.filter`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// An encoder.
    #[serde(skip_serializing_if = "is_default")]
    pub wrap: Option<Value>,
    /// Filters by field, such as `request>headers>Cookie`.
    #[serde(skip_serializing_if = "is_default")]
    pub fields: Map<String, Value>,
}
/// What a block has said so far.
#[derive(Default)]
struct Reading {
    filters: Map<String, Value>,
    /// By field: they are put together once all are known.
    regexps: BTreeMap<String, Vec<Regexp>>,
}
fn parse(line: &Line, cx: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut wrap, mut reading) = (Words::new(line), None, Reading::default());
    let mut block = words.block();
    while let Some(sub) = block.next() {
        match sub.text() {
            "wrap" => wrap = Some(super::wrapped(sub, cx)?),
            "fields" => {
                let mut block = sub.block();
                while let Some(field) = block.next() {
                    reading.field(field, cx)?;
                }
            }
            _ => reading.field(sub, cx)?,
        }
    }
    Ok(fields(&Filter { wrap, fields: reading.done()? }))
}
impl Reading {
    /// `<field> <filter> …`.
    fn field(&mut self, words: &mut Words<'_>, cx: &mut Cx<'_>) -> Parsed<()> {
        let field = words.text().to_owned();
        let name = words.need()?;
        let filter = cx.module(filters::NAMESPACE, "filter", &words.segment())?;
        if name == "regexp" {
            self.regexps.entry(field).or_default().push(Regexp::from_module(&filter));
            return Ok(());
        }
        if self.regexps.contains_key(&field) {
            let message = format!("cannot mix regexp filters with other filter types for field {field}");
            return Err(words.error(message));
        }
        if self.filters.contains_key(&field) {
            let message = format!(
                "field {field} already has a filter; multiple non-regexp filters per field are not supported"
            );
            return Err(words.error(message));
        }
        self.filters.insert(field, filter);
        Ok(())
    }
    fn done(mut self) -> Parsed<Map<String, Value>> {
        for (field, regexps) in self.regexps {
            let (name, mut module) = match <[Regexp; 1]>::try_from(regexps) {
                Ok([one]) => ("regexp", fields(&one)),
                Err(several) => ("multi_regexp", fields(&merged(&field, several)?)),
            };
            module.insert("filter".into(), name.into());
            self.filters.insert(field, Value::Object(module));
        }
        Ok(self.filters)
    }
}
fn merged(field: &str, regexps: Vec<Regexp>) -> Parsed<MultiRegexp> {
    let mut merged = MultiRegexp::default();
    for regexp in regexps {
        merged
            .add(regexp)
            .map_err(|why| Error::plain(format!("adding regexp operation for field {field}: {why}")))?;
    }
    Ok(merged)
}

pub const MODULE: EncoderModule = EncoderModule {
    name: "filter",
    build: |config, encoders| {
        let Filter { wrap, fields } =
            crate::config::decode(Value::Object(config)).map_err(|error| error.to_string())?;
        let mut built = FieldFilters::default();
        for (path, config) in fields {
            let filter =
                filters::build(config).map_err(|why| format!("loading log filter modules: {why}"))?;
            built.insert(&path, filter);
        }
        Ok(Box::new(Filtering { wrapped: encoders.wrapped(wrap)?, filters: built }))
    },
};
#[derive(Debug)]
struct Filtering {
    wrapped: Box<dyn Encoder>,
    filters: FieldFilters,
}
impl Encoder for Filtering {
    fn encode(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let fields = Filtered { fields: entry.fields, filters: &self.filters };
        self.wrapped.encode(&Entry { fields: &fields, ..*entry }, out);
    }
    fn leave_out_time(&mut self) {
        self.wrapped.leave_out_time();
    }
}
struct Filtered<'a> {
    fields: &'a dyn Fields,
    filters: &'a FieldFilters,
}
impl Fields for Filtered<'_> {
    fn write(&self, into: &mut Object<'_>) {
        into.filtered(self.filters, |into| self.fields.write(into));
    }
    fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}
