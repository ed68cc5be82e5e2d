//! The mean and the standard deviation of repeated measurements.

/// Mean and standard deviation of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// NaN for no numbers.
    pub(crate) mean: f64,
    /// The sample standard deviation (divisor n - 1); 0 for fewer than two numbers.
    pub(crate) sd: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let sd = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        Self { mean, sd }
    }
}

/// The mean, the sample standard deviation and the count; no mean for no numbers.
pub(crate) fn spread(values: Option<&Vec<f64>>) -> (Option<f64>, f64, u64) {
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return (None, 0.0, 0);
    };
    let Spread { mean, sd } = Spread::of(values);
    (Some(mean), sd, values.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn few_numbers_have_no_deviation() {
        assert_eq!(
            Spread::of(&[1.0, 2.0, 4.0, 5.0]),
            Spread { mean: 3.0, sd: (10f64 / 3.0).sqrt() }
        );
        assert_eq!(Spread::of(&[7.0]), Spread { mean: 7.0, sd: 0.0 });
        let none = Spread::of(&[]);
        assert!(none.mean.is_nan() && none.sd == 0.0);
    }
}
