//! A fit in five lines.
//!
//! ```
//! use vi3nr_inr::fit::Fitting;
//! use vi3nr_inr::signal::image::test_picture;
//!
//! let image = test_picture(24)?;
//! let fit = Fitting::of(&image).activation("gaussian:sigma=0.1".parse()?).width(16).steps(20).run()?;
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

/// A fit of a signal that is being described.
#[derive(Debug, Clone)]
pub struct Fitting<'a> {
    signal: &'a dyn Signal,
    request: FitRequest,
}

/// Why a described fit gives no model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FittingError {
    /// The description makes no sense.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The fit fails.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The threads cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Setters of fields of the request.
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
    /// A fit of `signal` with the settings that suit it best.
    pub fn of(signal: &'a dyn Signal) -> Self {
        Self { signal, request: FitRequest::default() }
    }

    setters! {
        /// What every other setting is chosen for.
        preset: Preset;
        /// The nonlinearity.
        activation: Activation;
        /// The number of weight matrices.
        layers: usize;
        /// The number of units of each hidden layer.
        width: usize;
        /// The scheme of the initial weights.
        init: SchemeRequest;
        /// The standard deviation of the preactivations.
        sigma_p: SigmaRequest;
        /// The seed of the initial weights and of the order of mini-batches.
        seed: u64;
        /// The maximum number of steps.
        steps: u64;
        /// The number of points of a step.
        batch: BatchSize;
        /// The optimizer.
        optimizer: OptimizerName;
        /// The initial learning rate.
        lr: f64;
        /// Seconds after which the fit must be done.
        time_limit: f64;
        /// The PSNR (peak 2, dB) of the training loss at which the fit stops.
        target_psnr: f64;
        /// The quality in dB at which the fit stops: the PSNR of an image, the SNR of audio.
        quality: f64;
        /// Whether and how the signal is cut into pieces.
        tile: TileSide;
    }

    /// The settings of `request`, all of them, in place of those given so far.
    #[must_use]
    pub fn request(self, request: FitRequest) -> Self {
        Self { request, ..self }
    }

    /// The plan of the fit.
    ///
    /// # Errors
    /// Returns the [`RequestError`] of [`resolve`].
    pub fn plan(&self) -> Result<Resolved, RequestError> {
        let options = SignalOptions::default();
        resolve(&self.request, &SignalFacts::of(self.signal, None, &options))
    }

    /// Fits on the CPU with a thread for each core.
    ///
    /// # Errors
    /// Returns [`FittingError::Engine`] if the threads cannot be started, and as [`Fitting::run_on`].
    pub fn run(&self) -> Result<Fit, FittingError> {
        self.run_on(&CpuBackend::new(None)?)
    }

    /// Fits on `backend`.
    ///
    /// # Errors
    /// Returns [`FittingError::Request`] if the description makes no sense, [`FittingError::Fit`] if the
    /// fit fails.
    pub fn run_on(&self, backend: &dyn Backend) -> Result<Fit, FittingError> {
        let plan = self.plan()?.plan;
        let mut watch = |_: RunEvent<'_>| ControlFlow::Continue(());
        Ok(fit(&plan, self.signal, backend, Beginning::default(), &self.request, &mut watch)?)
    }
}

/// Carries out `plan`, which was resolved from `request` for `signal`, in memory, in pieces or not as it
/// says. A `watch` that breaks the fit off gets what has been reached.
///
/// # Errors
/// As [`Session::new`], [`Session::step`] and [`Session::finish`]; a fit in pieces has no state to begin
/// from, and gives [`FitError::InPieces`] where there is one.
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
