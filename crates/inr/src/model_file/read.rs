//! Reading model files, which are not trusted.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;
use vi3nr::Network;
use vi3nr::printable::excerpt;

use super::metadata::PiecesEntry;
use super::{
    Body, InitialFile, Model, ModelError, Storage, Tensor, initial, metadata, not_finite, pieces,
    tensors,
};

/// The longest header that is read, in bytes. A network with the largest number of layers needs a
/// fiftieth of it.
const MAX_HEADER: u64 = 1 << 24;

/// The content of a model file or a file of initial weights.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelFile {
    /// A trained model.
    Trained(Model),
    /// Initial weights.
    Initial(InitialFile),
}

/// The file name of the model inside a run directory.
const RUN_MODEL: &str = "model.safetensors";
/// The file name of the record inside a run directory.
const RUN_RECORD: &str = "run.json";

impl ModelFile {
    /// Reads a model or initial weights. If `path` is a run directory, its model is read.
    ///
    /// Memory is allocated only for parameters that the file is long enough to hold.
    ///
    /// # Errors
    /// Returns [`ModelError::Read`] if the file cannot be read, [`ModelError::NotSafetensors`] or
    /// [`ModelError::Foreign`] if it is not a file of this program, [`ModelError::Future`] if it
    /// comes from a newer version, and [`ModelError::Metadata`] or [`ModelError::Damaged`] if it is
    /// damaged, truncated or describes an impossible network.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let inside = path.join(RUN_MODEL);
        let path = if path.is_dir() && inside.exists() { &inside } else { path };
        let unreadable = |source| ModelError::Read { path: path.to_owned(), source };
        // Checked before opening, since opening a pipe blocks until it has a writer.
        let about = fs::metadata(path).map_err(unreadable)?;
        if !about.is_file() {
            let kind = match (about.is_dir(), path.join(RUN_RECORD).exists()) {
                (true, true) => "the directory of a run that has no model yet",
                (true, false) => "a directory without a model",
                (false, _) => "not a regular file",
            };
            return Err(unreadable(io::Error::other(format!("it is {kind}"))));
        }
        let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
        let (header, header_length) = read_header(&mut reader, path, about.len())?;

        let (mut file, pieces) = describe(&header, path)?;
        let damaged = |reason| ModelError::Damaged { path: path.to_owned(), reason };
        let start = 8 + header_length;
        let expected = start + header.data_len() as u64;
        if about.len() != expected {
            let reason = format!("it has {} bytes; expected {expected}", about.len());
            return Err(damaged(reason));
        }
        if let (Self::Trained(model), Some(entry)) = (&mut file, pieces) {
            let activation = model.network().activation().clone();
            let source = (path, reader.into_inner(), start);
            let read = pieces::read(&header, entry, &activation, model.signal.axes(), source);
            let (set, storage) = read.map_err(damaged)?;
            (model.body, model.storage) = (Body::Pieces(set), storage);
            return model.problem().map_or(Ok(file), |reason| Err(damaged(reason)));
        }
        let (ranges, storage) = tensor_ranges(&header, file.network()).map_err(damaged)?;
        let mut parameters = vec![0.0; file.network().parameter_count()];
        for range in ranges {
            read_floats(&mut reader, storage, &mut parameters[range]).map_err(unreadable)?;
        }
        let problem = match &mut file {
            Self::Trained(model) => {
                model.storage = storage;
                model.body = Body::Network { network: model.network().clone(), parameters };
                model.problem()
            }
            Self::Initial(initial) => {
                initial.parameters = parameters;
                not_finite(&initial.network, &initial.parameters)
            }
        };
        problem.map_or(Ok(file), |reason| Err(damaged(reason)))
    }

    /// The shape and activation of the network; for a model in pieces, that of the first piece.
    pub fn network(&self) -> &Network {
        match self {
            Self::Trained(model) => model.network(),
            Self::Initial(initial) => &initial.network,
        }
    }
}

impl Model {
    /// Reads a model. Initial weights are read as a model of a default-sized signal of the kind
    /// that matches their inputs and outputs.
    ///
    /// # Errors
    /// Returns the errors of [`ModelFile::load`], and [`ModelError::NoSignal`] for initial weights
    /// whose inputs and outputs match no kind of signal.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        match ModelFile::load(path)? {
            ModelFile::Trained(model) => Ok(model),
            ModelFile::Initial(initial) => initial.into_model(path),
        }
    }
}

