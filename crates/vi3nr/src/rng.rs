//! A counter-based random generator: every number is a function of the seed, the stream, the
//! substream and the element.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
//! as 1, 2, 3", SC 2011). It has no state, so that every thread, every engine and every resumed run
//! draws the same number for the same element.

use std::f64::consts::PI;

/// The purpose of a random number. Different streams of the same seed are independent.
///
/// What a seed means depends on the numbers of the streams, so the meaning of a number never
/// changes. This crate draws from the streams below. Code that draws for another purpose defines a
/// constant next to its use, with a number that is not taken; the crates of this workspace use 0 to 17.
///
/// ```
/// use vi3nr::rng::{Random, Stream};
///
/// const DROPPED_POINTS: Stream = Stream::new(1000);
/// let random = Random::new(7, DROPPED_POINTS, 0);
/// assert_ne!(random.bits(0), Random::new(7, Stream::WEIGHTS, 0).bits(0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stream(u32);

impl Stream {
    /// The initial weights. The substream is the index of the layer, and the element is the
    /// row-major index in its (fan-out, fan-in) matrix.
    pub const WEIGHTS: Self = Self::new(0);
    /// The initial biases. The substream is the index of the layer, and the element is the unit.
    pub const BIASES: Self = Self::new(1);
    /// The noise that is added to initial weights. Substream and element are those of
    /// [`Stream::WEIGHTS`].
    pub const WEIGHT_NOISE: Self = Self::new(17);
    /// Preactivations for a Monte Carlo estimate of moments, in substream 0.
    pub const SAMPLES: Self = Self::new(3);

    /// The stream with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number of the stream.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The random numbers of one seed, stream and substream.
///
/// ```
/// use vi3nr::rng::{Random, Stream};
///
/// let random = Random::new(7, Stream::WEIGHTS, 0);
/// assert_eq!(random.uniform(123), random.uniform(123));
/// assert!((0.0..1.0).contains(&random.uniform(123)));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Random {
    key: [u32; 2],
    substream: u32,
    stream: u32,
}

impl Random {
    /// Creates a generator. `substream` divides a stream, for example by layer or by step.
    pub fn new(seed: u64, stream: Stream, substream: u32) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], substream, stream: stream.number() }
    }

    /// 128 random bits for one element.
    pub fn bits(&self, element: u64) -> [u32; 4] {
        philox([element as u32, (element >> 32) as u32, self.substream, self.stream], self.key)
    }

    /// A number uniform on [0, 1) for one element, a multiple of 2^-53.
    pub fn uniform(&self, element: u64) -> f64 {
        let [low, high, ..] = self.bits(element);
        unit_interval(low, high)
    }

    /// A standard normal number for one element, by the Box-Muller transform.
    pub fn normal(&self, element: u64) -> f64 {
        let [a, b, c, d] = self.bits(element);
        // 1 - u lies in (0, 1], so its logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - unit_interval(a, b)));
        radius * libm::cos(2.0 * PI * unit_interval(c, d))
    }

    /// An integer uniform on [0, `bound`) for one element. The bias is below `bound`/2^64.
    pub fn below(&self, element: u64, bound: u64) -> u64 {
        let [low, high, ..] = self.bits(element);
        let wide = u128::from(low) | u128::from(high) << 32;
        ((wide * u128::from(bound)) >> 64) as u64
    }
}

fn unit_interval(low: u32, high: u32) -> f64 {
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
    bits as f64 * (-53f64).exp2()
}

/// Philox4x32 with 10 rounds.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let first = u64::from(counter[0]) * 0xD251_1F53;
        let second = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer vectors of the authors' Random123 library.
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
        );
        assert_eq!(
            philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let random = Random::new(1, Stream::WEIGHTS, 3);
        let count = 200_000u64;
        let mean = |power: i32, draw: &dyn Fn(u64) -> f64| {
            (0..count).map(|i| draw(i).powi(power)).sum::<f64>() / count as f64
        };
        let uniform = |i| random.uniform(i);
        let normal = |i| random.normal(i);
        // Five standard errors.
        let five = 5.0 / (count as f64).sqrt();
        assert!((mean(1, &uniform) - 0.5).abs() < five * (1f64 / 12.0).sqrt());
        assert!((mean(2, &uniform) - 1.0 / 3.0).abs() < five * (4f64 / 45.0).sqrt());
        assert!(mean(1, &normal).abs() < five);
        assert!((mean(2, &normal) - 1.0).abs() < five * 2f64.sqrt());
        assert!((mean(4, &normal) - 3.0).abs() < five * 96f64.sqrt());
    }

    #[test]
    fn places_do_not_share_numbers() {
        let weights = Random::new(1, Stream::WEIGHTS, 0);
        for other in [
            Random::new(2, Stream::WEIGHTS, 0),
            Random::new(1 << 32 | 1, Stream::WEIGHTS, 0),
            Random::new(1, Stream::BIASES, 0),
            Random::new(1, Stream::WEIGHTS, 1),
        ] {
            assert!((0..100).all(|i| weights.bits(i) != other.bits(i)));
        }
    }
}
