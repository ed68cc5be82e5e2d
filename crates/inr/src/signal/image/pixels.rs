//! The values of an image, stored as in its file.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use super::BitDepth;
use crate::metrics::paper_peak;

/// The value of each sample of 8 bits.
static OF_EIGHT: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|sample| BitDepth::Eight.value(sample as u16)));

/// The values of all pixels and channels. Those of a file take one or two bytes each.
#[derive(Debug, Clone)]
pub(super) enum Pixels {
    /// Samples of 8 bits.
    Eight(Vec<u8>),
    /// Samples of 16 bits.
    Sixteen(Vec<u16>),
    /// Values on \[-1, 1\].
    Values(Vec<f32>),
}

impl Pixels {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Eight(samples) => samples.len(),
            Self::Sixteen(samples) => samples.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Appends the values in `range`.
    pub(super) fn push(&self, range: Range<usize>, values: &mut Vec<f32>) {
        match self {
            Self::Eight(samples) => {
                let table = &*OF_EIGHT;
                values.extend(samples[range].iter().map(|sample| table[usize::from(*sample)]));
            }
            Self::Sixteen(samples) => {
                let value = |sample: &u16| BitDepth::Sixteen.value(*sample);
                values.extend(samples[range].iter().map(value));
            }
            Self::Values(own) => values.extend_from_slice(&own[range]),
        }
    }

    /// All values; they are computed if the image is stored as samples.
    pub(super) fn values(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Values(values) => Cow::Borrowed(values),
            samples => {
                let mut values = Vec::with_capacity(samples.len());
                samples.push(0..samples.len(), &mut values);
                Cow::Owned(values)
            }
        }
    }

    /// Calls `visit` for all values in order, in blocks.
    pub(super) fn for_each_part(&self, mut visit: impl FnMut(&[f32])) {
        /// The number of values per block.
        const PART: usize = 1 << 16;
        let mut part = Vec::with_capacity(PART);
        for first in (0..self.len()).step_by(PART) {
            part.clear();
            self.push(first..self.len().min(first + PART), &mut part);
            visit(&part);
        }
    }

    /// The largest value.
    pub(super) fn peak(&self) -> f64 {
        // The value increases with the sample.
        let of = |sample: Option<u16>, depth: BitDepth| {
            sample.map_or(f64::NEG_INFINITY, |sample| f64::from(depth.value(sample)))
        };
        match self {
            Self::Eight(samples) => {
                of(samples.iter().max().copied().map(u16::from), BitDepth::Eight)
            }
            Self::Sixteen(samples) => of(samples.iter().max().copied(), BitDepth::Sixteen),
            Self::Values(values) => paper_peak(values),
        }
    }
}

/// Equal values, in any storage.
impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.values() == other.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_their_values_are_the_same() {
        let eight: Vec<u8> = (0..=255).chain([7, 0]).collect();
        let sixteen: Vec<u16> = (0..=u16::MAX).step_by(97).collect();
        let of = |depth: BitDepth, samples: &mut dyn Iterator<Item = u16>| -> Vec<f32> {
            samples.map(|sample| depth.value(sample)).collect()
        };
        for (samples, values) in [
            (
                Pixels::Eight(eight.clone()),
                of(BitDepth::Eight, &mut eight.iter().copied().map(u16::from)),
            ),
            (Pixels::Sixteen(sixteen.clone()), of(BitDepth::Sixteen, &mut sixteen.iter().copied())),
        ] {
            assert_eq!(*samples.values(), *values);
            assert_eq!(samples.peak(), paper_peak(&values));
            let mut part = Vec::new();
            samples.push(3..40, &mut part);
            assert_eq!(part, values[3..40]);
            let mut all = Vec::new();
            samples.for_each_part(|part| all.extend_from_slice(part));
            assert_eq!(all, values);
            assert!(samples == Pixels::Values(values.clone()));
            assert!(samples != Pixels::Values(values[1..].to_vec()));
        }
    }
}
