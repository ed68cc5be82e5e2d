//! The registration of images.

use std::sync::Arc;

use serde::Deserialize;

use super::{BitDepth, Image, ImageInfo, ImageOptions, ImageRequest};
use crate::signal::info::SignalInfo as _;
use crate::signal::kind::{Comparable, KindEntry};
use crate::signal::request::SignalOptions;

/// The registration of images.
pub(in crate::signal) const KIND: KindEntry = KindEntry {
    name: "image",
    plural: "images",
    formats: "an image (PNG, JPEG)",
    endings: &["png", "jpg", "jpeg"],
    fields: ImageRequest::FIELDS,
    options_to_json: |all| serde_json::to_value(all.image),
    options_from_json: |value| {
        let image = ImageOptions::deserialize(value)?;
        Ok(SignalOptions { image, ..SignalOptions::default() })
    },
    recognizes: |head| matches!(head, [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..]),
    open: |path, bytes, options| Ok(Box::new(Image::decode(path, bytes, &options.image)?)),
    info: |value| {
        let info = ImageInfo::deserialize(value).map_err(|error| format!("an image: {error}"))?;
        Ok(Arc::new(info))
    },
    comparable: |_, own| {
        let alpha = own.image.alpha;
        let image = ImageOptions { alpha, ..ImageOptions::default() };
        Comparable { own: *own, whole: vec![SignalOptions { image, ..*own }] }
    },
    blank: |inputs, outputs| {
        let size =
            ImageInfo { width: 256, height: 256, channels: outputs, bit_depth: BitDepth::Eight };
        (inputs == 2 && size.check().is_ok()).then(|| Arc::new(size) as _)
    },
};
