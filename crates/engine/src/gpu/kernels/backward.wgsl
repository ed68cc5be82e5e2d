// The errors of the last hidden layer's activations.
fn output_errors() {
  let layer = net.layer[net.layers - 1u];
  let before = net.layer[net.layers - 2u];
  let region = own + before.region;
  for (var i = tid; i < before.size; i += INVOCATIONS) {
    let k = i / COLUMNS;
    let column = i % COLUMNS;
    var d = vec4<f32>(0.0);
    for (var o = 0u; o < net.outputs; o++) {
      let weight = parameters[base + layer.weights + k * layer.stride + o / 4u][o % 4u];
      d = fma(vec4(weight), scratch[own + o * COLUMNS + column], d);
    }
    pull_back(before, region + i, d);
  }
  storageBarrier();
}

// Adds to the workgroup's partial gradient; the first tile of a workgroup overwrites it.
fn add(index: u32, g: vec4<f32>) {
  if (is_first) { partials[part + index] = g; } else { partials[part + index] += g; }
}

fn sum(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}
