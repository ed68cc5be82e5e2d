//! Whether and how a signal is cut into pieces.

use vi3nr::Network;

use super::{Reason, SignalFacts};
use crate::optimizer::OptimizerName;
use crate::pieces::PieceGrid;
use crate::preset::Preset;
use crate::recipe::{PieceRecipe, Recipe};
use crate::request::{FitRequest, RequestError, TileSide};
use crate::signal::PointCount;

/// The common settings of every network of a fit.
pub(super) struct Cut {
    /// The pieces, if the signal is cut.
    pub(super) grid: Option<PieceGrid>,
    /// The recipe of the signal, or of a piece.
    pub(super) recipe: Recipe,
    /// The number of points of the signal, or of the largest piece.
    pub(super) points: PointCount,
}

/// The largest number of samples along the axis of a one-dimensional signal for a single network:
/// float32 coordinates cannot distinguish more.
const MAX_WHOLE: usize = 1 << 24;

/// The widths of the hidden layers in further attempts, as multiples of the first, for pieces whose
/// training stalls.
const WIDENING: [f64; 2] = [1.5, 2.0];
/// Widths are multiples of this, so that the vectors of the engine are full.
const WIDTH_STEP: usize = 8;

/// Cuts the signal if the request says so, or if the signal is too large for one network and no
/// requested setting implies one.
pub(super) fn cut(
    request: &FitRequest,
    signal: &SignalFacts,
    recipe: &Recipe,
    reasons: &mut Vec<Reason>,
) -> Result<Cut, RequestError> {
    let axes = signal.info.axes();
    let require_one = |cut: Cut| match (&axes[..], &cut.grid) {
        (&[length], None) if length > MAX_WHOLE => {
            let seen = format!("none, but the signal has {length} samples");
            let expected = format!("pieces, or at most {MAX_WHOLE} samples");
            Err(RequestError::new("tile", seen, expected))
        }
        _ => Ok(cut),
    };
    let whole = Cut { grid: None, recipe: *recipe, points: signal.info.points() };
    let Some(pieces) = recipe.pieces.filter(|_| !axes.is_empty()) else {
        return match request.tile {
            Some(TileSide::Samples(side)) => {
                let seen =
                    format!("{side}, but a signal of kind {} is not cut", signal.info.kind());
                Err(RequestError::new("tile", seen, "none"))
            }
            _ => Ok(whole),
        };
    };
    let samples: usize = axes.iter().product();
    let side = match request.tile {
        Some(TileSide::None) => return require_one(whole),
        Some(TileSide::Samples(side)) => side,
        None if samples <= pieces.above || speaks_of_one_network(request) => {
            return require_one(whole);
        }
        None => default_side(request, signal, &pieces)?,
    };
    if request.from.is_some() {
        let seen = "the weights of one network, and the signal is cut into pieces";
        return Err(RequestError::of_fields(&["from", "tile"], seen, "either of them"));
    }
    let grid = PieceGrid::of_side(&axes, side, pieces.overlap);
    if grid.piece_count() == 1 {
        return require_one(whole);
    }
    if request.tile.is_none() {
        let most = pieces.above;
        let text = format!("{side}, since the signal has more than {most} samples");
        reasons.push(Reason { field: "tile", text });
    }
    let recipe = match request.preset {
        Some(Preset::Paper) => *recipe,
        _ => recipe.of_piece(&pieces, quality(request)),
    };
    let points = PointCount::Sampled(grid.max_points(&axes));
    Ok(Cut { grid: Some(grid), recipe, points })
}

/// Whether the request has a setting that implies one network for the whole signal.
fn speaks_of_one_network(request: &FitRequest) -> bool {
    request.from.is_some()
        || request.lr.is_some()
        || request.schedule.is_some()
        || request.lr_decay.is_some()
        || request.batch.is_some()
        || request.optimizer.is_some_and(|optimizer| optimizer != OptimizerName::Kfac)
}

/// The requested PSNR.
fn quality(request: &FitRequest) -> Option<f64> {
    request.quality.or(request.target_psnr)
}

