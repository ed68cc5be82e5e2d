//! An image of surfaces from four sides: a small rasterizer with a depth buffer.

use super::mesh::Mesh;
use super::vector::{Vector, add, cross, dot, scale, subtract, unit};
use crate::chart::text_strip;
use crate::signal::error::SignalError;
use crate::signal::image::Image;

/// The side of a view in pixels, and the factor by which it is drawn larger before it is reduced.
const SIDE: usize = 320;
const FINER: usize = 2;
/// The height of the label above each row of views, in pixels, and its distance from the left.
const LABEL: usize = 28;
const INDENT: u32 = 8;
/// Half the width of a view if there is no surface to fit it to: nearly the cube \[-1.2, 1.2\]³.
const DEFAULT_HALF_WIDTH: f64 = 1.35;
/// The largest share of a view's width that the first surface takes.
const FILL: f64 = 0.92;
/// The directions of the views and their up vectors: around the y axis, slightly from above, and
/// once with z up, since files disagree about which axis is up.
const VIEWS: [(Vector, Vector, &str); 4] = [
    ([0.35, 0.25, 1.0], [0.0, 1.0, 0.0], "from +z, y up"),
    ([-1.0, 0.25, 0.35], [0.0, 1.0, 0.0], "from -x, y up"),
    ([-0.35, 0.25, -1.0], [0.0, 1.0, 0.0], "from -z, y up"),
    ([0.35, -1.0, 0.25], [0.0, 0.0, 1.0], "from -y, z up"),
];

/// Draws each surface (on \[-1.2, 1.2\]) from four sides in a row of its own under its label, 1280
/// pixels wide. The first surface with faces determines the frames, so that it fills them and the
/// others are drawn at the same scale; parts outside are cut off.
///
/// # Errors
/// Returns [`SignalError::Chart`] if the labels cannot be drawn.
pub fn preview(rows: &[(&str, &Mesh)]) -> Result<Image, SignalError> {
    let (width, row_height) = (SIDE * VIEWS.len(), LABEL + SIDE);
    let mut values = vec![1.0; width * row_height * rows.len() * 3];
    let views = fitted(rows.iter().map(|(_, mesh)| *mesh).find(|mesh| !mesh.faces.is_empty()));
    for (row, (label, mesh)) in rows.iter().enumerate() {
        let label = |(column, (.., view)): (usize, &(Vector, Vector, &str))| {
            let text = if column == 0 { format!("{label}, {view}") } else { (*view).into() };
            ((column * SIDE) as u32 + INDENT, text)
        };
        let labels: Vec<(u32, String)> = VIEWS.iter().enumerate().map(label).collect();
        let strip = text_strip(&labels, (width as u32, LABEL as u32))?;
        let start = 3 * row * row_height * width;
        for (value, sample) in values[start..].iter_mut().zip(strip) {
            *value = f32::from(sample) / 127.5 - 1.0;
        }
        let normals = vertex_normals(mesh);
        for (column, view) in views.iter().enumerate() {
            let view = view.draw(mesh, &normals);
            for (y, line) in view.chunks_exact(SIDE).enumerate() {
                for (x, color) in line.iter().enumerate() {
                    let pixel = (row * row_height + LABEL + y) * width + column * SIDE + x;
                    values[3 * pixel..3 * pixel + 3].copy_from_slice(color);
                }
            }
        }
    }
    Image::from_values(width as u32, (row_height * rows.len()) as u32, 3, values)
}

/// The four views, each centered on `mesh`, at the scale at which it fits into all of them.
fn fitted(mesh: Option<&Mesh>) -> Vec<View> {
    let mut views: Vec<View> = VIEWS.iter().map(|(eye, up, _)| View::new(*eye, *up)).collect();
    let Some(mesh) = mesh else { return views };
    let mut half_width = 0.0f64;
    for view in &mut views {
        let corners = mesh.faces.iter().flat_map(|face| mesh.corners(*face));
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for corner in corners {
            for (axis, position) in
                [dot(corner, view.right), dot(corner, view.up)].iter().enumerate()
            {
                low[axis] = low[axis].min(*position);
                high[axis] = high[axis].max(*position);
            }
        }
        view.center = [0, 1].map(|axis| 0.5 * (low[axis] + high[axis]));
        half_width = half_width.max(0.5 * (high[0] - low[0]).max(high[1] - low[1]));
    }
    if half_width > 0.0 && half_width.is_finite() {
        views.iter_mut().for_each(|view| view.half_width = half_width / FILL);
    }
    views
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
    /// The center of the view along `right` and `up`, and half its width.
    center: [f64; 2],
    half_width: f64,
}

impl View {
    fn new(eye: Vector, up: Vector) -> Self {
        let back = unit(eye);
        let right = unit(cross(up, back));
        let (center, half_width) = ([0.0; 2], DEFAULT_HALF_WIDTH);
        Self { right, up: cross(back, right), back, center, half_width }
    }

    /// SIDE·SIDE colors on \[-1, 1\].
    fn draw(&self, mesh: &Mesh, normals: &[Vector]) -> Vec<[f32; 3]> {
        const FINE: usize = SIDE * FINER;
        let mut depths = vec![f64::NEG_INFINITY; FINE * FINE];
        let mut shades = vec![[1.0f32; 3]; FINE * FINE];
        let to_pixel = FINE as f64 / (2.0 * self.half_width);
        let project = |p: Vector| {
            [
                (dot(p, self.right) - self.center[0] + self.half_width) * to_pixel,
                (self.half_width - dot(p, self.up) + self.center[1]) * to_pixel,
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

    /// Light from above the viewer's left shoulder; the back of a face, seen through a hole, is
    /// red.
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
