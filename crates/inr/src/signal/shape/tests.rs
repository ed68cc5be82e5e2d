//! Files, signs, samples and metrics of small surfaces whose answers are known.

mod parts;

use std::path::Path;
use std::sync::Arc;

use vi3nr::rng::{Random, Stream};

use super::bvh::Bvh;
use super::occupancy::{Occupancy, grid_coordinate};
use super::test_shapes::{cube, shape, sphere};
use super::topology::flip_orientation;
use super::vector::{Vector, length, scale};
use super::*;

fn draw(count: u64) -> Vec<Vector> {
    let random = Random::new(11, Stream::SAMPLES, 0);
    let one = |i: u64| [0, 1, 2].map(|axis| 2.4 * random.uniform(3 * i + axis) - 1.2);
    (0..count).map(one).collect()
}

/// The exact signed distance to the cube [-1, 1]³.
fn cube_distance(p: Vector) -> f64 {
    let q = p.map(|x| x.abs() - 1.0);
    length(q.map(|x| x.max(0.0))) + q[0].max(q[1]).max(q[2]).min(0.0)
}

#[test]
fn a_cube_has_its_exact_distance() {
    let shape = shape(cube());
    assert!(shape.warnings.is_empty());
    let distance = SignedDistance::new(&shape.geometry);
    for p in draw(20_000) {
        assert!((distance.at(p) - cube_distance(p)).abs() < 1e-14, "{p:?}");
    }
    // Straight above corners and edges, where single faces' normals mislead.
    for p in [[1.1, 1.1, 1.1], [1.1, -1.1, 0.0], [0.999, 0.999, 0.999], [-1.5, 0.2, -1.5]] {
        assert!((distance.at(p) - cube_distance(p)).abs() < 1e-14, "{p:?}");
    }
}

/// Occupancy on grids of these sizes against the signs of the distances.
fn occupancy_agrees_with_distances(shape: &Shape, distance: &SignedDistance, counts: &[usize]) {
    for &count in counts {
        let occupancy = Occupancy::new(shape, distance, count);
        for plane in 0..count {
            for (index, inside) in occupancy.plane(plane).into_iter().enumerate() {
                let place = [index % count, index / count, plane];
                let d = distance.at(place.map(|index| grid_coordinate(index, count)));
                assert!(inside == (d < 0.0) || d.abs() < 1e-12, "{place:?}: {d}");
            }
        }
    }
}

#[test]
fn winding_numbers_and_rays_agree_with_the_normals() {
    let shape = shape(sphere(12));
    let distance = SignedDistance::new(&shape.geometry);
    let Geometry::Mesh(mesh) = &*shape.geometry else { panic!() };
    let tree = Bvh::new(&mesh.triangles());
    for p in draw(5_000) {
        let d = distance.at(p);
        if d.abs() > 1e-3 {
            assert_eq!(d < 0.0, tree.winding_number(p) > 0.5, "{p:?}, {d}");
        }
    }
    occupancy_agrees_with_distances(&shape, &distance, &[5, 24, 25]);
}

#[test]
fn rays_through_corners_and_along_faces_are_counted_once() {
    // Scaled so that the grid of 13 points, 0.2 apart, hits corners, edges and whole faces.
    let mut mesh = cube();
    mesh.vertices.iter_mut().for_each(|v| *v = scale(*v, 0.6));
    let shape = Shape {
        form: ShapeForm::Mesh,
        geometry: Arc::new(Geometry::Mesh(mesh)),
        placement: Placement { center: [0.0; 3], scale: 1.0 },
        warnings: Vec::new(),
    };
    let distance = SignedDistance::new(&shape.geometry);
    occupancy_agrees_with_distances(&shape, &distance, &[7, 13, 25]);
}

