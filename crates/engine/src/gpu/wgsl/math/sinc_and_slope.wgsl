// sin(x)/x and its derivative: absolute error below 2e-7 and 3e-7 for |x| <= 8192.
fn math_sinc_and_slope(x: vec4<f32>) -> MathPair {
  let t = math_half_turns(x);
  let sine = fma(t.sine_tail * t.square, t.r, t.r);
  let cosine = fma(t.cosine_tail, t.square, vec4<f32>(1.0));
  // (-1)^n sin(x)/x and its derivative times (-1)^n.
  let inverse = vec4<f32>(1.0) / select(x, vec4<f32>(1.0), t.near);
  let value = bitcast<vec4<f32>>(bitcast<vec4<u32>>(sine * inverse) ^ t.sign);
  let slope = bitcast<vec4<f32>>(bitcast<vec4<u32>>((cosine - sine * inverse) * inverse) ^ t.sign);
  // If r is x itself, the difference of the tails avoids the cancellation in cos(x) - sin(x)/x.
  let value_near = fma(t.sine_tail, t.square, vec4<f32>(1.0));
  let slope_near = (t.cosine_tail - t.sine_tail) * x;
  return MathPair(select(value, value_near, t.near), select(slope, slope_near, t.near));
}
