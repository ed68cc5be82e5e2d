//! Resolving a request into a plan.

use std::f64::consts::PI;
use std::sync::Arc;

use vi3nr::number::significant;
use vi3nr::scheme::SigmaRequest;
use vi3nr::{Activation, Network, Scheme};

use super::{FitPlan, Source, Start, check, initialization, pieces, supervision, training};
use crate::backend::BackendName;
use crate::model_file::StorageRule;
use crate::pieces::{PieceGrid, PiecePlan};
use crate::recipe::{Recipe, recipes};
use crate::request::{FitRequest, RequestError};
use crate::signal::{PointCount, SignalInfo};

/// The largest standard deviation of the first layer's frequencies, as a share of the highest frequency
/// of the samples, that is not warned of. With SIREN's weights, ripples begin there, in images as in audio.
const MAX_NOISE_SHARE: f64 = 0.1;

/// The facts about a signal on which a plan depends.
#[derive(Debug, Clone)]
pub struct SignalFacts {
    /// The kind and size of the signal.
    pub info: Arc<dyn SignalInfo>,
    /// The source of the signal.
    pub source: Source,
    /// The training loss at a quality of 0 dB:
    /// [`Signal::loss_at_0_db`](crate::signal::Signal::loss_at_0_db).
    pub loss_at_0_db: Option<f64>,
    /// The [`spectral_centroid`](crate::signal::spectral_centroid), if the scheme of the request depends
    /// on it and the signal has one.
    pub spectral_centroid: Option<f64>,
    /// The weights that the fit starts from, if the request names a file of weights.
    pub start: Option<StartFacts>,
}

/// The facts about the weights that a fit starts from.
#[derive(Debug, Clone, PartialEq)]
pub struct StartFacts {
    /// The shape and activation of their network.
    pub network: Network,
    /// The coordinate scale with which the weights were trained or drawn, if known.
    pub input_scale: Option<f64>,
    /// The identity of the weights.
    pub start: Start,
}

/// A plan, with the reasons for its defaults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Resolved {
    /// The plan.
    pub plan: FitPlan,
    /// The reasons for the settings that were not given.
    pub reasons: Vec<Reason>,
    /// Warnings about the settings.
    pub warnings: Vec<String>,
}

/// The reason for a setting that was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The field of the request.
    pub field: &'static str,
    /// A sentence without its period.
    pub text: String,
}

/// Resolves `request` for a signal into a complete plan. The function is pure: equal arguments give
/// equal plans.
///
/// ```
/// use vi3nr_inr::plan::{SignalFacts, resolve};
/// use vi3nr_inr::request::FitRequest;
/// use vi3nr_inr::signal::SignalOptions;
/// use vi3nr_inr::signal::image::test_image;
///
/// let facts = SignalFacts::of(&test_image(32)?, None, &SignalOptions::default());
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
    let mut reasons = Vec::new();
    let supervision = supervision::resolve_supervision(request, &*signal.info, &mut reasons)?;
    let recipe = recipes(signal.info.kind()).of(preset).supervised_by(&supervision);
    let cut = pieces::cut(request, signal, &recipe, &mut reasons)?;
    let recipe = cut.recipe;
    let request = &tuned(request, signal, &recipe, &mut reasons)?;
    let network = network(request, signal, &recipe, &cut.grid)?;
    let cures = cut.grid.as_ref().map(|_| pieces::cures(request, &network));
    let mut note = |field, text: String| reasons.push(Reason { field, text });

    let centroid = signal.spectral_centroid;
    let chosen = initialization::resolve_initialization(request, &network, &recipe, centroid)?;
    if signal.start.is_none() {
        for reason in &chosen.reasons {
            note(reason.field, reason.text.clone());
        }
    }
    let of_start = signal.start.as_ref().and_then(|start| start.input_scale);
    let input_scale = match (request.input_scale, of_start) {
        (Some(given), _) | (None, Some(given)) => given,
        (None, None) => recipe.input_scale(network.activation(), &chosen.rule.scheme),
    };
    if request.input_scale.is_none() && input_scale != 1.0 {
        let reason = match of_start {
            Some(_) => "as for the weights to start from",
            None => "as in SIREN for sines",
        };
        note("input_scale", format!("{input_scale}, {reason}"));
    }
    let target_psnr = pieces::target_psnr(request, signal, &recipe, cut.grid.is_some())?;
    if let (None, None, Some(target)) = (request.quality, request.target_psnr, target_psnr) {
        let quality = recipe.pieces.and_then(|pieces| pieces.quality).unwrap_or(target);
        note("quality", format!("{quality} dB for every piece"));
    }
    let goal = (target_psnr, &supervision);
    let training = training::resolve_training(request, &network, cut.points, goal, &recipe)?;
    let storage = match (request.storage, &cut.grid) {
        (Some(asked), _) => asked,
        (None, None) => StorageRule::F32,
        (None, Some(_)) => {
            note("storage", "auto: f16 if the quality is still reached, else f32".into());
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
        supervision,
        training: training.settings,
        storage,
        backend: backend(request)?,
    };
    let mut warnings = if signal.start.is_none() { chosen.warnings } else { Vec::new() };
    if request.init.is_some_and(|init| init.needs_spectrum()) {
        warnings.extend(ripples(&plan));
    }
    warnings.extend(unseen(&plan));
    Ok(Resolved { plan, reasons, warnings })
}

