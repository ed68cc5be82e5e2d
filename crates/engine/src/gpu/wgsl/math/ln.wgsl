// The natural logarithm: relative error below 2e-7 (absolute below 1e-7 near x = 1). At 0 it is
// -3.4e38, below 0 NaN; a subnormal x counts as 2^-126.
fn math_ln(x: vec4<f32>) -> vec4<f32> {
  let p = math_ln_parts(max(x, vec4<f32>(1.1754944e-38)));
  let tail = math_ln_near(p.second, p.first * -2.1219444e-4);
  let value = fma(p.first, vec4<f32>(0.693359375), tail);
  return math_not_below_0(x, select(value, vec4<f32>(-3.4e38), x == vec4<f32>(0.0)));
}
