//! Families as text: Prometheus' format 0.0.4, and OpenMetrics. The crate writes the latter; [`in_gos_way`] makes of it
//! what Go's client writes in either form.
use super::{Family, Kind, Value};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, text::encode},
    metrics::MetricType,
    registry::Registry,
};
use std::{collections::HashMap, fmt};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Prometheus,
    OpenMetrics {
        /// The client has named version 1.0.0; to Go's client the other one is 0.0.1.
        is_1_0: bool,
    },
}
impl Form {
    /// What a client asks for in `Accept`: the one that it wants most, the older one in a draw.
    pub fn accepted(accept: &str) -> Self {
        let mut wanted = (Self::Prometheus, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next() {
                Some("application/openmetrics-text") => {
                    let is_1_0 = parts.clone().any(|part| part == "version=1.0.0");
                    Self::OpenMetrics { is_1_0 }
                }
                Some("text/plain" | "text/*" | "*/*") => Self::Prometheus,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > wanted.1 {
                wanted = (form, weight);
            }
        }
        wanted.0
    }
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            Self::OpenMetrics { is_1_0: false } => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores"
            }
            Self::OpenMetrics { is_1_0: true } => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
        }
    }
}
/// All families, sorted by name; those without samples are left out.
pub fn render(mut families: Vec<Family>, form: Form) -> String {
    families.retain(|family| !family.samples.is_empty());
    families.sort_by_key(|family| family.name);
    for family in &mut families {
        family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    let names = families.iter().map(|family| (base(family), family.name)).collect();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot(families)));
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = encode(&mut text, &registry);
    in_gos_way(&text, &names, form)
}
/// A counter's name without the `_total` that all of them have in OpenMetrics.
fn base(family: &Family) -> &'static str {
    proper_counter(family).unwrap_or(family.name)
}
/// In OpenMetrics a counter without that ending is something unknown.
fn proper_counter(family: &Family) -> Option<&'static str> {
    family.name.strip_suffix("_total").filter(|_| family.kind == Kind::Counter)
}
/// What was counted at one moment.
#[derive(Debug)]
struct Snapshot(Vec<Family>);
impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let is_proper = proper_counter(family).is_some();
            let kind = match family.kind {
                Kind::Counter if is_proper => MetricType::Counter,
                Kind::Counter => MetricType::Unknown,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut encoder = encoder.encode_descriptor(base(family), family.help, None, kind)?;
            for sample in &family.samples {
                let shown = Shown { is_counter: is_proper, value: &sample.value };
                match sample.labels.as_slice() {
                    [] => shown.encode_with(&mut encoder)?,
                    labels => {
                        let labels: Vec<(&str, &str)> =
                            labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
                        shown.encode(encoder.encode_family(&labels)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}
struct Shown<'a> {
    is_counter: bool,
    value: &'a Value,
}
impl Shown<'_> {
    fn encode_with(&self, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        match self.value {
            Value::Number(value) if self.is_counter => {
                encoder.encode_counter::<NoLabelSet, _, f64>(value, None)
            }
            Value::Number(value) => encoder.encode_gauge(value),
            Value::Histogram { bounds, counts, sum } => {
                let bounds = bounds.iter().copied().chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
                encoder.encode_histogram::<NoLabelSet>(*sum, counts.iter().sum(), &buckets, None)
            }
        }
    }
}
impl EncodeMetric for Shown<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        self.encode_with(&mut encoder)
    }
    fn metric_type(&self) -> MetricType {
        MetricType::Unknown
    }
}
/// Go's client gives counters their whole names in the older form, puts `le` behind the other labels and sums behind
/// the buckets, and has a way of its own with numbers.
fn in_gos_way(text: &str, names: &HashMap<&str, &'static str>, form: Form) -> String {
    let (mut out, mut sums) = (String::with_capacity(text.len()), String::new());
    for line in text.lines() {
        let described = ["# HELP ", "# TYPE "].iter().find_map(|what| Some((what, line.strip_prefix(what)?)));
        if line == "# EOF" {
            out += &std::mem::take(&mut sums);
            if form != Form::Prometheus {
                out += "# EOF\n";
            }
        } else if let Some((what, rest)) = described {
            out += &std::mem::take(&mut sums);
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let name = names.get(name).copied().filter(|_| form == Form::Prometheus).unwrap_or(name);
            let rest = if rest == "unknown" && form == Form::Prometheus { "counter" } else { rest };
            out += &format!("{what}{name} {rest}\n");
        } else if let Some((sample, value)) = line.rsplit_once(' ') {
            let sample = Sample::read(sample);
            if !sums.is_empty() && sample.bound.is_none() && sample.name.ends_with("_sum") {
                out += &std::mem::take(&mut sums);
            }
            let whole = sample.name.ends_with("_count") || sample.bound.is_some();
            let value = match value.parse() {
                Ok(value) if !whole => number(value, form),
                _ => value.to_owned(),
            };
            let line = format!("{} {value}\n", sample.shown(names, form));
            let is_sum = ["_sum", "_count"]
                .iter()
                .any(|end| sample.name.strip_suffix(end).is_some_and(|base| names.contains_key(base)));
            if is_sum { sums += &line } else { out += &line }
        }
    }
    out
}
/// A sample's name and labels.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    /// A bucket's label `le`.
    bound: Option<&'a str>,
}
impl<'a> Sample<'a> {
    fn read(text: &'a str) -> Self {
        let (name, labels) = text.split_once('{').unwrap_or((text, ""));
        let labels = labels.strip_suffix('}').unwrap_or(labels);
        let le = labels.strip_prefix("le=\"").filter(|_| name.ends_with("_bucket"));
        match le.and_then(|rest| rest.split_once('"')) {
            Some((bound, rest)) => {
                Self { name, labels: rest.strip_prefix(',').unwrap_or(rest), bound: Some(bound) }
            }
            None => Self { name, labels, bound: None },
        }
    }
    fn shown(&self, names: &HashMap<&str, &'static str>, form: Form) -> String {
        let base = self.name.strip_suffix("_total").and_then(|base| names.get(base));
        let name = base.copied().filter(|_| form == Form::Prometheus).unwrap_or(self.name);
        let bound = self.bound.map(|bound| match bound.parse() {
            Ok(bound) => format!("le=\"{}\"", number(bound, form)),
            Err(_) => format!("le=\"{bound}\""),
        });
        let comma = if self.labels.is_empty() || bound.is_none() { "" } else { "," };
        match (self.labels, bound) {
            ("", None) => name.to_owned(),
            (labels, bound) => format!("{name}{{{labels}{comma}{}}}", bound.unwrap_or_default()),
        }
    }
}
/// As Go's `%g` in its shortest form: with an exponent below 1e-4 and from 1e+06 on. OpenMetrics has a decimal point in
/// every number.
fn number(value: f64, form: Form) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let point = if form != Form::Prometheus && value.fract() == 0.0 { ".0" } else { "" };
        return format!("{value}{point}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Histogram, Sample};

    fn families() -> Vec<Family> {
        let mut counter = Family::new("b_total", "Counts.", Kind::Counter);
        counter.add(vec![("code", "500".into())], 1.0);
        counter.add(vec![("code", "2\"0\\0".into())], 6.0);
        let histogram = Histogram::new(&[0.005, 1.0, 256.0]);
        histogram.observe(0.7);
        histogram.observe(1e6);
        let sample =
            |server: &str| Sample { labels: vec![("server", server.into())], value: histogram.value() };
        let samples = vec![sample("srv0"), sample("srv1")];
        let histogram = Family { samples, ..Family::new("c", "Sizes.", Kind::Histogram) };
        let empty = Family::new("d", "Nothing.", Kind::Gauge);
        let odd = Family::of("e", "Without its ending", Kind::Counter, 2.0);
        vec![counter, histogram, empty, odd, Family::of("a", "Now.", Kind::Gauge, 1.5)]
    }
    #[test]
    fn the_older_form_is_gos() {
        let of_server = |server: &str| {
            let buckets = [("0.005", 0), ("1", 1), ("256", 1), ("+Inf", 2)];
            let bucket = |(le, n): &(&str, u8)| format!("c_bucket{{server=\"{server}\",le=\"{le}\"}} {n}\n");
            let buckets: String = buckets.iter().map(bucket).collect();
            format!("{buckets}c_sum{{server=\"{server}\"}} 1.0000007e+06\nc_count{{server=\"{server}\"}} 2\n")
        };
        let text = "# HELP a Now.\n# TYPE a gauge\na 1.5\n# HELP b_total Counts.\n# TYPE b_total counter\n\
                    b_total{code=\"2\\\"0\\\\0\"} 6\nb_total{code=\"500\"} 1\n# HELP c Sizes.\n# TYPE c histogram\n";
        let odd = "# HELP e Without its ending\n# TYPE e counter\ne 2\n";
        let expected = format!("{text}{}{}{odd}", of_server("srv0"), of_server("srv1"));
        assert_eq!(render(families(), Form::Prometheus), expected);
    }
    #[test]
    fn openmetrics_has_decimals_and_an_end() {
        let rendered = render(families(), Form::OpenMetrics { is_1_0: true });
        for part in [
            "# TYPE b counter\nb_total{code=\"2\\\"0\\\\0\"} 6.0\n",
            "c_bucket{server=\"srv0\",le=\"1.0\"} 1\n",
            "# TYPE e unknown\ne 2.0\n# EOF\n",
        ] {
            assert!(rendered.contains(part), "{part}\n{rendered}");
        }
    }
    #[test]
    fn clients_say_which_form_they_want() {
        for (accept, form) in [
            ("", Form::Prometheus),
            ("*/*", Form::Prometheus),
            ("application/openmetrics-text", Form::OpenMetrics { is_1_0: false }),
            (
                "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5",
                Form::OpenMetrics { is_1_0: true },
            ),
            ("application/openmetrics-text;q=0.2, text/plain;q=0.5", Form::Prometheus),
            ("text/html", Form::Prometheus),
        ] {
            assert_eq!(Form::accepted(accept), form, "{accept}");
        }
    }
    #[test]
    fn numbers_are_gos() {
        for (value, shown) in [
            (0.0, "0"),
            (6.0, "6"),
            (0.005, "0.005"),
            (0.00012, "0.00012"),
            (0.000012, "1.2e-05"),
            (1_795_511_906.25, "1.79551190625e+09"),
            (1e6, "1e+06"),
            (1_000_000.7, "1.0000007e+06"),
            (123_456.0, "123456"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(number(value, Form::Prometheus), shown);
        }
        assert_eq!(number(6.0, Form::OpenMetrics { is_1_0: true }), "6.0");
    }
}
