//! From a request to a plan.

use std::sync::Arc;

use vi3nr::Network;

use super::{FitPlan, Source, Start, check, initialization, pieces, training};
use crate::model_file::StorageRule;
use crate::pieces::{PieceGrid, PiecePlan};
use crate::recipe::recipes;
use crate::request::{FitRequest, RequestError};
use crate::signal::SignalInfo;

/// What a plan must know of a signal.
#[derive(Debug, Clone)]
pub struct SignalFacts {
    /// Its kind and size.
    pub info: Arc<dyn SignalInfo>,
    /// Where it came from.
    pub source: Source,
    /// Its training loss at a quality of 0 dB:
    /// [`Signal::loss_at_0_db`](crate::signal::Signal::loss_at_0_db).
    pub loss_at_0_db: Option<f64>,
    /// The weights that the fit starts from, where the request names a file of such.
    pub start: Option<StartFacts>,
}

/// What a plan must know of weights to start from.
#[derive(Debug, Clone, PartialEq)]
pub struct StartFacts {
    /// The shape and activation of their network.
    pub network: Network,
    /// The coordinates that they were made for reach from minus this to this, if that is known.
    pub input_scale: Option<f64>,
    /// Which weights they are.
    pub start: Start,
}

/// A plan and how it came about.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Resolved {
    /// The plan.
    pub plan: FitPlan,
    /// Why settings that were not asked for are what they are.
    pub reasons: Vec<Reason>,
    /// What people should know before they believe the result.
    pub warnings: Vec<String>,
}

/// Where a setting comes from that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The field of the request.
    pub field: &'static str,
    /// A sentence without its period.
    pub text: String,
}

/// What `request` means for a signal. It reads no file and no clock: equal arguments give equal
/// plans.
///
/// ```
/// use vi3nr_inr::plan::{SignalFacts, resolve};
/// use vi3nr_inr::request::FitRequest;
/// use vi3nr_inr::signal::SignalOptions;
/// use vi3nr_inr::signal::image::test_picture;
///
/// let facts = SignalFacts::of(&test_picture(32)?, None, &SignalOptions::default());
/// let resolved = resolve(&FitRequest::default(), &facts)?;
/// assert_eq!(resolved.plan.network.dims(), [2, 128, 128, 128, 128, 128, 128, 128, 3]);
/// assert_eq!(resolved.plan.training.optimizer.name().as_str(), "kfac");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns a [`RequestError`] that names the fields if a setting is out of range, belongs to
/// another kind of signal or contradicts another one.
pub fn resolve(request: &FitRequest, signal: &SignalFacts) -> Result<Resolved, RequestError> {
    check::numbers(request)?;
    check::fields(request, &*signal.info)?;
    if signal.start.is_some() {
        check::start(request)?;
    }
    let preset = request.preset.unwrap_or_default();
    let recipe = recipes(signal.info.kind()).of(preset);
    let mut reasons = Vec::new();
    let cut = pieces::cut(request, signal, &recipe, &mut reasons)?;
    let recipe = cut.recipe;
    let network = network(request, signal, &recipe, &cut.grid)?;
    let cures = cut.grid.as_ref().map(|_| pieces::cures(request, &network));
    let mut note = |field, text: String| reasons.push(Reason { field, text });

    let chosen = initialization::resolve_initialization(request, &network, &recipe)?;
    if signal.start.is_none() {
        for reason in &chosen.reasons {
            note(reason.field, reason.text.clone());
        }
    }
    let of_start = signal.start.as_ref().and_then(|start| start.input_scale);
    let input_scale = match (request.input_scale, of_start) {
        (Some(given), _) | (None, Some(given)) => given,
        (None, None) => recipe.input_scale(network.activation()),
    };
    if request.input_scale.is_none() && input_scale != 1.0 {
        let reason = match of_start {
            Some(_) => "as the weights to start from have it",
            None => "as SIREN has it for sines",
        };
        note("input_scale", format!("{input_scale}, {reason}"));
    }
    let target_psnr = pieces::target_psnr(request, signal, &recipe, cut.grid.is_some())?;
    if let (None, None, Some(target)) = (request.quality, request.target_psnr, target_psnr) {
        let quality = recipe.pieces.and_then(|pieces| pieces.quality).unwrap_or(target);
        note("quality", format!("{quality} dB for every piece"));
    }
    let training = training::resolve_training(request, &network, cut.points, target_psnr, &recipe)?;
    let storage = match (request.storage, &cut.grid) {
        (Some(asked), _) => asked,
        (None, None) => StorageRule::F32,
        (None, Some(_)) => {
            note("storage", "auto: f16 where the quality is reached all the same, else f32".into());
            StorageRule::Auto
        }
    };
    if request.optimizer.is_none() {
        note("optimizer", training.reason);
    }
    let plan = FitPlan {
        signal: signal.info.clone(),
        source: signal.source.clone(),
        input_scale,
        network,
        init: chosen.rule,
        start: signal.start.as_ref().map(|facts| facts.start.clone()),
        seed: request.seed.unwrap_or(0),
        pieces: cut.grid.zip(cures).map(|(grid, cures)| PiecePlan { grid, cures }),
        training: training.settings,
        storage,
        engine: request.engine.unwrap_or_default(),
    };
    let warnings = if signal.start.is_none() { chosen.warnings } else { Vec::new() };
    Ok(Resolved { plan, reasons, warnings })
}

