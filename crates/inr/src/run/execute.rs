//! The execution of a run, with checkpoints.

use std::ops::ControlFlow;
use std::time::Instant;

use vi3nr_engine::Backend;

use super::{Run, RunEvent, RunOutcome};
use crate::checkpoint::{Checkpoint, CheckpointInterval, Identity};
use crate::model_file::Model;
use crate::pieces::{FittedPiece, Journal, PieceProgress, PieceSession};
use crate::run_directory::{MetricsLog, RunError};
use crate::session::{Beginning, Session};
use crate::train::Stop;

impl Run {
    /// Trains from the checkpoint, if there is one, to the end, writes a checkpoint at every
    /// `interval`, and writes all files. The time limit counts from `started`. If the callback
    /// `watch` returns [`ControlFlow::Break`], the run ends with the best model so far and a
    /// checkpoint from which it can be resumed.
    ///
    /// # Errors
    /// Returns [`RunError::Checkpoint`] if the checkpoint cannot be used, [`RunError::Fit`] if the
    /// fit fails, [`RunError::Cut`] if it fails after a checkpoint, which is kept, and another
    /// [`RunError`] if a file cannot be written.
    pub fn execute(
        &self,
        backend: &dyn Backend,
        interval: CheckpointInterval,
        started: Instant,
        watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RunOutcome, RunError> {
        if self.plan().pieces.is_some() {
            return self.execute_pieces(backend, started, watch);
        }
        let result = self.execute_steps(backend, interval, started, watch);
        result.map_err(|error| self.cut(error, self.directory.checkpoint_path().is_file()))
    }

    /// The error of a run that fails; it says if the run can be resumed from what `is_kept`.
    fn cut(&self, error: RunError, is_kept: bool) -> RunError {
        match error {
            RunError::Fit(source) if is_kept => {
                RunError::Cut { source, path: self.directory.path().to_owned() }
            }
            error => error,
        }
    }

    fn execute_steps(
        &self,
        backend: &dyn Backend,
        interval: CheckpointInterval,
        started: Instant,
        watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RunOutcome, RunError> {
        let (plan, signal) = (self.plan(), self.signal());
        let checkpoint = self.directory.checkpoint(plan, signal)?;
        let (state, mut log) = match checkpoint {
            Some(checkpoint) => (Some(checkpoint.state), MetricsLog::resumed(checkpoint.log)),
            None => (None, MetricsLog::default()),
        };
        let beginning = Beginning {
            started: Some(started),
            weights: self.prepared.weights.as_deref(),
            state: state.as_ref(),
        };
        let mut session = Session::new(plan, signal, backend, beginning)?;
        let mut last = (state.as_ref().map_or(0, |state| state.step), Instant::now());
        let (mut has_failed, mut ends_here) = (false, false);
        while let Some(progress) = session.step()? {
            log.record(&progress);
            ends_here |= watch(RunEvent::Step(&progress)).is_break();
            let is_due = ends_here || interval.is_due(progress.step - last.0, last.1.elapsed());
            // An engine that takes many steps at a time is ahead of the log in between.
            if is_due && session.is_settled() {
                let checkpoint = Checkpoint {
                    identity: Identity::Plan(plan.to_json()),
                    request: Some(self.request.clone()),
                    state: session.state()?,
                    log: log.rows().to_vec(),
                };
                // A full disk does not end training.
                if let Err(error) = checkpoint.save(&self.directory.checkpoint_path()) {
                    if !has_failed {
                        let _ = watch(RunEvent::CheckpointFailed(&error));
                    }
                    has_failed = true;
                }
                last = (progress.step, Instant::now());
            }
            if ends_here {
                session.interrupt();
            }
        }
        let fit = session.finish(&self.request)?;
        let files = self.directory.save(&self.request, &fit, signal, &log, backend)?;
        if fit.report.stopped != Stop::Interrupted {
            self.directory.remove_checkpoint()?;
        }
        Ok(RunOutcome { fit, files, log })
    }

    /// Fits the pieces that are not in the journal.
    fn execute_pieces(
        &self,
        backend: &dyn Backend,
        started: Instant,
        watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RunOutcome, RunError> {
        let plan = self.plan();
        let pieces = plan.pieces.as_ref().map_or(0, |pieces| pieces.grid.piece_count());
        let mut journal = Journal::open(&self.directory.pieces_path(), plan, pieces)?;
        let result = self.execute_missing(&mut journal, backend, started, watch);
        let outcome =
            result.map_err(|error| self.cut(error, journal.reports().next().is_some()))?;
        drop(journal);
        if outcome.fit.report.stopped != Stop::Interrupted {
            self.directory.remove_checkpoint()?;
        }
        Ok(outcome)
    }

    fn execute_missing(
        &self,
        journal: &mut Journal,
        backend: &dyn Backend,
        started: Instant,
        watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RunOutcome, RunError> {
        let (plan, signal) = (self.plan(), self.signal());
        let mut session = PieceSession::new(plan, signal, backend, started)?;
        journal.reports().for_each(|report| session.count_earlier(report));
        let mut watch = |progress: &PieceProgress| watch(RunEvent::Pieces(progress));
        let missing = journal.missing();
        let mut keep = |piece: FittedPiece| -> Result<(), RunError> { Ok(journal.add(piece)?) };
        let ended = session.train(missing, &mut watch, &mut keep)?;
        let reports: Vec<_> = journal.reports().cloned().collect();
        let storages = session.storages(reports.iter());
        let path = self.directory.model_path();
        // The model is evaluated as the file stores it, after rounding.
        let model = |storage| -> Result<Model, RunError> {
            let set = journal.set(plan, session.axes())?;
            session.model(set, storage, &self.request).save(&path)?;
            Ok(Model::load(&path)?)
        };
        let fit = session.finish_as(&storages, reports, ended, model)?;
        let per_sample = session.operations_per_sample();
        let files = self.directory.save_pieces(&self.request, &fit, signal, per_sample, backend)?;
        Ok(RunOutcome { fit, files, log: MetricsLog::default() })
    }
}
