// tanh(x): relative error below 3e-7.
fn math_tanh(x: vec4<f32>) -> vec4<f32> {
  let size = abs(x);
  let q = x * x;
  var t = fma(q, vec4<f32>(-5.7049887e-3), vec4<f32>(2.063909e-2));
  t = fma(t, q, vec4<f32>(-5.3739716e-2));
  t = fma(t, q, vec4<f32>(1.3331442e-1));
  t = fma(t, q, vec4<f32>(-3.333328e-1));
  let near = fma(t * q, x, x);
  let far = vec4<f32>(1.0) - vec4<f32>(2.0) / (math_exp(size + size) + vec4<f32>(1.0));
  return select(select(far, -far, x < vec4<f32>(0.0)), near, size < vec4<f32>(0.625));
}
