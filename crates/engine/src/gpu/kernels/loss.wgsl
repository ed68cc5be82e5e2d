// The loss of values: adds to `loss` and keeps the slopes as the errors of the outputs.
fn place(o: u32, column: u32, y: vec4<f32>) {
  var slope = vec4<f32>(0.0);
  if (o < net.outputs) {
    let target_value = points[at + (net.inputs + o) * COLUMNS + column];
    let weight = points[at + (net.inputs + net.outputs) * COLUMNS + column];
    var e = y - target_value;
    if (launch.loss >= 2u) {
      let limit = vec4(launch.limit);
      e = math_keep_nan(y, clamp(y, -limit, limit) - clamp(target_value, -limit, limit));
    }
    if (launch.loss == 0u || launch.loss == 3u) {
      loss += weight * e * e;
      slope = 2.0 * e;
    } else {
      loss += weight * abs(e);
      slope = sign(e);
    }
    slope *= weight * scale;
  }
  scratch[own + o * COLUMNS + column] = slope;
}
