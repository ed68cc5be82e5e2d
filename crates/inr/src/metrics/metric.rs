//! A measured number with its name and convention.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// One number and what it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its key in JSON and in the head of `metrics.csv`.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// The number.
    pub value: f64,
    /// `dB`, or nothing.
    pub unit: &'static str,
    /// How many decimals people are shown.
    pub digits: Digits,
    /// What was computed, in a few words; nothing where the label says it all.
    pub convention: &'static str,
}

/// How a number is written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// So many behind the point.
    Decimals(usize),
    /// So many behind the point of a mantissa, and an exponent.
    Scientific(usize),
}

impl Metric {
    /// The number with its unit, without name and convention.
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

/// Several metrics in a fixed order; as JSON an object of names and numbers, where what is not
/// finite is null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// In the order in which they are shown.
    pub all: Vec<Metric>,
    /// Put before each name.
    pub prefix: &'static str,
}

impl Metrics {
    /// These metrics under their own names.
    pub fn new(all: impl Into<Vec<Metric>>) -> Self {
        Self { all: all.into(), prefix: "" }
    }

    /// The number called `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        let found = self.all.iter().find(|metric| metric.name == name);
        found.map(|metric| metric.value)
    }

    /// A line for each.
    pub fn lines(&self) -> String {
        let lines: Vec<String> = self.all.iter().map(Metric::to_string).collect();
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
        let infinite = Metric { value: f64::INFINITY, ..snr };
        let metrics = Metrics { all: vec![mse, infinite], prefix: "last_" };
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"last_mse":0.0000424,"last_snr":null}"#);
        assert_eq!(metrics.get("mse"), Some(4.24e-5));
    }
}
