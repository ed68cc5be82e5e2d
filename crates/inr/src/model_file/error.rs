//! What can be wrong with a model file.

use std::io;
use std::path::PathBuf;

use crate::atomic_file::WriteError;

/// Everything that is refused about a model file, with what was seen and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The system did not let the file be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The content is not that of a safetensors file, or its start is damaged.
    #[error("'{}' is not a safetensors file or is damaged: {reason}", path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },

    /// A safetensors file that holds something else.
    #[error(
        "'{}' is a safetensors file but not a vi3nr model: its metadata has {seen}; \
         expected format = \"vi3nr\"",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What the metadata says about its format.
        seen: String,
    },

    /// A file written by a newer version of this program.
    #[error(
        "'{}' has format version {found}, this program reads up to version {known}: \
         upgrade vi3nr to open it",
        path.display()
    )]
    Future {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version that can be read.
        known: u32,
    },

    /// Metadata that is absent or makes no sense.
    #[error("'{}' is damaged: its metadata '{key}' {reason}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Which entry.
        key: &'static str,
        /// What was seen and what was expected.
        reason: String,
    },

    /// Tensors that do not fit the network, or values that no network can have.
    #[error("'{}' is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },

    /// A model in pieces where one network is needed.
    #[error("'{}' is a model in pieces; expected one network", path.display())]
    Pieces {
        /// The file.
        path: PathBuf,
    },

    /// A model that cannot be decoded and is therefore not written.
    #[error("'{}' is not written, since the model is broken: {reason}", path.display())]
    Broken {
        /// The file asked for.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },

    /// Initial weights of a network that maps no kind of signal.
    #[error(
        "'{}' holds initial weights of a network that maps {inputs} numbers to {outputs}; no signal has \
         such points, expected 2 to 1 or 3 (an image), 1 to any (audio) or 3 to 1 (a shape)",
        path.display()
    )]
    NoSignal {
        /// The file.
        path: PathBuf,
        /// The network's inputs.
        inputs: usize,
        /// The network's outputs.
        outputs: usize,
    },

    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