/// The request with the activation and the σ_p of the first layer that the recipe has for requests that
/// say nothing of the initial weights.
fn tuned(
    request: &FitRequest,
    signal: &SignalFacts,
    recipe: &Recipe,
    reasons: &mut Vec<Reason>,
) -> Result<FitRequest, RequestError> {
    let mut request = request.clone();
    let is_open = request.leaves_weights_open() && signal.start.is_none();
    if let (true, Some(tuned)) = (is_open, recipe.tuned) {
        let activation = parsed(tuned.activation)?;
        let mut note = |field, value: &dyn std::fmt::Display, other| {
            let text = format!("{value}, tuned together with {other}");
            reasons.push(Reason { field, text });
        };
        note("activation", &activation, "the weights of the first layer");
        note("first_sigma_p", &tuned.first_sigma_p, "the activation");
        request.activation = Some(activation);
        request.first_sigma_p = Some(SigmaRequest::Given(tuned.first_sigma_p));
        request.input_scale = Some(1.0);
    }
    Ok(request)
}

/// An activation of a recipe.
fn parsed(text: &str) -> Result<Activation, RequestError> {
    text.parse()
        .map_err(|error: vi3nr::Error| RequestError::new("activation", error.to_string(), ""))
}

/// The backend of the request.
fn backend(request: &FitRequest) -> Result<BackendName, RequestError> {
    request.backend.unwrap_or_default().name().ok_or_else(|| {
        let seen = "auto, which is decided by a measurement when a fit begins";
        RequestError::new("backend", seen, "cpu, gpu or reference")
    })
}

/// A warning if the steps end before each sample was in a mini-batch once.
fn unseen(plan: &FitPlan) -> Option<String> {
    let PointCount::Sampled(count) = plan.signal.points() else { return None };
    let (steps, batch) = (plan.training.steps, plan.training.batch?);
    if plan.pieces.is_some() || steps.saturating_mul(batch as u64) >= count as u64 {
        return None;
    }
    let needed = count.div_ceil(batch);
    Some(format!(
        "{steps} steps of {batch} samples do not reach all {count} samples; expected at least \
         {needed} steps"
    ))
}

/// A warning if the noise that follows from the spectrum gives the first layer frequencies that are not
/// small relative to the highest one of the samples. The authors' rule is for one network of a whole signal
/// with three channels, or of whole audio.
fn ripples(plan: &FitPlan) -> Option<String> {
    let Scheme::Winner { omega, s0, .. } = plan.init.scheme else { return None };
    let axes = plan.signal.axes();
    let one = PieceGrid::of_side(&axes, *axes.iter().max()?, 0);
    let grid = plan.pieces.as_ref().map_or(&one, |pieces| &pieces.grid);
    // The highest frequency has half a period between neighbors.
    let share = omega * s0 * plan.input_scale * grid.pitch(&axes) / PI;
    (share > MAX_NOISE_SHARE).then(|| {
        let most = significant(s0 * MAX_NOISE_SHARE / share, 2);
        format!(
            "the noise of winner spreads the first layer over {:.0} % of the frequencies of the samples, so \
             that the model ripples between them; expected at most {:.0} %, as with winner:s0={most},s1=0",
            100.0 * share,
            100.0 * MAX_NOISE_SHARE
        )
    })
}

/// The shape and activation of the network: from the weights that the fit starts from, the request
/// or the recipe, in this order.
fn network(
    request: &FitRequest,
    signal: &SignalFacts,
    recipe: &Recipe,
    grid: &Option<PieceGrid>,
) -> Result<Network, RequestError> {
    let (inputs, outputs) = (signal.info.inputs(), signal.info.outputs());
    if let Some(StartFacts { network, .. }) = &signal.start {
        return network_of_start(request, network, (inputs, outputs));
    }
    let activation = match &request.activation {
        Some(given) => given.clone(),
        None => parsed(recipe.activation)?,
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

/// The network of the weights that the fit starts from, if it matches the signal and the request.
fn network_of_start(
    request: &FitRequest,
    network: &Network,
    (inputs, outputs): (usize, usize),
) -> Result<Network, RequestError> {
    let dims = network.dims();
    if (network.inputs(), network.outputs()) != (inputs, outputs) {
        let seen =
            format!("its network maps {} numbers to {}", network.inputs(), network.outputs());
        let expected = format!("one that maps {inputs} to {outputs}, as the signal requires");
        return Err(RequestError::new("from", seen, expected));
    }
    let hidden = &dims[1..dims.len() - 1];
    let other = |field, asked: String, own: String| {
        let seen = format!("{asked}, but the weights to start from have {own}");
        RequestError::of_fields(&[field, "from"], seen, "the same value or none")
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
