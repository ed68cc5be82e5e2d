// 1 - erf(x): relative error below 6e-7 up to x = 9; 0 beyond 9.35.
fn math_erfc(x: vec4<f32>) -> vec4<f32> {
  let far = math_erfc_of_magnitude(x);
  return select(far, vec4<f32>(2.0) - far, x < vec4<f32>(0.0));
}
