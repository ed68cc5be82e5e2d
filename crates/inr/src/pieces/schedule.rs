//! The fits of all pieces, in parallel.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use vi3nr_engine::Backend;

use super::train::{FittedPiece, Job};
use crate::session::FitError;
use crate::train::Stop;

/// The longest time between two calls of a watcher while no piece ends.
const POLL: Duration = Duration::from_millis(100);

/// The progress of a fit in pieces.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PieceProgress {
    /// The number of finished pieces, including those of earlier sessions.
    pub done: usize,
    /// The number of all pieces.
    pub pieces: usize,
    /// The mean squared error over the samples of the finished pieces; NaN before the first.
    pub loss: f64,
    /// The number of pieces that needed more than one network.
    pub cured: usize,
    /// The time since this session began.
    pub elapsed: Duration,
    /// The estimated remaining time at the rate of this session; `None` before its first piece
    /// ends.
    pub left: Option<Duration>,
}

/// The running sums behind [`PieceProgress`].
pub(super) struct Tally {
    progress: PieceProgress,
    began: Instant,
    /// The number of pieces that were finished when this session began.
    earlier: usize,
    squares: f64,
    samples: f64,
}

impl Tally {
    pub(super) fn new(pieces: usize) -> Self {
        let progress = PieceProgress {
            done: 0,
            pieces,
            loss: f64::NAN,
            cured: 0,
            elapsed: Duration::ZERO,
            left: None,
        };
        Self { progress, began: Instant::now(), earlier: 0, squares: 0.0, samples: 0.0 }
    }

    /// Counts a piece of `samples` samples.
    pub(super) fn add(&mut self, loss: f64, samples: usize, attempts: usize) {
        self.squares += loss * samples as f64;
        self.samples += samples as f64;
        self.progress.done += 1;
        self.progress.cured += usize::from(attempts > 1);
        self.progress.loss = self.squares / self.samples;
    }

    /// Marks the pieces counted so far as those of earlier sessions.
    pub(super) fn begin(&mut self) {
        self.earlier = self.progress.done;
        self.began = Instant::now();
    }

    pub(super) fn progress(&mut self) -> PieceProgress {
        let progress = &mut self.progress;
        progress.elapsed = self.began.elapsed();
        let own = (progress.done - self.earlier) as u32;
        let left = (progress.pieces - progress.done) as u32;
        progress.left = (own > 0).then(|| progress.elapsed * left / own);
        *progress
    }
}

/// Fits the pieces `todo` in parallel, as many at a time as suit the backend. Each gives the same bytes
/// as if it were fitted alone. `keep` receives every piece when it ends, in no fixed order. `watch`
/// is called after each piece, and several times per second, and may stop the fit. Returns the
/// pieces that were not started because `watch` stopped the fit or the time limit was reached.
pub(super) fn fit_pieces<E: From<FitError>>(
    job: Job<'_>,
    backend: &dyn Backend,
    todo: Vec<usize>,
    deadline: Option<Instant>,
    tally: &mut Tally,
    watch: &mut dyn FnMut(&PieceProgress) -> ControlFlow<()>,
    keep: &mut dyn FnMut(FittedPiece) -> Result<(), E>,
) -> Result<Vec<usize>, E> {
    let side_by_side = backend.networks_side_by_side().min(todo.len()).max(1);
    let backends = backend.side_by_side(side_by_side).map_err(FitError::from)?;
    let waiting = Mutex::new(VecDeque::from(todo));
    let is_interrupted = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        // Ends the loops of the workers if this thread returns early.
        let _end = EndOnDrop(&is_interrupted);
        let (sender, receiver) = mpsc::sync_channel(side_by_side);
        for backend in backends {
            let (sender, waiting, is_interrupted) = (sender.clone(), &waiting, &is_interrupted);
            let begin = std::thread::Builder::new().name("vi3nr-pieces".into());
            let work = move || {
                while let Some((index, until)) =
                    next(waiting, is_interrupted, deadline, side_by_side)
                {
                    // On a thread of the backend's, so that the optimizer's algebra need not wait for one.
                    let fit = || fit_piece(job, &*backend, index, until, is_interrupted);
                    let fitted = backend.workers().install(fit);
                    if sender.send(fitted).is_err() {
                        return;
                    }
                }
            };
            if let Err(error) = begin.spawn_scoped(scope, work) {
                let error = vi3nr_engine::EngineError::Threads {
                    threads: side_by_side,
                    reason: error.to_string(),
                };
                return Err(FitError::from(error).into());
            }
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(fitted) => {
                    let fitted = fitted?;
                    let samples = samples(job, fitted.report.index);
                    tally.add(fitted.report.loss, samples, fitted.report.attempts);
                    keep(fitted)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if watch(&tally.progress()).is_break() {
                is_interrupted.store(true, Ordering::Relaxed);
            }
        }
    });
    result.map(|()| waiting.into_inner().unwrap_or_else(PoisonError::into_inner).into())
}

/// The number of samples in the core of a piece.
pub(super) fn samples(job: Job<'_>, index: usize) -> usize {
    job.piece(index).map_or(0, |piece| piece.core.sample_count())
}

/// Takes the next piece, with its deadline: an equal share of the remaining time.
fn next(
    waiting: &Mutex<VecDeque<usize>>,
    is_interrupted: &AtomicBool,
    deadline: Option<Instant>,
    side_by_side: usize,
) -> Option<(usize, Option<Instant>)> {
    if is_interrupted.load(Ordering::Relaxed) {
        return None;
    }
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let until = match deadline {
        None => None,
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let rounds = waiting.len().div_ceil(side_by_side).max(1);
            Some(Instant::now() + left / rounds as u32)
        }
    };
    Some((waiting.pop_front()?, until))
}

fn fit_piece(
    job: Job<'_>,
    backend: &dyn Backend,
    index: usize,
    until: Option<Instant>,
    is_interrupted: &AtomicBool,
) -> Result<FittedPiece, FitError> {
    let watch = || {
        if is_interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(Stop::Interrupted)
        } else if until.is_some_and(|until| Instant::now() >= until) {
            ControlFlow::Break(Stop::Time)
        } else {
            ControlFlow::Continue(())
        }
    };
    match job.piece(index) {
        Some(piece) => job.fit(&piece, backend, &watch),
        None => Err(FitError::NoPieces),
    }
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
