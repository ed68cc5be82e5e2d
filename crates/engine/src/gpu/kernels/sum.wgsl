struct Launch { count: u32, groups: u32, spare0: u32, spare1: u32, spare: vec4<u32> }
@group(0) @binding(0) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> totals: array<vec4<f32>>;
var<immediate> launch: Launch;

// Adds the parts of workgroups in their order.
@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var k = id.x; k < launch.count; k += 64u * groups.x) {
    var total = parts[k];
    for (var g = 1u; g < launch.groups; g++) { total += parts[g * launch.count + k]; }
    totals[k] = total;
  }
}
