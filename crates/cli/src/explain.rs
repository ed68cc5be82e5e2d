//! What numbers of the theory mean, in a line each.

use vi3nr::Scheme;
use vi3nr::stability::layers_to_tenfold;

use crate::numbers::significant;

/// What the condition of Eq. (13) means for the gradients of a deep network.
pub(crate) fn condition(condition: f64) -> String {
    growth("condition", condition)
}

/// What the factor means by which a hidden layer multiplies the variance of the gradient.
pub(crate) fn gradient_growth(factor: f64) -> String {
    growth("gradient growth", factor)
}

fn growth(name: &str, factor: f64) -> String {
    let shown = significant(factor, 4);
    if (factor - 1.0).abs() < 5e-5 {
        return format!(
            "{name} {shown}: the gradient keeps its variance from layer to layer, which is the goal"
        );
    }
    if factor == 0.0 {
        return format!("{name} 0: the gradient vanishes; 1 is the goal");
    }
    if factor.is_infinite() {
        return format!("{name} infinite: the gradient's variance does not exist; 1 is the goal");
    }
    let (verb, times) = match factor > 1.0 {
        true => ("grows", factor),
        false => ("shrinks", 1.0 / factor),
    };
    let times = significant(times, 4);
    format!(
        "{name} {shown}: the gradient's variance {verb} {times} times per layer going back; 1 is \
         the goal"
    )
}

/// What the factors mean by which a hidden layer multiplies an error in the variance, without and with
/// its biases.
pub(crate) fn chi(chi: f64, with_biases: f64) -> String {
    let biases = if (chi - with_biases).abs() < 1e-9 { "" } else { " with its biases" };
    let layers = layers_to_tenfold(with_biases);
    let counted = match layers {
        layers if layers < 1.5 => "in one layer".to_owned(),
        layers => format!("in {layers:.0} layers"),
    };
    let fate = match with_biases.abs() {
        _ if layers.is_infinite() => "keeps its size".to_owned(),
        size if size < 1.0 => format!("shrinks tenfold {counted}"),
        _ => format!("grows tenfold {counted}"),
    };
    format!(
        "chi {}: a layer{biases} multiplies an error in the variance of the preactivations by {}, so an \
         error {fate}",
        significant(chi, 4),
        significant(with_biases, 4)
    )
}

/// How deep a network of this width can be before the variance leaves a factor of 2.
pub(crate) fn max_depth(max_depth: Option<usize>, width: usize) -> String {
    let depth = match max_depth {
        None => "at every depth".to_owned(),
        Some(0) => "in no layer".to_owned(),
        Some(1) => "for one layer".to_owned(),
        Some(layers) => format!("for up to {layers} layers"),
    };
    format!(
        "with {width} units per layer the variance stays within a factor of 2 of sigma_p^2 {depth} \
         (probability 95 %)"
    )
}

/// The predicted standard deviations of the outputs' derivatives and Laplacian at points with this
/// |x|².
pub(crate) fn derivatives(std: f64, laplacian: Option<f64>, square: f64) -> String {
    let shown = |std: f64| {
        if std.is_finite() { significant(std, 4) } else { "beyond 1e154".into() }
    };
    let (numbers, are) = match laplacian {
        None => (shown(std), "standard deviation"),
        Some(laplacian) => {
            (format!("{}, Laplacian {}", shown(std), shown(laplacian)), "standard deviations")
        }
    };
    format!(
        "dPhi/dx {numbers}: the {are} at the start that the theory predicts for each output, by each \
         coordinate, where |x|^2 = {}, the mean over inputs in [-1, 1]",
        significant(square, 4)
    )
}

/// A scheme in the form that options have, its numbers rounded.
pub(crate) fn scheme(scheme: &Scheme) -> String {
    let text = scheme.to_string();
    let Some((name, values)) = text.split_once(':') else { return text };
    let rounded = values.split(',').map(|pair| {
        let value = pair.split_once('=').and_then(|(key, text)| Some((key, text.parse().ok()?)));
        value.map_or(pair.to_owned(), |(key, value)| format!("{key}={}", significant(value, 6)))
    });
    format!("{name}:{}", rounded.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_told_as_growth_and_shrinkage() {
        assert!(
            condition(1.48).starts_with("condition 1.48: the gradient's variance grows 1.48 times")
        );
        assert!(condition(0.5).contains("shrinks 2 times"));
        assert!(condition(1.0).contains("keeps its variance"));
        assert!(condition(0.0).contains("vanishes"));
        assert!(condition(f64::INFINITY).contains("infinite"));
        assert!(
            gradient_growth(2.0).starts_with("gradient growth 2: the gradient's variance grows")
        );
        assert!(
            derivatives(0.75, Some(18.0), 2.0 / 3.0).starts_with("dPhi/dx 0.75, Laplacian 18: ")
        );
        assert!(
            derivatives(f64::INFINITY, None, 1.0).starts_with("dPhi/dx beyond 1e154: the standard")
        );
        assert!(chi(-0.5, -0.5).ends_with("by -0.5, so an error shrinks tenfold in 3 layers"));
        assert!(chi(1.144, 1.144).ends_with("grows tenfold in 17 layers"));
        assert!(chi(1.0, 1.0).ends_with("keeps its size"));
        assert!(chi(0.0, 0.0).ends_with("shrinks tenfold in one layer"));
        let with_biases = chi(1.2, 0.9);
        assert!(with_biases.starts_with("chi 1.2: a layer with its biases"), "{with_biases}");
        assert!(with_biases.contains("by 0.9, so"), "{with_biases}");
        assert!(max_depth(None, 64).contains("at every depth"));
        assert!(max_depth(Some(7), 64).contains("for up to 7 layers"));
    }

    #[test]
    fn numbers_of_schemes_are_rounded() {
        for (text, rounded) in [
            ("ours:sigma_p=0.1553773974030037", "ours:sigma_p=0.155377"),
            ("ours:sigma_p=0.12345678,last_sigma_p=2", "ours:sigma_p=0.123457,last_sigma_p=2"),
            ("siren:omega=30", "siren:omega=30"),
            ("xavier", "xavier"),
        ] {
            assert_eq!(scheme(&text.parse().unwrap()), rounded);
        }
    }
}
