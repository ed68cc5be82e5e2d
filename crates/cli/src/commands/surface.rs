//! From typed shape options to their meaning, and to what a model remembers of them.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr_inr::ShapeOptions;
use vi3nr_inr::recipe::Preset;
use vi3nr_inr::signal::shape::OPTIONS;

use crate::arguments::ShapeArguments;

/// What the options mean.
pub(crate) fn options(typed: &ShapeArguments, preset: Preset) -> ShapeOptions {
    let usual = OPTIONS.of(preset);
    let loss = typed.loss.map_or(usual.loss, Into::into);
    ShapeOptions { loss, clamp: typed.clamp.or(usual.clamp), ..usual }
}

/// Whether any option was typed.
pub(crate) fn any(typed: &ShapeArguments) -> bool {
    typed.clamp.is_some() || typed.loss.is_some()
}

/// What a model remembers of its shape: the file's name, not its folder, and what was learnt of it.
pub(crate) fn remember(file: Option<&Path>, options: &ShapeOptions) -> Value {
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy());
    json!({
        "file": name,
        "loss": options.loss.name(),
        "clamp": options.clamp,
        "uniform": options.uniform,
    })
}
