//! `vi3nr info`: what a model file holds.

use serde_json::json;
use vi3nr_inr::SignalInfo;

use super::model;
use crate::Done;
use crate::arguments::InfoArguments;
use crate::output::{Failure, print};

/// Prints what is known about the model.
pub(crate) fn run(arguments: &InfoArguments) -> Done {
    let path = model::path(&arguments.model);
    let model = model::load(&arguments.model)?;
    let SignalInfo::Image { width, height, channels, bit_depth } = model.signal else {
        return Err(Failure::Unusable("this version knows models of images only".into()));
    };
    let network = &model.network;
    let pixels = f64::from(width) * f64::from(height);
    let bits_per_pixel = 32.0 * network.parameter_count() as f64 / pixels;
    let dims: Vec<String> = network.dims().iter().map(usize::to_string).collect();
    let object = json!({
        "model": path,
        "signal": model.signal,
        "dims": network.dims(),
        "layers": network.layer_count(),
        "activation": network.activation().to_string(),
        "parameters": network.parameter_count(),
        "bits_per_pixel": bits_per_pixel,
        "seed": model.seed,
        "settings": model.settings,
    });
    let mut text = format!(
        "{}\n\
         image         {width}x{height}, {channels} channels, {} bits per sample\n\
         network       {} ({} weight matrices, {} parameters, {bits_per_pixel:.1} bits per pixel)\n\
         activation    {}\n\
         seed          {}\n",
        path.display(),
        bit_depth.bits(),
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
