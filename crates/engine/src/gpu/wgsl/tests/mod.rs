//! The texts are valid, and the functions and activations have the errors that are stated.

mod activations;
mod functions;
mod range;
mod single;
mod text;

use super::*;
use crate::gpu::device::{Access, Checks, Device, Dispatch};

/// The results of `functions[k]` at each point of `points[k]`, on the device in one kernel. A
/// function is the name of a WGSL function of `library` that returns a struct `Out` of four vectors.
/// Every list of points has the same length, a multiple of 256.
fn run(
    device: &Device,
    library: &str,
    functions: &[String],
    points: &[Vec<f32>],
) -> Vec<Vec<[f32; 4]>> {
    let count = points[0].len();
    assert!(count.is_multiple_of(256) && points.iter().all(|points| points.len() == count));
    let cases: String = (functions.iter().enumerate())
        .map(|(k, name)| format!("    case {k}u: {{ out = {name}(x); }}\n"))
        .collect();
    let vectors = count / 4;
    let source = format!(
        "struct Out {{ f: array<vec4<f32>, 4> }}
{library}
@group(0) @binding(0) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
  let at = id.y * {vectors}u + id.x;
  let x = points[at];
  var out: Out;
  switch id.y {{
{cases}    default: {{}}
  }}
  results[4u * at] = out.f[0];
  results[4u * at + 1u] = out.f[1];
  results[4u * at + 2u] = out.f[2];
  results[4u * at + 3u] = out.f[3];
}}
"
    );
    let kernel = device.kernel(&source, &[Access::Read, Access::Write], Checks::None).unwrap();
    let from = device.upload(&points.concat()).unwrap();
    let to = device.buffer::<f32>(4 * count * points.len()).unwrap();
    let mut commands = device.commands();
    commands.run([Dispatch {
        kernel: &kernel,
        bindings: &device.bind(&kernel, &[&from, &to]),
        immediates: [0; 8],
        groups: [(vectors / 64) as u32, functions.len() as u32],
    }]);
    device.submit(commands);
    let mut numbers = vec![0.0f32; 4 * count * points.len()];
    device.read(&to, 0, &mut numbers).unwrap();
    let point = |sixteen: &[f32]| -> Vec<[f32; 4]> {
        (0..4).map(|lane| std::array::from_fn(|k| sixteen[4 * k + lane])).collect()
    };
    numbers.chunks(4 * count).map(|all| all.chunks(16).flat_map(point).collect()).collect()
}

/// The larger of two errors. NaN is larger than every number.
fn worse<T>(left: (f64, T), right: (f64, T)) -> (f64, T) {
    if left.0.is_nan() || left.0 >= right.0 { left } else { right }
}
