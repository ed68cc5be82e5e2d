//! Checkpoints on disk.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, CheckpointError};
use crate::atomic_file::write_atomically;
use crate::bounded_read::read_at_most;
use crate::optimiser::OptimiserState;
use crate::train::{Best, EpochMean, Progress, TrainState};

const FORMAT: &str = "vi3nr-checkpoint-1";
/// Most bytes that are read: a hundred million parameters with two optimiser states in double
/// precision take a quarter of it.
const MOST_BYTES: u64 = 1 << 33;
/// Numbers of a row of the log.
const ROW: usize = 6;

/// What is no array.
#[derive(Debug, Serialize, Deserialize)]
struct Rest {
    step: u64,
    /// Steps at most, which the rows of the log repeat.
    steps: u64,
    points_seen: u64,
    operations: f64,
    elapsed: Duration,
    epoch: EpochMean,
    best: Option<(f64, u64)>,
    counters: BTreeMap<String, u64>,
    settings: serde_json::Value,
}

/// Arrays by their names, as bytes.
type Arrays = BTreeMap<String, (Dtype, Vec<u8>)>;

impl Checkpoint {
    /// Writes the checkpoint, atomically: whatever happens, the one before or this one is there.
    ///
    /// # Errors
    /// What the system reports.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let bytes = self.to_bytes();
        write_atomically(path, |writer| writer.write_all(&bytes))?;
        Ok(())
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// A file that cannot be read, is no checkpoint, is cut short or changed.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = read_at_most(path, MOST_BYTES)
            .map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
            .map_err(|reason| CheckpointError::Damaged { path: path.to_owned(), reason })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let TrainState { step, points_seen, operations, elapsed, ref epoch, .. } = self.state;
        let rest = Rest {
            step,
            steps: self.log.first().map_or(0, |row| row.steps),
            points_seen,
            operations,
            elapsed,
            epoch: epoch.clone(),
            best: self.state.best.as_ref().map(|best| (best.loss, best.step)),
            counters: self.state.optimiser.counters.clone(),
            settings: self.settings.clone(),
        };
        // Plain numbers and strings: nothing that JSON cannot hold.
        let rest = serde_json::to_string(&rest).unwrap_or_default();
        let mut arrays = Arrays::new();
        let mut single = |name: String, values: &[f32]| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            arrays.insert(name, (Dtype::F32, bytes));
        };
        single("parameters".into(), &self.state.parameters);
        if let Some(best) = &self.state.best {
            single("best".into(), &best.parameters);
        }
        for (name, values) in &self.state.optimiser.single {
            single(format!("single.{name}"), values);
        }
        let mut double = |name: String, values: &[f64]| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            arrays.insert(name, (Dtype::F64, bytes));
        };
        for (name, values) in &self.state.optimiser.double {
            double(format!("double.{name}"), values);
        }
        double("log".into(), &self.log.iter().flat_map(numbers).collect::<Vec<_>>());
        let checksum = checksum(&rest, arrays.iter().map(|(name, (_, b))| (name.as_str(), &b[..])));
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("checksum".to_owned(), checksum),
            ("state".to_owned(), rest),
        ]);
        let views = arrays.iter().filter_map(|(name, (dtype, bytes))| {
            let count = bytes.len() * 8 / dtype.bitsize();
            Some((name, TensorView::new(*dtype, vec![count], bytes).ok()?))
        });
        // Only views that do not fit their bytes are refused.
        safetensors::serialize(views, Some(metadata)).unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = |error: safetensors::SafeTensorError| error.to_string();
        let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let entries = header.metadata().as_ref().ok_or("it has no metadata")?;
        let entry = |name: &str| entries.get(name).ok_or(format!("it has no entry '{name}'"));
        let format = entry("format")?;
        if format != FORMAT {
            return Err(format!("its format is '{format:.40}', expected '{FORMAT}'"));
        }
        let rest = entry("state")?;
        let mut named: BTreeMap<&str, TensorView<'_>> = BTreeMap::new();
        for name in tensors.names() {
            named.insert(name, tensors.tensor(name).map_err(text)?);
        }
        if *entry("checksum")? != checksum(rest, named.iter().map(|(n, t)| (*n, t.data()))) {
            return Err("its checksum is not that of its content".into());
        }
        let rest: Rest = serde_json::from_str(rest).map_err(|error| error.to_string())?;
        let mut optimiser = OptimiserState { counters: rest.counters, ..OptimiserState::default() };
        for (name, tensor) in &named {
            if let Some(own) = name.strip_prefix("single.") {
                optimiser.single.insert(own.into(), singles(tensor));
            } else if let Some(own) = name.strip_prefix("double.") {
                optimiser.double.insert(own.into(), doubles(tensor));
            }
        }
        let array = |name: &str| named.get(name).ok_or(format!("it has no tensor '{name}'"));
        let best = match rest.best {
            None => None,
            Some((loss, step)) => Some(Best { loss, step, parameters: singles(array("best")?) }),
        };
        let log = doubles(array("log")?);
        let row = |row: &[f64]| Progress {
            step: row[0] as u64,
            steps: rest.steps,
            loss: row[1],
            learning_rate: row[2],
            points_seen: row[3] as u64,
            operations: row[4],
            elapsed: Duration::try_from_secs_f64(row[5]).unwrap_or_default(),
        };
        Ok(Self {
            settings: rest.settings,
            log: log.chunks_exact(ROW).map(row).collect(),
            state: TrainState {
                step: rest.step,
                points_seen: rest.points_seen,
                operations: rest.operations,
                elapsed: rest.elapsed,
                epoch: rest.epoch,
                best,
                parameters: singles(array("parameters")?),
                optimiser,
            },
        })
    }
}

fn numbers(row: &Progress) -> [f64; ROW] {
    let Progress { step, loss, learning_rate, points_seen, operations, elapsed, .. } = *row;
    let seconds = elapsed.as_secs_f64();
    [step as f64, loss, learning_rate, points_seen as f64, operations, seconds]
}

fn singles(tensor: &TensorView<'_>) -> Vec<f32> {
    let (numbers, _) = tensor.data().as_chunks();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn doubles(tensor: &TensorView<'_>) -> Vec<f64> {
    let (numbers, _) = tensor.data().as_chunks();
    numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

/// CRC-32 of all content, the arrays in the order of their names.
fn checksum<'a>(rest: &str, arrays: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(rest.as_bytes());
    for (name, bytes) in arrays {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    format!("{:08x}", hasher.finalize())
}
