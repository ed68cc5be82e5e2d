struct Launch { start: u32, count: u32, rate: f32, spare0: u32, spare: vec4<u32> }
@group(0) @binding(0) var<storage, read> direction: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
var<immediate> launch: Launch;

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var k = id.x; k < launch.count; k += 64u * groups.x) {
    let i = launch.start + k;
    parameters[i] = parameters[i] - launch.rate * direction[k];
  }
}
