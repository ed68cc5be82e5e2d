//! `vi3nr decode`: from a model to a PNG file.

use serde_json::json;
use vi3nr_inr::{DecodeError, ImageInfo, SignalInfo, decode_image};

use super::model;
use crate::Done;
use crate::arguments::DecodeArguments;
use crate::output::{Failure, print};

/// Decodes at the size asked for and writes the file.
pub(crate) fn run(arguments: &DecodeArguments) -> Done {
    let model = model::load(&arguments.model)?;
    if let SignalInfo::Shape(_) = model.signal {
        let reason = "the model is of a shape; 'vi3nr mesh' turns it into triangles";
        return Err(Failure::Unusable(reason.into()));
    }
    let SignalInfo::Image(ImageInfo { width, height, bit_depth, .. }) = model.signal else {
        return Err(Failure::Unusable("this version decodes models of images only".into()));
    };
    let scaled = |side: u32| (arguments.scale.unwrap_or(1.0) * f64::from(side)).round() as u32;
    let size = arguments.size.unwrap_or((scaled(width), scaled(height)));
    let image =
        decode_image(&model, Some(size), arguments.common.threads).map_err(
            |error| match error {
                DecodeError::Signal(error) => Failure::unusable(error),
                error => Failure::failed(error),
            },
        )?;
    image.save_png(&arguments.out, bit_depth).map_err(Failure::failed)?;
    let (width, height) = (image.width(), image.height());
    print(
        arguments.common.json,
        &json!({"file": arguments.out, "width": width, "height": height}),
        &format!("{} ({width}x{height} pixels)", arguments.out.display()),
    )
}
