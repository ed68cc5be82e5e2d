//! The files of a fit in pieces in a run directory, besides its model.

use std::path::PathBuf;

use vi3nr_engine::Backend;

use super::{RUN_FILE, RunDirectory, RunError, RunRecord};
use crate::atomic_file::write_atomically;
use crate::decode::{DecodeRequest, decode};
use crate::model_file::Body;
use crate::pieces::{
    PIECES_FILE, PieceField, PieceSet, Pieces, TABLE_FILE, all_values, piece_table,
};
use crate::request::FitRequest;
use crate::session::{Fit, FitError};
use crate::signal::{Reconstruction, Signal, SignalKind};

/// The largest number of values for which audio is evaluated in memory, with a plot of its
/// waveform.
const MAX_VALUES: usize = 1 << 23;

impl RunDirectory {
    /// The path of the journal, which stores finished pieces while the others are fitted.
    pub fn pieces_path(&self) -> PathBuf {
        self.path.join(PIECES_FILE)
    }

    /// Writes the reconstruction, the maps, the table of pieces and the record of a fit in pieces,
    /// whose model has been written, each of them atomically. Returns the paths of all but the
    /// record. `per_sample` is the number of floating-point operations of a forward and backward
    /// pass over one sample.
    ///
    /// # Errors
    /// Returns [`RunError::Fit`] if the model is not in pieces or cannot be evaluated, and
    /// [`RunError::Decode`], [`RunError::Signal`] or [`RunError::Write`] if a file cannot be
    /// written.
    pub fn save_pieces(
        &self,
        request: &FitRequest,
        fit: &Fit,
        signal: &dyn Signal,
        per_sample: f64,
        backend: &dyn Backend,
    ) -> Result<Vec<PathBuf>, RunError> {
        let (Body::Pieces(set), Some(pieces)) = (&fit.model.body, &fit.pieces) else {
            return Err(FitError::NoPieces.into());
        };
        let mut files = self.save_reconstruction(fit, set, signal, backend)?;
        files.extend(self.save_maps(fit, set, pieces, signal, per_sample)?);
        let rows = piece_table(signal, set.grid(), &pieces.reports, &pieces.losses, per_sample);
        let table = self.path.join(TABLE_FILE);
        write_atomically(&table, |writer| writer.write_all(rows.as_bytes()))?;
        files.push(table);
        self.write_json(RUN_FILE, &RunRecord::ended(request, fit, signal, &files))?;
        Ok(files)
    }

    /// An image is written to its file in bands, and so is audio with more than [`MAX_VALUES`]
    /// values.
    fn save_reconstruction(
        &self,
        fit: &Fit,
        set: &PieceSet,
        signal: &dyn Signal,
        backend: &dyn Backend,
    ) -> Result<Vec<PathBuf>, RunError> {
        let (model, outputs) = (&fit.model, signal.info().outputs());
        let count = set.axes().iter().product::<usize>() * outputs;
        let (name, request) = match signal.info().kind() {
            SignalKind::Image => ("reconstruction.png", DecodeRequest::default()),
            _ if count <= MAX_VALUES => {
                let values = || -> Result<Vec<f32>, FitError> {
                    let field = PieceField::new(set, model.input_scale, backend)?;
                    Ok(all_values(set, &field, outputs)?)
                };
                let values = values()?;
                let reconstruction = Reconstruction { body: &model.body, values: &values, backend };
                return Ok(signal.save_images(&reconstruction, &self.path)?);
            }
            _ => {
                let request = DecodeRequest {
                    #[cfg(feature = "audio")]
                    sample_format: Some(crate::signal::audio::SampleFormat::Float),
                    ..DecodeRequest::default()
                };
                ("reconstruction.wav", request)
            }
        };
        let path = self.path.join(name);
        decode(model, &request, &path, backend, &mut |_| {})?;
        Ok(vec![path])
    }

    #[cfg(feature = "chart")]
    fn save_maps(
        &self,
        fit: &Fit,
        set: &PieceSet,
        pieces: &Pieces,
        signal: &dyn Signal,
        per_sample: f64,
    ) -> Result<Vec<PathBuf>, RunError> {
        use crate::pieces::map::{Layer, save_maps};
        use crate::signal::SignalError;

        let first = signal.metrics_of_loss(fit.report.loss).all.into_iter().next();
        let (label, unit) = first.map_or(("loss", ""), |metric| (metric.label, metric.unit));
        let quality = |loss: &f64| {
            let first = signal.metrics_of_loss(*loss).all.into_iter().next();
            first.map_or(*loss, |metric| metric.value)
        };
        let work = |report: &crate::pieces::PieceReport| {
            let samples = set.grid().piece(set.axes(), report.index).core.sample_count();
            report.operations / (per_sample * samples as f64)
        };
        let layers = [
            Layer {
                title: "Quality of each piece",
                label: format!("{label}, {unit}"),
                values: pieces.losses.iter().map(quality).collect(),
            },
            Layer {
                title: "Work on each piece",
                label: "gradient equivalents".into(),
                values: pieces.reports.iter().map(work).collect(),
            },
        ];
        save_maps(set.grid(), set.axes(), layers, &self.path)
            .map_err(|error| RunError::Signal(SignalError::from(error)))
    }

    #[cfg(not(feature = "chart"))]
    fn save_maps(
        &self,
        _: &Fit,
        _: &PieceSet,
        _: &Pieces,
        _: &dyn Signal,
        _: f64,
    ) -> Result<Vec<PathBuf>, RunError> {
        Ok(Vec::new())
    }
}
