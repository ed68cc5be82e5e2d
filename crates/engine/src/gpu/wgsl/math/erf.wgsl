// The error function: relative error below 4e-7.
fn math_erf(x: vec4<f32>) -> vec4<f32> {
  // On [-1, 1] (relative minimax).
  let q = x * x;
  var p = fma(q, vec4<f32>(7.853861e-5), vec4<f32>(-8.010194e-4));
  p = fma(p, q, vec4<f32>(5.188327e-3));
  p = fma(p, q, vec4<f32>(-2.6853812e-2));
  p = fma(p, q, vec4<f32>(1.1283585e-1));
  p = fma(p, q, vec4<f32>(-3.7612627e-1));
  p = fma(p, q, vec4<f32>(1.1283792));
  let far = vec4<f32>(1.0) - math_erfc_of_magnitude(x);
  return select(select(far, -far, x < vec4<f32>(0.0)), p * x, abs(x) < vec4<f32>(1.0));
}
