struct Launch { count: u32, groups: u32, spare0: u32, spare1: u32, spare: vec4<u32> }
@group(0) @binding(0) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> totals: array<vec4<f32>>;
var<immediate> launch: Launch;

// Adds the parts of workgroups in their order.
@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  for (var i = id.x; i < launch.count; i += 64u * workgroups.x) {
    var total = parts[i];
    for (var g = 1u; g < launch.groups; g++) { total += parts[g * launch.count + i]; }
    totals[i] = total;
  }
}
