//! What a laboratory needs and no single fit does: many fits, the paper's experiments, reports.
//!
//! [`request_file`] reads what one fit is asked to be, [`sweep`] runs many fits and compares them, [`mod@propagate`] follows the variance through deep
//! networks, [`mod@repro`] sets the paper's tables beside ours, [`report`] turns runs, sweeps and
//! reproductions into one HTML file, [`mod@bench`] measures how fast the engine is and how much work
//! optimizers need, [`tensorboard`] writes the steps of a run as an event file.

pub mod bench;
mod field;
pub mod propagate;
pub mod report;
pub mod repro;
pub mod request_file;
mod spread;
pub mod sweep;
pub mod tensorboard;
#[cfg(test)]
mod test_data;
