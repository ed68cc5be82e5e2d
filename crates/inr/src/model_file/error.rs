//! Errors of model files.

use std::io;
use std::path::PathBuf;

use vi3nr::printable::excerpt;

use crate::atomic_file::WriteError;

/// Why a model file cannot be read or written, with what was seen and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },

    /// The file is not a safetensors file, or its header is damaged.
    #[error("'{}' is not a safetensors file or is damaged: {}", path.display(), excerpt(reason, 300))]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },

    /// The file is a safetensors file but not one of this program.
    #[error(
        "'{}' is a safetensors file but not a vi3nr model: its metadata has {seen}; \
         expected format = \"vi3nr\"",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The format according to the metadata.
        seen: String,
    },

    /// The file was written by a newer version of this program.
    #[error(
        "'{}' has format version {found}, and this program reads up to version {known}: \
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

    /// An entry of the metadata is missing or invalid.
    #[error("'{}' is damaged: its metadata '{key}' {}", path.display(), excerpt(reason, 300))]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The key of the entry.
        key: &'static str,
        /// What was seen and what was expected.
        reason: String,
    },

    /// The tensors do not match the network, or a value is not finite.
    #[error("'{}' is damaged: {}", path.display(), excerpt(reason, 300))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },

    /// The model is in pieces, and the operation needs one network.
    #[error("'{}' is a model in pieces; expected one network", path.display())]
    Pieces {
        /// The file.
        path: PathBuf,
    },

    /// The model cannot be decoded and is therefore not written.
    #[error("cannot write '{}', since the model is invalid: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },

    /// The file holds initial weights of a network whose inputs and outputs match no kind of
    /// signal.
    #[error(
        "'{}' holds initial weights of a network that maps {inputs} numbers to {outputs}; expected \
         2 to 1 or 3 (an image), 1 to any (audio) or 3 to 1 (a shape)",
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
