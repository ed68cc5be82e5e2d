struct Launch { step: u32, first_job: u32, start: u32, count: u32, spare: vec4<u32> }
@group(0) @binding(0) var<storage, read> net: Net;
@group(0) @binding(1) var<storage, read> jobs: array<Job>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> control: Control;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> mean_square: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> best: array<vec4<f32>>;
var<immediate> launch: Launch;

// Keeps the best parameters so far, and takes one step unless the run has ended.
@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let slot = jobs[launch.first_job + id.y].slot;
  let s = state_at(slot);
  let r = rates_at(launch.step, slot);
  let first = slot * net.parameters + launch.start;
  for (var k = id.x; k < launch.count; k += 64u * groups.x) {
    let i = first + k;
    let value = parameters[i];
    if (bitcast<u32>(control.numbers[s + 3u]) != 0u) { best[i] = value; }
    if (bitcast<u32>(control.numbers[s + 2u]) != 0u) { continue; }
    let g = gradient[i];
    let m = control.beta1 * mean[i] + control.rest1 * g;
    let v = control.beta2 * mean_square[i] + control.rest2 * g * g;
    mean[i] = m;
    mean_square[i] = v;
    let root = sqrt(v) * control.numbers[r + 1u] + control.epsilon;
    // Padding has the gradient 0, and stays 0 even if epsilon is 0.
    let change = select(control.numbers[r] * m / root, vec4<f32>(0.0), m == vec4<f32>(0.0));
    parameters[i] = value - change;
  }
}
