// x = n pi + r with |r| <= pi/2, and the sine and the cosine of r in parts.
struct MathHalfTurns {
  r: vec4<f32>,
  // Whether n is 0, so that r is x.
  near: vec4<bool>,
  // The sign bit of (-1)^n.
  sign: vec4<u32>,
  square: vec4<f32>,
  // (sin(r)/r - 1)/r^2: sin(r) has an error of 5e-9 (minimax).
  sine_tail: vec4<f32>,
  // (cos(r) - 1)/r^2: cos(r) has an error of 1e-8 (minimax).
  cosine_tail: vec4<f32>,
}
fn math_half_turns(x: vec4<f32>) -> MathHalfTurns {
  let n = round(x * 0.31830987);
  // pi in three parts, of which the first two are short enough for exact products. Each `min` keeps
  // compilers from adding the parts.
  var r = min(fma(n, vec4<f32>(-3.140625), x), vec4<f32>(3e38));
  r = min(fma(n, vec4<f32>(-9.6750259e-4), r), vec4<f32>(3e38));
  r = fma(n, vec4<f32>(-1.50995798e-7), r);
  // The results stay bounded beyond the range of the reduction.
  r = clamp(r, vec4<f32>(-1.65), vec4<f32>(1.65));
  let q = r * r;
  var s = fma(q, vec4<f32>(2.5999941e-6), vec4<f32>(-1.9806589e-4));
  s = fma(s, q, vec4<f32>(8.333017e-3));
  s = fma(s, q, vec4<f32>(-1.6666657e-1));
  var c = fma(q, vec4<f32>(-2.607653e-7), vec4<f32>(2.4761855e-5));
  c = fma(c, q, vec4<f32>(-1.3888403e-3));
  c = fma(c, q, vec4<f32>(4.1666642e-2));
  c = fma(c, q, vec4<f32>(-0.5));
  // The lowest bit of n + 1.5 2^23 is that of n.
  let sign = bitcast<vec4<u32>>(n + vec4<f32>(12582912.0)) << vec4<u32>(31u);
  return MathHalfTurns(r, n == vec4<f32>(0.0), sign, q, s, c);
}
