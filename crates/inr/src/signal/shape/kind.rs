//! The registration of shapes.

use std::sync::Arc;

use serde::Deserialize;

#[cfg(feature = "shape")]
use super::as_signal::ShapeSignal;
use super::info::{ShapeForm, ShapeInfo};
use super::options::{ShapeOptions, ShapeRequest};
use super::placement::Placement;
#[cfg(not(feature = "shape"))]
use crate::signal::error::SignalError;
use crate::signal::kind::{Comparable, KindEntry};
use crate::signal::request::SignalOptions;

/// The registration of shapes.
pub(in crate::signal) const KIND: KindEntry = KindEntry {
    name: "shape",
    plural: "shapes",
    formats: "a shape (PLY, OBJ, STL, XYZ, PCD)",
    endings: &["ply", "obj", "stl", "xyz", "xyzn", "pcd"],
    fields: ShapeRequest::FIELDS,
    options_to_json: |all| serde_json::to_value(all.shape),
    options_from_json: |value| {
        let shape = ShapeOptions::deserialize(value)?;
        Ok(SignalOptions { shape, ..SignalOptions::default() })
    },
    recognizes: |head| matches!(head, [b'p', b'l', b'y', b'\r' | b'\n', ..]),
    #[cfg(feature = "shape")]
    open: |path, bytes, options| Ok(Box::new(ShapeSignal::decode(path, &bytes, options.shape)?)),
    #[cfg(not(feature = "shape"))]
    open: |path, _, _| {
        Err(SignalError::CompiledOut { path: path.to_owned(), kind: "a shape", feature: "shape" })
    },
    info: |value| {
        let info = ShapeInfo::deserialize(value).map_err(|error| format!("a shape: {error}"))?;
        Ok(Arc::new(info))
    },
    // Compared where the model has its surface.
    comparable: |info, own| {
        let info = info.as_any().downcast_ref::<ShapeInfo>();
        let placement = info.filter(|info| info.elements > 0).map(|info| info.placement);
        let own = SignalOptions { shape: ShapeOptions { placement, ..own.shape }, ..*own };
        Comparable { own, whole: Vec::new() }
    },
    blank: |inputs, outputs| {
        let placement = Placement { center: [0.0; 3], scale: 1.0 };
        let size = ShapeInfo { placement, elements: 0, closed: false, form: ShapeForm::Mesh };
        (inputs == 3 && outputs == 1).then(|| Arc::new(size) as _)
    },
};
