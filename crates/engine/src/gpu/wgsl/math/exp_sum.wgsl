// e^(a + b) for -0.05 <= b <= 0: relative error below 2e-7; 0 for a below -87.33, and 3.4e38 for a
// above 88.72.
fn math_exp_sum(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let p = math_powers_of_two(a);
  let power = math_scale(math_exp_near(p.second + b), p.first);
  return select(power, vec4<f32>(0.0), a < vec4<f32>(-87.33));
}
