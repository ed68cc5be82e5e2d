//! A picture of surfaces, so that a person sees them: a small rasterizer with a depth buffer.

use super::mesh::Mesh;
use super::vector::{Vector, add, cross, dot, scale, subtract, unit};
use crate::signal::error::SignalError;
use crate::signal::image::Image;

/// Pixels of a view's side, and how much finer it is drawn before it is reduced.
const SIDE: usize = 320;
const FINER: usize = 2;
/// Half the width of what a view shows: a sphere around the shape's cube fits nearly.
const VIEW: f64 = 1.35;
/// Where the viewers stand: around the y axis, a little above, and once around the z axis, since
/// files disagree about which way is up.
const VIEWS: [(Vector, Vector); 4] = [
    ([0.35, 0.25, 1.0], [0.0, 1.0, 0.0]),
    ([-1.0, 0.25, 0.35], [0.0, 1.0, 0.0]),
    ([-0.35, 0.25, -1.0], [0.0, 1.0, 0.0]),
    ([0.35, -1.0, 0.25], [0.0, 0.0, 1.0]),
];

/// Draws each surface (on \[-1.2, 1.2\]) from four sides in a row of its own, 1280 pixels wide.
///
/// # Errors
/// Never for meshes whose faces exist.
pub fn preview(meshes: &[&Mesh]) -> Result<Image, SignalError> {
    let (width, height) = (SIDE * VIEWS.len(), SIDE * meshes.len());
    let mut values = vec![1.0; width * height * 3];
    for (row, mesh) in meshes.iter().enumerate() {
        let normals = vertex_normals(mesh);
        for (column, (eye, up)) in VIEWS.iter().enumerate() {
            let view = View::new(*eye, *up).draw(mesh, &normals);
            for (y, line) in view.chunks_exact(SIDE).enumerate() {
                for (x, color) in line.iter().enumerate() {
                    let place = (row * SIDE + y) * width + column * SIDE + x;
                    values[3 * place..3 * place + 3].copy_from_slice(color);
                }
            }
        }
    }
    Image::from_values(width as u32, height as u32, 3, values)
}

/// The normals of the faces around each vertex, weighted by area.
fn vertex_normals(mesh: &Mesh) -> Vec<Vector> {
    let mut normals = vec![[0.0; 3]; mesh.vertices.len()];
    for face in &mesh.faces {
        let normal = mesh.area_normal(*face);
        for corner in face {
            normals[*corner as usize] = add(normals[*corner as usize], normal);
        }
    }
    normals.into_iter().map(unit).collect()
}

/// A parallel projection.
struct View {
    right: Vector,
    up: Vector,
    /// Toward the viewer.
    back: Vector,
}

impl View {
    fn new(eye: Vector, up: Vector) -> Self {
        let back = unit(eye);
        let right = unit(cross(up, back));
        Self { right, up: cross(back, right), back }
    }

    /// SIDE·SIDE colors on \[-1, 1\].
    fn draw(&self, mesh: &Mesh, normals: &[Vector]) -> Vec<[f32; 3]> {
        const FINE: usize = SIDE * FINER;
        let mut depths = vec![f64::NEG_INFINITY; FINE * FINE];
        let mut shades = vec![[1.0f32; 3]; FINE * FINE];
        let to_pixel = FINE as f64 / (2.0 * VIEW);
        let project = |p: Vector| {
            [
                (dot(p, self.right) + VIEW) * to_pixel,
                (VIEW - dot(p, self.up)) * to_pixel,
                dot(p, self.back),
            ]
        };
        for face in &mesh.faces {
            let corners = mesh.corners(*face).map(project);
            let [a, b, c] = corners;
            let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            if area == 0.0 || !area.is_finite() {
                continue;
            }
            let range = |axis: usize| {
                let low = a[axis].min(b[axis]).min(c[axis]);
                let high = a[axis].max(b[axis]).max(c[axis]);
                low.ceil().clamp(0.0, FINE as f64) as usize
                    ..(high.floor() + 1.0).clamp(0.0, FINE as f64) as usize
            };
            for y in range(1) {
                for x in range(0) {
                    let p = [x as f64, y as f64];
                    let part = |from: [f64; 3], to: [f64; 3]| {
                        let (u, v) = (to[0] - from[0], to[1] - from[1]);
                        (u * (p[1] - from[1]) - v * (p[0] - from[0])) / area
                    };
                    let weights = [part(b, c), part(c, a), part(a, b)];
                    if weights.iter().any(|weight| *weight < 0.0) {
                        continue;
                    }
                    let depth = (0..3).map(|i| weights[i] * corners[i][2]).sum::<f64>();
                    let place = y * FINE + x;
                    if depth > depths[place] {
                        depths[place] = depth;
                        let at = |i: usize| scale(normals[face[i] as usize], weights[i]);
                        shades[place] = self.shade(unit(add(at(0), add(at(1), at(2)))));
                    }
                }
            }
        }
        reduced(&shades)
    }

    /// Light from over the viewer's left shoulder; the back of a face, seen through a hole, is red.
    fn shade(&self, normal: Vector) -> [f32; 3] {
        let facing = dot(normal, self.back);
        let light = unit(add(self.back, subtract(scale(self.up, 0.6), scale(self.right, 0.5))));
        let brightness = (0.18 + 0.75 * (dot(normal, light) * facing.signum()).max(0.0)) as f32;
        let color = if facing < 0.0 { [0.9, 0.45, 0.4] } else { [0.86, 0.88, 0.92] };
        color.map(|part: f32| 2.0 * (part * brightness).powf(1.0 / 1.6).min(1.0) - 1.0)
    }
}

/// The mean of each FINER·FINER block.
fn reduced(fine: &[[f32; 3]]) -> Vec<[f32; 3]> {
    let share = 1.0 / (FINER * FINER) as f32;
    let one = |place: usize| {
        let mut sum = [0.0; 3];
        for i in 0..FINER * FINER {
            let (x, y) = (place % SIDE * FINER + i % FINER, place / SIDE * FINER + i / FINER);
            let color = fine[y * SIDE * FINER + x];
            (0..3).for_each(|channel| sum[channel] += share * color[channel]);
        }
        sum
    };
    (0..SIDE * SIDE).map(one).collect()
}
