// x = (1 + m) 2^e with sqrt(1/2) <= 1 + m < sqrt(2), for a normal x > 0: (e, m).
fn math_ln_parts(x: vec4<f32>) -> MathPair {
  // Subtracting the bits of sqrt(1/2) moves the step of the exponent there.
  let bits = bitcast<vec4<u32>>(x) - vec4<u32>(0x3f3504f3u);
  let exponent = vec4<f32>(bitcast<vec4<i32>>(bits) >> vec4<u32>(23u));
  let mantissa = bitcast<vec4<f32>>((bits & vec4<u32>(0x007fffffu)) + vec4<u32>(0x3f3504f3u));
  return MathPair(exponent, mantissa - vec4<f32>(1.0));
}
