//! `vi3nr info`: what a model file holds.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr::Network;
use vi3nr_inr::model_file::{InitialFile, Model, ModelFile, Origin};
use vi3nr_inr::run_directory::MODEL_FILE;
use vi3nr_inr::signal::info_to_json;

use crate::CommandResult;
use crate::arguments::InfoArguments;
use crate::output::{Failure, print};

/// Prints what is known about the model.
pub(crate) fn run(arguments: &InfoArguments) -> CommandResult {
    let path = match arguments.model.is_dir() {
        true => arguments.model.join(MODEL_FILE),
        false => arguments.model.clone(),
    };
    let (object, text) = match ModelFile::load(&arguments.model).map_err(Failure::usage)? {
        ModelFile::Trained(model) => trained(&path, &model),
        ModelFile::Initial(initial) => untrained(&path, &initial),
    };
    print(arguments.json, &object, &text)
}

/// What every network has: the object, and the lines after the first.
fn common(path: &Path, network: &Network, seed: u64, settings: &Value) -> (Value, [String; 3]) {
    let object = json!({
        "model": path.to_string_lossy(),
        "dims": network.dims(),
        "layers": network.layer_count(),
        "activation": network.activation().to_string(),
        "parameters": network.parameter_count(),
        "seed": seed,
        "settings": settings,
    });
    let dims: Vec<String> = network.dims().iter().map(usize::to_string).collect();
    let lines = [
        format!(
            "network       {} ({} weight matrices, {} parameters",
            dims.join("-"),
            network.layer_count(),
            network.parameter_count()
        ),
        format!("activation    {}", network.activation()),
        format!("seed          {seed}"),
    ];
    (object, lines)
}

fn trained(path: &Path, model: &Model) -> (Value, String) {
    let settings = model.origin.settings();
    let (mut object, [network, activation, seed]) =
        common(path, &model.network, model.seed, &settings);
    object["signal"] = info_to_json(&*model.signal);
    object["input_scale"] = json!(model.input_scale);
    if let Origin::Fit { request, plan } = &model.origin {
        object["request"] = json!(request);
        object["plan"] = json!(plan);
    }
    let bits = 32.0 * model.network.parameter_count() as f64;
    let mut rate_text = String::new();
    if let Some(unit) = model.signal.unit() {
        let rate = bits / unit.count;
        object[format!("bits_per_{}", unit.name)] = json!(rate);
        rate_text = format!(", {rate:.1} bits per {}", unit.name);
    }
    let mut text = format!(
        "{}\n{:<13} {}\ncoordinates   {}\n{network}{rate_text})\n{activation}\n{seed}\n",
        path.display(),
        model.signal.kind().name(),
        model.signal.details(),
        model.signal.coordinate_range(model.input_scale),
    );
    text += &settings_text(&settings);
    (object, text)
}

fn untrained(path: &Path, initial: &InitialFile) -> (Value, String) {
    let (object, [network, activation, seed]) =
        common(path, &initial.network, initial.seed, &initial.settings);
    let mut text = format!(
        "{}\ninitial weights, not trained\n{network})\n{activation}\n{seed}\n",
        path.display()
    );
    text += &settings_text(&initial.settings);
    (object, text)
}

fn settings_text(settings: &Value) -> String {
    let mut text = String::new();
    for (key, value) in settings.as_object().into_iter().flatten() {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text += &format!("{key:<13} {shown}\n");
    }
    text
}
