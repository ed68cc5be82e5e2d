// e^r for |r| <= 0.4: relative error below 1.2e-7. The polynomial is Taylor's with its first terms
// adjusted (minimax).
fn math_exp_near(r: vec4<f32>) -> vec4<f32> {
  var t = fma(r, vec4<f32>(1.3941161e-3), vec4<f32>(8.375169e-3));
  t = fma(t, r, vec4<f32>(4.166635e-2));
  t = fma(t, r, vec4<f32>(1.6666415e-1));
  t = fma(t, r, vec4<f32>(0.5));
  return fma(t * r, r, r) + vec4<f32>(1.0);
}
