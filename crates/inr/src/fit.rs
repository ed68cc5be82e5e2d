//! A fit in five lines.
//!
//! ```
//! use vi3nr_inr::fit::Fitting;
//! use vi3nr_inr::signal::image::test_image;
//!
//! let image = test_image(24)?;
//! let activation = "gaussian:sigma=0.1".parse()?;
//! let fit = Fitting::of(&image).activation(activation).width(16).steps(20).run()?;
//! assert_eq!(fit.model.network().dims()[1], 16);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::ops::ControlFlow;
use std::time::Instant;

use vi3nr::Activation;
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr_engine::{Backend, CpuBackend, EngineError};

use crate::optimizer::OptimizerName;
use crate::pieces::PieceSession;
use crate::plan::{FitPlan, Resolved, SignalFacts, resolve};
use crate::preset::Preset;
use crate::request::{BatchSize, FitRequest, RequestError, TileSide};
use crate::run::RunEvent;
use crate::session::{Beginning, Fit, FitError, Session};
use crate::signal::{Signal, SignalOptions};

/// A builder of a fit: the signal and the settings given so far.
#[derive(Debug, Clone)]
pub struct Fitting<'a> {
    signal: &'a dyn Signal,
    request: FitRequest,
}

/// Why a fit fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FittingError {
    /// The settings are out of range or contradict each other.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Training or evaluation fails.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The worker threads cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Defines a setter for each of these fields of the request.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: $type) -> Self {
            self.request.$field = Some(value);
            self
        })*
    };
}

impl<'a> Fitting<'a> {
    /// A fit of `signal` with the default settings for its kind and size.
    pub fn of(signal: &'a dyn Signal) -> Self {
        Self { signal, request: FitRequest::default() }
    }

    setters! {
        /// The preset, which decides all settings that are not given.
        preset: Preset;
        /// The activation.
        activation: Activation;
        /// The number of weight matrices.
        layers: usize;
        /// The number of units of each hidden layer.
        width: usize;
        /// The initialization scheme.
        init: SchemeRequest;
        /// The standard deviation of the preactivations.
        sigma_p: SigmaRequest;
        /// The seed of the initial weights and of the mini-batches.
        seed: u64;
        /// The maximum number of steps.
        steps: u64;
        /// The number of points per step.
        batch: BatchSize;
        /// The optimizer.
        optimizer: OptimizerName;
        /// The initial learning rate.
        lr: f64;
        /// The time limit of the fit in seconds.
        time_limit: f64;
        /// The PSNR (peak 2, dB) of the training loss at which the fit stops.
        target_psnr: f64;
        /// The target quality in dB at which the fit stops: PSNR for an image, SNR for audio.
        quality: f64;
        /// The side of the pieces into which the signal is cut, if it is.
        tile: TileSide;
    }

    /// Replaces all settings given so far by those of `request`.
    #[must_use]
    pub fn request(self, request: FitRequest) -> Self {
        Self { request, ..self }
    }

    /// Resolves the settings into the plan of the fit.
    ///
    /// # Errors
    /// Returns a [`RequestError`] if [`resolve`] does.
    pub fn plan(&self) -> Result<Resolved, RequestError> {
        let options = SignalOptions::default();
        resolve(&self.request, &SignalFacts::of_request(&self.request, self.signal, &options))
    }

    /// Fits on the CPU with one thread per core.
    ///
    /// # Errors
    /// Returns [`FittingError::Engine`] if the worker threads cannot be started, and the errors of
    /// [`Fitting::run_on`].
    pub fn run(&self) -> Result<Fit, FittingError> {
        self.run_on(&CpuBackend::new(None)?)
    }

    /// Fits on `backend`.
    ///
    /// # Errors
    /// Returns [`FittingError::Request`] if the settings are out of range or contradict each other,
    /// and [`FittingError::Fit`] if training or evaluation fails.
    pub fn run_on(&self, backend: &dyn Backend) -> Result<Fit, FittingError> {
        let plan = self.plan()?.plan;
        let mut watch = |_: RunEvent<'_>| ControlFlow::Continue(());
        Ok(fit(&plan, self.signal, backend, Beginning::default(), &self.request, &mut watch)?)
    }
}

/// Runs the fit of `plan`, which was resolved from `request` for `signal`, in memory: with one
/// network or in pieces, as the plan says.
///
/// The callback `watch` receives [`RunEvent::Step`] or [`RunEvent::Pieces`]. If it returns
/// [`ControlFlow::Break`], the fit ends and returns the best model so far.
///
/// # Errors
/// Returns the errors of [`Session::new`], [`Session::step`] and [`Session::finish`], and
/// [`FitError::InPieces`] if `beginning` has weights or a state and the plan is in pieces.
pub fn fit(
    plan: &FitPlan,
    signal: &dyn Signal,
    backend: &dyn Backend,
    beginning: Beginning<'_>,
    request: &FitRequest,
    watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
) -> Result<Fit, FitError> {
    if plan.pieces.is_some() {
        if beginning.state.is_some() || beginning.weights.is_some() {
            return Err(FitError::InPieces);
        }
        let started = beginning.started.unwrap_or_else(Instant::now);
        let session = PieceSession::new(plan, signal, backend, started)?;
        return session.run(request, &mut |progress| watch(RunEvent::Pieces(progress)));
    }
    let mut session = Session::new(plan, signal, backend, beginning)?;
    session.run(|progress, _| watch(RunEvent::Step(progress)))?;
    session.finish(request)
}
