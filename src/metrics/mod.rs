//! Metrics: what is counted ([`Counter`], [`Gauge`], [`Histogram`]: atomics, no lock), and how it is shown ([`text`]).
//! Counters and gauges are those of the crate `prometheus-client`, which also writes the text. Its histogram has a lock,
//! and so has its look-up by labels: here each label set is made with the configuration, or found without a lock.
//!
//! Caddy's families keep Caddy's names, labels and buckets, so that dashboards made for it go on drawing.
mod http;
mod process;
mod routed;
mod scrape;
mod text;
pub use http::{HttpMetrics, Observation, Outcomes, ServerMetrics};
pub use process::{Process, process_families};
pub use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
pub use scrape::{Current, common};
pub use text::{Form, render};

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// All that has one name.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub samples: Vec<Sample>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}
/// One set of labels, and its value now.
#[derive(Debug)]
pub struct Sample {
    /// In alphabetical order.
    pub labels: Vec<(&'static str, String)>,
    pub value: Value,
}
#[derive(Debug)]
pub enum Value {
    Number(f64),
    Histogram {
        bounds: &'static [f64],
        /// One a bound, and one for what is beyond; not cumulative.
        counts: Vec<u64>,
        sum: f64,
    },
}
impl Family {
    pub fn new(name: &'static str, help: &'static str, kind: Kind) -> Self {
        Self { name, help, kind, samples: vec![] }
    }
    pub fn add(&mut self, labels: Vec<(&'static str, String)>, value: f64) {
        self.samples.push(Sample { labels, value: Value::Number(value) });
    }
    /// A family of one value without labels.
    pub fn of(name: &'static str, help: &'static str, kind: Kind, value: f64) -> Self {
        let mut family = Self::new(name, help, kind);
        family.add(vec![], value);
        family
    }
}

/// Counts values by size.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}
impl Histogram {
    /// `bounds` are the largest values of each bucket, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0_f64.to_bits()) }
    }
    pub fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        // Never fails: the closure always gives a value.
        let _ =
            self.sum.fetch_update(Relaxed, Relaxed, |bits| Some((f64::from_bits(bits) + value).to_bits()));
    }
    pub fn value(&self) -> Value {
        Value::Histogram {
            bounds: self.bounds,
            counts: self.counts.iter().map(|count| count.load(Relaxed)).collect(),
            sum: f64::from_bits(self.sum.load(Relaxed)),
        }
    }
    /// How many values were observed.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Relaxed)).sum()
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn values_fall_into_the_first_bucket_that_holds_them() {
        let histogram = Histogram::new(&[1.0, 2.5]);
        [0.5, 1.0, 1.5, 9.0].iter().for_each(|value| histogram.observe(*value));
        let Value::Histogram { counts, sum, .. } = histogram.value() else { panic!("not a histogram") };
        assert_eq!((counts, sum, histogram.count()), (vec![2, 1, 1], 12.0, 4));
    }
}
