//! The point of a triangle that is closest to another point.

use super::vector::{Vector, add, between, dot, scale, subtract};

/// The part of a triangle on which a closest point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// The inside.
    Face,
    /// The edge from corner `i` to corner `(i + 1) % 3`.
    Edge(u8),
    /// A corner.
    Corner(u8),
}

/// The point of the triangle that is closest to `p`, and the part on which it lies (Ericson,
/// Real-Time Collision Detection, 5.1.5). A triangle without area is treated as its edges.
pub(crate) fn closest_point(p: Vector, [a, b, c]: &[Vector; 3]) -> (Vector, Feature) {
    let (ab, ac, ap) = (subtract(*b, *a), subtract(*c, *a), subtract(p, *a));
    let (d1, d2) = (dot(ab, ap), dot(ac, ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return (*a, Feature::Corner(0));
    }
    let bp = subtract(p, *b);
    let (d3, d4) = (dot(ab, bp), dot(ac, bp));
    if d3 >= 0.0 && d4 <= d3 {
        return (*b, Feature::Corner(1));
    }
    let cp = subtract(p, *c);
    let (d5, d6) = (dot(ab, cp), dot(ac, cp));
    if d6 >= 0.0 && d5 <= d6 {
        return (*c, Feature::Corner(2));
    }
    let (va, vb, vc) = (d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2);
    let sum = va + vb + vc;
    // The squared double area, relative to the rounding errors of its products.
    let products = dot(ab, ab) * dot(ac, ac);
    if sum <= 1e-14 * products {
        return closest_on_edges(p, &[*a, *b, *c]);
    }
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        return (add(*a, scale(ab, d1 / (d1 - d3))), Feature::Edge(0));
    }
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        return (add(*a, scale(ac, d2 / (d2 - d6))), Feature::Edge(2));
    }
    let (toward_c, toward_b) = (d4 - d3, d5 - d6);
    if va <= 0.0 && toward_c >= 0.0 && toward_b >= 0.0 {
        return (between(*b, *c, toward_c / (toward_c + toward_b)), Feature::Edge(1));
    }
    let (v, w) = (vb / sum, vc / sum);
    (add(*a, add(scale(ab, v), scale(ac, w))), Feature::Face)
}

fn closest_on_edges(p: Vector, corners: &[Vector; 3]) -> (Vector, Feature) {
    let mut best = (corners[0], Feature::Corner(0));
    let mut smallest = f64::INFINITY;
    for edge in 0..3 {
        let (from, to) = (corners[edge], corners[(edge + 1) % 3]);
        let along = subtract(to, from);
        let squared = dot(along, along);
        let t = if squared > 0.0 { dot(subtract(p, from), along) / squared } else { 0.0 };
        let (point, feature) = if t <= 0.0 {
            (from, Feature::Corner(edge as u8))
        } else if t >= 1.0 {
            (to, Feature::Corner(((edge + 1) % 3) as u8))
        } else {
            (between(from, to, t), Feature::Edge(edge as u8))
        };
        let away = subtract(p, point);
        let distance = dot(away, away);
        if distance < smallest {
            (smallest, best) = (distance, (point, feature));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::shape::vector::length;

    const FLAT: [Vector; 3] = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]];

    #[test]
    fn every_region_has_its_feature() {
        for (p, point, feature) in [
            ([-1.0, -1.0, 3.0], [0.0, 0.0, 0.0], Feature::Corner(0)),
            ([4.0, -0.5, 0.0], [2.0, 0.0, 0.0], Feature::Corner(1)),
            ([-0.5, 4.0, 0.0], [0.0, 2.0, 0.0], Feature::Corner(2)),
            ([1.0, -1.0, 1.0], [1.0, 0.0, 0.0], Feature::Edge(0)),
            ([2.0, 2.0, -1.0], [1.0, 1.0, 0.0], Feature::Edge(1)),
            ([-3.0, 1.0, 0.0], [0.0, 1.0, 0.0], Feature::Edge(2)),
            ([0.5, 0.5, 7.0], [0.5, 0.5, 0.0], Feature::Face),
        ] {
            assert_eq!(closest_point(p, &FLAT), (point, feature), "{p:?}");
        }
    }

    #[test]
    fn no_point_of_the_triangle_is_closer() {
        let random = vi3nr::rng::Random::new(3, vi3nr::rng::Stream::SAMPLES, 0);
        let draw = |i: u64| -> Vector { [0, 1, 2].map(|axis| random.normal(3 * i + axis)) };
        for i in 0..300 {
            let mut triangle = [draw(4 * i), draw(4 * i + 1), draw(4 * i + 2)];
            match i % 3 {
                1 => triangle[2] = between(triangle[0], triangle[1], 0.3),
                2 => triangle[1] = add(triangle[0], scale(triangle[1], 1e-9)),
                _ => {}
            }
            let p = draw(4 * i + 3);
            let found = length(subtract(p, closest_point(p, &triangle).0));
            for u in 0..=40 {
                for v in 0..=40 - u {
                    let (u, v) = (f64::from(u) / 40.0, f64::from(v) / 40.0);
                    let [a, b, c] = triangle;
                    let on = add(scale(a, 1.0 - u - v), add(scale(b, u), scale(c, v)));
                    assert!(found <= length(subtract(p, on)) + 1e-12, "{i}");
                }
            }
        }
    }
}
