// 1/(1 + e^(-x)): relative error below 3e-7; 0 below -87.33.
fn math_sigmoid(x: vec4<f32>) -> vec4<f32> {
  let tail = math_exp(-abs(x));
  return select(vec4<f32>(1.0), tail, x < vec4<f32>(0.0)) / (vec4<f32>(1.0) + tail);
}
