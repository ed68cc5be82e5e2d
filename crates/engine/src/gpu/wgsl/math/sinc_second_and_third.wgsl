// The second and third derivative of sin(x)/x: absolute error below 4e-7 and 6e-7 for |x| <= 8192.
fn math_sinc_second_and_third(x: vec4<f32>) -> MathPair {
  let lower = math_sinc_and_slope(x);
  let near = abs(x) < vec4<f32>(1.5);
  // From the derivatives of x sinc(x) = sin(x), where nothing cancels.
  let inverse = vec4<f32>(1.0) / select(x, vec4<f32>(1.0), near);
  let second = -fma(lower.second + lower.second, inverse, lower.first);
  let third = -fma(fma(vec4<f32>(3.0), second, lower.first), inverse, lower.second);
  // The power series.
  let q = x * x;
  var s = fma(q, vec4<f32>(-1.3917838e-10), vec4<f32>(2.1197938e-8));
  s = fma(s, q, vec4<f32>(-2.2546897e-6));
  s = fma(s, q, vec4<f32>(1.54321e-4));
  s = fma(s, q, vec4<f32>(-5.952381e-3));
  s = fma(s, q, vec4<f32>(1.0e-1));
  s = fma(s, q, vec4<f32>(-3.3333334e-1));
  var t = fma(q, vec4<f32>(9.4464965e-12), vec4<f32>(-1.6701406e-9));
  t = fma(t, q, vec4<f32>(2.1197938e-7));
  t = fma(t, q, vec4<f32>(-1.8037517e-5));
  t = fma(t, q, vec4<f32>(9.259259e-4));
  t = fma(t, q, vec4<f32>(-2.3809524e-2));
  t = fma(t, q, vec4<f32>(2.0e-1));
  return MathPair(select(second, s, near), select(third, t * x, near));
}
