// x^p for x >= 0: relative error below 3e-7 + 1.2e-7 |p|, and 6e-8 |p e| more where p e is not
// exact, with x = (1 + m) 2^e; 3.4e38 where it overflows. NaN below 0.
fn math_pow(x: vec4<f32>, p: vec4<f32>) -> vec4<f32> {
  let parts = math_ln_parts(max(x, vec4<f32>(1.1754944e-38)));
  // x^p = 2^(whole + rest), each bounded so that their sum is not NaN.
  let bound = vec4<f32>(1000.0);
  let whole = clamp(p * parts.first, -bound, bound);
  let log2 = 1.442695 * math_ln_near(parts.second, vec4<f32>(0.0));
  let rest = clamp(p * log2, -bound, bound);
  let n = round(whole + rest);
  // The `min` keeps compilers from forming whole - whole.
  let r = clamp(min(whole - n, vec4<f32>(1e4)) + rest, vec4<f32>(-0.51), vec4<f32>(0.51));
  let exponent = clamp(n, vec4<f32>(-126.0), vec4<f32>(127.0));
  let power = math_scale(math_exp_near(0.6931472 * r), exponent);
  let large = select(power, vec4<f32>(3.4e38), n > vec4<f32>(127.0));
  let value = select(large, vec4<f32>(0.0), n < vec4<f32>(-126.0));
  // 0^p.
  let rising = select(vec4<f32>(0.0), vec4<f32>(1.0), p == vec4<f32>(0.0));
  let limit = select(vec4<f32>(3.4e38), rising, p >= vec4<f32>(0.0));
  return math_not_below_0(x, select(value, limit, x == vec4<f32>(0.0)));
}
