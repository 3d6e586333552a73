//! `multi_regexp`: several replacements in turn.
//!
//! ```caddyfile
//! <field> multi_regexp {
//!     regexp <pattern> <replacement>
//!     …
//! }
//! ```
use super::{
    FilterModule, NAMESPACE, decode,
    regexp::{Regexp, Step},
};
use crate::{
    caddyfile::{Cx, ModuleSyntax, Parsed, Support, Words},
    config::fields,
    logging::{FieldFilter, FieldValue},
};
use grammar::Line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

pub const SYNTAX: ModuleSyntax = ModuleSyntax {
    namespace: NAMESPACE,
    name: "multi_regexp",
    docs: "multi_regexp { regexp <pattern> <replacement>; … }: several replacements in turn.",
    parse,
    support: Support::Full,
};
/// At most so many steps.
const STEPS: usize = 50;
/// What is longer is cut, in bytes.
const LONGEST_INPUT: usize = 1_000_000;
/// No pattern may be longer, in bytes.
const LONGEST: usize = 1000;

/// `caddy.logging.encoders.filter.multi_regexp`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiRegexp {
    /// In this order, at least one.
    pub operations: Vec<Regexp>,
}
impl MultiRegexp {
    /// Another step, made from a `regexp` filter.
    pub(in crate::encoders) fn add(&mut self, step: Regexp) -> Result<(), String> {
        if self.operations.len() >= STEPS {
            return Err(format!("cannot add operation: maximum {STEPS} operations allowed"));
        }
        if step.regexp.is_empty() {
            return Err("regexp pattern cannot be empty".into());
        }
        if step.regexp.len() > LONGEST {
            let length = step.regexp.len();
            return Err(format!("regexp pattern too long: {length} characters (maximum {LONGEST})"));
        }
        self.operations.push(step);
        Ok(())
    }
}
fn parse(line: &Line, _: &mut Cx<'_>) -> Parsed<Map<String, Value>> {
    let (mut words, mut filter) = (Words::new(line), MultiRegexp::default());
    let mut block = words.block();
    while let Some(sub) = block.next() {
        if sub.text() != "regexp" {
            return Err(sub.error(format!("unrecognized subdirective {}", sub.text())));
        }
        if filter.operations.len() >= STEPS {
            return Err(sub.error(format!("too many regexp operations (maximum {STEPS} allowed)")));
        }
        let regexp = sub.need()?.to_owned();
        if regexp.len() > LONGEST {
            return Err(sub.error(format!("regexp pattern too long (maximum {LONGEST} characters)")));
        }
        if regexp.is_empty() {
            return Err(sub.error("regexp pattern cannot be empty"));
        }
        filter.operations.push(Regexp { regexp, value: sub.need()?.into() });
    }
    if filter.operations.is_empty() {
        return Err(words.error("multi_regexp filter requires at least one regexp operation"));
    }
    Ok(fields(&filter))
}
pub(super) const FILTER: FilterModule = FilterModule {
    name: "multi_regexp",
    build: |fields| {
        let mut checked = MultiRegexp::default();
        decode::<MultiRegexp>(fields)?.operations.into_iter().try_for_each(|step| checked.add(step))?;
        if checked.operations.is_empty() {
            return Err("no regexp operations configured".into());
        }
        let steps = checked.operations.into_iter().map(Regexp::compile);
        Ok(Box::new(Steps(steps.collect::<Result<_, _>>()?)))
    },
};
#[derive(Debug)]
struct Steps(Vec<Step>);
impl FieldFilter for Steps {
    fn filter(&self, _: &mut Cow<'_, str>, value: &mut FieldValue<'_>) -> bool {
        value.map(|text| {
            let cut = text.floor_char_boundary(LONGEST_INPUT);
            let start = text.get(..cut).unwrap_or(text).to_owned();
            self.0.iter().fold(start, |text, step| step.replace(&text))
        });
        true
    }
}
