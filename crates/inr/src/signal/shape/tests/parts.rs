//! Shapes of several parts: their orientation, overlaps, duplicates and sheets.

use super::*;

/// The mesh moved and scaled.
fn placed(mesh: &Mesh, factor: f64, offset: Vector) -> Mesh {
    let mut mesh = mesh.clone();
    mesh.vertices.iter_mut().for_each(|v| *v = vector::add(scale(*v, factor), offset));
    mesh
}

fn flipped(mut mesh: Mesh) -> Mesh {
    flip_orientation(&mut mesh);
    mesh
}

fn joined(parts: &[Mesh]) -> Mesh {
    let mut all = Mesh::default();
    for part in parts {
        let first = all.vertices.len() as u32;
        all.vertices.extend(&part.vertices);
        all.faces.extend(part.faces.iter().map(|face| face.map(|corner| corner + first)));
    }
    all
}

/// The volume inside in the mesh's own units, by the signs of distances and by the occupancy that the
/// IoU uses.
fn volumes(shape: &Shape) -> [f64; 2] {
    const COUNT: usize = 61;
    let distance = SignedDistance::new(&shape.geometry);
    let occupancy = Occupancy::new(shape, &distance, COUNT);
    let (mut by_sign, mut by_grid) = (0, 0);
    for plane in 0..COUNT {
        for (index, inside) in occupancy.plane(plane).into_iter().enumerate() {
            let place = [index % COUNT, index / COUNT, plane];
            by_grid += usize::from(inside);
            by_sign += usize::from(distance.at(place.map(|i| grid_coordinate(i, COUNT))) < 0.0);
        }
    }
    let cell = (2.4 / (COUNT - 1) as f64 * shape.placement.scale).powi(3);
    [by_sign, by_grid].map(|count| count as f64 * cell)
}

#[test]
fn pieces_are_oriented_one_by_one() {
    let (ball, far) = (sphere(4), [3.01, 0.02, 0.03]);
    let ball_volume = volumes(&shape(ball.clone()))[0];
    let small = placed(&ball, 0.5, [0.01; 3]);
    for (parts, expected, text) in [
        (vec![ball.clone(), placed(&flipped(ball.clone()), 1.0, far)], 2.0, "1 of 2 connected"),
        (vec![ball.clone(), flipped(small.clone())], 0.875, ""),
        (vec![flipped(ball.clone()), small.clone()], 0.875, "2 of 2 connected"),
        (vec![ball.clone(), small], 1.0, "face outwards: they count as filled"),
    ] {
        let shape = shape(joined(&parts));
        for volume in volumes(&shape) {
            assert!((volume / ball_volume - expected).abs() < 0.06, "{volume} {expected} {text}");
        }
        let warnings = shape.warnings.join("; ");
        assert!(warnings.contains(text) && (text.is_empty() == warnings.is_empty()), "{warnings}");
    }
}

#[test]
fn overlapping_pieces_are_their_union() {
    let cubes = joined(&[cube(), placed(&cube(), 1.0, [1.0, 0.5, 0.7])]);
    let overlap = 1.0 * 1.5 * 1.3;
    let shape = shape(cubes);
    for volume in volumes(&shape) {
        assert!((volume - (16.0 - overlap)).abs() < 0.5, "{volume}");
    }
    let signal = ShapeSignal::new(shape, ShapeOptions::default());
    let warnings = crate::signal::Signal::warnings(&signal);
    assert!(warnings[0].contains("overlap"), "{warnings:?}");
}

#[test]
fn duplicates_and_walls_are_dropped() {
    let twice = shape(joined(&[cube(), cube()]));
    assert_eq!(twice.warnings, ["12 duplicate faces were dropped"]);
    let both_sides = shape(joined(&[cube(), flipped(cube())]));
    assert_eq!(both_sides.warnings, ["12 duplicate faces were dropped"]);
    for shape in [&twice, &both_sides] {
        assert_eq!(shape.geometry, self::shape(cube()).geometry);
    }
    // Side by side, mirrored so that the wall has the same diagonal on both sides.
    let mut mirrored = placed(&flipped(cube()), 1.0, [0.0; 3]);
    mirrored.vertices.iter_mut().for_each(|v| v[0] = 2.0 - v[0]);
    let beside = shape(joined(&[cube(), mirrored]));
    assert!(beside.warnings[0].contains("back to back"), "{:?}", beside.warnings);
    for volume in volumes(&beside) {
        assert!((volume - 16.0).abs() < 1.6, "{volume}");
    }
}

#[test]
fn sheets_and_clouds_are_judged() {
    let sheet = Mesh {
        vertices: vec![[0.0; 3], [1.0, 0.0, 0.1], [1.0, 1.0, 0.0], [0.0, 1.0, 0.1]],
        faces: vec![[0, 1, 2], [0, 2, 3]],
    };
    let warnings = shape(sheet).warnings.join("; ");
    assert!(warnings.contains("encloses next to nothing"), "{warnings}");
    let points = sphere(8).vertices;
    let inward: Vec<Vector> = points.iter().map(|p| scale(*p, -1.0)).collect();
    let cloud = Shape::new(Geometry::Points { points: points.clone(), normals: inward }).unwrap();
    assert_eq!(cloud.warnings, ["the normals pointed inwards and were flipped"]);
    assert!(SignedDistance::new(&cloud.geometry).at([0.0; 3]) < -0.9);
    let mut mixed = points.clone();
    mixed.iter_mut().step_by(3).for_each(|normal| *normal = scale(*normal, -1.0));
    let cloud = Shape::new(Geometry::Points { points, normals: mixed }).unwrap();
    assert!(cloud.warnings[0].contains("disagree"), "{:?}", cloud.warnings);
}
