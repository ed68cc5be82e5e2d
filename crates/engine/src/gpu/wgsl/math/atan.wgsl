// The arc tangent: relative error below 3e-7.
fn math_atan(x: vec4<f32>) -> vec4<f32> {
  let size = abs(x);
  let middle = size > vec4<f32>(0.41421357);
  let beyond = size > vec4<f32>(2.4142137);
  // atan(x) = pi/4 + atan((x - 1)/(x + 1)) = pi/2 - atan(1/x).
  let above = select(size, size - vec4<f32>(1.0), middle);
  let below = select(vec4<f32>(1.0), size + vec4<f32>(1.0), middle);
  let r = select(above, vec4<f32>(-1.0), beyond) / select(below, size, beyond);
  let quarter = select(vec4<f32>(0.0), vec4<f32>(0.7853982), middle);
  let offset = select(quarter, vec4<f32>(1.5707964), beyond);
  let q = r * r;
  var t = fma(q, vec4<f32>(8.0537446e-2), vec4<f32>(-1.3877686e-1));
  t = fma(t, q, vec4<f32>(1.9977711e-1));
  t = fma(t, q, vec4<f32>(-3.333295e-1));
  let value = offset + fma(t * q, r, r);
  return select(value, -value, x < vec4<f32>(0.0));
}
