//! The metadata entries of a model file.
//!
//! | key | content |
//! |---|---|
//! | `format` | `vi3nr` |
//! | `format_version` | `3`; a reader rejects newer versions than its own |
//! | `vi3nr_version` | the version of the program that wrote the file; informative |
//! | `dims` | inputs, hidden widths and outputs, for example `2,128,128,3` |
//! | `pieces` | the grid of pieces and their networks as JSON, for a model in pieces |
//! | `alignment` | `areas` for an image: at another size it covers the same area |
//! | `activation` | the activation, for example `gaussian:sigma=0.05` |
//! | `signal` | a [`SignalInfo`] as JSON |
//! | `input_scale` | the coordinate scale s: coordinates lie in \[-s, s\] |
//! | `value_range` | `-1,1`, black to white; for a shape, the unit of its distances |
//! | `coordinate_range` | the coordinates of the signal's borders, in words |
//! | `seed` | a decimal number |
//! | `request` | the [`FitRequest`](crate::request::FitRequest) as JSON, for a model from a fit |
//! | `plan` | the [`FitPlan`] as JSON, for a model from a fit |
//! | `settings` | the origin of the model as JSON, for any other model |
//!
//! The entry `pieces` has the fields `counts` (pieces along each axis), `overlap` (samples) and
//! `networks` (the `dims` of each shape of network). The `dims` of a model in pieces are those of
//! its first piece. The coordinate range of an image is described at
//! [`Grid`](crate::signal::image::Grid).
//!
//! Versions 1 and 2 have no pieces, 32-bit parameters and no `alignment`: at another size, the
//! centers of the corner pixels stay in place. Version 1 has `settings` for every model, no
//! `input_scale` (that of audio is a field of `signal`), and an incorrect `coordinate_range` for
//! audio.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vi3nr::printable::excerpt;
use vi3nr::{Activation, Network};

use super::{Alignment, Body, Model, Origin};
use crate::pieces::{PieceGrid, PieceSet};
use crate::plan::FitPlan;
use crate::signal::{SignalInfo, SignalKind, info_from_json, info_to_json};

/// The format version that is written, and the newest one that is read.
pub const FORMAT_VERSION: u32 = 3;

pub(super) const FORMAT: &str = "vi3nr";

/// Entries that follow from the others. They are checked, since a file with other values would be
/// decoded incorrectly.
fn ranges(signal: &dyn SignalInfo, input_scale: f64) -> [(&'static str, String); 2] {
    [
        ("value_range", signal.value_range().to_owned()),
        ("coordinate_range", signal.coordinate_range(input_scale)),
    ]
}

/// The entry `alignment` for [`Alignment::Areas`].
const AREAS: &str = "areas";

/// The entry `pieces`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PiecesEntry {
    #[serde(flatten)]
    pub(super) grid: PieceGrid,
    /// The dims of each shape of network.
    pub(super) networks: Vec<Vec<usize>>,
}

impl PiecesEntry {
    fn of(set: &PieceSet) -> Self {
        let dims = |(network, _): (&Network, usize)| network.dims().to_vec();
        Self { grid: set.grid().clone(), networks: set.networks().into_iter().map(dims).collect() }
    }
}

/// The entry `pieces`, if the model is in pieces.
pub(super) fn pieces(entries: &HashMap<String, String>) -> Result<Option<PiecesEntry>, Problem> {
    entries.contains_key("pieces").then(|| json(entries, "pieces")).transpose()
}

/// An entry that cannot be used.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) key: &'static str,
    pub(super) reason: String,
}

/// The entries of a model, ordered so that equal models give equal files.
pub(crate) fn entries(model: &Model) -> serde_json::Result<BTreeMap<&'static str, String>> {
    let mut entries = BTreeMap::from(ranges(&*model.signal, model.input_scale));
    entries.extend([
        ("format", FORMAT.into()),
        ("format_version", FORMAT_VERSION.to_string()),
        ("vi3nr_version", env!("CARGO_PKG_VERSION").into()),
        ("dims", dims(model.network())),
        ("activation", model.network().activation().to_string()),
        ("signal", info_to_json(&*model.signal).to_string()),
        ("input_scale", model.input_scale.to_string()),
        ("seed", model.seed.to_string()),
    ]);
    if model.signal.kind() == SignalKind::Image && model.alignment == Alignment::Areas {
        entries.insert("alignment", AREAS.into());
    }
    if let Body::Pieces(set) = &model.body {
        entries.insert("pieces", serde_json::to_string(&PiecesEntry::of(set))?);
    }
    match &model.origin {
        Origin::Fit { request, plan } => {
            entries.insert("request", serde_json::to_string(request)?);
            entries.insert("plan", plan.canonical());
        }
        Origin::Settings(settings) => {
            entries.insert("settings", serde_json::to_string(settings)?);
        }
    }
    Ok(entries)
}

/// The layer sizes as text.
pub(super) fn dims(network: &Network) -> String {
    let dims: Vec<String> = network.dims().iter().map(usize::to_string).collect();
    dims.join(",")
}

