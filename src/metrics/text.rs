//! Families as text: Prometheus' format 0.0.4, and OpenMetrics, both as Go's client writes them.
use super::{Family, Kind, Value};
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Prometheus,
    OpenMetrics,
}
impl Form {
    /// What a client asks for in `Accept`.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            Self::OpenMetrics => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores"
            }
        }
    }
}
/// All families, sorted by name; those without samples are left out.
pub fn render(mut families: Vec<Family>, form: Form) -> String {
    families.retain(|family| !family.samples.is_empty());
    families.sort_by_key(|family| family.name);
    let mut out = String::new();
    for family in &mut families {
        family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
        render_family(family, form, &mut out);
    }
    if form == Form::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}
fn render_family(family: &Family, form: Form, out: &mut String) {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let title = match form {
        Form::OpenMetrics if family.kind == Kind::Counter => {
            family.name.strip_suffix("_total").unwrap_or(family.name)
        }
        _ => family.name,
    };
    let name = family.name;
    line(out, format_args!("# HELP {title} {}", family.help));
    line(out, format_args!("# TYPE {title} {kind}"));
    for sample in &family.samples {
        let labels = Labels(&sample.labels);
        match &sample.value {
            Value::Number(value) => {
                let shown = shown(*value, form);
                match sample.labels.is_empty() {
                    true => line(out, format_args!("{name} {shown}")),
                    false => line(out, format_args!("{name}{{{labels}}} {shown}")),
                }
            }
            Value::Histogram { bounds, counts, sum } => {
                let comma = if sample.labels.is_empty() { "" } else { "," };
                let mut total = 0;
                for (i, count) in counts.iter().enumerate() {
                    total += count;
                    let bound = bounds.get(i).map_or_else(|| "+Inf".to_owned(), |bound| shown(*bound, form));
                    line(out, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}"));
                }
                let braces = if sample.labels.is_empty() { ["", ""] } else { ["{", "}"] };
                let [open, close] = braces;
                line(out, format_args!("{name}_sum{open}{labels}{close} {}", shown(*sum, form)));
                line(out, format_args!("{name}_count{open}{labels}{close} {total}"));
            }
        }
    }
}
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = writeln!(out, "{text}");
}
fn shown(value: f64, form: Form) -> String {
    let mut shown = number(value);
    if form == Form::OpenMetrics && value.is_finite() && !shown.contains(['.', 'e']) {
        shown.push_str(".0");
    }
    shown
}
/// As Go's `%g` in its shortest form: with an exponent below 1e-4 and from 1e+06 on.
pub fn number(value: f64) -> String {
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
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}
struct Labels<'a>(&'a [(&'static str, String)]);
impl std::fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(f, "{comma}{name}=\"{value}\"")?;
        }
        Ok(())
    }
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
        let labels = vec![("server", "srv0".to_owned())];
        let sample = Sample { labels, value: histogram.value() };
        let histogram = Family { samples: vec![sample], ..Family::new("c", "Sizes.", Kind::Histogram) };
        let empty = Family::new("d", "Nothing.", Kind::Gauge);
        vec![counter, histogram, empty, Family::of("a", "Now.", Kind::Gauge, 1.5)]
    }
    #[test]
    fn prometheus_reads_it() {
        let text = "# HELP a Now.\n# TYPE a gauge\na 1.5\n# HELP b_total Counts.\n# TYPE b_total counter\n\
                    b_total{code=\"2\\\"0\\\\0\"} 6\nb_total{code=\"500\"} 1\n# HELP c Sizes.\n# TYPE c histogram\n\
                    c_bucket{server=\"srv0\",le=\"0.005\"} 0\nc_bucket{server=\"srv0\",le=\"1\"} 1\n\
                    c_bucket{server=\"srv0\",le=\"256\"} 1\nc_bucket{server=\"srv0\",le=\"+Inf\"} 2\n\
                    c_sum{server=\"srv0\"} 1000000.7\nc_count{server=\"srv0\"} 2\n";
        let rendered = render(families(), Form::Prometheus);
        assert_eq!(rendered, text.replace("1000000.7", &number(1_000_000.7)));
    }
    #[test]
    fn openmetrics_has_decimals_and_an_end() {
        let rendered = render(families(), Form::OpenMetrics);
        for part in [
            "# TYPE b counter\nb_total{code=\"2\\\"0\\\\0\"} 6.0\n",
            "c_bucket{server=\"srv0\",le=\"1.0\"} 1\n",
            "c_count{server=\"srv0\"} 2\n# EOF\n",
        ] {
            assert!(rendered.contains(part), "{part}\n{rendered}");
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
            assert_eq!(number(value), shown);
        }
    }
}
