// The preactivations of the first layer for all channels.
fn first_layer() {
  let layer = net.layer[0];
  for (var i = tid; i < layer.size; i += INVOCATIONS) {
    let unit = i / COLUMNS;
    let column = i % COLUMNS;
    let channel = column / POINTS;
    let quad = unit / 4u;
    let component = unit % 4u;
    var z = vec4<f32>(0.0);
    if (channel == 0u) {
      z = vec4(parameters[base + layer.biases + quad][component]);
      for (var d = 0u; d < net.inputs; d++) {
        let weight = parameters[base + layer.weights + d * layer.stride + quad][component];
        z = fma(vec4(weight), points[at + d * POINTS + column], z);
      }
    } else if (channel <= TANGENTS) {
      z = vec4(parameters[base + layer.weights + (channel - 1u) * layer.stride + quad][component]);
    }
    put(layer, unit, column, z);
  }
  storageBarrier();
}
