//! From typed picture options to their meaning, and to what a model remembers of them.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr_inr::{AlphaRule, ImageOptions};

use crate::arguments::{Background, PictureArguments};

/// What the options mean.
pub(crate) fn options(typed: &PictureArguments) -> ImageOptions {
    ImageOptions {
        downscale: typed.downscale.unwrap_or(1),
        crop: typed.crop,
        gray: typed.gray,
        alpha: match typed.alpha {
            None => AlphaRule::Refuse,
            Some(Background::White) => AlphaRule::WHITE,
            Some(Background::Black) => AlphaRule::BLACK,
        },
    }
}

/// Whether any option was typed.
pub(crate) fn any(typed: &PictureArguments) -> bool {
    typed.downscale.is_some() || typed.crop.is_some() || typed.gray || typed.alpha.is_some()
}

/// What a model remembers of its picture: the file's name, not its folder, and the options.
pub(crate) fn remember(file: Option<&Path>, typed: &PictureArguments) -> Value {
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy());
    json!({
        "file": name,
        "downscale": typed.downscale.unwrap_or(1),
        "crop": typed.crop,
        "gray": typed.gray,
        "alpha": match typed.alpha {
            None => "refuse",
            Some(Background::White) => "white",
            Some(Background::Black) => "black",
        },
    })
}

/// The inverse of [`remember`]; what is absent or unknown is left at its default.
pub(crate) fn recall(source: &Value) -> ImageOptions {
    let number = |key: &str| source[key].as_u64().and_then(|value| u32::try_from(value).ok());
    ImageOptions {
        downscale: number("downscale").unwrap_or(1),
        crop: number("crop"),
        gray: source["gray"].as_bool().unwrap_or(false),
        alpha: match source["alpha"].as_str() {
            Some("white") => AlphaRule::WHITE,
            Some("black") => AlphaRule::BLACK,
            _ => AlphaRule::Refuse,
        },
    }
}
