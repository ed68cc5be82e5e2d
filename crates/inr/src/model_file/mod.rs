//! A trained network on disk: one safetensors file that needs nothing else to be decoded.
//!
//! Tensors `net.{i}.weight` (fan-out, fan-in) and `net.{i}.bias` (fan-out), float32; everything
//! else is text in the file's metadata, under the keys listed in [`metadata`]. The same model
//! always gives the same bytes.
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
//! let model = Model { network, parameters, signal, input_scale: 1.0, seed: 1, origin };
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
mod read;
mod write;

pub use error::ModelError;
pub use initial::{InitialFile, InitialWeights};
pub use origin::Origin;
pub use read::ModelFile;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use vi3nr::{Layer, Network};

use crate::signal::SignalInfo;

/// A network with its parameters and all that is needed to decode or continue it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The shape and activation.
    pub network: Network,
    /// Weights and biases, in the order of [`Network::layers`].
    pub parameters: Vec<f32>,
    /// What it was fitted to.
    pub signal: Arc<dyn SignalInfo>,
    /// Coordinates reach from minus this to this.
    pub input_scale: f64,
    /// The seed of its initial weights and of its training.
    pub seed: u64,
    /// How it came about: not needed for decoding.
    pub origin: Origin,
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        (&self.network, &self.parameters) == (&other.network, &other.parameters)
            && *self.signal == *other.signal
            && (self.input_scale, self.seed) == (other.input_scale, other.seed)
            && self.origin == other.origin
    }
}

/// A network's parameters, from a trained model or from a file of initial weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Weights {
    /// The shape and activation.
    pub network: Network,
    /// Weights and biases, in the order of [`Network::layers`].
    pub parameters: Vec<f32>,
    /// The coordinates that they were made for reach from minus this to this; unknown of initial
    /// weights of version 1.
    pub input_scale: Option<f64>,
}

impl Weights {
    /// Reads the weights of a model file, of a file of initial weights or of a run directory's model.
    ///
    /// # Errors
    /// Returns a [`ModelError`] if the file cannot be read or is damaged.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        Ok(match ModelFile::load(path)? {
            ModelFile::Trained(Model { network, parameters, input_scale, .. }) => {
                Self { network, parameters, input_scale: Some(input_scale) }
            }
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

/// CRC-32 of parameters in the order of [`Network::layers`], as little-endian float32, in eight
/// hexadecimal digits.
pub fn parameters_fingerprint(parameters: &[f32]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    parameters.iter().for_each(|value| hasher.update(&value.to_le_bytes()));
    format!("{:08x}", hasher.finalize())
}

impl Model {
    /// What makes this model one that cannot be decoded, if anything.
    fn problem(&self) -> Option<String> {
        let expected = self.network.parameter_count();
        if self.parameters.len() != expected {
            let found = self.parameters.len();
            return Some(format!("{found} parameters for a network that has {expected}"));
        }
        not_finite(&self.network, &self.parameters)
            .or_else(|| metadata::mismatch(&self.network, &*self.signal))
    }
}

/// Which parameter is not a finite number, if any is not.
fn not_finite(network: &Network, parameters: &[f32]) -> Option<String> {
    let place = parameters.iter().position(|value| !value.is_finite())?;
    let value = parameters[place];
    let tensor = tensors(network).into_iter().find(|one| one.place.contains(&place))?;
    Some(format!("{} holds {value}; expected finite numbers", tensor.name))
}

/// One tensor of the file.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    /// Where its values lie among the model's parameters.
    place: Range<usize>,
}

/// The tensors of a network, in the order of its parameters.
fn tensors(network: &Network) -> Vec<Tensor> {
    let of_layer = |layer: Layer| {
        let weight = Tensor {
            name: format!("net.{}.weight", layer.index),
            shape: vec![layer.fan_out, layer.fan_in],
            place: layer.weights,
        };
        let bias = Tensor {
            name: format!("net.{}.bias", layer.index),
            shape: vec![layer.fan_out],
            place: layer.biases,
        };
        [weight, bias]
    };
    network.layers().into_iter().flat_map(of_layer).collect()
}

#[cfg(test)]
mod tests;
