//! A trained network on disk: one safetensors file that needs nothing else to be decoded.
//!
//! Tensors `net.{i}.weight` (fan-out, fan-in) and `net.{i}.bias` (fan-out), float32; everything
//! else is text in the file's metadata, under the keys listed in [`metadata`]. The same model
//! always gives the same bytes.
//!
//! ```
//! use vi3nr_inr::{BitDepth, ImageInfo, Model, SignalInfo};
//!
//! let network = vi3nr::Network::uniform(2, 16, 3, 3, "sine".parse()?)?;
//! let parameters = vec![0.5; network.parameter_count()];
//! let bit_depth = BitDepth::Eight;
//! let signal = SignalInfo::Image(ImageInfo { width: 64, height: 48, channels: 3, bit_depth });
//! let settings = serde_json::json!({"steps": 100});
//! let model = Model { network, parameters, signal, seed: 1, settings };
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
mod read;
mod write;

pub use error::ModelError;
pub use initial::InitialWeights;

use std::ops::Range;

use vi3nr::{Layer, Network};

use crate::signal::SignalInfo;

/// A network with its parameters and all that is needed to decode or continue it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The shape and activation.
    pub network: Network,
    /// Weights and biases, in the order of [`Network::layers`].
    pub parameters: Vec<f32>,
    /// What it was fitted to.
    pub signal: SignalInfo,
    /// The seed of its initial weights and of its training.
    pub seed: u64,
    /// How it was trained: not read here, only kept.
    pub settings: serde_json::Value,
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
            .or_else(|| metadata::mismatch(&self.network, &self.signal))
    }
}

/// Which parameter is no finite number, if any is not.
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
