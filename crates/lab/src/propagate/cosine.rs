//! How alike the samples of a batch have become.

/// The sum of the directions of samples, for the mean cosine between two of them.
pub(super) struct Cosine {
    /// The sum of the unit vectors, in double precision.
    sum: Vec<f64>,
    samples: usize,
}

impl Cosine {
    pub(super) fn new(width: usize) -> Self {
        Self { sum: vec![0.0; width], samples: 0 }
    }

    /// Adds the rows of `values`, of shape (samples, width), that have a direction.
    pub(super) fn add(&mut self, values: &[f32]) {
        for row in values.chunks(self.sum.len()) {
            let square: f64 = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
            if square.is_finite() && square > 0.0 {
                let scale = 1.0 / square.sqrt();
                self.sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += scale * f64::from(*x));
                self.samples += 1;
            }
        }
    }

    /// The mean over all pairs of different samples: (|Σ u|² - B)/(B (B - 1)) for B unit vectors u.
    pub(super) fn mean(&self) -> Option<f64> {
        if self.samples < 2 {
            return None;
        }
        let (square, samples): (f64, f64) =
            (self.sum.iter().map(|x| x * x).sum(), self.samples as f64);
        Some((square - samples) / (samples * (samples - 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_are_means_over_pairs() {
        let mut cosine = Cosine::new(2);
        cosine.add(&[3.0, 0.0, 0.0, 2.0]);
        assert_eq!(cosine.mean(), Some(0.0));
        // Rows without a direction do not count.
        cosine.add(&[0.0, 0.0, f32::NAN, 1.0, 5.0, 0.0]);
        // The pairs have the cosines 0, 1 and 0.
        assert!((cosine.mean().unwrap() - 1.0 / 3.0).abs() < 1e-15);
        let mut alike = Cosine::new(3);
        alike.add(&[1.0, 2.0, 3.0]);
        assert_eq!(alike.mean(), None);
        alike.add(&[2.0, 4.0, 6.0]);
        assert!((alike.mean().unwrap() - 1.0).abs() < 1e-12);
    }
}
