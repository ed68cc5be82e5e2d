//! `vi3nr info`: what a model file holds.

use serde_json::json;

use super::model;
use crate::Done;
use crate::arguments::InfoArguments;
use crate::output::print;

/// Prints what is known about the model.
pub(crate) fn run(arguments: &InfoArguments) -> Done {
    let path = model::path(&arguments.model);
    let model = model::load(&arguments.model)?;
    let network = &model.network;
    let bits = 32.0 * network.parameter_count() as f64;
    let rate = model.signal.unit().map(|unit| (unit.name, bits / unit.count));
    let dims: Vec<String> = network.dims().iter().map(usize::to_string).collect();
    let mut object = json!({
        "model": path,
        "signal": model.signal,
        "dims": network.dims(),
        "layers": network.layer_count(),
        "activation": network.activation().to_string(),
        "parameters": network.parameter_count(),
        "seed": model.seed,
        "settings": model.settings,
    });
    let mut rate_text = String::new();
    if let Some((unit, rate)) = rate {
        object[format!("bits_per_{unit}")] = json!(rate);
        rate_text = format!(", {rate:.1} bits per {unit}");
    }
    let mut text = format!(
        "{}\n\
         {:<13} {}\n\
         network       {} ({} weight matrices, {} parameters{rate_text})\n\
         activation    {}\n\
         seed          {}\n",
        path.display(),
        model.signal.kind(),
        model.signal.details(),
        dims.join("-"),
        network.layer_count(),
        network.parameter_count(),
        network.activation(),
        model.seed,
    );
    for (key, value) in model.settings.as_object().into_iter().flatten() {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text += &format!("{key:<13} {shown}\n");
    }
    print(arguments.json, &object, &text)
}
