// ln(1 + e^x): relative error below 4e-7; 0 below -87.33.
fn math_softplus(x: vec4<f32>) -> vec4<f32> {
  let t = math_exp(-abs(x));
  // ln(1 + t)/t on [0, 1] with an error of 3e-8 (relative minimax).
  var p = fma(t, vec4<f32>(5.2326764e-3), vec4<f32>(-2.9505162e-2));
  p = fma(p, t, vec4<f32>(7.822582e-2));
  p = fma(p, t, vec4<f32>(-1.3663234e-1));
  p = fma(p, t, vec4<f32>(1.9106e-1));
  p = fma(p, t, vec4<f32>(-2.484298e-1));
  p = fma(p, t, vec4<f32>(3.3319098e-1));
  p = fma(p, t, vec4<f32>(-4.9999493e-1));
  p = fma(p, t, vec4<f32>(1.0));
  return fma(p, t, max(x, vec4<f32>(0.0)));
}