/// The format version of a file of this program.
pub(super) fn version(entries: &HashMap<String, String>) -> Result<u32, Problem> {
    parsed(entries, "format_version", |text| text.parse().map_err(|_| "a whole number".into()))
}

/// The network that the entries describe.
pub(super) fn network(entries: &HashMap<String, String>) -> Result<Network, Problem> {
    let dims = parsed(entries, "dims", |text| {
        let sizes = text.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>();
        sizes.map_err(|_| "layer sizes separated by commas".into())
    })?;
    let activation: Activation = parsed(entries, "activation", |text| {
        text.parse().map_err(|error: vi3nr::Error| format!("an activation: {error}"))
    })?;
    Network::new(dims, activation)
        .map_err(|error| Problem { key: "dims", reason: format!("cannot be built: {error}") })
}

/// The seed.
pub(super) fn seed(entries: &HashMap<String, String>) -> Result<u64, Problem> {
    parsed(entries, "seed", |text| text.parse().map_err(|_| "a whole number".to_owned()))
}

/// The coordinate scale.
pub(super) fn input_scale(entries: &HashMap<String, String>) -> Result<f64, Problem> {
    parsed(entries, "input_scale", |text| {
        let scale = text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale > 0.0);
        scale.ok_or_else(|| "a finite number above 0".into())
    })
}

/// A model of format `version` without its parameters.
pub(super) fn model(entries: &HashMap<String, String>, version: u32) -> Result<Model, Problem> {
    let network = network(entries)?;
    let json: Value = json(entries, "signal")?;
    let signal = parsed(entries, "signal", |_| info_from_json(json.clone()))?;
    let (input_scale, coordinate_range) = match version {
        // The scale of audio was a field of `signal`, and its range was incorrect.
        1 => {
            let scale = json["input_scale"].as_f64().unwrap_or(1.0);
            (scale, (signal.inputs() != 1).then(|| signal.coordinate_range(scale)))
        }
        _ => {
            let scale = input_scale(entries)?;
            (scale, Some(signal.coordinate_range(scale)))
        }
    };
    if !(input_scale.is_finite() && input_scale > 0.0) {
        let reason = format!("is {input_scale}; expected a finite number above 0");
        return Err(Problem { key: "input_scale", reason });
    }
    let value_range = Some(signal.value_range().to_owned());
    for (key, expected) in [("value_range", value_range), ("coordinate_range", coordinate_range)] {
        if let Some(expected) = expected {
            let matches = |text: &str| {
                if text == expected { Ok(()) } else { Err(format!("'{expected}'")) }
            };
            parsed(entries, key, matches)?;
        }
    }
    if let Some(reason) = mismatch(&network, &*signal) {
        let reason = format!("does not match the network: {reason}");
        return Err(Problem { key: "signal", reason });
    }
    let seed = seed(entries)?;
    let origin = match entries.contains_key("plan") {
        true => {
            let plan: FitPlan = self::json(entries, "plan")?;
            Origin::Fit { request: Box::new(self::json(entries, "request")?), plan: Box::new(plan) }
        }
        false => Origin::Settings(self::json(entries, "settings")?),
    };
    let alignment = match (version, entries.contains_key("alignment")) {
        (1 | 2, _) | (_, false) => Alignment::Corners,
        _ => parsed(entries, "alignment", |text| match text {
            AREAS => Ok(Alignment::Areas),
            _ => Err(format!("'{AREAS}'")),
        })?,
    };
    // Only images have an alignment.
    let alignment = match signal.kind() {
        SignalKind::Image => alignment,
        _ => Alignment::default(),
    };
    let model = Model::new(network, Vec::new(), signal);
    Ok(Model { input_scale, seed, alignment, origin, ..model })
}

/// The entry `key` as JSON of type `T`.
fn json<T: DeserializeOwned>(
    entries: &HashMap<String, String>,
    key: &'static str,
) -> Result<T, Problem> {
    parsed(entries, key, |text| {
        serde_json::from_str(text).map_err(|error| format!("JSON: {error}"))
    })
}

/// Why the network cannot represent the signal, if it cannot.
pub(super) fn mismatch(network: &Network, signal: &dyn SignalInfo) -> Option<String> {
    if let Err(error) = signal.check() {
        return Some(error.to_string());
    }
    let found = (network.inputs(), network.outputs());
    let expected = (signal.inputs(), signal.outputs());
    (found != expected).then(|| {
        format!(
            "the network maps {} numbers to {}, the signal needs {} to {}",
            found.0, found.1, expected.0, expected.1
        )
    })
}

/// The entry `key` as parsed by `parse`, whose error is a description of the expected text.
fn parsed<T>(
    entries: &HashMap<String, String>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Problem> {
    let Some(text) = entries.get(key) else {
        return Err(Problem { key, reason: "is missing".into() });
    };
    parse(text).map_err(|expected| {
        // The entry of a damaged file may be megabytes long.
        Problem { key, reason: format!("is '{}'; expected {expected}", excerpt(text, 60)) }
    })
}
