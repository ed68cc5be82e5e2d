// `value`, or NaN where x is NaN, in the bits because compilers may assume that there is none.
fn math_keep_nan(x: vec4<f32>, value: vec4<f32>) -> vec4<f32> {
  let magnitude = bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu);
  let is_nan = magnitude > vec4<u32>(0x7f800000u);
  return bitcast<vec4<f32>>(select(bitcast<vec4<u32>>(value), vec4<u32>(0x7fc00000u), is_nan));
}
