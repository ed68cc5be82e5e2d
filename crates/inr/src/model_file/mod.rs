//! Model files: a trained model as one self-contained safetensors file.
//!
//! A model of one network has the tensors `net.{i}.weight` (fan-out, fan-in) and `net.{i}.bias`
//! (fan-out). A model in pieces ([`crate::pieces`]) has, for each shape of network, numbered from 0
//! as `g`, the tensors `pieces.{g}.net.{i}.weight` (pieces, fan-out, fan-in),
//! `pieces.{g}.net.{i}.bias` (pieces, fan-out) and `pieces.{g}.index` (pieces), the indices of its
//! pieces in ascending order. Parameters are float32, float16 or bfloat16, indices int32;
//! everything else is text in the file's metadata, under the keys listed in [`metadata`]. Equal
//! models give equal bytes.
//!
//! ```
//! use std::sync::Arc;
//! use vi3nr_inr::model_file::{Model, Origin};
//! use vi3nr_inr::signal::image::{BitDepth, ImageInfo};
//!
//! let network = vi3nr::Network::uniform(2, 16, 3, 3, "sine".parse()?)?;
//! let parameters = vec![0.5; network.parameter_count()];
//! let bit_depth = BitDepth::Eight;
//! let signal = Arc::new(ImageInfo { width: 64, height: 48, channels: 3, bit_depth });
//! let origin = Origin::Settings(serde_json::json!({"steps": 100}));
//! let model = Model { seed: 1, origin, ..Model::new(network, parameters, signal) };
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("model.safetensors");
//! model.save(&path)?;
//! assert_eq!(Model::load(&path)?, model);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod initial;
pub mod metadata;
mod origin;
mod pieces;
mod read;
mod storage;
mod write;

pub use error::ModelError;
pub use initial::{InitialFile, InitialWeights};
pub use origin::Origin;
pub use read::ModelFile;
pub(crate) use storage::RoundedPiece;
pub use storage::{Storage, StorageRule};

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use vi3nr::{Layer, Network};

use crate::metrics::{Digits, Metric};
use crate::pieces::PieceSet;
use crate::signal::SignalInfo;

/// A network, or the networks of all pieces, with everything needed to decode it or continue
/// training.
#[derive(Debug, Clone)]
pub struct Model {
    /// The network or the networks of the pieces.
    pub body: Body,
    /// The kind and size of the signal that was fitted.
    pub signal: Arc<dyn SignalInfo>,
    /// The coordinate scale s: coordinates lie in \[-s, s\].
    pub input_scale: f64,
    /// The seed of the fit.
    pub seed: u64,
    /// The number format of the parameters in the file.
    pub storage: Storage,
    /// The alignment of an image that is decoded at another size.
    pub alignment: Alignment,
    /// The origin of the model, which is not needed for decoding.
    pub origin: Origin,
}

/// The network or networks that represent the signal.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One network for the whole signal.
    Network {
        /// The shape and activation of the network.
        network: Network,
        /// Weights and biases, in the order of [`Network::layers`].
        parameters: Vec<f32>,
    },
    /// A network for each piece of the signal.
    Pieces(PieceSet),
}

/// The alignment of an image that is decoded at another size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Alignment {
    /// The centers of the corner pixels stay in place, as in format versions 1 and 2.
    Corners,
    /// The area of the image stays the same, as when an image is resized.
    #[default]
    Areas,
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
            && *self.signal == *other.signal
            && (self.input_scale, self.seed) == (other.input_scale, other.seed)
            && (self.storage, self.alignment) == (other.storage, other.alignment)
            && self.origin == other.origin
    }
}

/// The parameters of a network, from a model or a file of initial weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Weights {
    /// The shape and activation of the network.
    pub network: Network,
    /// Weights and biases, in the order of [`Network::layers`].
    pub parameters: Vec<f32>,
    /// The coordinate scale; `None` for initial weights of version 1, which do not store it.
    pub input_scale: Option<f64>,
}

impl Weights {
    /// Reads the weights of a model file, a file of initial weights or the model of a run
    /// directory.
    ///
    /// # Errors
    /// Returns [`ModelError::Pieces`] if the model is in pieces, and the errors of
    /// [`ModelFile::load`].
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        Ok(match ModelFile::load(path)? {
            ModelFile::Trained(Model { body, input_scale, .. }) => match body {
                Body::Network { network, parameters } => {
                    Self { network, parameters, input_scale: Some(input_scale) }
                }
                Body::Pieces(_) => return Err(ModelError::Pieces { path: path.to_owned() }),
            },
            ModelFile::Initial(InitialFile { network, parameters, input_scale, .. }) => {
                Self { network, parameters, input_scale }
            }
        })
    }

    /// CRC-32 of the parameters: see [`parameters_fingerprint`].
    pub fn fingerprint(&self) -> String {
        parameters_fingerprint(&self.parameters)
    }
}