#[test]
fn flipped_faces_holes_and_turned_surfaces_are_told_and_handled() {
    let mut flipped = sphere(6);
    flipped.faces[7].swap(0, 1);
    flipped.faces[30].swap(1, 2);
    let flipped = shape(flipped);
    assert!(flipped.warnings[0].starts_with("2 faces were flipped"), "{:?}", flipped.warnings);
    assert_eq!(*flipped.geometry, shape_with_order(&flipped, sphere(6)));

    let mut inwards = sphere(6);
    flip_orientation(&mut inwards);
    let inwards = shape(inwards);
    assert!(
        inwards.warnings[0].contains("faced inwards and was flipped"),
        "{:?}",
        inwards.warnings
    );
    assert!(SignedDistance::new(&inwards.geometry).at([0.0; 3]) < -0.9);

    let mut holed = sphere(6);
    holed.faces.truncate(holed.faces.len() - 2);
    let holed = shape(holed);
    assert!(holed.warnings[0].contains("not watertight (4 open edges)"), "{:?}", holed.warnings);
    let distance = SignedDistance::new(&holed.geometry);
    assert!(distance.at([0.0; 3]) < -0.8);
    assert!(distance.at([0.0, 0.0, -1.15]) > 0.1);
    occupancy_agrees_with_distances(&holed, &distance, &[9, 12]);

    // One triangle is a surface with no inside at all.
    let single =
        Mesh { vertices: vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], faces: vec![[0, 1, 2]] };
    let single = shape(single);
    let distance = SignedDistance::new(&single.geometry);
    assert!(draw(2_000).into_iter().all(|p| distance.at(p) >= 0.0));
}

/// The geometry of `mesh`, its faces beginning with the same corners as those of `like`.
fn shape_with_order(like: &Shape, mesh: Mesh) -> Geometry {
    let Geometry::Mesh(like) = &*like.geometry else { panic!() };
    let Geometry::Mesh(mut mesh) = (*shape(mesh).geometry).clone() else { panic!() };
    for (face, like) in mesh.faces.iter_mut().zip(&like.faces) {
        while face[0] != like[0] {
            face.rotate_left(1);
        }
    }
    Geometry::Mesh(mesh)
}

#[test]
fn welding_drops_what_is_no_face() {
    let mut mesh = cube();
    mesh.vertices.extend(mesh.vertices.clone());
    mesh.vertices.push([7.0; 3]);
    mesh.faces[3] = mesh.faces[3].map(|corner| corner + 8);
    mesh.faces.extend([[0, 0, 1], [2, 10, 3], [16, 16, 16]]);
    let shape = shape(mesh);
    assert_eq!(shape.geometry, self::shape(cube()).geometry);
    assert_eq!(shape.warnings, ["3 faces with a repeated corner were dropped"]);
}

#[test]
fn placement_restores_the_files_units() {
    let mut mesh = cube();
    mesh.vertices.iter_mut().for_each(|v| *v = [3.0 * v[0] + 100.0, v[1] - 20.0, v[2] + 5.0]);
    let shape = shape(mesh.clone());
    assert_eq!(shape.placement, Placement { center: [100.0, -20.0, 5.0], scale: 3.0 });
    let Geometry::Mesh(normalized) = &*shape.geometry else { panic!() };
    // Welding numbers the vertices anew, not the faces.
    for (face, own) in normalized.faces.iter().zip(&mesh.faces) {
        for (vertex, own) in normalized.corners(*face).into_iter().zip(mesh.corners(*own)) {
            assert!(vertex.iter().all(|x| x.abs() <= 1.0));
            let back = shape.placement.restore(vertex);
            assert!((0..3).all(|axis| (back[axis] - own[axis]).abs() < 1e-12));
        }
    }
}

