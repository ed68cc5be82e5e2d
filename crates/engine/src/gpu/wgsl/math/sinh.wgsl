// sinh(x): relative error below 4e-7; within 1.7e38 in magnitude.
fn math_sinh(x: vec4<f32>) -> vec4<f32> {
  let size = abs(x);
  let grown = math_exp_m1(size);
  let small = 0.5 * (grown + grown / (grown + vec4<f32>(1.0)));
  let value = select(0.5 * math_exp(size), small, size < vec4<f32>(15.0));
  return select(value, -value, x < vec4<f32>(0.0));
}
