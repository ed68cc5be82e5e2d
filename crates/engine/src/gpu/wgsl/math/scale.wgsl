// m 2^n for a whole n of magnitude below 2^21, where the result is a normal number.
fn math_scale(m: vec4<f32>, n: vec4<f32>) -> vec4<f32> {
  // The low bits of n + 1.5 2^23 hold n.
  let exponent = bitcast<vec4<u32>>(n + vec4<f32>(12582912.0)) << vec4<u32>(23u);
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(m) + exponent);
}
