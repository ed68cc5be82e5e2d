// e^x: relative error below 2e-7; 0 below -87.33, and 3.4e38 above 88.72.
fn math_exp(x: vec4<f32>) -> vec4<f32> {
  let p = math_powers_of_two(x);
  let power = math_scale(math_exp_near(p.second), p.first);
  return select(power, vec4<f32>(0.0), x < vec4<f32>(-87.33));
}
