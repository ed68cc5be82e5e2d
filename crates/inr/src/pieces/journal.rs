//! The fitted pieces of a run, in a file that grows by one record for each.
//!
//! The file begins with [`MAGIC`] and the plan of the run, followed by the pieces in the order in
//! which they ended. Every part is preceded by its length and a checksum, so that an incomplete
//! last record is detected and dropped.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vi3nr::Network;

use super::set::{Kinds, PieceSet, Places};
use super::train::{FittedPiece, PieceReport};
use crate::atomic_file::WriteError;
use crate::checkpoint::CheckpointError;
use crate::model_file::Storage;
use crate::plan::{FitPlan, differences_but_backend};

/// The file's name inside a run directory.
pub const PIECES_FILE: &str = "pieces.journal";
const MAGIC: &[u8; 16] = b"vi3nr pieces 1\n\0";
/// The maximum size of a part that is read.
const MAX_PART: u32 = 1 << 30;

/// The finished pieces of a run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// For each finished piece, the offset of its parameters and its report.
    records: Vec<Option<Record>>,
    end: u64,
}

#[derive(Debug, Clone)]
struct Record {
    /// The offset of the parameters, in bytes.
    offset: u64,
    network: Network,
    report: PieceReport,
}

/// The head of a record, before the parameters.
#[derive(Serialize, Deserialize)]
struct Head {
    dims: Vec<usize>,
    report: PieceReport,
}

