// The sine and the cosine: absolute error below 2e-7 for |x| <= 8192, and below 0.05 to 10^6; within
// [-1, 1] to rounding for every x.
fn math_sin_cos(x: vec4<f32>) -> MathPair {
  let t = math_half_turns(x);
  let sine = fma(t.sine_tail * t.square, t.r, t.r);
  let cosine = fma(t.cosine_tail, t.square, vec4<f32>(1.0));
  return MathPair(
    bitcast<vec4<f32>>(bitcast<vec4<u32>>(sine) ^ t.sign),
    bitcast<vec4<f32>>(bitcast<vec4<u32>>(cosine) ^ t.sign),
  );
}
