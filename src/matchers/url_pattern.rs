//! `url_pattern`: the request's URL by a pattern of the web's own kind (WHATWG URLPattern).
//!
//! ```caddyfile
//! url_pattern <pattern> {
//!     base_url <url>
//!     ignore_case
//! }
//! @book url_pattern /books/:id
//! respond @book {http.url_pattern.pathname.id}
//! ```
//! A pattern of a path is of any origin, unless `base_url` names one. The path is decoded and cleaned first. What a group
//! of a component has matched is `{http.url_pattern.<component>.<group>}`.
use crate::{
    caddyfile::{MatcherSyntax, Support},
    config::{fields, is_default},
    http::{
        Build, BuildError, Exchange, Flow, Key, Matcher, MatcherConfig, MatcherModule,
        uri::{clean_path, encode_path},
    },
};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;
use urlpattern::{
    RegexSyntax, UrlPatternInit, UrlPatternOptions,
    quirks::{UrlPatternComponent, parse_pattern},
};

pub const SYNTAX: MatcherSyntax = MatcherSyntax {
    name: "url_pattern",
    docs: "url_pattern <pattern> { base_url <url> ; ignore_case }\nThe URL matches; groups are `{http.url_pattern.*}`.",
    parse: |lines, _| {
        let mut pattern = UrlPattern::default();
        super::lines::each(lines, |words| {
            let Some(word) = words.arg() else { return Err(words.error("expected exactly one URL pattern")) };
            pattern.pattern.clone_from(&word.text);
            let mut block = words.block();
            while let Some(words) = block.next() {
                match words.text() {
                    "base_url" => words.need()?.clone_into(&mut pattern.base_url),
                    "ignore_case" => {
                        words.none()?;
                        pattern.ignore_case = true;
                    }
                    other => return Err(words.error(format!("unrecognized url_pattern option '{other}'"))),
                }
            }
            Ok(())
        })?;
        Ok(fields(&pattern).into())
    },
    support: Support::Full,
};
pub const MODULE: MatcherModule = MatcherModule::of::<UrlPattern>();

/// JSON: `http.matchers.url_pattern`.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct UrlPattern {
    /// Of a path alone, or of a whole URL.
    #[serde(skip_serializing_if = "is_default")]
    pattern: String,
    /// What a pattern of a path is relative to; any origin, if empty.
    #[serde(skip_serializing_if = "is_default")]
    base_url: String,
    #[serde(skip_serializing_if = "is_default")]
    ignore_case: bool,
}
impl MatcherConfig for UrlPattern {
    const NAME: &'static str = "url_pattern";
    fn build(self, _: &mut Build) -> Result<Box<dyn Matcher>, BuildError> {
        let failed = |error: &dyn fmt::Display| format!("unable to parse URL pattern: {error}");
        let base = (!self.base_url.is_empty()).then(|| Url::parse(&self.base_url)).transpose();
        let base = base.map_err(|error| failed(&error))?;
        // The port too, as a request's host may have one.
        let any_origin = base.is_none() && !self.pattern.contains("://");
        let text = if any_origin { format!("*://*:*{}", self.pattern) } else { self.pattern.clone() };
        let init = UrlPatternInit::parse_constructor_string::<regex::Regex>(&text, base);
        let options = UrlPatternOptions { regex_syntax: RegexSyntax::Rust, ignore_case: self.ignore_case };
        let read = init.and_then(|init| parse_pattern::<regex::Regex>(init, options));
        let read = read.map_err(|error| failed(&error))?;
        // The library itself is not strict about case where a pattern begins with text, so its expressions are ours to run.
        let components = [
            Component::new("protocol", read.protocol, false, Url::scheme),
            Component::new("username", read.username, false, Url::username),
            Component::new("password", read.password, false, |url| url.password().unwrap_or_default()),
            Component::new("hostname", read.hostname, false, |url| url.host_str().unwrap_or_default()),
            Component::new("port", read.port, false, url::quirks::port),
            Component::new("pathname", read.pathname, self.ignore_case, Url::path),
            Component::new("search", read.search, self.ignore_case, |url| url.query().unwrap_or_default()),
            Component::new("hash", read.hash, self.ignore_case, |url| url.fragment().unwrap_or_default()),
        ];
        let components = components.into_iter().collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        let path = match self.pattern.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
            None => &self.pattern,
        };
        Ok(Box::new(Compiled { components, merge: !path.contains("//") }))
    }
}
#[derive(Debug)]
struct Compiled {
    components: Box<[Component]>,
    /// Whether empty segments of the path do not count.
    merge: bool,
}
/// One part of a URL, and what it has to be.
#[derive(Debug)]
struct Component {
    of: fn(&Url) -> &str,
    regex: Regex,
    /// What its groups are called, in their order.
    groups: Box<[Key]>,
}
impl Component {
    fn new(
        name: &str,
        read: UrlPatternComponent,
        ignore_case: bool,
        of: fn(&Url) -> &str,
    ) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(&read.regexp_string).case_insensitive(ignore_case).build()?;
        let key = |group: &String| format!("http.url_pattern.{name}.{group}").into();
        Ok(Self { of, regex, groups: read.group_name_list.iter().map(key).collect() })
    }
}
impl Matcher for Compiled {
    fn matches<'x>(&'x self, x: &'x mut Exchange) -> Flow<'x, bool> {
        let Some(url) = self.url(x) else { return false.into() };
        let captures = self.components.iter().map(|part| part.regex.captures((part.of)(&url)));
        let Some(captures) = captures.collect::<Option<Vec<_>>>() else { return false.into() };
        for (part, captures) in self.components.iter().zip(captures) {
            for (key, value) in part.groups.iter().zip(captures.iter().skip(1)) {
                x.set(key.clone(), value.map_or("", |value| value.as_str()));
            }
        }
        true.into()
    }
}
impl Compiled {
    /// The URL that the client asked for, its path as handlers see it.
    fn url(&self, x: &Exchange) -> Option<Url> {
        let path = x.path();
        let path = clean_path(&path, self.merge);
        let mut target = encode_path(&path).into_owned();
        if !x.query().is_empty() {
            target.push('?');
            target.push_str(x.query());
        }
        let base = Url::parse(&format!("{}://{}", x.scheme(), x.hostport())).ok()?;
        base.join(&target).ok()
    }
}
