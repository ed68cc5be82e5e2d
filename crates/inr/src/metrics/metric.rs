//! A measured number with its name and convention.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A measured number and its meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The key in JSON and in the header of `metrics.csv`.
    pub name: &'static str,
    /// The name that is shown.
    pub label: &'static str,
    /// The value.
    pub value: f64,
    /// The unit, such as `dB`; empty if there is none.
    pub unit: &'static str,
    /// The format in which the value is shown.
    pub digits: Digits,
    /// A short definition; empty if the label is sufficient.
    pub convention: &'static str,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Fixed-point notation with this many decimal places.
    Decimals(usize),
    /// Scientific notation with this many decimal places.
    Scientific(usize),
}

impl Metric {
    /// The value with its unit, without label and convention.
    pub fn amount(&self) -> String {
        let number = match self.digits {
            Digits::Decimals(count) => format!("{:.count$}", self.value),
            Digits::Scientific(count) => format!("{:.count$e}", self.value),
        };
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.label, self.amount())?;
        if self.convention.is_empty() { Ok(()) } else { write!(f, " ({})", self.convention) }
    }
}

/// Several metrics in a fixed order. In JSON they are an object of names and numbers, where values
/// that are not finite are null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// The metrics, in the order in which they are shown.
    pub all: Vec<Metric>,
    /// The prefix of each name in JSON.
    pub prefix: &'static str,
}

impl Metrics {
    /// These metrics under their own names.
    pub fn new(all: impl Into<Vec<Metric>>) -> Self {
        Self { all: all.into(), prefix: "" }
    }

    /// The value of the metric called `name`, without prefix.
    pub fn get(&self, name: &str) -> Option<f64> {
        let found = self.all.iter().find(|metric| metric.name == name);
        found.map(|metric| metric.value)
    }

    /// One line of text per metric. Metrics in the paper's convention, whose names end with
    /// `_paper`, are omitted unless `with_paper` is true: the usual convention states the same.
    pub fn lines(&self, with_paper: bool) -> String {
        let shown = self.all.iter().filter(|metric| with_paper || !metric.name.ends_with("_paper"));
        let lines: Vec<String> = shown.map(Metric::to_string).collect();
        lines.join("\n")
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.all.len()))?;
        for metric in &self.all {
            map.serialize_entry(&format!("{}{}", self.prefix, metric.name), &metric.value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_conventions() {
        let snr = Metric {
            name: "snr",
            label: "SNR",
            value: 31.256,
            unit: "dB",
            digits: Digits::Decimals(2),
            convention: "of the waveform",
        };
        let digits = Digits::Scientific(2);
        let mse = Metric { name: "mse", label: "MSE", value: 4.24e-5, unit: "", digits, ..snr };
        assert_eq!(snr.to_string(), "SNR 31.26 dB (of the waveform)");
        assert_eq!(Metric { convention: "", ..mse }.to_string(), "MSE 4.24e-5");
        let paper = Metric { name: "snr_paper", convention: "of the paper", ..snr };
        let both = Metrics::new([snr, paper]);
        assert_eq!(both.lines(false), "SNR 31.26 dB (of the waveform)");
        assert_eq!(both.lines(true).lines().count(), 2);
        let infinite = Metric { value: f64::INFINITY, ..snr };
        let metrics = Metrics { all: vec![mse, infinite], prefix: "last_" };
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"last_mse":0.0000424,"last_snr":null}"#);
        assert_eq!(metrics.get("mse"), Some(4.24e-5));
    }
}
