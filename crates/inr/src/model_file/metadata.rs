//! The text entries of a model file.
//!
//! | key | content |
//! |---|---|
//! | `format` | `vi3nr` |
//! | `format_version` | `1`; a reader refuses what is newer than it knows |
//! | `vi3nr_version` | the version of the program that wrote the file; for people only |
//! | `dims` | inputs, hidden widths and outputs, for example `2,128,128,3` |
//! | `activation` | as typed, for example `gaussian:sigma=0.05` |
//! | `signal` | a [`SignalInfo`] as JSON |
//! | `value_range` | `-1,1`: black and white; of a shape, what its distances are counted in |
//! | `coordinate_range` | see [`Grid`](crate::signal::image::Grid); of a shape, the space around it |
//! | `seed` | a decimal number |
//! | `settings` | how it was trained, as JSON |

use std::collections::{BTreeMap, HashMap};

use vi3nr::{Activation, Network};

use super::Model;
use crate::signal::SignalInfo;

/// The newest format version that is read, and the one that is written.
pub const FORMAT_VERSION: u32 = 1;

pub(super) const FORMAT: &str = "vi3nr";

/// Entries that are the same in every file of this format version and kind of signal. They are
/// checked, since a file that says otherwise would be decoded wrongly.
fn ranges(signal: &SignalInfo) -> [(&'static str, &'static str); 2] {
    let (values, coordinates) = match signal {
        SignalInfo::Shape(_) => (
            "signed distance in units of the scale, negative inside",
            "-1.2,1.2 on all axes, the shape within -1,1",
        ),
        _ => ("-1,1", "-1,1 on the longest side, same spacing on all, ends included"),
    };
    [("value_range", values), ("coordinate_range", coordinates)]
}

/// An entry that cannot be used.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) key: &'static str,
    pub(super) reason: String,
}

/// The entries of a model. In order, so that equal models give equal files.
pub(super) fn entries(model: &Model) -> serde_json::Result<BTreeMap<&'static str, String>> {
    let mut entries: BTreeMap<_, _> =
        ranges(&model.signal).into_iter().map(|(key, text)| (key, text.to_owned())).collect();
    entries.extend([
        ("format", FORMAT.into()),
        ("format_version", FORMAT_VERSION.to_string()),
        ("vi3nr_version", env!("CARGO_PKG_VERSION").into()),
        ("dims", dims(&model.network)),
        ("activation", model.network.activation().to_string()),
        ("signal", serde_json::to_string(&model.signal)?),
        ("seed", model.seed.to_string()),
        ("settings", serde_json::to_string(&model.settings)?),
    ]);
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

/// A model without its parameters.
pub(super) fn model(entries: &HashMap<String, String>) -> Result<Model, Problem> {
    let dims = parsed(entries, "dims", |text| {
        let sizes = text.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>();
        sizes.map_err(|_| "layer sizes separated by commas".into())
    })?;
    let activation: Activation = parsed(entries, "activation", |text| {
        text.parse().map_err(|error: vi3nr::Error| format!("an activation: {error}"))
    })?;
    let network = Network::new(dims, activation)
        .map_err(|error| Problem { key: "dims", reason: format!("cannot be built: {error}") })?;
    let signal: SignalInfo = parsed(entries, "signal", |text| {
        serde_json::from_str(text).map_err(|error| format!("a signal: {error}"))
    })?;
    for (key, expected) in ranges(&signal) {
        parsed(
            entries,
            key,
            |text| {
                if text == expected { Ok(()) } else { Err(format!("'{expected}'")) }
            },
        )?;
    }
    if let Some(reason) = mismatch(&network, &signal) {
        return Err(Problem { key: "signal", reason: format!("cannot be right: {reason}") });
    }
    let seed =
        parsed(entries, "seed", |text| text.parse().map_err(|_| "a whole number".to_owned()))?;
    let settings = parsed(entries, "settings", |text| {
        serde_json::from_str(text).map_err(|error| format!("JSON: {error}"))
    })?;
    Ok(Model { network, parameters: Vec::new(), signal, seed, settings })
}

/// Why this network cannot represent this signal, if it cannot.
pub(super) fn mismatch(network: &Network, signal: &SignalInfo) -> Option<String> {
    if let Err(error) = signal.check() {
        return Some(error.to_string());
    }
    let found = (network.inputs(), network.outputs());
    let expected = (signal.inputs(), signal.outputs());
    (found != expected).then(|| {
        format!(
            "the network takes {} numbers to {}, the signal needs {} to {}",
            found.0, found.1, expected.0, expected.1
        )
    })
}

/// The entry `key` as read by `parse`, which returns what it expects where it fails.
fn parsed<T>(
    entries: &HashMap<String, String>,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Problem> {
    let Some(text) = entries.get(key) else {
        return Err(Problem { key, reason: "is missing".into() });
    };
    parse(text).map_err(|expected| {
        // A damaged file may hold megabytes here.
        let start: String = text.chars().take(60).collect();
        let dots = if start.len() < text.len() { "..." } else { "" };
        Problem { key, reason: format!("is '{start}{dots}'; expected {expected}") }
    })
}