/// The CRC-32 of parameters in the order of [`Network::layers`], as little-endian float32, in eight
/// hexadecimal digits.
pub fn parameters_fingerprint(parameters: &[f32]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    parameters.iter().for_each(|value| hasher.update(&value.to_le_bytes()));
    format!("{:08x}", hasher.finalize())
}

impl Model {
    /// A model of one network with coordinates in \[-1, 1\], seed 0, 32-bit storage and no settings
    /// as its origin.
    pub fn new(network: Network, parameters: Vec<f32>, signal: Arc<dyn SignalInfo>) -> Self {
        Self {
            body: Body::Network { network, parameters },
            signal,
            input_scale: 1.0,
            seed: 0,
            storage: Storage::F32,
            alignment: Alignment::Areas,
            origin: Origin::Settings(serde_json::Value::Null),
        }
    }

    /// The shape and activation of the network; for a model in pieces, that of the first piece.
    pub fn network(&self) -> &Network {
        match &self.body {
            Body::Network { network, .. } => network,
            Body::Pieces(set) => set.network(0),
        }
    }

    /// The number of parameters of all networks together.
    pub fn parameter_count(&self) -> usize {
        match &self.body {
            Body::Network { network, .. } => network.parameter_count(),
            Body::Pieces(set) => set.parameter_count(),
        }
    }

    /// Bits of the stored parameters per unit (pixel or sample) of the signal, if it has units.
    pub fn bits_per_unit(&self) -> Option<f64> {
        let unit = self.signal.unit()?;
        Some((self.parameter_count() * self.storage.bits()) as f64 / unit.count)
    }

    /// The size of the model as metrics: the number of parameters, and the bits per unit of the
    /// signal.
    pub fn size_metrics(&self) -> Vec<Metric> {
        let metric = |name, label, value, unit, decimals, convention| {
            let digits = Digits::Decimals(decimals);
            Metric { name, label, value, unit, digits, convention }
        };
        let count = self.parameter_count() as f64;
        let convention = match self.storage {
            Storage::F32 => "32 bits each",
            Storage::F16 => "16 bits each (f16)",
            Storage::Bf16 => "16 bits each (bf16)",
        };
        let mut metrics = vec![metric("parameters", "parameters", count, "", 0, convention)];
        if let (Some(unit), Some(bits)) = (self.signal.unit(), self.bits_per_unit()) {
            metrics.push(metric(unit.bits, "size", bits, unit.bits_unit, 2, ""));
        }
        metrics
    }

    /// The network and its parameters, if the model is not in pieces.
    pub fn whole(&self) -> Option<(&Network, &[f32])> {
        match &self.body {
            Body::Network { network, parameters } => Some((network, parameters)),
            Body::Pieces(_) => None,
        }
    }

    /// Why the model cannot be decoded, if it cannot.
    pub(crate) fn problem(&self) -> Option<String> {
        match &self.body {
            Body::Network { network, parameters } => {
                let expected = network.parameter_count();
                if parameters.len() != expected {
                    let found = parameters.len();
                    return Some(format!("{found} parameters for a network that has {expected}"));
                }
                let finite = not_finite(network, parameters);
                finite.or_else(|| metadata::mismatch(network, &*self.signal))
            }
            Body::Pieces(set) if set.axes() != self.signal.axes() => {
                let (found, expected) = (set.axes(), self.signal.axes());
                Some(format!("pieces of {found:?} samples; the signal has {expected:?}"))
            }
            Body::Pieces(set) => {
                let problem = |(network, _)| metadata::mismatch(network, &*self.signal);
                set.networks().into_iter().find_map(problem)
            }
        }
    }
}

/// Which tensor holds a value that is not finite, if any.
fn not_finite(network: &Network, parameters: &[f32]) -> Option<String> {
    let index = parameters.iter().position(|value| !value.is_finite())?;
    let value = parameters[index];
    let tensor = tensors(network).into_iter().find(|one| one.range.contains(&index))?;
    Some(format!("{} holds {value}; expected finite numbers", tensor.name))
}

/// One tensor of the file.
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// The range of its values in the parameters of the network.
    pub(crate) range: Range<usize>,
}

/// The tensors of a network, in the order of its parameters.
pub(crate) fn tensors(network: &Network) -> Vec<Tensor> {
    let of_layer = |layer: Layer| {
        let weight = Tensor {
            name: format!("net.{}.weight", layer.index),
            shape: vec![layer.fan_out, layer.fan_in],
            range: layer.weights,
        };
        let bias = Tensor {
            name: format!("net.{}.bias", layer.index),
            shape: vec![layer.fan_out],
            range: layer.biases,
        };
        [weight, bias]
    };
    network.layers().into_iter().flat_map(of_layer).collect()
}

#[cfg(test)]
mod tests;
