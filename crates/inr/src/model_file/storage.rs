//! The number format of stored parameters.

use half::{bf16, f16};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

/// The number format of the parameters in a model file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// 32 bits, as in training.
    #[default]
    F32,
    /// 16 bits (IEEE half precision): 11 bits of precision, magnitudes up to 65,504.
    F16,
    /// 16 bits (bfloat16): 8 bits of precision, the range of 32 bits.
    Bf16,
}

/// The rule by which the number format is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", expecting = "expected auto, f16, bf16 or f32")]
pub enum StorageRule {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, [`Storage::F16`].
    F16,
    /// 16 bits, [`Storage::Bf16`].
    Bf16,
    /// [`Storage::F16`] if rounding costs little, else 32 bits.
    ///
    /// For one network, the rounded parameters must still reach the target quality; without a
    /// target, or if the network misses it anyway, rounding may cost at most 0.05 dB. For a model
    /// in pieces, rounding may cost at most 0.5 dB in each piece, or bring it down to the target,
    /// and 0.1 dB over all pieces together, and the stored model must still reach the target if
    /// every piece did.
    Auto,
}

/// The losses of a piece before and after its parameters are rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RoundedPiece {
    /// The number of samples that belong to the piece.
    pub(crate) samples: usize,
    /// The loss of the trained parameters.
    pub(crate) loss: f64,
    /// The loss of the rounded parameters.
    pub(crate) rounded: f64,
}

impl Storage {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// The number of bits per parameter.
    pub fn bits(self) -> usize {
        match self {
            Self::F32 => 32,
            Self::F16 | Self::Bf16 => 16,
        }
    }

    /// The number of bytes per parameter.
    pub(crate) fn bytes(self) -> usize {
        self.bits() / 8
    }

    /// The nearest number in this format; infinite if the value is too large.
    pub fn round(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::F16 => f16::from_f32(value).to_f32(),
            Self::Bf16 => bf16::from_f32(value).to_f32(),
        }
    }

    /// Rounds all of `values`.
    pub fn round_all(self, values: &mut [f32]) {
        if self != Self::F32 {
            values.iter_mut().for_each(|value| *value = self.round(*value));
        }
    }

    /// Appends the little-endian bytes of `values`.
    pub(crate) fn encode(self, values: &[f32], bytes: &mut Vec<u8>) {
        match self {
            Self::F32 => values.iter().for_each(|v| bytes.extend(v.to_le_bytes())),
            Self::F16 => values.iter().for_each(|v| bytes.extend(f16::from_f32(*v).to_le_bytes())),
            Self::Bf16 => {
                values.iter().for_each(|v| bytes.extend(bf16::from_f32(*v).to_le_bytes()));
            }
        }
    }

    /// Appends the values whose little-endian bytes are `bytes`; an incomplete last value is
    /// ignored.
    pub(crate) fn decode(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F32 => values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            Self::F16 => {
                values.extend(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()));
            }
            Self::Bf16 => {
                values.extend(bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()));
            }
        }
    }

    /// The safetensors type of this format.
    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
        }
    }

    /// The format with this safetensors type.
    pub(crate) fn of_dtype(dtype: Dtype) -> Option<Self> {
        Self::ALL.into_iter().find(|storage| storage.dtype() == dtype)
    }
}

impl StorageRule {
    /// The 16-bit format to use or try, if any.
    pub(crate) fn rounded(self) -> Option<Storage> {
        match self {
            Self::F32 => None,
            Self::F16 | Self::Auto => Some(Storage::F16),
            Self::Bf16 => Some(Storage::Bf16),
        }
    }

    /// Whether a network is stored with rounded parameters, where `loss` and `rounded` are its
    /// losses before and after rounding, and `target` is the loss at the target quality.
    pub(crate) fn accepts(self, loss: f64, rounded: f64, target: Option<f64>) -> bool {
        /// 0.05 dB.
        const MAX_COST: f64 = 1.0116;
        match self {
            Self::F32 => false,
            Self::F16 | Self::Bf16 => true,
            Self::Auto => match target.filter(|target| loss <= *target) {
                Some(target) => rounded <= target,
                None => rounded <= MAX_COST * loss,
            },
        }
    }

