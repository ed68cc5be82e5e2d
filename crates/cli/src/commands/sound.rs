//! From typed recording options to their meaning, and to what a model remembers of them.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr::Activation;
use vi3nr_inr::signal::audio;
use vi3nr_inr::{AudioInfo, AudioOptions, ChannelRule};

use crate::arguments::SoundArguments;

/// What the options mean for a network of `activation`.
pub(crate) fn options(typed: &SoundArguments, activation: &Activation) -> AudioOptions {
    AudioOptions {
        channels: typed.channels.unwrap_or_default(),
        start: typed.start.unwrap_or(0.0),
        duration: typed.duration,
        input_scale: typed.input_scale.unwrap_or_else(|| audio::default_input_scale(activation)),
        scale: None,
    }
}

/// Whether any option was typed.
pub(crate) fn any(typed: &SoundArguments) -> bool {
    typed.input_scale.is_some() || any_part(typed)
}

/// Whether it was typed what of a file is meant.
pub(crate) fn any_part(typed: &SoundArguments) -> bool {
    typed.channels.is_some() || typed.start.is_some() || typed.duration.is_some()
}

/// What a model remembers of its recording: the file's name, not its folder, and what was taken.
pub(crate) fn remember(file: Option<&Path>, typed: &SoundArguments) -> Value {
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy());
    let channels = match typed.channels.unwrap_or_default() {
        ChannelRule::Mean => json!("mean"),
        ChannelRule::All => json!("all"),
        ChannelRule::One(number) => json!(number),
    };
    json!({
        "file": name,
        "channels": channels,
        "start": typed.start.unwrap_or(0.0),
        "duration": typed.duration,
    })
}

/// The inverse of [`remember`], for a file that is to be compared with `model`: on its scales.
/// What is absent or unknown is left at its default.
pub(crate) fn recall(source: &Value, model: &AudioInfo) -> AudioOptions {
    let one = |number: &Value| number.as_u64().and_then(|number| usize::try_from(number).ok());
    AudioOptions {
        channels: match &source["channels"] {
            all if all == "all" => ChannelRule::All,
            number => one(number).map_or(ChannelRule::Mean, ChannelRule::One),
        },
        start: source["start"].as_f64().unwrap_or(model.start),
        duration: source["duration"].as_f64(),
        input_scale: model.input_scale,
        scale: Some(model.scale),
    }
}
