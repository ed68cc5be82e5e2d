// The gradients of the output layer.
fn output_gradient() {
  let layer = net.layer[net.layers - 1u];
  let before = net.layer[net.layers - 2u];
  let region = own + before.region;
  for (var i = tid; i < layer.inputs * layer.stride; i += INVOCATIONS) {
    let k = i / layer.stride;
    let errors = own + i % layer.stride * 4u * COLUMNS;
    var g0 = vec4<f32>(0.0);
    var g1 = g0;
    var g2 = g0;
    var g3 = g0;
    for (var c = 0u; c < net.columns; c++) {
      let a = scratch[region + k * COLUMNS + c];
      g0 = fma(a, scratch[errors + c], g0);
      g1 = fma(a, scratch[errors + COLUMNS + c], g1);
      g2 = fma(a, scratch[errors + 2u * COLUMNS + c], g2);
      g3 = fma(a, scratch[errors + 3u * COLUMNS + c], g3);
    }
    add(layer.weights + i, vec4(sum(g0), sum(g1), sum(g2), sum(g3)));
  }
  for (var quad = tid; quad < layer.stride; quad += INVOCATIONS) {
    let errors = own + quad * 4u * COLUMNS;
    var g0 = vec4<f32>(0.0);
    var g1 = g0;
    var g2 = g0;
    var g3 = g0;
    for (var c = 0u; c < net.points; c++) {
      g0 += scratch[errors + c];
      g1 += scratch[errors + COLUMNS + c];
      g2 += scratch[errors + 2u * COLUMNS + c];
      g3 += scratch[errors + 3u * COLUMNS + c];
    }
    add(layer.biases + quad, vec4(sum(g0), sum(g1), sum(g2), sum(g3)));
  }
  storageBarrier();
}

// The gradients of the first layer.
fn first_gradient() {
  let layer = net.layer[0];
  let region = own + layer.region;
  for (var i = tid; i < (net.inputs + 1u) * layer.stride; i += INVOCATIONS) {
    let d = i / layer.stride;
    let quad = i % layer.stride;
    let errors = region + quad * 4u * COLUMNS;
    var g0 = vec4<f32>(0.0);
    var g1 = g0;
    var g2 = g0;
    var g3 = g0;
    for (var c = 0u; c < net.points; c++) {
      var x = vec4<f32>(1.0);
      if (d < net.inputs) { x = points[at + d * POINTS + c]; }
      g0 = fma(x, scratch[errors + c], g0);
      g1 = fma(x, scratch[errors + COLUMNS + c], g1);
      g2 = fma(x, scratch[errors + 2u * COLUMNS + c], g2);
      g3 = fma(x, scratch[errors + 3u * COLUMNS + c], g3);
    }
    if (d < TANGENTS) {
      for (var c = (1u + d) * net.points; c < (2u + d) * net.points; c++) {
        g0 += scratch[errors + c];
        g1 += scratch[errors + COLUMNS + c];
        g2 += scratch[errors + 2u * COLUMNS + c];
        g3 += scratch[errors + 3u * COLUMNS + c];
      }
    }
    var o = layer.biases + quad;
    if (d < net.inputs) { o = layer.weights + i; }
    add(o, vec4(sum(g0), sum(g1), sum(g2), sum(g3)));
  }
}
