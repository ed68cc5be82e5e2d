//! The identity of runs of version 1.

use serde_json::{Value, json};

use crate::plan::FitPlan;
use crate::points::{Draw, Indices, PointBatch, Points};
use crate::signal::{Signal, info_to_json};
use crate::supervision::Supervision;

/// The number of sampled points in version 1's checksum.
const BAND: usize = 1 << 18;
/// The number of drawn points in version 1's checksum.
const DRAWN: usize = 64;

/// The identity that version 1 would have stored for a fit of `plan` to `signal`.
pub fn identity(plan: &FitPlan, signal: &dyn Signal) -> Value {
    let mut info = info_to_json(&*plan.signal);
    if plan.signal.inputs() == 1 {
        info["input_scale"] = json!(plan.input_scale);
    }
    let mut settings = plan.settings();
    if let Some(source) = settings["source"].as_object_mut() {
        source.remove("grid");
    }
    json!({
        "signal": info,
        "points": fingerprint(&signal.points(plan.input_scale, &Supervision::Values), plan.seed),
        "network": {
            "dims": plan.network.dims(),
            "activation": plan.network.activation().to_string(),
            "parameters": plan.network.parameter_count(),
        },
        "seed": plan.seed,
        "settings": settings,
    })
}

/// Version 1's checksum of the first points and their targets.
fn fingerprint(points: &Points<'_>, seed: u64) -> String {
    let mut batch = PointBatch::default();
    match points {
        Points::Sampled(points) => {
            points.push(Indices::Range(0..points.count().min(BAND)), &mut batch);
        }
        Points::Drawn(points, supervision) => {
            points.sampler(seed, DRAWN, supervision).draw(Draw::Check, &mut batch);
        }
    }
    let mut hasher = crc32fast::Hasher::new();
    for value in batch.points.iter().chain(&batch.targets) {
        hasher.update(&value.to_le_bytes());
    }
    format!("{:08x}", hasher.finalize())
}
