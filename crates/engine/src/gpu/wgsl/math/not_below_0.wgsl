// `value` for x >= 0, else NaN, in the bits because compilers may assume that there is none.
fn math_not_below_0(x: vec4<f32>, value: vec4<f32>) -> vec4<f32> {
  let bits = bitcast<vec4<u32>>(value);
  return bitcast<vec4<f32>>(select(bits, vec4<u32>(0x7fc00000u), x < vec4<f32>(0.0)));
}
