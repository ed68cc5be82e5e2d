//! Checkpoints on disk.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::time::Duration;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Checkpoint, CheckpointError, Identity};
use crate::atomic_file::write_atomically;
use crate::bounded_read::read_at_most;
use crate::optimizer::OptimizerState;
use crate::points::TermLosses;
use crate::request::FitRequest;
use crate::train::{Best, EpochMean, Progress, TrainState};

const FORMAT: &str = "vi3nr-checkpoint-2";
/// The format of version 1, which stored an identity of the run under `settings` instead of the
/// plan.
const FORMAT_1: &str = "vi3nr-checkpoint-1";
/// The largest file that is read, in bytes. A hundred million parameters with two optimizer states
/// in double precision take a quarter of it.
const MAX_BYTES: u64 = 1 << 33;
/// The number of values in a row of the log.
const ROW: usize = 6;

/// Everything in a checkpoint that is not an array.
#[derive(Debug, Serialize, Deserialize)]
struct Rest {
    step: u64,
    /// The maximum number of steps, as in every row of the log.
    steps: u64,
    points_seen: u64,
    operations: f64,
    elapsed: Duration,
    epoch: EpochMean,
    best: Option<(f64, u64)>,
    counters: BTreeMap<String, u64>,
    /// The plan; in version 1, the identity of the run.
    #[serde(alias = "settings")]
    plan: Value,
    #[serde(default)]
    request: Option<FitRequest>,
}

/// The type and the bytes of each array, by name.
type Arrays = BTreeMap<String, (Dtype, Vec<u8>)>;

impl Checkpoint {
    /// Writes the checkpoint atomically: at any time, `path` holds the previous checkpoint or this
    /// one.
    ///
    /// # Errors
    /// Returns [`CheckpointError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        write_atomically(path, |writer| writer.write_all(&self.to_bytes()?))?;
        Ok(())
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// Returns [`CheckpointError::Read`] if the file cannot be read, and
    /// [`CheckpointError::Damaged`] if it is not a checkpoint, is truncated or has been changed.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = read_at_most(path, MAX_BYTES)
            .map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
            .map_err(|reason| CheckpointError::Damaged { path: path.to_owned(), reason })
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let (Identity::Plan(plan) | Identity::Version1(plan)) = self.identity.clone();
        let TrainState { step, points_seen, operations, elapsed, ref epoch, .. } = self.state;
        let rest = Rest {
            step,
            steps: self.log.first().map_or(0, |row| row.steps),
            points_seen,
            operations,
            elapsed,
            epoch: epoch.clone(),
            best: self.state.best.as_ref().map(|best| (best.loss, best.step)),
            counters: self.state.optimizer.counters.clone(),
            plan,
            request: self.request.clone(),
        };
        let rest = serde_json::to_string(&rest).map_err(io::Error::other)?;
        let mut arrays = Arrays::new();
        let mut single = |name: String, values: &[f32]| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            arrays.insert(name, (Dtype::F32, bytes));
        };
        single("parameters".into(), &self.state.parameters);
        if let Some(best) = &self.state.best {
            single("best".into(), &best.parameters);
        }
        for (name, values) in &self.state.optimizer.single {
            single(format!("single.{name}"), values);
        }
        let mut double = |name: String, values: &[f64]| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            arrays.insert(name, (Dtype::F64, bytes));
        };
        for (name, values) in &self.state.optimizer.double {
            double(format!("double.{name}"), values);
        }
        double("log".into(), &self.log.iter().flat_map(numbers).collect::<Vec<_>>());
        let terms: Vec<f64> = self.log.iter().flat_map(|row| row.terms.to_vec()).collect();
        if !terms.is_empty() {
            double("log.terms".into(), &terms);
        }
        let checksum = checksum(&rest, arrays.iter().map(|(name, (_, b))| (name.as_str(), &b[..])));
        let format = match self.identity {
            Identity::Plan(_) => FORMAT,
            Identity::Version1(_) => FORMAT_1,
        };
        let metadata = HashMap::from([
            ("format".to_owned(), format.to_owned()),
            ("checksum".to_owned(), checksum),
            ("state".to_owned(), rest),
        ]);
        let mut views = Vec::new();
        for (name, (dtype, bytes)) in &arrays {
            let count = bytes.len() * 8 / dtype.bitsize();
            let view = TensorView::new(*dtype, vec![count], bytes).map_err(io::Error::other)?;
            views.push((name, view));
        }
        safetensors::serialize(views, Some(metadata)).map_err(io::Error::other)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = |error: safetensors::SafeTensorError| error.to_string();
        let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let entries = header.metadata().as_ref().ok_or("it has no metadata")?;
        let entry = |name: &str| entries.get(name).ok_or(format!("it has no entry '{name}'"));
        let format = entry("format")?;
        if format != FORMAT && format != FORMAT_1 {
            return Err(format!("its format is '{format:.40}', expected '{FORMAT}'"));
        }
        let rest = entry("state")?;
        let mut named: BTreeMap<&str, TensorView<'_>> = BTreeMap::new();
        for name in tensors.names() {
            named.insert(name, tensors.tensor(name).map_err(text)?);
        }
        if *entry("checksum")? != checksum(rest, named.iter().map(|(n, t)| (*n, t.data()))) {
            return Err("its checksum does not match its content".into());
        }
        let rest: Rest = serde_json::from_str(rest).map_err(|error| error.to_string())?;
        let mut optimizer = OptimizerState { counters: rest.counters, ..OptimizerState::default() };
        for (name, tensor) in &named {
            if let Some(own) = name.strip_prefix("single.") {
                optimizer.single.insert(own.into(), singles(tensor));
            } else if let Some(own) = name.strip_prefix("double.") {
                optimizer.double.insert(own.into(), doubles(tensor));
            }
        }
        let array = |name: &str| named.get(name).ok_or(format!("it has no tensor '{name}'"));
        let best = match rest.best {
            None => None,
            Some((loss, step)) => Some(Best { loss, step, parameters: singles(array("best")?) }),
        };
        let log = doubles(array("log")?);
        let terms = named.get("log.terms").map(doubles).unwrap_or_default();
        let per_row = terms.len() / (log.len() / ROW).max(1);
        let row = |(index, row): (usize, &[f64])| Progress {
            step: row[0] as u64,
            steps: rest.steps,
            loss: row[1],
            terms: TermLosses::new(&terms[index * per_row..][..per_row]),
            learning_rate: row[2],
            points_seen: row[3] as u64,
            operations: row[4],
            elapsed: Duration::try_from_secs_f64(row[5]).unwrap_or_default(),
        };
        let identity = match format == FORMAT {
            true => Identity::Plan(rest.plan),
            false => Identity::Version1(rest.plan),
        };
        Ok(Self {
            identity,
            request: rest.request,
            log: log.chunks_exact(ROW).enumerate().map(row).collect(),
            state: TrainState {
                step: rest.step,
                points_seen: rest.points_seen,
                operations: rest.operations,
                elapsed: rest.elapsed,
                epoch: rest.epoch,
                best,
                parameters: singles(array("parameters")?),
                optimizer,
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

/// CRC-32 of the whole content, the arrays in the order of their names.
fn checksum<'a>(rest: &str, arrays: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(rest.as_bytes());
    for (name, bytes) in arrays {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    format!("{:08x}", hasher.finalize())
}