/// The shape and activation of the network: those of the weights that the fit starts from, those
/// that were asked for, or the recipe's.
fn network(
    request: &FitRequest,
    signal: &SignalFacts,
    recipe: &crate::recipe::Recipe,
    grid: &Option<PieceGrid>,
) -> Result<Network, RequestError> {
    let (inputs, outputs) = (signal.info.inputs(), signal.info.outputs());
    if let Some(StartFacts { network, .. }) = &signal.start {
        return started(request, network, (inputs, outputs));
    }
    let activation = match &request.activation {
        Some(given) => given.clone(),
        None => recipe.activation.parse().map_err(|error: vi3nr::Error| {
            RequestError::new("activation", error.to_string(), "")
        })?,
    };
    let layers = request.layers.unwrap_or(recipe.layers);
    let width = match request.parameters {
        None => request.width.unwrap_or(recipe.width),
        Some(_) => {
            let pieces = grid.as_ref().map_or(1, PieceGrid::piece_count);
            pieces::width_of(request, (inputs, outputs), layers, pieces)?
        }
    };
    Network::uniform(inputs, width, layers, outputs, activation)
        .map_err(|error| RequestError::of_fields(&["width", "layers"], error.to_string(), ""))
}

/// The network of the weights that the fit starts from, if it fits the signal and the request.
fn started(
    request: &FitRequest,
    network: &Network,
    (inputs, outputs): (usize, usize),
) -> Result<Network, RequestError> {
    let dims = network.dims();
    if (network.inputs(), network.outputs()) != (inputs, outputs) {
        let seen =
            format!("its network maps {} numbers to {}", network.inputs(), network.outputs());
        let expected = format!("one that maps {inputs} to {outputs}, as the signal has them");
        return Err(RequestError::new("from", seen, expected));
    }
    let hidden = &dims[1..dims.len() - 1];
    let other = |field, asked: String, own: String| {
        let seen = format!("{asked}, but the weights to start from have {own}");
        RequestError::of_fields(&[field, "from"], seen, "the same or none")
    };
    if let Some(layers) = request.layers.filter(|layers| *layers != network.layer_count()) {
        return Err(other("layers", layers.to_string(), network.layer_count().to_string()));
    }
    if let Some(width) = request.width.filter(|width| hidden.iter().any(|own| own != width)) {
        return Err(other("width", width.to_string(), format!("{hidden:?}")));
    }
    match &request.activation {
        Some(given) if given != network.activation() => {
            Err(other("activation", given.to_string(), network.activation().to_string()))
        }
        _ => Ok(network.clone()),
    }
}
