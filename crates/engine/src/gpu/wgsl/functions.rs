//! The elementary functions.

/// The name and the text of every function, each after those that it calls.
const FUNCTIONS: [(&str, &str); 29] = [
    ("math_keep_nan", include_str!("math/keep_nan.wgsl")),
    ("MathPair", include_str!("math/pair.wgsl")),
    ("math_not_below_0", include_str!("math/not_below_0.wgsl")),
    ("math_scale", include_str!("math/scale.wgsl")),
    ("math_powers_of_two", include_str!("math/powers_of_two.wgsl")),
    ("math_exp_near", include_str!("math/exp_near.wgsl")),
    ("math_exp_sum", include_str!("math/exp_sum.wgsl")),
    ("math_exp", include_str!("math/exp.wgsl")),
    ("math_exp_m1", include_str!("math/exp_m1.wgsl")),
    ("math_tanh", include_str!("math/tanh.wgsl")),
    ("math_sinh", include_str!("math/sinh.wgsl")),
    ("math_cosh", include_str!("math/cosh.wgsl")),
    ("math_sech", include_str!("math/sech.wgsl")),
    ("math_sigmoid", include_str!("math/sigmoid.wgsl")),
    ("math_softplus", include_str!("math/softplus.wgsl")),
    ("math_erfc_of_magnitude", include_str!("math/erfc_of_magnitude.wgsl")),
    ("math_erfc", include_str!("math/erfc.wgsl")),
    ("math_erf", include_str!("math/erf.wgsl")),
    ("math_atan", include_str!("math/atan.wgsl")),
    ("math_ln_parts", include_str!("math/ln_parts.wgsl")),
    ("math_ln_near", include_str!("math/ln_near.wgsl")),
    ("math_ln", include_str!("math/ln.wgsl")),
    ("math_ln_1p", include_str!("math/ln_1p.wgsl")),
    ("math_pow", include_str!("math/pow.wgsl")),
    ("math_half_turns", include_str!("math/half_turns.wgsl")),
    ("math_sin_cos", include_str!("math/sin_cos.wgsl")),
    ("math_tan", include_str!("math/tan.wgsl")),
    ("math_sinc_and_slope", include_str!("math/sinc_and_slope.wgsl")),
    ("math_sinc_second_and_third", include_str!("math/sinc_second_and_third.wgsl")),
];

/// The functions that `text` calls and those that they call, without comments.
pub(super) fn used_by(text: &str) -> String {
    let mut used: Vec<&str> = Vec::new();
    for (name, function) in FUNCTIONS.iter().rev() {
        if calls(text, name) || used.iter().any(|caller| calls(caller, name)) {
            used.push(function);
        }
    }
    let mut library = String::new();
    for line in used.iter().rev().flat_map(|function| code(function)) {
        library.push_str(line);
        library.push('\n');
    }
    library
}

/// Whether `name` occurs in the code of `text`.
fn calls(text: &str, name: &str) -> bool {
    code(text).flat_map(words).any(|word| word == name)
}

/// The lines that are not comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The names and numbers of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_come_after_those_that_they_call() {
        for (k, (name, text)) in FUNCTIONS.iter().enumerate() {
            assert!(calls(text, name), "{name}");
            for (later, _) in &FUNCTIONS[k + 1..] {
                assert!(!calls(text, later), "{name} calls {later}");
            }
        }
        assert_eq!(used_by("math_tangent(x)"), "");
        assert!(used_by("math_tan(x)").starts_with("struct MathPair"));
    }
}
