//! The principal curvatures of a surface, from the Hessian of its network.

use std::str::FromStr;

use vi3nr_engine::{Backend, EngineError};

use super::{DecodeError, info_of};
use crate::model_file::Model;
use crate::signal::SignalKind;
use crate::signal::shape::vector::{cross, dot, length, unit};
use crate::signal::shape::{ShapeInfo, Vector, VertexAttribute};

/// What a mesh stores for each vertex beside the normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshAttribute {
    /// `curvature`: the principal curvatures `k1` and `k2`, `mean_curvature` and
    /// `gaussian_curvature` of [`PrincipalCurvatures`].
    Curvature,
}

impl MeshAttribute {
    /// All attributes.
    pub const ALL: [Self; 1] = [Self::Curvature];

    /// The name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curvature => "curvature",
        }
    }
}

impl FromStr for MeshAttribute {
    type Err = String;

    /// Parses a name.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|attribute| attribute.name() == text);
        found.ok_or_else(|| "expected curvature".to_owned())
    }
}

/// The principal curvatures at a point of a surface, in 1/length: the largest and the smallest
/// curvature of the normal sections. A sphere of radius r with outward normals has k1 = k2 = 1/r,
/// so convex parts are positive. Both are NaN where the gradient of the network is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrincipalCurvatures {
    /// The larger curvature.
    pub k1: f64,
    /// The smaller curvature.
    pub k2: f64,
}

impl PrincipalCurvatures {
    /// The eigenvalues of the shape operator P H P/‖∇Φ‖ on the tangent plane of a level set of Φ,
    /// from the gradient ∇Φ and the Hessian H of Φ there, with P = I - nnᵀ for n = ∇Φ/‖∇Φ‖.
    pub fn of_level_set(gradient: Vector, hessian: [Vector; 3]) -> Self {
        let normal = unit(gradient);
        // The axis that is farthest from the normal.
        let axis = (0..3).min_by(|a, b| normal[*a].abs().total_cmp(&normal[*b].abs()));
        let mut along = [0.0; 3];
        along[axis.unwrap_or(0)] = 1.0;
        let u = unit(cross(normal, along));
        let v = cross(normal, u);
        let norm = length(gradient);
        let form = |a: Vector, b: Vector| dot(a, hessian.map(|row| dot(row, b))) / norm;
        let (uu, uv, vv) = (form(u, u), form(u, v), form(v, v));
        let (mean, half) = ((uu + vv) / 2.0, (uu - vv) / 2.0);
        let deviation = half.hypot(uv);
        Self { k1: mean + deviation, k2: mean - deviation }
    }

    /// (k1 + k2)/2.
    pub fn mean(self) -> f64 {
        (self.k1 + self.k2) / 2.0
    }

    /// k1·k2, in 1/length².
    pub fn gaussian(self) -> f64 {
        self.k1 * self.k2
    }
}

/// The principal curvatures of the level sets of a model of a shape at `points`, usually vertices of
/// its surface, in the units of the file that was fitted: curvatures are in 1/unit. They follow from
/// the exact first and second derivatives of the network.
///
/// # Errors
/// Returns [`DecodeError::Kind`] if the model is not one of a shape, and [`DecodeError::Engine`] if
/// the network cannot be evaluated or the second derivative of a formula exceeds its limits.
pub fn principal_curvatures(
    model: &Model,
    points: &[Vector],
    backend: &dyn Backend,
) -> Result<Vec<PrincipalCurvatures>, DecodeError> {
    /// The number of points differentiated at a time.
    const CHUNK: usize = 1 << 16;
    let info: ShapeInfo = info_of(model, SignalKind::Shape)?;
    let Some((network, parameters)) = model.whole() else {
        return Err(DecodeError::Kind { expected: SignalKind::Shape, found: model.signal.kind() });
    };
    let (inputs, outputs) = (network.inputs(), network.outputs());
    if (inputs, outputs) != (3, 1) {
        return Err(EngineError::BatchShape { seen: (3, 1), expected: (inputs, outputs) }.into());
    }
    let mut engine = backend.engine(network, parameters)?;
    let mut found = Vec::with_capacity(points.len());
    for points in points.chunks(CHUNK) {
        let inside = points.iter().map(|point| info.placement.normalize(*point));
        let coordinates: Vec<f32> = inside.flatten().map(|x| x as f32).collect();
        let mut values = vec![0.0; points.len()];
        let mut gradients = vec![0.0; 3 * points.len()];
        let mut hessians = vec![0.0; 9 * points.len()];
        engine.differentiate_twice(&coordinates, &mut values, &mut gradients, &mut hessians)?;
        let pairs = gradients.as_chunks::<3>().0.iter().zip(hessians.as_chunks::<9>().0);
        found.extend(pairs.map(|(gradient, hessian)| {
            let row = |a: usize| [0, 1, 2].map(|b| f64::from(hessian[3 * a + b]));
            let own =
                PrincipalCurvatures::of_level_set(gradient.map(f64::from), [0, 1, 2].map(row));
            // From 1/(unit of the coordinates) to 1/(unit of the file).
            let scale = info.placement.scale;
            PrincipalCurvatures { k1: own.k1 / scale, k2: own.k2 / scale }
        }));
    }
    Ok(found)
}

