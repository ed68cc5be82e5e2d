//! `vi3nr sample`: points of a shape.

use serde_json::json;
use vi3nr_inr::signal::SignalError;
use vi3nr_inr::signal::shape::{PointFormat, Shape, sample_points, write_points};

use crate::CommandResult;
use crate::arguments::SampleArguments;
use crate::output::{Failure, print, warn};

/// Draws the points and writes them.
pub(crate) fn run(arguments: &SampleArguments) -> CommandResult {
    let SampleArguments { file, out, points, noise, seed, .. } = arguments;
    let refused = |error| Failure::from(SignalError::from(error));
    PointFormat::of_path(out).map_err(refused)?;
    let shape = Shape::open(file).map_err(refused)?;
    for warning in &shape.warnings {
        warn(&format!("'{}': {warning}", file.display()));
    }
    let mut cloud = sample_points(&shape, *points, *noise, *seed);
    if arguments.no_normals {
        cloud.normals.clear();
    }
    write_points(out, &cloud).map_err(Failure::failed)?;
    let with = if arguments.no_normals { "without" } else { "with" };
    let facts = json!({
        "file": out.to_string_lossy(),
        "points": points,
        "normals": !arguments.no_normals,
    });
    print(arguments.json, &facts, &format!("{} ({points} points {with} normals)", out.display()))
}
