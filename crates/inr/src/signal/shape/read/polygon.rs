//! Triangles from polygons.

use crate::signal::shape::vector::{Vector, add, cross, dot, subtract};

/// Polygons with more corners are cut as a fan, since the time of ear clipping grows with the
/// square of their number.
const MAX_EARS: usize = 2048;

/// Cuts a polygon into triangles: convex ones as a fan around the first corner, others by ear
/// clipping in the plane of their mean normal.
pub(super) fn triangulate(polygon: &[u32], vertices: &[Vector], faces: &mut Vec<[u32; 3]>) {
    let fan = |faces: &mut Vec<[u32; 3]>| {
        faces.extend(polygon.windows(2).skip(1).map(|pair| [polygon[0], pair[0], pair[1]]));
    };
    let known = polygon.iter().all(|corner| (*corner as usize) < vertices.len());
    if polygon.len() <= 3 || polygon.len() > MAX_EARS || !known {
        return fan(faces);
    }
    let corners: Vec<Vector> = polygon.iter().map(|corner| vertices[*corner as usize]).collect();
    let normal = area_normal(&corners);
    let turn = |a: Vector, b: Vector, c: Vector| dot(cross(subtract(b, a), subtract(c, b)), normal);
    let count = corners.len();
    let is_convex = (0..count)
        .all(|i| turn(corners[i], corners[(i + 1) % count], corners[(i + 2) % count]) >= 0.0);
    // Polygons without area or with values that are not finite are detected later.
    if is_convex || dot(normal, normal) == 0.0 || !dot(normal, normal).is_finite() {
        return fan(faces);
    }
    let mut left: Vec<usize> = (0..count).collect();
    while left.len() > 3 {
        let around = |i: usize| {
            let n = left.len();
            [left[(i + n - 1) % n], left[i], left[(i + 1) % n]]
        };
        let is_ear = |i: &usize| {
            let [a, b, c] = around(*i);
            let ear = [corners[a], corners[b], corners[c]];
            turn(ear[0], ear[1], ear[2]) > 0.0
                && left.iter().all(|other| {
                    let p = corners[*other];
                    ear.contains(&p)
                        || (0..3).any(|side| turn(ear[side], ear[(side + 1) % 3], p) < 0.0)
                })
        };
        // A polygon that intersects itself may have no ear: then the sharpest corner is cut, or
        // any.
        let ear = (0..left.len()).find(is_ear).or_else(|| {
            (0..left.len()).find(|i| {
                let [a, b, c] = around(*i);
                turn(corners[a], corners[b], corners[c]) > 0.0
            })
        });
        let ear = ear.unwrap_or(0);
        faces.push(around(ear).map(|corner| polygon[corner]));
        left.remove(ear);
    }
    if let [a, b, c] = left[..] {
        faces.push([polygon[a], polygon[b], polygon[c]]);
    }
}

/// Twice the area of a polygon times its normal (Newell's method).
fn area_normal(corners: &[Vector]) -> Vector {
    let first = corners[0];
    corners.windows(2).fold([0.0; 3], |sum, pair| {
        add(sum, cross(subtract(pair[0], first), subtract(pair[1], first)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::shape::vector::length;

    fn area(faces: &[[u32; 3]], vertices: &[Vector]) -> f64 {
        let of = |face: &[u32; 3]| {
            let [a, b, c] = face.map(|corner| vertices[corner as usize]);
            0.5 * length(cross(subtract(b, a), subtract(c, a)))
        };
        faces.iter().map(of).sum()
    }

    #[test]
    fn concave_polygons_keep_their_area() {
        // A U of area 10 whose fan around any corner has more, and an arrow.
        let u = [[4., 1.], [1., 1.], [1., 3.], [4., 3.], [4., 4.], [0., 4.], [0., 0.], [4., 0.]];
        let arrow = [[0., 0.], [4., 0.], [1., 1.], [0., 4.]];
        for (outline, expected) in [(&u[..], 10.0), (&arrow[..], 4.0)] {
            let vertices: Vec<Vector> =
                outline.iter().map(|[x, y]| [*x, *y, x + 2.0 * y]).collect();
            let slope = 6f64.sqrt();
            for first in 0..outline.len() as u32 {
                let count = outline.len() as u32;
                let mut polygon: Vec<u32> = (0..count).map(|i| (i + first) % count).collect();
                for _ in 0..2 {
                    let mut faces = Vec::new();
                    triangulate(&polygon, &vertices, &mut faces);
                    assert_eq!(faces.len(), outline.len() - 2);
                    assert!((area(&faces, &vertices) - expected * slope).abs() < 1e-9);
                    polygon.reverse();
                }
            }
        }
    }
}
