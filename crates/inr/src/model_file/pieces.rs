//! The tensors of a model in pieces: pieces with the same shape of network share a tensor.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use vi3nr::{Activation, Network};

use super::metadata::PiecesEntry;
use super::{Storage, Tensor, tensors, write};
use crate::pieces::{Kinds, PieceSet, Places};

/// The name of a tensor of the networks with shape number `shape`.
fn name(shape: usize, tensor: &str) -> String {
    format!("pieces.{shape}.{tensor}")
}

/// The name of the tensor with the indices of the pieces of shape number `shape`.
fn index_name(shape: usize) -> String {
    name(shape, "index")
}

/// Writes the file of a model in pieces, tensor by tensor, with at most one piece in memory.
pub(super) fn write(
    writer: &mut dyn Write,
    metadata: BTreeMap<&'static str, String>,
    set: &PieceSet,
    storage: Storage,
) -> io::Result<()> {
    let networks = set.networks();
    let mut infos = BTreeMap::new();
    let mut end = 0;
    let mut add = |name: String, dtype: Dtype, shape: Vec<usize>, bytes: usize| {
        let data_offsets = (end, end + bytes);
        end += bytes;
        infos.insert(name, TensorInfo { dtype, shape, data_offsets });
    };
    for (shape, (network, count)) in networks.iter().enumerate() {
        for tensor in tensors(network) {
            let bytes = count * tensor.range.len() * storage.bytes();
            let dims = [&[*count], &tensor.shape[..]].concat();
            add(name(shape, &tensor.name), storage.dtype(), dims, bytes);
        }
        add(index_name(shape), Dtype::I32, vec![*count], 4 * count);
    }
    write::header(writer, metadata, infos)?;
    for (shape, (network, _)) in networks.iter().enumerate() {
        let own = || (0..set.piece_count()).filter(|index| set.kinds()[*index] as usize == shape);
        for Tensor { range, .. } in tensors(network) {
            for index in own() {
                let mut bytes = Vec::with_capacity(range.len() * storage.bytes());
                storage.encode(&set.part(index, range.clone())?, &mut bytes);
                writer.write_all(&bytes)?;
            }
        }
        for index in own() {
            writer.write_all(&(index as i32).to_le_bytes())?;
        }
    }
    Ok(())
}

/// The set that the header of `file` describes, whose tensors begin after `start` bytes. The error
/// says what is wrong with the file.
pub(super) fn read(
    header: &Metadata,
    entry: PiecesEntry,
    activation: &Activation,
    axes: Vec<usize>,
    (path, file, start): (&Path, File, u64),
) -> Result<(PieceSet, Storage), String> {
    let PiecesEntry { grid, networks } = entry;
    if let Some(problem) = grid.problem(&axes) {
        return Err(problem);
    }
    let mut reader = &file;
    let count = grid.piece_count();
    let mut kinds = Vec::new();
    let mut rows = Vec::new();
    let (mut stacked, mut shapes) = (Vec::new(), Vec::new());
    let mut storage = None;
    let mut expected = 0;
    let mut filled = 0;
    for (shape, dims) in networks.into_iter().enumerate() {
        let network = Network::new(dims, activation.clone()).map_err(|error| error.to_string())?;
        let missing = |name: &str| format!("tensor {name} is missing");
        let index = index_name(shape);
        let info = header.info(&index).ok_or_else(|| missing(&index))?;
        let own = match info.shape[..] {
            [own] if info.dtype == Dtype::I32 => own,
            _ => return Err(format!("tensor {index} is not a list of I32")),
        };
        filled += own;
        if filled > count {
            return Err(format!("it has more than {count} pieces"));
        }
        // Allocated only after this check: the file is known to be as long as its header says.
        kinds.resize(count, u32::MAX);
        rows.resize(count, 0);
        let numbers = read_indices(&mut reader, start + info.data_offsets.0 as u64, own)
            .map_err(|error| error.to_string())?;
        for (row, number) in numbers.into_iter().enumerate() {
            match usize::try_from(number).ok().and_then(|number| kinds.get_mut(number)) {
                Some(kind) if *kind == u32::MAX => *kind = shape as u32,
                _ => {
                    return Err(format!("tensor {index} has piece {number} twice or out of range"));
                }
            }
            rows[number as usize] = row as u32;
        }
        let mut offsets = Vec::new();
        for tensor in tensors(&network) {
            let name = name(shape, &tensor.name);
            let info = header.info(&name).ok_or_else(|| missing(&name))?;
            let dims = [&[own], &tensor.shape[..]].concat();
            let format =
                Storage::of_dtype(info.dtype).filter(|own| *storage.get_or_insert(*own) == *own);
            if format.is_none() || info.shape != dims {
                return Err(format!(
                    "tensor {name} is {} of shape {:?}; expected one format and shape {dims:?}",
                    info.dtype, info.shape
                ));
            }
            offsets.push((start + info.data_offsets.0 as u64, tensor.range.len()));
        }
        expected += offsets.len() + 1;
        stacked.push(offsets);
        shapes.push(network);
    }
    if filled != count {
        return Err(format!("it has {filled} pieces; expected {count}"));
    }
    let found = header.offset_keys().len();
    if found != expected {
        return Err(format!("it has {found} tensors; expected {expected}"));
    }
    let kinds = Kinds::known(shapes, kinds);
    let storage = storage.unwrap_or_default();
    let places = Places::Stacked { rows, tensors: stacked };
    let set = PieceSet::in_file(grid, axes, kinds, (path, file), storage, places)?;
    Ok((set, storage))
}

fn read_indices(file: &mut &File, offset: u64, count: usize) -> io::Result<Vec<i32>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; 4 * count];
    file.read_exact(&mut bytes)?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
}
