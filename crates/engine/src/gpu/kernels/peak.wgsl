struct Launch { count: u32, spare0: u32, spare1: u32, spare2: u32, spare: vec4<u32> }
@group(0) @binding(0) var<storage, read> numbers: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<f32>>;
var<immediate> launch: Launch;

// Rotates four pairs of vectors `UNROLLED * launch.count` times by multiply-adds alone.
@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  // All from memory, so that a compiler knows nothing about them, not even that f = -g.
  let f = numbers[3u * index];
  let g = numbers[3u * index + 1u];
  let start = numbers[3u * index + 2u];
  var p0 = start;
  var p1 = start + 1.0;
  var p2 = start + 2.0;
  var p3 = start + 3.0;
  var q0 = -p0;
  var q1 = -p1;
  var q2 = -p2;
  var q3 = -p3;
  for (var i = 0u; i < launch.count; i++) {
    ROTATIONS
  }
  results[id.x] = ((p0 + q0) + (p1 + q1)) + ((p2 + q2) + (p3 + q3));
}