impl Journal {
    /// Opens the journal at `path` of a run of `plan`, or creates one. An incomplete last record is
    /// dropped, and so are pieces that were not finished.
    ///
    /// # Errors
    /// Returns [`CheckpointError::Foreign`] if the journal is that of another plan, apart from its
    /// backend, and another [`CheckpointError`] if it cannot be read or written.
    pub fn open(path: &Path, plan: &FitPlan, pieces: usize) -> Result<Self, CheckpointError> {
        let unreadable = |source| CheckpointError::Read { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut journal = Self {
            path: path.to_owned(),
            file: file.map_err(unreadable)?,
            records: vec![None; pieces],
            end: 0,
        };
        let length = journal.file.metadata().map_err(unreadable)?.len();
        if length > 0 {
            journal.read(plan, length)?;
        }
        if journal.end == 0 {
            journal.file.set_len(0).map_err(unreadable)?;
            let head = [&MAGIC[..], &part(plan.canonical().as_bytes())].concat();
            journal.append(&head).map_err(unreadable)?;
        }
        Ok(journal)
    }

    fn read(&mut self, plan: &FitPlan, length: u64) -> Result<(), CheckpointError> {
        let path = self.path.clone();
        let unreadable = |source| CheckpointError::Read { path: path.clone(), source };
        let damaged = |reason: String| CheckpointError::Damaged { path: path.clone(), reason };
        let mut reader = BufReader::new(&self.file);
        let mut magic = [0; 16];
        let beginning = reader.read(&mut magic).map_err(unreadable)?;
        if magic[..beginning] != MAGIC[..beginning] {
            return Err(damaged("it does not begin as a journal of pieces".into()));
        }
        // A process that was killed while it wrote the beginning left no pieces.
        let Some(identity) = next_part(&mut reader, length - beginning as u64) else {
            return Ok(());
        };
        let kept: Value = serde_json::from_slice(&identity)
            .map_err(|error| damaged(format!("its plan cannot be read: {error}")))?;
        let differences = differences_but_backend(&kept, &plan.to_json());
        if !differences.is_empty() {
            return Err(CheckpointError::Foreign { path, differences });
        }
        let mut end = (MAGIC.len() + 8 + identity.len()) as u64;
        while let Some(payload) = next_part(&mut reader, length - end) {
            let (head, size) = head(&payload).map_err(damaged)?;
            let network = Network::new(head.dims, plan.network.activation().clone());
            let network = network.map_err(|error| damaged(error.to_string()))?;
            let index = head.report.index;
            let expected = size + 4 * network.parameter_count();
            let slot = self.records.get_mut(index).filter(|_| payload.len() == expected);
            let Some(slot) = slot else {
                let reason = format!("its record of piece {index} is not one of this run");
                return Err(damaged(reason));
            };
            let offset = end + 8 + size as u64;
            let is_finished = head.report.is_finished();
            *slot = is_finished.then_some(Record { offset, network, report: head.report });
            end += 8 + payload.len() as u64;
        }
        drop(reader);
        self.file.set_len(end).map_err(unreadable)?;
        self.end = end;
        Ok(())
    }

    /// Adds a piece, which replaces an earlier record of it.
    ///
    /// # Errors
    /// Returns [`CheckpointError::Write`] with the error of the system.
    pub fn add(&mut self, piece: FittedPiece) -> Result<(), CheckpointError> {
        let FittedPiece { report, network, parameters } = piece;
        let head = Head { dims: network.dims().to_vec(), report };
        let path = self.path.clone();
        let failed = |source| CheckpointError::Write(WriteError { path: path.clone(), source });
        let text = serde_json::to_vec(&head).map_err(|error| failed(error.into()))?;
        let mut payload = (text.len() as u32).to_le_bytes().to_vec();
        payload.extend(&text);
        let offset = self.end + 8 + payload.len() as u64;
        Storage::F32.encode(&parameters, &mut payload);
        self.append(&part(&payload)).map_err(failed)?;
        let index = head.report.index;
        if let Some(slot) = self.records.get_mut(index) {
            *slot = Some(Record { offset, network, report: head.report });
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        // In a single write, so that nothing is buffered if the process is killed.
        self.file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// The reports of the pieces in the journal, in order.
    pub fn reports(&self) -> impl Iterator<Item = &PieceReport> {
        self.records.iter().flatten().map(|record| &record.report)
    }

    /// The pieces that are missing from the journal.
    pub fn missing(&self) -> Vec<usize> {
        (0..self.records.len()).filter(|index| self.records[*index].is_none()).collect()
    }

    /// All pieces as a set that reads its parameters from the journal.
    ///
    /// # Errors
    /// Returns [`CheckpointError::Read`] if the file cannot be opened once more, and
    /// [`CheckpointError::Damaged`] if pieces are missing.
    pub fn set(&self, plan: &FitPlan, axes: &[usize]) -> Result<PieceSet, CheckpointError> {
        let path = self.path.clone();
        let file = File::open(&path)
            .map_err(|source| CheckpointError::Read { path: path.clone(), source })?;
        let damaged = |reason| CheckpointError::Damaged { path: path.clone(), reason };
        let grid = plan.pieces.as_ref().map(|pieces| pieces.grid.clone());
        let grid = grid.ok_or_else(|| damaged("its plan has no pieces".into()))?;
        let mut kinds = Kinds::default();
        let mut offsets = Vec::with_capacity(self.records.len());
        for record in self.records.iter().flatten() {
            kinds.push(&record.network);
            offsets.push(record.offset);
        }
        let (axes, places) = (axes.to_vec(), Places::Whole(offsets));
        PieceSet::in_file(grid, axes, kinds, (&path, file), Storage::F32, places).map_err(damaged)
    }
}

/// Length, checksum and content.
fn part(content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32).to_le_bytes().to_vec();
    bytes.extend(crc32fast::hash(content).to_le_bytes());
    bytes.extend(content);
    bytes
}

/// The next part of a file of which `left` bytes remain, if it is complete.
fn next_part(reader: &mut impl Read, left: u64) -> Option<Vec<u8>> {
    let mut numbers = [0; 8];
    reader.read_exact(&mut numbers).ok()?;
    let [a, b, c, d, e, f, g, h] = numbers;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > MAX_PART || u64::from(length) + 8 > left {
        return None;
    }
    let mut content = vec![0; length as usize];
    reader.read_exact(&mut content).ok()?;
    (crc32fast::hash(&content) == u32::from_le_bytes([e, f, g, h])).then_some(content)
}

/// The head of a record, and its size in bytes.
fn head(payload: &[u8]) -> Result<(Head, usize), String> {
    let short = || "a record has no head".to_owned();
    let (length, rest) = payload.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let text = rest.get(..length).ok_or_else(short)?;
    let head = serde_json::from_slice(text).map_err(|error| format!("a record: {error}"))?;
    Ok((head, 4 + length))
}