#[test]
fn a_step_is_a_function_of_seed_and_number() {
    let shape = shape(sphere(8));
    let distance = SignedDistance::new(&shape.geometry);
    let sampling = ShapeSampling {
        surface: 300,
        near: 200,
        far: 100,
        uniform: 50,
        pool: 777,
        ..Default::default()
    };
    let new = |seed| ShapeSampler::new(&shape.geometry, sampling, seed);
    let step = |sampler: &mut ShapeSampler, number: u64| {
        let (mut points, mut distances) = (Vec::new(), Vec::new());
        sampler.step(&distance, number, &mut points, &mut distances);
        (points, distances)
    };
    let mut sampler = new(4);
    let (points, distances) = step(&mut sampler, 3);
    assert_eq!((points.len(), distances.len()), (1950, 650));
    for (place, (point, target)) in points.as_chunks::<3>().0.iter().zip(&distances).enumerate() {
        let d = distance.at(point.map(f64::from));
        assert!((d - f64::from(*target)).abs() < 2e-7, "{place}: {d} {target}");
        assert!(point.iter().all(|x| x.abs() <= 1.2));
    }
    let mean = |range: std::ops::Range<usize>| {
        let sum: f32 = distances[range.clone()].iter().map(|d| d.abs()).sum();
        f64::from(sum) / range.len() as f64
    };
    // E|Laplace(b)| = b along the normal.
    assert!((mean(300..500) / 2e-3 - 1.0).abs() < 0.25, "{}", mean(300..500));
    assert!((0.1..0.3).contains(&mean(500..600)), "{}", mean(500..600));
    assert_eq!(step(&mut sampler, 3), (points.clone(), distances.clone()));
    assert_ne!(step(&mut sampler, 4).0, points);
    assert_ne!(step(&mut sampler, 4).0[900..], points[900..]);
    // Whichever step came before, on any number of threads.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(threads.install(|| step(&mut new(4), 3)), (points.clone(), distances));
    let far_on = step(&mut sampler, 1_000_003);
    assert_eq!(step(&mut new(4), 1_000_003), far_on);
    assert_ne!(step(&mut new(5), 3).0, points);
}

#[test]
fn points_of_a_surface_are_even() {
    // Two triangles, one of four times the other's area.
    let mesh = Mesh {
        vertices: vec![
            [0.0; 3],
            [2.0, 0.0, 0.0],
            [0.0, 2.0, 0.0],
            [-1.0, 0.0, 0.0],
            [0.0, -1.0, 0.0],
        ],
        faces: vec![[0, 1, 2], [0, 3, 4]],
    };
    let surface = Surface::new(Arc::new(Geometry::Mesh(mesh)));
    let random = Random::new(2, Stream::new(4), 0);
    let points: Vec<Vector> = (0..50_000).map(|i| surface.draw(&random, i).0).collect();
    let large: Vec<_> = points.iter().filter(|p| p[0] > 0.0).collect();
    assert!((large.len() as f64 / 50_000.0 - 0.8).abs() < 0.01);
    for axis in 0..2 {
        let mean = large.iter().map(|p| p[axis]).sum::<f64>() / large.len() as f64;
        assert!((mean - 2.0 / 3.0).abs() < 0.01, "{mean}");
    }
}

