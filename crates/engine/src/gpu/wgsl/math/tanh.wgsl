// tanh(x): relative error below 4e-7.
fn math_tanh(x: vec4<f32>) -> vec4<f32> {
  let q = x * x;
  var p = fma(q, vec4<f32>(-5.7049887e-3), vec4<f32>(2.063909e-2));
  p = fma(p, q, vec4<f32>(-5.3739716e-2));
  p = fma(p, q, vec4<f32>(1.3331442e-1));
  p = fma(p, q, vec4<f32>(-3.333328e-1));
  let near = fma(p * q, x, x);
  // As in `math_sech`, with which compilers share it.
  let tail = math_exp(-abs(x));
  let square = tail * tail;
  let far = (vec4<f32>(1.0) - square) * (vec4<f32>(1.0) / (vec4<f32>(1.0) + square));
  return select(select(far, -far, x < vec4<f32>(0.0)), near, abs(x) < vec4<f32>(0.625));
}
