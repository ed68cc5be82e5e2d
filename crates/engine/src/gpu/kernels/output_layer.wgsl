// The outputs of all channels, four at a time. The invocations divide the sum over the inputs; the
// partial sums meet in workgroup memory. `place(o, column, y)` takes each result.
fn output_layer() {
  let layer = net.layer[net.layers - 1u];
  let before = net.layer[net.layers - 2u];
  let region = own + before.region;
  let column = tid % COLUMNS;
  for (var quad = 0u; quad < layer.stride; quad++) {
    workgroupBarrier();
    if (tid < PARTS * COLUMNS) {
      var y0 = vec4<f32>(0.0);
      var y1 = y0;
      var y2 = y0;
      var y3 = y0;
      for (var k = tid / COLUMNS; k < layer.inputs; k += PARTS) {
        let a = scratch[region + k * COLUMNS + column];
        let w = parameters[base + layer.weights + k * layer.stride + quad];
        y0 = fma(vec4(w.x), a, y0);
        y1 = fma(vec4(w.y), a, y1);
        y2 = fma(vec4(w.z), a, y2);
        y3 = fma(vec4(w.w), a, y3);
      }
      let o = tid / COLUMNS * 4u * COLUMNS + column;
      shared_vectors[o] = y0;
      shared_vectors[o + COLUMNS] = y1;
      shared_vectors[o + 2u * COLUMNS] = y2;
      shared_vectors[o + 3u * COLUMNS] = y3;
    }
    workgroupBarrier();
    for (var i = tid; i < 4u * COLUMNS; i += INVOCATIONS) {
      let component = i / COLUMNS;
      let c = i % COLUMNS;
      var y = vec4<f32>(0.0);
      if (c < POINTS) { y = vec4(parameters[base + layer.biases + quad][component]); }
      for (var e = 0u; e < PARTS; e++) { y += shared_vectors[(e * 4u + component) * COLUMNS + c]; }
      place(quad * 4u + component, c, y);
    }
  }
}