#[test]
fn metrics_of_known_surfaces() {
    let truth = shape(sphere(24));
    let distance = SignedDistance::new(&truth.geometry);
    let ball = |radius: f32| {
        let mut field = move |points: &[f32], values: &mut [f32]| {
            for (point, value) in points.as_chunks::<3>().0.iter().zip(values) {
                *value = point.iter().map(|x| x * x).sum::<f32>().sqrt() - radius;
            }
            Ok(())
        };
        let grid = grid_iou(&mut field, &truth, &distance, 64).unwrap();
        (grid, band_iou(&mut field, &truth, &distance, 0.05).unwrap())
    };
    // Volumes 0.9³ and 1; of a shell from 0.95 to 1.05 nothing is inside both.
    let (grid, band) = ball(0.9);
    assert!((grid - 0.729).abs() < 0.01 && band == 0.0, "{grid} {band}");
    let (grid, band) = ball(1.0);
    assert!(grid > 0.98 && band > 0.9, "{grid} {band}");
    assert_eq!(ball(-1.0), (0.0, 0.0));

    let mut smaller = sphere(24);
    smaller.vertices.iter_mut().for_each(|v| *v = scale(*v, 0.9));
    let apart = surface_distance(&Arc::new(Geometry::Mesh(smaller)), &truth.geometry);
    assert!((apart.chamfer - 0.05).abs() < 1e-3, "{apart:?}");
    assert!(apart.normal_consistency > 0.99, "{apart:?}");
    let same = surface_distance(&truth.geometry, &truth.geometry);
    assert!(same.chamfer < 1e-15 && same.normal_consistency > 1.0 - 1e-12, "{same:?}");
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for offset in [0.0, 1e6] {
        let mut mesh = sphere(5);
        mesh.vertices.iter_mut().for_each(|v| *v = v.map(|x| x + offset));
        let normals = vec![[0.0, 0.0, 1.0]; mesh.vertices.len()];
        for name in ["a.ply", "a.OBJ", "a.stl"] {
            let path = folder.path().join(name);
            write_mesh(&path, &mesh, &normals).unwrap();
            let shape = Shape::open(&path).unwrap();
            let Geometry::Mesh(read) = &*shape.geometry else { panic!() };
            if offset == 0.0 || name != "a.stl" {
                assert!(shape.warnings.is_empty(), "{name}: {:?}", shape.warnings);
                assert!(EdgeTopology::of(read).is_watertight(), "{name}");
                assert_eq!(read.vertices.len(), mesh.vertices.len());
                let d = SignedDistance::new(&shape.geometry).at([0.0; 3]);
                assert!((-1.0..-0.9).contains(&d), "{name}: {d}");
            }
        }
    }
    let error = write_mesh(Path::new("a.gltf"), &cube(), &[]).unwrap_err().to_string();
    assert!(error.contains("'a.gltf'") && error.contains(".stl"), "{error}");
}

#[test]
fn a_preview_shows_something_from_every_side() {
    let image = preview(&[("sphere", &sphere(16)), ("cube", &cube())]).unwrap();
    assert_eq!((image.width(), image.height(), image.channels()), (1280, 2 * 348, 3));
    let values = image.values();
    let share = |left: usize, top: usize, height: usize| {
        let pixels = (0..320 * height).map(|i| (top + i / 320) * 1280 + left + i % 320);
        let drawn = pixels.filter(|pixel| values[3 * pixel] < 1.0).count();
        drawn as f64 / (320 * height) as f64
    };
    for view in 0..8 {
        let (left, top) = (view % 4 * 320, view / 4 * 348);
        // A disc of 0.92 of the width fills 0.66 of the view.
        let (label, drawn) = (share(left, top, 28), share(left, top + 28, 320));
        assert!((0.01..0.3).contains(&label), "label of view {view}: {label}");
        assert!((0.55..=1.0).contains(&drawn), "view {view}: {drawn}");
    }
    // A small shape far from the middle fills its frame, too.
    let mut small = cube();
    small.vertices.iter_mut().for_each(|vertex| *vertex = vertex.map(|x| 0.1 * x + 0.7));
    let image = preview(&[("cube", &small)]).unwrap();
    let drawn =
        (0..320 * 320).filter(|i| image.values()[3 * ((28 + i / 320) * 1280 + i % 320)] < 1.0);
    assert!(drawn.count() > 320 * 320 / 2);
}

#[test]
fn the_sign_of_a_cloud_is_that_of_its_normals() {
    let points: Vec<Vector> = sphere(16).vertices;
    let geometry = Geometry::Points { normals: points.clone(), points };
    let shape = Shape::new(geometry).unwrap();
    let distance = SignedDistance::new(&shape.geometry);
    for p in draw(3_000) {
        let true_distance = length(p) - 1.0;
        if true_distance.abs() > 0.1 {
            assert!((distance.at(p) - true_distance).abs() < 0.06, "{p:?}");
        }
    }
}