/// Curvatures as attributes of vertices.
pub(super) fn attributes(curvatures: &[PrincipalCurvatures]) -> Vec<VertexAttribute> {
    let attribute = |name, number: fn(PrincipalCurvatures) -> f64| VertexAttribute {
        name,
        values: curvatures.iter().map(|own| number(*own) as f32).collect(),
    };
    vec![
        attribute("k1", |own| own.k1),
        attribute("k2", |own| own.k2),
        attribute("mean_curvature", PrincipalCurvatures::mean),
        attribute("gaussian_curvature", PrincipalCurvatures::gaussian),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vi3nr::Network;
    use vi3nr_engine::CpuBackend;

    use super::*;
    use crate::decode::{DecodeRequest, decode};
    use crate::signal::shape::{Geometry, Placement, Shape, ShapeForm};

    const CENTER: Vector = [3.0, -1.0, 2.0];
    const SCALE: f64 = 4.0;

    fn backend() -> CpuBackend {
        CpuBackend::new(Some(2)).unwrap()
    }

    /// The model of the quadric a x² + b y² + c z² = level in coordinates, which are the units of
    /// the file shifted by [`CENTER`] and divided by [`SCALE`].
    fn quadric(factors: [f32; 3], level: f32) -> Model {
        let network = Network::new(vec![3, 3, 1], "x^2".parse().unwrap()).unwrap();
        let mut parameters = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        parameters.extend(factors);
        parameters.push(-level);
        let placement = Placement { center: CENTER, scale: SCALE };
        let form = ShapeForm::Mesh;
        let info = ShapeInfo { placement, elements: 1, closed: true, form };
        Model::new(network, parameters, Arc::new(info))
    }

    /// The curvatures at a point in coordinates, in 1/(unit of the file).
    fn at(model: &Model, point: Vector) -> [f64; 2] {
        let placement = Placement { center: CENTER, scale: SCALE };
        let found = principal_curvatures(model, &[placement.restore(point)], &backend()).unwrap();
        [found[0].k1, found[0].k2]
    }

    #[track_caller]
    fn assert_close(found: [f64; 2], expected: [f64; 2]) {
        let mut pairs = found.iter().zip(expected);
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {expected:?}");
    }

    #[test]
    fn curvatures_of_quadrics_are_known() {
        let sphere = quadric([1.0; 3], 0.25);
        for direction in [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [-0.3, 0.8, 0.1]] {
            let point = unit(direction).map(|x| 0.5 * x);
            assert_close(at(&sphere, point), [1.0 / (0.5 * SCALE); 2]);
        }
        let cylinder = quadric([1.0, 1.0, 0.0], 0.64);
        assert_close(at(&cylinder, [0.48, 0.64, 0.9]), [1.0 / (0.8 * SCALE), 0.0]);
        // An ellipsoid with the semi-axes a = 1, b = 1/2, c = 1/4 at (a, 0, 0): a/c² and a/b².
        let ellipsoid = quadric([1.0, 4.0, 16.0], 1.0);
        assert_close(at(&ellipsoid, [1.0, 0.0, 0.0]), [16.0 / SCALE, 4.0 / SCALE]);
        // A hyperboloid of one sheet is a saddle: 1 and -1 on its waist.
        let hyperboloid = quadric([1.0, 1.0, -1.0], 1.0);
        assert_close(at(&hyperboloid, [0.6, -0.8, 0.0]), [1.0 / SCALE, -1.0 / SCALE]);
        // The inside of a sphere, whose normals point to the center.
        assert_close(at(&quadric([-1.0; 3], -0.25), [0.5, 0.0, 0.0]), [-1.0 / (0.5 * SCALE); 2]);
        assert!(at(&sphere, [0.0; 3])[0].is_nan());
    }

    #[test]
    fn meshes_have_their_curvatures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sphere.ply");
        let attributes = Some(MeshAttribute::Curvature);
        let request = DecodeRequest { resolution: Some(32), attributes, ..Default::default() };
        let model = quadric([1.0; 3], 0.25);
        let decoded = decode(&model, &request, &path, &backend(), &mut |_| {}).unwrap();
        let names = ["k1", "k2", "mean_curvature", "gaussian_curvature"];
        assert_eq!(decoded.facts["attributes"], serde_json::json!(names));

        // Our own reader accepts the properties.
        let shape = Shape::open(&path).unwrap();
        let Geometry::Mesh(mesh) = &*shape.geometry else { panic!("no mesh") };
        assert_eq!(mesh.vertices.len() as u64, decoded.facts["vertices"].as_u64().unwrap());

        // A plain parse: six floats of position and normal, and four of curvature.
        let bytes = std::fs::read(&path).unwrap();
        let end = bytes.windows(11).position(|part| part == b"end_header\n").unwrap() + 11;
        let header = std::str::from_utf8(&bytes[..end]).unwrap();
        for name in names {
            assert!(header.contains(&format!("property float {name}\n")), "{header}");
        }
        // The vertices lie within the error of marching cubes on the sphere of radius 2 units.
        for vertex in bytes[end..].chunks_exact(40).take(mesh.vertices.len()) {
            let number = |index: usize| {
                f64::from(f32::from_le_bytes(vertex[4 * index..][..4].try_into().unwrap()))
            };
            let radius = length([0, 1, 2].map(|axis| number(axis) - CENTER[axis]));
            assert!((radius - 2.0).abs() < 0.02, "{radius}");
            for (index, expected) in [1.0, 1.0, 1.0, 1.0 / radius].into_iter().enumerate() {
                let error = number(6 + index) - expected / radius;
                assert!(error.abs() < 1e-4, "{index} {error}");
            }
        }

        let other = folder.path().join("sphere.obj");
        let error = decode(&model, &request, &other, &backend(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().starts_with("attributes: "), "{error}");
        assert!(!other.exists());
    }
}
