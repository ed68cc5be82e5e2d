// erfc(|x|): relative error below 6e-7 up to |x| = 9; 0 beyond 9.35.
fn math_erfc_of_magnitude(x: vec4<f32>) -> vec4<f32> {
  // e^(-x^2) w P(w) with w = 1/(|x| + 2), where P has an error of 4e-8 (relative minimax).
  let size = min(abs(x), vec4<f32>(10.0));
  let w = vec4<f32>(1.0) / (size + vec4<f32>(2.0));
  var p = fma(w, vec4<f32>(-3.0306974e1), vec4<f32>(7.300678e1));
  p = fma(p, w, vec4<f32>(-6.252297e1));
  p = fma(p, w, vec4<f32>(1.7888794e1));
  p = fma(p, w, vec4<f32>(-8.83946e-1));
  p = fma(p, w, vec4<f32>(3.249758));
  p = fma(p, w, vec4<f32>(1.943973));
  p = fma(p, w, vec4<f32>(1.1295602));
  p = fma(p, w, vec4<f32>(5.6417114e-1));
  // The 12 leading bits of |x| have an exact square; the rest of x^2 is small.
  let head = bitcast<vec4<f32>>(bitcast<vec4<u32>>(size) & vec4<u32>(0xfffff000u));
  let power = math_exp_sum(-(head * head), (head - size) * (head + size));
  return power * (w * p);
}
