// x = n ln 2 + r with |r| <= 0.35, for x clamped to -88 and 88.72: (n, r).
fn math_powers_of_two(a: vec4<f32>) -> MathPair {
  let x = clamp(a, vec4<f32>(-88.0), vec4<f32>(88.72));
  let n = round(x * 1.442695);
  // ln 2 in two parts, of which the first is short enough for exact products. The `min` keeps
  // compilers from adding the parts.
  let r = min(fma(n, vec4<f32>(-0.693359375), x), vec4<f32>(8.0));
  return MathPair(n, fma(n, vec4<f32>(2.1219444e-4), r));
}
