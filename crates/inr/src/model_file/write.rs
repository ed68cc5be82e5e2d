//! From a network and its parameters to a file.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Serialize;
use vi3nr::Network;

use super::{Model, ModelError, Tensor, metadata};
use crate::atomic_file::write_atomically;

/// A safetensors header. Written here because the safetensors crate takes the metadata as a hash
/// map, whose order changes from run to run.
#[derive(Serialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

impl Model {
    /// Writes the model, atomically: see [`write_atomically`]. Equal models give equal bytes.
    ///
    /// # Errors
    /// Parameters that are not finite or do not fit the network, a network that does not fit the
    /// signal, or whatever the system reports.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        if let Some(reason) = self.problem() {
            return Err(ModelError::Broken { path: path.to_owned(), reason });
        }
        write_atomically(path, |writer| self.write(writer))?;
        Ok(())
    }

    pub(super) fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        tensors(writer, metadata::entries(self)?, &self.network, &self.parameters)
    }
}

/// Writes the length of the header in 8 bytes, the header, and the parameters in their own order.
pub(super) fn tensors(
    writer: &mut dyn Write,
    metadata: BTreeMap<&'static str, String>,
    network: &Network,
    parameters: &[f32],
) -> io::Result<()> {
    let mut header = serde_json::to_vec(&Header { metadata, tensors: places(network) })?;
    // The format wants the data to start at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    writer.write_all(&(header.len() as u64).to_le_bytes())?;
    writer.write_all(&header)?;
    for value in parameters {
        writer.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

/// The tensors and their places, which are those of the parameters.
fn places(network: &Network) -> BTreeMap<String, TensorInfo> {
    let info = |tensor: Tensor| {
        let data_offsets = (4 * tensor.place.start, 4 * tensor.place.end);
        (tensor.name, TensorInfo { dtype: Dtype::F32, shape: tensor.shape, data_offsets })
    };
    super::tensors(network).into_iter().map(info).collect()
}
