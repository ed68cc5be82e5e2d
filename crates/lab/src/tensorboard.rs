//! Writing the steps of a run as an event file for TensorBoard.
//!
//! The file is a sequence of TFRecords. Each record is an `Event` message in Protocol Buffers'
//! encoding with the wall time, the step and named scalars.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vi3nr_inr::atomic_file::{WriteError, write_atomically};
use vi3nr_inr::run_directory::{MetricsLog, RunDirectory};
use vi3nr_inr::signal::Signal;
use vi3nr_inr::supervision::Supervision;
use vi3nr_inr::train::Progress;

/// The scalars of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalars {
    /// The number of steps done.
    pub step: u64,
    /// The time since the run began, in seconds.
    pub seconds: f64,
    /// The scalars under tags such as `train/loss`.
    pub values: Vec<(String, f64)>,
}

/// Writes the steps of `log`, with the losses of `terms`, as an event file in `directory`, replacing an earlier one, and returns
/// its path. `elapsed` is the time since the run began.
///
/// # Errors
/// Returns a [`WriteError`] with the file's name if the file cannot be written.
pub fn save_events(
    directory: &RunDirectory,
    (signal, supervision): (&dyn Signal, &Supervision),
    log: &MetricsLog,
    elapsed: Duration,
) -> Result<PathBuf, WriteError> {
    let now = SystemTime::now();
    let began = now.checked_sub(elapsed).unwrap_or(now);
    let scalars = |row: &Progress| {
        let metrics = supervision.metrics_of_loss(signal, row.loss).all.into_iter();
        let own = [("loss", row.loss), ("learning_rate", row.learning_rate)].into_iter();
        let values = own.chain(metrics.map(|metric| (metric.name, metric.value)));
        let losses = supervision.terms().iter().zip(&*row.terms);
        let values = values.chain(losses.map(|(term, loss)| (term.term.name(), *loss)));
        Scalars {
            step: row.step,
            seconds: row.elapsed.as_secs_f64(),
            values: values.map(|(name, value)| (format!("train/{name}"), value)).collect(),
        }
    };
    let steps: Vec<Scalars> = log.steps().map(scalars).collect();
    let path = directory.path().join("events.out.tfevents.vi3nr");
    let bytes = event_file(began, &steps);
    write_atomically(&path, |writer| writer.write_all(&bytes))?;
    Ok(path)
}

/// The contents of an event file for a run that began at `began`.
pub fn event_file(began: SystemTime, steps: &[Scalars]) -> Vec<u8> {
    let began = began.duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
    let mut file = Vec::new();
    let mut version = Vec::new();
    double(1, began, &mut version);
    bytes(3, b"brain.Event:2", &mut version);
    record(&version, &mut file);
    for Scalars { step, seconds, values } in steps {
        let mut summary = Vec::new();
        for (tag, number) in values {
            let mut value = Vec::new();
            bytes(1, tag.as_bytes(), &mut value);
            key(2, 5, &mut value);
            value.extend((*number as f32).to_le_bytes());
            bytes(1, &value, &mut summary);
        }
        let mut event = Vec::new();
        double(1, began + seconds, &mut event);
        key(2, 0, &mut event);
        varint(*step, &mut event);
        bytes(5, &summary, &mut event);
        record(&event, &mut file);
    }
    file
}

/// Writes the number and the wire type of a field.
fn key(field: u64, wire_type: u64, to: &mut Vec<u8>) {
    varint(field << 3 | wire_type, to);
}

fn varint(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn double(field: u64, value: f64, to: &mut Vec<u8>) {
    key(field, 1, to);
    to.extend(value.to_le_bytes());
}

fn bytes(field: u64, value: &[u8], to: &mut Vec<u8>) {
    key(field, 2, to);
    varint(value.len() as u64, to);
    to.extend(value);
}

/// Writes a TFRecord: the length, its checksum, the data, their checksum.
fn record(data: &[u8], to: &mut Vec<u8>) {
    let length = (data.len() as u64).to_le_bytes();
    to.extend(length);
    to.extend(masked_checksum(&length).to_le_bytes());
    to.extend(data);
    to.extend(masked_checksum(data).to_le_bytes());
}

/// The masked CRC-32C of TFRecord: rotated, plus a constant.
fn masked_checksum(data: &[u8]) -> u32 {
    checksum(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: event files are small.
fn checksum(data: &[u8]) -> u32 {
    let mut state = !0u32;
    for byte in data {
        state ^= u32::from(*byte);
        for _ in 0..8 {
            state = if state & 1 == 1 { state >> 1 ^ 0x82f6_3b78 } else { state >> 1 };
        }
    }
    !state
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the check value of CRC-32/ISCSI in the catalog of parametrized CRC algorithms.
    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn records_hold_events() {
        let step = Scalars { step: 300, seconds: 0.5, values: vec![("a".into(), 1.5)] };
        let file = event_file(UNIX_EPOCH, &[step]);
        // The first record: 12 bytes of header, then 9 bytes of time and 15 bytes of version.
        assert_eq!(file[..8], 24u64.to_le_bytes());
        assert!(file[12..36].ends_with(b"\x1a\x0dbrain.Event:2"));
        let second = &file[40..];
        assert_eq!(second[..8], 24u64.to_le_bytes());
        let mut event = vec![0x09];
        event.extend(0.5f64.to_le_bytes());
        // Step 300; a summary of 10 bytes with a value of 8 bytes: the tag "a" and 1.5 as a float.
        event.extend([0x10, 0xac, 0x02, 0x2a, 10, 0x0a, 8, 0x0a, 1, b'a', 0x15]);
        event.extend(1.5f32.to_le_bytes());
        assert_eq!(second[12..12 + event.len()], event);
        assert_eq!(second.len(), 12 + event.len() + 4);
    }
}
