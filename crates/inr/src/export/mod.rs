//! Models for other programs: a network as an ONNX file.
//!
//! The graph has the input `coordinates`, float32 of shape (n, inputs), and the output `values`,
//! float32 of shape (n, outputs), for any n. Weights and biases are stored in float32 under their
//! names in a model file (`net.{i}.weight`, `net.{i}.bias`), each layer is the operation `Gemm`, and
//! an activation, built-in or formula, is a few elementwise operations. The metadata entries are
//! those of the model file ([`crate::model_file::metadata`]), so that a program can compute the
//! coordinates of a pixel or sample.
//!
//! A runtime that computes in float32 gives the values of [`decode`](mod@crate::decode) up to the
//! rounding of float32, which is larger for functions that multiply their rounding, such as sin(30x)
//! in several layers.
//!
//! ```
//! use vi3nr_inr::export::OnnxModel;
//! use vi3nr_inr::fit::Fitting;
//! use vi3nr_inr::signal::image::test_image;
//!
//! let fit = Fitting::of(&test_image(16)?).width(8).layers(2).steps(5).run()?;
//! let onnx = OnnxModel::new(&fit.model)?;
//! assert_eq!((onnx.inputs, onnx.outputs), (2, 3));
//! assert!(onnx.to_bytes().len() > 4 * onnx.parameters);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod function;
mod graph;
mod protobuf;
mod range;

use std::path::Path;

use crate::atomic_file::{WriteError, write_atomically};
use crate::model_file::{Body, Model, Tensor, metadata, tensors};
use crate::request::RequestError;
use function::Steps;
use graph::{Graph, Port};

/// Why a model cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The name of the file has another extension.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The model is in pieces.
    #[error(
        "the model has {count} pieces, each with a network of its own; expected one network, as a \
         fit without pieces gives"
    )]
    Pieces {
        /// The number of pieces.
        count: usize,
    },
    /// The model cannot be decoded either.
    #[error("the model is invalid: {reason}")]
    Broken {
        /// What was seen and what was expected.
        reason: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A network as an ONNX model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OnnxModel {
    /// The number of coordinates of a point.
    pub inputs: usize,
    /// The number of values at a point.
    pub outputs: usize,
    /// The number of weights and biases.
    pub parameters: usize,
    /// The number of operations.
    pub operations: usize,
    bytes: Vec<u8>,
}

impl OnnxModel {
    /// The version of ONNX's operators that the model needs.
    ///
    /// It is not the newest, so that older runtimes can read the model: ONNX Runtime does since
    /// version 1.17 of 2024. No later version of the operators adds anything that a network needs.
    pub const OPSET: u64 = graph::OPSET;

    /// Translates a model. Equal models give equal bytes.
    ///
    /// # Errors
    /// Returns [`ExportError::Pieces`] if the model is in pieces, and [`ExportError::Broken`] if its
    /// parameters are not finite or do not match the network, or if the network does not match the
    /// signal.
    pub fn new(model: &Model) -> Result<Self, ExportError> {
        let broken = |reason: String| ExportError::Broken { reason };
        if let Some(reason) = model.problem() {
            return Err(broken(reason));
        }
        let (network, parameters) = match &model.body {
            Body::Network { network, parameters } => (network, parameters),
            Body::Pieces(set) => return Err(ExportError::Pieces { count: set.piece_count() }),
        };
        let metadata = metadata::entries(model).map_err(|error| broken(error.to_string()))?;
        let activation =
            network.activation().to_formula().map_err(|error| broken(error.to_string()))?;
        let activation = Steps::of(&activation);

        let input = Port {
            name: "coordinates",
            width: network.inputs(),
            description: model.signal.coordinate_range(model.input_scale),
        };
        let output = Port {
            name: "values",
            width: network.outputs(),
            description: model.signal.value_range().to_owned(),
        };
        let mut graph = Graph::default();
        for Tensor { name, shape, range } in tensors(network) {
            graph.tensor(name, shape, parameters[range].to_vec());
        }
        let mut x = input.name.to_owned();
        for layer in network.layers() {
            let prefix = format!("net.{}", layer.index);
            let [weight, bias] = ["weight", "bias"].map(|name| format!("{prefix}.{name}"));
            let is_last = layer.index + 1 == network.layer_count();
            let sum = if is_last { output.name.into() } else { format!("{prefix}.sum") };
            // Weights are stored as (fan-out, fan-in).
            x = graph.node("Gemm", &[&x, &weight, &bias], sum, &[("transB", 1)]);
            if !is_last {
                x = activation.add_to(&mut graph, &x, &format!("{prefix}.activation"));
            }
        }
        Ok(Self {
            inputs: network.inputs(),
            outputs: network.outputs(),
            parameters: network.parameter_count(),
            operations: graph.nodes.len(),
            bytes: graph.into_file(&input, &output, metadata),
        })
    }

    /// The content of an ONNX file.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes the file atomically: see [`write_atomically`].
    ///
    /// # Errors
    /// Returns [`ExportError::Request`] if the name has an extension other than `.onnx`, and
    /// [`ExportError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ExportError> {
        if path.extension().is_some_and(|own| !own.eq_ignore_ascii_case("onnx")) {
            let seen = format!("'{}'", path.display());
            return Err(RequestError::new("out", seen, "a name that ends with .onnx").into());
        }
        Ok(write_atomically(path, |writer| writer.write_all(&self.bytes))?)
    }
}

/// Writes a model to the ONNX file `path` and returns what was written.
///
/// # Errors
/// Returns the errors of [`OnnxModel::new`] and [`OnnxModel::save`].
pub fn export_onnx(model: &Model, path: &Path) -> Result<OnnxModel, ExportError> {
    let onnx = OnnxModel::new(model)?;
    onnx.save(path)?;
    Ok(onnx)
}

#[cfg(test)]
mod tests;
