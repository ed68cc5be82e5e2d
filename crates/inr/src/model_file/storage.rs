//! How a model file holds each parameter.

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
    /// 16 bits: 11 bits of precision, magnitudes up to 65,504.
    F16,
    /// 16 bits: 8 bits of precision, magnitudes as in 32 bits.
    Bf16,
}

/// How the number format is chosen.
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
    /// [`Storage::F16`] where the quality asked for is still reached after rounding, or, if none is asked
    /// for, where rounding costs less than 0.05 dB; else 32 bits.
    Auto,
}

impl Storage {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// Bits of a parameter.
    pub fn bits(self) -> usize {
        match self {
            Self::F32 => 32,
            Self::F16 | Self::Bf16 => 16,
        }
    }

    /// Bytes of a parameter.
    pub(crate) fn bytes(self) -> usize {
        self.bits() / 8
    }

    /// The nearest number that the format holds; infinite where it is too large.
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

    /// Appends the values whose little-endian bytes are `bytes`; what is left over of a value is ignored.
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

    /// The type of the tensors.
    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
        }
    }

    /// The format of tensors of this type.
    pub(crate) fn of_dtype(dtype: Dtype) -> Option<Self> {
        Self::ALL.into_iter().find(|storage| storage.dtype() == dtype)
    }
}

impl StorageRule {
    /// The format to try, if it is not 32 bits.
    pub(crate) fn rounded(self) -> Option<Storage> {
        match self {
            Self::F32 => None,
            Self::F16 | Self::Auto => Some(Storage::F16),
            Self::Bf16 => Some(Storage::Bf16),
        }
    }

    /// Whether a model of `loss` is stored rounded, which makes it `rounded`, where a quality of loss
    /// `target` is asked for.
    pub(crate) fn accepts(self, loss: f64, rounded: f64, target: Option<f64>) -> bool {
        /// 0.05 dB.
        const NEGLIGIBLE: f64 = 1.0116;
        match self {
            Self::F32 => false,
            Self::F16 | Self::Bf16 => true,
            Self::Auto => match target.filter(|target| loss <= *target) {
                Some(target) => rounded <= target,
                None => rounded <= NEGLIGIBLE * loss,
            },
        }
    }

    /// As it is typed.
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
    fn numbers_survive_as_the_format_rounds_them() {
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
    fn rounding_may_not_cost_the_quality_asked_for() {
        let auto = StorageRule::Auto;
        assert!(auto.accepts(0.9, 1.0, Some(1.0)) && !auto.accepts(0.9, 1.01, Some(1.0)));
        assert!(auto.accepts(1.0, 1.01, None) && !auto.accepts(1.0, 1.02, None));
        // The quality was not reached anyway.
        assert!(auto.accepts(1.0, 1.01, Some(0.5)));
        assert!(!auto.accepts(1.0, f64::NAN, None) && !auto.accepts(1.0, f64::INFINITY, None));
        assert!(StorageRule::F16.accepts(1.0, 9.0, Some(1.0)));
        assert!(!StorageRule::F32.accepts(1.0, 1.0, None));
    }
}
