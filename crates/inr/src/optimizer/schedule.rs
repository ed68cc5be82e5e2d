//! Learning-rate schedules.

use serde::{Deserialize, Serialize};

/// A learning-rate schedule, starting from the initial rate lr.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Schedule {
    /// Constant: lr.
    Constant,
    /// Exponential decay: lr · factor^step, with step from 0.
    Exponential {
        /// The factor per step.
        factor: f64,
    },
    /// Cosine decay to zero: lr · (1 + cos(π·progress))/2.
    Cosine,
}

impl Schedule {
    /// The learning rate of step `step` (from 0), where `progress` (0 to 1) is the completed
    /// fraction of the run and `first` the initial rate.
    pub fn rate(&self, first: f64, step: u64, progress: f64) -> f64 {
        match self {
            Self::Constant => first,
            Self::Exponential { factor } => first * factor.powf(step as f64),
            Self::Cosine => {
                first * 0.5 * (1.0 + (std::f64::consts::PI * progress.clamp(0.0, 1.0)).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_at_the_ends_and_the_middle() {
        assert_eq!(Schedule::Constant.rate(0.1, 700, 0.9), 0.1);
        let exponential = Schedule::Exponential { factor: 0.5 };
        assert_eq!(exponential.rate(0.1, 0, 0.0), 0.1);
        assert_eq!(exponential.rate(0.1, 3, 0.9), 0.0125);
        assert_eq!(Schedule::Cosine.rate(0.1, 0, 0.0), 0.1);
        assert!((Schedule::Cosine.rate(0.1, 5, 0.5) - 0.05).abs() < 1e-15);
        assert!(Schedule::Cosine.rate(0.1, 9, 1.0) < 1e-17);
    }
}
