// ln(1 + x): relative error below 3e-7; as `math_ln` at and below x = -1.
fn math_ln_1p(x: vec4<f32>) -> vec4<f32> {
  let far = math_ln(vec4<f32>(1.0) + x);
  let near = math_ln_near(x, vec4<f32>(0.0));
  return select(far, near, (x > vec4<f32>(-0.29)) & (x < vec4<f32>(0.41)));
}
