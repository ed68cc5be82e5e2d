struct Launch { step: u32, first_job: u32, watch: u32, spare0: u32, spare: vec4<u32> }
@group(0) @binding(0) var<storage, read> net: Net;
@group(0) @binding(1) var<storage, read> jobs: array<Job>;
@group(0) @binding(2) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> control: Control;
var<immediate> launch: Launch;

// Adds the partial gradients in the order of their workgroups, and settles the loss.
@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let job = jobs[launch.first_job + id.y];
  let first = job.slot * net.groups;
  for (var k = id.x; k < net.parameters; k += 64u * groups.x) {
    var total = partials[first * net.parameters + k];
    for (var g = 1u; g < job.groups; g++) { total += partials[(first + g) * net.parameters + k]; }
    gradient[job.slot * net.parameters + k] = total;
  }
  if (id.x == 0u) {
    var loss = losses[first];
    for (var g = 1u; g < job.groups; g++) { loss += losses[first + g]; }
    loss *= job.scale;
    control.numbers[loss_at(launch.step, job.slot)] = loss;
    let s = state_at(job.slot);
    var improved = 0u;
    if (bitcast<u32>(control.numbers[s + 2u]) == 0u) {
      // By bits: a compiler may assume that no number is infinite or NaN.
      let is_finite = (bitcast<u32>(loss) & 0x7f800000u) != 0x7f800000u;
      if (!is_finite) {
        control.numbers[s + 2u] = bitcast<f32>(2u);
      } else {
        if (loss < control.numbers[s]) {
          control.numbers[s] = loss;
          improved = 1u;
        }
        if (loss <= control.numbers[s + 1u]) { control.numbers[s + 2u] = bitcast<f32>(1u); }
      }
    }
    control.numbers[s + 3u] = bitcast<f32>(improved);
  }
}
