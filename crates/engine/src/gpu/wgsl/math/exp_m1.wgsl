// e^x - 1: relative error below 3e-7; 2e38 above 88.3.
fn math_exp_m1(x: vec4<f32>) -> vec4<f32> {
  let p = math_powers_of_two(min(x, vec4<f32>(88.3)));
  let r = p.second;
  // e^r - 1 on +-ln(2)/2 with an error of 2e-8 (relative minimax), then
  // 2^n (e^r - 1) + (2^n - 1).
  var t = fma(r, vec4<f32>(1.3882476e-3), vec4<f32>(8.366539e-3));
  t = fma(t, r, vec4<f32>(4.16672e-2));
  t = fma(t, r, vec4<f32>(1.6666543e-1));
  t = fma(t, r, vec4<f32>(0.49999997));
  let grown = fma(t * r, r, r);
  let power = math_scale(vec4<f32>(1.0), p.first);
  // For n = 0 apart, because compilers may write 2^n (grown + 1) - 1.
  let far = fma(power, grown, power - vec4<f32>(1.0));
  return select(far, grown, p.first == vec4<f32>(0.0));
}