/// The header and its length in bytes.
fn read_header(
    reader: &mut impl Read,
    path: &Path,
    file_length: u64,
) -> Result<(Metadata, u64), ModelError> {
    let refuse = |reason| ModelError::NotSafetensors { path: path.to_owned(), reason };
    let unreadable = |source| ModelError::Read { path: path.to_owned(), source };
    if file_length < 8 {
        return Err(refuse(format!("it has {file_length} bytes; expected at least 8")));
    }
    let mut length = [0; 8];
    reader.read_exact(&mut length).map_err(unreadable)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        let reason = format!(
            "its first 8 bytes announce a header of {length} bytes; expected at most {MAX_HEADER}"
        );
        return Err(refuse(reason));
    }
    if length > file_length - 8 {
        let left = file_length - 8;
        return Err(refuse(format!("its header has {length} bytes, but only {left} follow")));
    }
    let mut text = vec![0; length as usize];
    reader.read_exact(&mut text).map_err(unreadable)?;
    let header = serde_json::from_slice(&text)
        .map_err(|error| refuse(format!("its header cannot be read: {error}")))?;
    Ok((header, length))
}

/// The model or initial weights that the metadata describes, without parameters, and the entry
/// `pieces` of a model in pieces.
fn describe(
    header: &Metadata,
    path: &Path,
) -> Result<(ModelFile, Option<PiecesEntry>), ModelError> {
    let foreign = |seen| ModelError::Foreign { path: path.to_owned(), seen };
    let entries = header.metadata().as_ref().ok_or_else(|| foreign("no entries".into()))?;
    let unusable = |metadata::Problem { key, reason }| ModelError::Metadata {
        path: path.to_owned(),
        key,
        reason,
    };
    match entries.get("format") {
        Some(format) if format == metadata::FORMAT => {}
        Some(format) if format == initial::FORMAT => {
            let initial = InitialFile::describe(entries).map_err(unusable)?;
            return Ok((ModelFile::Initial(initial), None));
        }
        Some(format) => {
            return Err(foreign(format!("format = \"{}\"", excerpt(format, 20))));
        }
        None => return Err(foreign("no entry 'format'".into())),
    }
    let (found, known) = (metadata::version(entries).map_err(unusable)?, metadata::FORMAT_VERSION);
    if found > known {
        return Err(ModelError::Future { path: path.to_owned(), found, known });
    }
    let model = metadata::model(entries, found).map_err(unusable)?;
    Ok((ModelFile::Trained(model), metadata::pieces(entries).map_err(unusable)?))
}

/// The range of each tensor in the parameters, in the order of the file, and the number format.
fn tensor_ranges(
    header: &Metadata,
    network: &Network,
) -> Result<(Vec<Range<usize>>, Storage), String> {
    let mut ranges = Vec::new();
    let mut storage = None;
    for Tensor { name, shape, range } in tensors(network) {
        let info = header.info(&name).ok_or_else(|| format!("tensor {name} is missing"))?;
        let own = Storage::of_dtype(info.dtype);
        // All tensors have the format of the first.
        let is_known = own.is_some_and(|own| *storage.get_or_insert(own) == own);
        if !is_known || info.shape != shape {
            let found: Vec<usize> = info.shape.iter().copied().take(8).collect();
            let expected = storage.map_or(Dtype::F32, Storage::dtype);
            return Err(format!(
                "tensor {name} is {} of shape {found:?}; expected {expected} of shape {shape:?}",
                info.dtype
            ));
        }
        ranges.push((info.data_offsets.0, range));
    }
    let count = header.offset_keys().len();
    if count != ranges.len() {
        return Err(format!("it has {count} tensors; expected {}", ranges.len()));
    }
    ranges.sort_by_key(|(start, _)| *start);
    let ranges = ranges.into_iter().map(|(_, range)| range).collect();
    Ok((ranges, storage.unwrap_or_default()))
}

/// Reads little-endian numbers into `values`.
fn read_floats(reader: &mut impl Read, storage: Storage, values: &mut [f32]) -> io::Result<()> {
    let mut bytes = vec![0; values.len() * storage.bytes()];
    reader.read_exact(&mut bytes)?;
    let mut read = Vec::with_capacity(values.len());
    storage.decode(&bytes, &mut read);
    values.copy_from_slice(&read);
    Ok(())
}
