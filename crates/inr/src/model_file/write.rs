//! Writing model files.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use safetensors::tensor::TensorInfo;
use serde::Serialize;
use vi3nr::Network;

use super::{Body, Model, ModelError, Storage, Tensor, metadata, pieces};
use crate::atomic_file::write_atomically;

/// A safetensors header. It is serialized here because the safetensors crate takes the metadata as
/// a hash map, whose order is random.
#[derive(Serialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

impl Model {
    /// Writes the model atomically: see [`write_atomically`]. Equal models give equal bytes.
    ///
    /// # Errors
    /// Returns [`ModelError::Broken`] if parameters are not finite or do not match the network, or
    /// if the network does not match the signal, and [`ModelError::Write`] if the file cannot be
    /// written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        if let Some(reason) = self.problem() {
            return Err(ModelError::Broken { path: path.to_owned(), reason });
        }
        write_atomically(path, |writer| self.write(writer))?;
        Ok(())
    }

    pub(super) fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        let metadata = metadata::entries(self)?;
        match &self.body {
            Body::Network { network: shape, parameters } => {
                network(writer, metadata, shape, parameters, self.storage)
            }
            Body::Pieces(set) => pieces::write(writer, metadata, set, self.storage),
        }
    }
}

/// Writes the file of one network.
pub(super) fn network(
    writer: &mut dyn Write,
    metadata: BTreeMap<&'static str, String>,
    network: &Network,
    parameters: &[f32],
    storage: Storage,
) -> io::Result<()> {
    let size = storage.bytes();
    let info = |tensor: Tensor| {
        let data_offsets = (size * tensor.range.start, size * tensor.range.end);
        (tensor.name, TensorInfo { dtype: storage.dtype(), shape: tensor.shape, data_offsets })
    };
    header(writer, metadata, super::tensors(network).into_iter().map(info).collect())?;
    let mut bytes = Vec::with_capacity(size * parameters.len());
    storage.encode(parameters, &mut bytes);
    writer.write_all(&bytes)
}

/// Writes the length of the header in 8 bytes and the header.
pub(super) fn header(
    writer: &mut dyn Write,
    metadata: BTreeMap<&'static str, String>,
    tensors: BTreeMap<String, TensorInfo>,
) -> io::Result<()> {
    let mut header = serde_json::to_vec(&Header { metadata, tensors })?;
    // The format requires the data to start at a multiple of 8 bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    writer.write_all(&(header.len() as u64).to_le_bytes())?;
    writer.write_all(&header)
}
