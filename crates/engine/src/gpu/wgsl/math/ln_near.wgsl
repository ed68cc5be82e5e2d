// ln(1 + m) + c for -0.293 <= m < 0.415 and a c that is 0 or of one sign with an integer part that
// is added later: relative error below 2e-7 if c is 0 (Cephes).
fn math_ln_near(m: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
  let q = m * m;
  var t = fma(m, vec4<f32>(7.0376836e-2), vec4<f32>(-1.151461e-1));
  t = fma(t, m, vec4<f32>(1.1677e-1));
  t = fma(t, m, vec4<f32>(-1.2420141e-1));
  t = fma(t, m, vec4<f32>(1.4249323e-1));
  t = fma(t, m, vec4<f32>(-1.6668058e-1));
  t = fma(t, m, vec4<f32>(2.0000715e-1));
  t = fma(t, m, vec4<f32>(-2.4999994e-1));
  t = fma(t, m, vec4<f32>(3.333333e-1));
  return m + fma(q, vec4<f32>(-0.5), fma(t * q, m, c));
}
