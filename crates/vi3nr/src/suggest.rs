//! The name that was probably meant.

/// The name in `known` that is nearest to `name`: one that begins like it, or one that differs by
/// at most two letters put in, left out, replaced or exchanged, upper and lower case alike.
///
/// ```
/// use vi3nr::suggest::nearest;
///
/// let known = ["sine", "gaussian", "leaky_relu"];
/// assert_eq!(nearest("gausian", known), Some("gaussian"));
/// assert_eq!(nearest("gauss", known), Some("gaussian"));
/// assert_eq!(nearest("Leaky-ReLU", known), Some("leaky_relu"));
/// assert_eq!(nearest("swish", known), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = name.to_lowercase().replace('-', "_");
    let length = plain.chars().count();
    // A short name is near to too many.
    let tolerated = if length < 4 { 1 } else { 2 };
    let rank = |own: &str| {
        let distance = strsim::damerau_levenshtein(&plain, own);
        let is_beginning = length >= 3 && own.starts_with(&*plain);
        (distance <= tolerated || is_beginning).then_some((!is_beginning, distance))
    };
    // A mistyped key is short; a long text is not compared at all.
    let known = known.into_iter().filter(|_| length <= 64);
    known
        .filter_map(|own| rank(own).map(|rank| (rank, own)))
        .min_by_key(|found| found.0)
        .map(|f| f.1)
}

/// The end of a message about an unknown name: the nearest of the names in `known`, which are
/// separated by commas, and all of them.
pub(crate) fn hint(name: &str, known: &str) -> String {
    match nearest(name, known.split(", ")) {
        Some(meant) => format!("did you mean '{meant}'? (known: {known})"),
        None => format!("known: {known}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_near_are_suggested() {
        let known = ["sine", "sinc", "relu", "selu", "gelu", "softplus", "sigma"];
        for (name, meant) in [
            ("sin", Some("sine")),
            ("siren", Some("sine")),
            ("ReLU", Some("relu")),
            ("softpuls", Some("softplus")),
            ("sigm", Some("sigma")),
            ("sigma_a", Some("sigma")),
            ("swish", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
        assert_eq!(nearest(&"sine".repeat(1000), known), None);
        assert_eq!(hint("x", "none"), "known: none");
    }
}
