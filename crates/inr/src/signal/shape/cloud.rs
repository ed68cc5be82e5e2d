//! The consistency and orientation of the normals of a point cloud.

use super::bvh::Bvh;
use super::vector::{Vector, add, dot, length, scale, subtract};

/// The number of points that are compared with their neighbors.
const COMPARED: usize = 4096;
/// The share of neighbors with opposite normals above which a warning is given.
const DISAGREEING: f64 = 0.05;
/// The mean cosine between normals and directions from the center below which the normals point
/// inward.
const INWARDS: f64 = -0.1;

/// Flips the normals of a file if they point inward as a whole, and returns warnings about them.
pub(super) fn orient_cloud(points: &[Vector], normals: &mut [Vector]) -> Vec<String> {
    let mut warnings = Vec::new();
    let sum = points.iter().fold([0.0; 3], |sum, point| add(sum, *point));
    let center = scale(sum, 1.0 / points.len() as f64);
    let (mut flux, mut size) = (0.0, 0.0);
    for (point, normal) in points.iter().zip(&*normals) {
        let from_center = subtract(*point, center);
        flux += dot(from_center, *normal);
        size += length(from_center);
    }
    if flux < INWARDS * size {
        normals.iter_mut().for_each(|normal| *normal = scale(*normal, -1.0));
        warnings.push("the normals pointed inwards and were flipped".into());
    }
    warnings.extend(disagreement(points, normals).map(|seen| {
        format!(
            "the normals disagree: {seen}, and inside is not well defined there; the normals of a \
             file without normals are estimated from the points"
        )
    }));
    warnings
}

/// A warning about estimated normals of points that are too few or too far apart to tell the sides
/// of the surface.
pub(super) fn estimate_warning(points: &[Vector], normals: &[Vector]) -> Option<String> {
    let seen = disagreement(points, normals)?;
    Some(format!(
        "the estimated normals disagree: {seen}; more points or a file with normals may tell the \
         sides of the surface better"
    ))
}

/// How many normals disagree, in words, if these are many.
fn disagreement(points: &[Vector], normals: &[Vector]) -> Option<String> {
    let share = disagreeing(points, normals);
    (share > DISAGREEING).then(|| {
        format!(
            "{:.0} % of the points have a normal opposite to that of the nearest other point",
            100.0 * share
        )
    })
}

/// The share of points whose normal is opposite to that of the nearest point in the other half of
/// the points.
fn disagreeing(points: &[Vector], normals: &[Vector]) -> f64 {
    if points.len() < 2 {
        return 0.0;
    }
    // Half of the points, so that no point is its own neighbor.
    let half: Vec<[Vector; 3]> = points.iter().step_by(2).map(|point| [*point; 3]).collect();
    let tree = Bvh::new(&half);
    let step = (points.len() / 2).div_ceil(COMPARED);
    let (mut opposite, mut all) = (0u32, 0u32);
    for index in (1..points.len()).step_by(2 * step) {
        if let Some(nearest) = tree.nearest(points[index], f64::INFINITY) {
            all += 1;
            let cosine = dot(normals[index], normals[2 * nearest.face as usize]);
            opposite += u32::from(cosine < -0.5);
        }
    }
    f64::from(opposite) / f64::from(all.max(1))
}
