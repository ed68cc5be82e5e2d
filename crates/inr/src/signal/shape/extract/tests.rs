use super::*;
use crate::signal::shape::topology::EdgeTopology;
use crate::signal::shape::vector::{Vector, length};

fn of(shape: impl Fn(Vector) -> f64, resolution: usize) -> Result<Extracted, ShapeError> {
    let mut field = |points: &[f32], values: &mut [f32]| {
        for (point, value) in points.as_chunks::<3>().0.iter().zip(values) {
            *value = shape(point.map(f64::from)) as f32;
        }
        Ok(())
    };
    extract(&mut field, resolution)
}

#[test]
fn a_sphere_is_where_it_should_be() {
    let found = of(|p| length(p) - 0.7, 200).unwrap();
    assert!(EdgeTopology::of(&found.mesh).is_watertight());
    for vertex in &found.mesh.vertices {
        assert!((length(*vertex) - 0.7).abs() < 1e-3, "{vertex:?}");
    }
    let volume = 4.0 / 3.0 * std::f64::consts::PI * 0.343;
    assert!((found.mesh.volume() / volume - 1.0).abs() < 2e-3, "{}", found.mesh.volume());
    // The Euler characteristic of a sphere.
    let (vertices, faces) = (found.mesh.vertices.len(), found.mesh.faces.len());
    assert_eq!(vertices + faces, 3 * faces / 2 + 2);
    // Sparse.
    assert!(found.evaluations < 201 * 201 * 201 / 3, "{}", found.evaluations);
}

#[test]
fn the_share_that_is_done_grows_to_the_whole() {
    let mut field = |points: &[f32], values: &mut [f32]| {
        for (point, value) in points.as_chunks::<3>().0.iter().zip(values) {
            *value = point[0].hypot(point[1]).hypot(point[2]) - 0.7;
        }
        Ok(())
    };
    let mut shares = Vec::new();
    let watched = extract_watched(&mut field, 128, &mut |share| shares.push(share)).unwrap();
    assert!(shares.len() > 3 && shares.is_sorted(), "{shares:?}");
    assert!(shares[0] > 0.0 && shares.last() == Some(&1.0), "{shares:?}");
    assert_eq!(watched, extract(&mut field, 128).unwrap());
}

#[test]
fn noise_is_watertight_whatever_its_sign_pattern() {
    let random = vi3nr::rng::Random::new(5, vi3nr::rng::Stream::SAMPLES, 0);
    let noise = |p: Vector| {
        let place = p.map(|x| ((x + 1.2) * 1e4).round() as u64);
        random.uniform(place[0] + (place[1] << 16) + (place[2] << 32)) - 0.4
    };
    for resolution in [8, 13, 33] {
        let found = of(noise, resolution).unwrap();
        assert!(EdgeTopology::of(&found.mesh).is_watertight(), "{resolution}");
        assert!(found.mesh.volume() > 0.0);
        assert!(found.mesh.faces.len() > 1000);
    }
}

#[test]
fn zeros_at_lattice_points_and_a_surface_at_the_border_are_closed_too() {
    for resolution in [8, 24, 30, 72, 80] {
        // Every vertex of the cube's surface lies on lattice planes or the border.
        let found = of(|p| p[0].abs().max(p[1].abs()) - 0.6, resolution).unwrap();
        assert!(EdgeTopology::of(&found.mesh).is_watertight(), "{resolution}");
        let found = of(|_| -1.0, resolution).unwrap();
        assert!(EdgeTopology::of(&found.mesh).is_watertight(), "{resolution}");
    }
}

#[test]
fn a_thin_piece_is_followed_from_where_it_was_found() {
    // A torus so thin that few block corners come near it.
    let torus = |p: Vector| {
        let ring = (p[0] * p[0] + p[1] * p[1]).sqrt() - 0.8;
        (ring * ring + p[2] * p[2]).sqrt() - 0.03
    };
    let found = of(torus, 160).unwrap();
    assert!(EdgeTopology::of(&found.mesh).is_watertight());
    let (vertices, faces) = (found.mesh.vertices.len(), found.mesh.faces.len());
    assert_eq!(2 * vertices, faces, "Euler's number of one torus");
}

#[test]
fn what_gives_no_surface_is_told() {
    let text = of(|_| 1.0, 16).unwrap_err().to_string();
    assert!(text.contains("between 1.000e0 and 1.000e0"), "{text}");
    assert!(of(|_| f64::NAN, 16).is_err());
    for resolution in [0, 7, 2049] {
        let text = of(|_| 1.0, resolution).unwrap_err().to_string();
        assert!(text.contains("expected 8 to 2048"), "{text}");
    }
}
