//! `vi3nr info`: what a model file holds.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr::Network;
use vi3nr_inr::model_file::{Body, InitialFile, Model, ModelFile, Origin, Storage};
use vi3nr_inr::pieces::PieceSet;
use vi3nr_inr::run_directory::MODEL_FILE;
use vi3nr_inr::signal::info_to_json;

use crate::CommandResult;
use crate::arguments::InfoArguments;
use crate::output::{Failure, print, sizes};

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
    let lines = [
        format!(
            "network       {} ({} weight matrices, {} parameters",
            sizes(network.dims()),
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
        common(path, model.network(), model.seed, &settings);
    object["signal"] = info_to_json(&*model.signal);
    object["input_scale"] = json!(model.input_scale);
    if let Origin::Fit { request, plan } = &model.origin {
        object["request"] = json!(request);
        object["plan"] = json!(plan);
    }
    object["parameters"] = json!(model.parameter_count());
    object["storage"] = json!(model.storage);
    let mut rate_text = String::new();
    if let (Some(unit), Some(rate)) = (model.signal.unit(), model.bits_per_unit()) {
        object[unit.bits] = json!(rate);
        rate_text = format!(", {rate:.1} bits per {}", unit.name);
    }
    let mut pieces_text = String::new();
    if let Body::Pieces(set) = &model.body {
        let (counts, overlap) = (set.grid().counts(), set.grid().overlap());
        object["pieces"] = json!({"counts": counts, "overlap": overlap});
        pieces_text = pieces_line(set, model.storage);
    }
    let mut text = format!(
        "{}\n{:<13} {}\ncoordinates   {}\n{network}{rate_text})\n{pieces_text}{activation}\n{seed}\n",
        path.display(),
        model.signal.kind().name(),
        model.signal.details(),
        model.signal.coordinate_range(model.input_scale),
    );
    text += &settings_text(&settings);
    (object, text)
}

/// How a model is cut into pieces.
fn pieces_line(set: &PieceSet, storage: Storage) -> String {
    let counts: Vec<String> = set.grid().counts().iter().map(usize::to_string).collect();
    format!(
        "pieces        {} ({}), overlap {}, {} parameters together as {}\n",
        set.piece_count(),
        counts.join("x"),
        set.grid().overlap(),
        set.parameter_count(),
        storage.as_str(),
    )
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
