//! `vi3nr decode`: from a model to a file that people look at or listen to.

use serde_json::json;
use vi3nr_inr::{
    DecodeError, ImageInfo, Model, SampleFormat, SignalInfo, decode_audio, decode_image,
};

use super::model;
use crate::Done;
use crate::arguments::DecodeArguments;
use crate::output::{Failure, print, say};

/// Decodes at the resolution asked for and writes the file.
pub(crate) fn run(arguments: &DecodeArguments) -> Done {
    let model = model::load(&arguments.model)?;
    let of_pictures = arguments.size.is_some() || arguments.scale.is_some();
    let of_recordings = arguments.rate.is_some() || arguments.sample_format.is_some();
    match model.signal {
        SignalInfo::Image(_) if of_recordings => {
            Err(foreign("--rate and --sample-format belong to recordings", &model))
        }
        SignalInfo::Audio(_) if of_pictures => {
            Err(foreign("--size and --scale belong to pictures", &model))
        }
        SignalInfo::Image(info) => picture(arguments, &model, info),
        SignalInfo::Audio(_) => recording(arguments, &model),
        _ => Err(foreign("'vi3nr mesh' turns shapes into triangles", &model)),
    }
}

fn foreign(reason: &str, model: &Model) -> Failure {
    Failure::Unusable(format!("{reason}; this model is of kind {}", model.signal.kind()))
}

fn failure(error: DecodeError) -> Failure {
    match error {
        DecodeError::Signal(error) => Failure::unusable(error),
        error => Failure::failed(error),
    }
}

fn picture(arguments: &DecodeArguments, model: &Model, info: ImageInfo) -> Done {
    let scaled = |side: u32| (arguments.scale.unwrap_or(1.0) * f64::from(side)).round() as u32;
    let size = arguments.size.unwrap_or((scaled(info.width), scaled(info.height)));
    let (width, height) = decode_image(model, Some(size), &arguments.out, arguments.common.threads)
        .map_err(failure)?;
    print(
        arguments.common.json,
        &json!({"file": arguments.out, "width": width, "height": height}),
        &format!("{} ({width}x{height} pixels)", arguments.out.display()),
    )
}

fn recording(arguments: &DecodeArguments, model: &Model) -> Done {
    let audio = decode_audio(model, arguments.rate, arguments.common.threads).map_err(failure)?;
    let format = arguments.sample_format.map_or(SampleFormat::default(), Into::into);
    let clipped = audio.save_wav(&arguments.out, format).map_err(Failure::failed)?;
    let info = audio.audio_info();
    if clipped > 0 {
        say(&format!(
            "warning: {clipped} of {} samples lay beyond the file's range and were clipped; \
             --sample-format float keeps them",
            info.values()
        ));
    }
    print(
        arguments.common.json,
        &json!({
            "file": arguments.out,
            "samples": info.samples,
            "channels": info.channels,
            "rate": info.rate,
            "clipped": clipped,
        }),
        &format!("{} ({})", arguments.out.display(), info.shape()),
    )
}
