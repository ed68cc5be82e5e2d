// 1/(1 + e^(-x)): relative error below 4e-7; 0 below -87.33.
fn math_sigmoid(x: vec4<f32>) -> vec4<f32> {
  // Compilers share both with the sigmoid of -x.
  let tail = math_exp(-abs(x));
  let above = vec4<f32>(1.0) / (vec4<f32>(1.0) + tail);
  return select(vec4<f32>(1.0), tail, x < vec4<f32>(0.0)) * above;
}