/// The side of a piece: that of the recipe, or a longer one if that would give too many parameters.
fn default_side(
    request: &FitRequest,
    signal: &SignalFacts,
    pieces: &PieceRecipe,
) -> Result<usize, RequestError> {
    let mut side = pieces.side;
    let Some(most) = request.parameters else { return Ok(side) };
    let axes = signal.info.axes();
    let layers = request.layers.unwrap_or(pieces.layers);
    let ends = (signal.info.inputs(), signal.info.outputs());
    // Half of the width of the recipe; narrower networks have too few units.
    let least = parameters(ends, pieces.width(quality(request)) / 2, layers)?;
    while side < TileSide::MAX {
        let count = PieceGrid::of_side(&axes, side, pieces.overlap).piece_count();
        if count == 1 || least * count as u64 <= most {
            break;
        }
        side = side * 5 / 4;
    }
    Ok(side)
}

/// The width at which the networks of `pieces` pieces have at most the requested number of
/// parameters.
pub(super) fn width_of(
    request: &FitRequest,
    ends: (usize, usize),
    layers: usize,
    pieces: usize,
) -> Result<usize, RequestError> {
    let most = request.parameters.unwrap_or_default();
    if let Some(width) = request.width {
        let seen = format!("{most}, but the width {width} is given");
        return Err(RequestError::of_fields(&["parameters", "width"], seen, "either of them"));
    }
    let all = |width| parameters(ends, width, layers).map(|one| one.saturating_mul(pieces as u64));
    let least = all(WIDTH_STEP)?;
    if least > most {
        let expected = format!("at least {least}, for a width of {WIDTH_STEP}");
        return Err(RequestError::new("parameters", most.to_string(), expected));
    }
    let mut width = WIDTH_STEP;
    while all(2 * width)? <= most {
        width *= 2;
    }
    let mut step = width / 2;
    while step >= WIDTH_STEP {
        if all(width + step)? <= most {
            width += step;
        }
        step /= 2;
    }
    Ok(width)
}

/// The number of parameters of one network.
fn parameters(ends: (usize, usize), width: usize, layers: usize) -> Result<u64, RequestError> {
    let refused = |error: vi3nr::Error| {
        RequestError::of_fields(&["parameters", "layers"], error.to_string(), "")
    };
    let activation = "relu".parse().map_err(refused)?;
    let network = Network::uniform(ends.0, width, layers, ends.1, activation).map_err(refused)?;
    Ok(network.parameter_count() as u64)
}

/// The widths of further attempts for pieces whose training stalls: larger ones, or the same width
/// if the request gives the number of parameters.
pub(super) fn cures(request: &FitRequest, network: &Network) -> Vec<usize> {
    let dims = network.dims();
    let width = dims[1..dims.len() - 1].first().copied().unwrap_or(1);
    let wider = |factor: f64| match request.parameters {
        Some(_) => width,
        None => ((width as f64 * factor) as usize).next_multiple_of(WIDTH_STEP),
    };
    WIDENING.map(wider).to_vec()
}

/// The PSNR of the training loss at which the training of a network ends.
pub(super) fn target_psnr(
    request: &FitRequest,
    signal: &SignalFacts,
    recipe: &Recipe,
    is_cut: bool,
) -> Result<Option<f64>, RequestError> {
    let is_drawn = matches!(signal.info.points(), PointCount::Drawn(_));
    let asked = [("quality", request.quality), ("target_psnr", request.target_psnr)];
    for (field, target) in asked {
        if let Some(target) = target.filter(|_| is_drawn) {
            let seen = format!("{target}, but signed distances have no peak to compare with");
            return Err(RequestError::new(field, seen, "a number of steps or a time limit"));
        }
    }
    if let (Some(quality), Some(target)) = (request.quality, request.target_psnr) {
        let seen = format!("{quality} and {target}");
        return Err(RequestError::of_fields(&["quality", "target_psnr"], seen, "either of them"));
    }
    let default = recipe.pieces.filter(|_| is_cut).and_then(|pieces| pieces.quality);
    let quality = request.quality.or(default.filter(|_| request.target_psnr.is_none()));
    let psnr = |quality: f64| {
        // Silence has no signal-to-noise ratio; it is treated as if its power were the smallest of
        // 16 bits.
        let unit = signal.loss_at_0_db.unwrap_or(1e-9);
        quality + 10.0 * (4.0 / unit).log10()
    };
    Ok(quality.map(psnr).or(request.target_psnr))
}
