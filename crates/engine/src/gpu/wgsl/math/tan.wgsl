// The tangent: the error of a quotient of the sine and the cosine.
fn math_tan(x: vec4<f32>) -> vec4<f32> {
  let t = math_sin_cos(x);
  return t.first / t.second;
}
