// Two functions of one argument.
struct MathPair { first: vec4<f32>, second: vec4<f32> }