    /// The formats in which a model of these pieces may be stored, the preferred one first. If
    /// there is a second, the first is to be kept only if the blended model reaches `target`, which
    /// the losses of the pieces do not tell.
    pub(crate) fn candidates(
        self,
        pieces: impl Iterator<Item = RoundedPiece>,
        target: Option<f64>,
    ) -> Vec<Storage> {
        /// 0.5 dB.
        const MAX_PIECE_COST: f64 = 1.122;
        /// 0.1 dB.
        const MAX_TOTAL_COST: f64 = 1.0233;
        let Some(format) = self.rounded() else { return vec![Storage::F32] };
        if self != Self::Auto {
            return vec![format];
        }
        let (mut loss, mut rounded) = (0.0, 0.0);
        let mut is_even = true;
        for piece in pieces {
            let samples = piece.samples as f64;
            (loss, rounded) = (loss + piece.loss * samples, rounded + piece.rounded * samples);
            is_even &= piece.rounded <= MAX_PIECE_COST * piece.loss.max(target.unwrap_or(0.0));
        }
        match is_even && rounded <= MAX_TOTAL_COST * loss {
            true => vec![format, Storage::F32],
            false => vec![Storage::F32],
        }
    }

    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Auto => "auto",
        }
    }

    /// All rules.
    pub const ALL: [Self; 4] = [Self::Auto, Self::F16, Self::Bf16, Self::F32];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_rounds_as_the_format_does() {
        let values = [0.0, -0.1, 1.0, 3.25, -1e-6, 65_504.0, 1e6, f32::MAX];
        for storage in Storage::ALL {
            let (mut bytes, mut read) = (Vec::new(), Vec::new());
            storage.encode(&values, &mut bytes);
            assert_eq!(bytes.len(), values.len() * storage.bytes());
            storage.decode(&bytes, &mut read);
            assert_eq!(read, values.map(|value| storage.round(value)));
            assert_eq!(Storage::of_dtype(storage.dtype()), Some(storage));
        }
        // Half a unit in the last place.
        assert!((Storage::F16.round(0.1) - 0.1).abs() <= 0.1 / 2048.0);
        assert!((Storage::Bf16.round(0.1) - 0.1).abs() <= 0.1 / 256.0);
        assert_eq!(Storage::F16.round(1e6), f32::INFINITY);
    }

    #[test]
    fn rounding_must_keep_the_target_quality() {
        let auto = StorageRule::Auto;
        assert!(auto.accepts(0.9, 1.0, Some(1.0)) && !auto.accepts(0.9, 1.01, Some(1.0)));
        assert!(auto.accepts(1.0, 1.01, None) && !auto.accepts(1.0, 1.02, None));
        // The target is missed anyway.
        assert!(auto.accepts(1.0, 1.01, Some(0.5)));
        assert!(!auto.accepts(1.0, f64::NAN, None) && !auto.accepts(1.0, f64::INFINITY, None));
        assert!(StorageRule::F16.accepts(1.0, 9.0, Some(1.0)));
        assert!(!StorageRule::F32.accepts(1.0, 1.0, None));
    }

    #[test]
    fn candidates_depend_on_the_costs_of_the_pieces() {
        let candidates = |rule: StorageRule, rounded: [f64; 2], target| {
            let piece = |rounded| RoundedPiece { samples: 10, loss: 1.0, rounded };
            rule.candidates(rounded.map(piece).into_iter(), target)
        };
        let auto = |rounded, target| candidates(StorageRule::Auto, rounded, target);
        let both = [Storage::F16, Storage::F32];
        assert_eq!(auto([1.02, 1.02], None), both);
        // 0.5 dB in one piece, less than 0.1 dB in all; then more than 0.5 dB in one piece.
        assert_eq!(auto([1.12, 0.9], None), both);
        assert_eq!(auto([1.13, 0.9], None), [Storage::F32]);
        assert_eq!(auto([1.13, 0.9], Some(1.1)), both);
        assert_eq!(auto([1.03, 1.03], None), [Storage::F32]);
        assert_eq!(auto([1.0, f64::INFINITY], None), [Storage::F32]);
        assert_eq!(candidates(StorageRule::Bf16, [9.0; 2], None), [Storage::Bf16]);
        assert_eq!(candidates(StorageRule::F32, [1.0; 2], None), [Storage::F32]);
    }
}
