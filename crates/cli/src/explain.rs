//! What numbers of the theory mean, in a line each.

use crate::numbers::significant;

/// What the condition of Eq. (13) means for the gradients of a deep network.
pub(crate) fn condition(condition: f64) -> String {
    let shown = significant(condition, 4);
    if (condition - 1.0).abs() < 5e-5 {
        return format!(
            "condition {shown}: the gradient keeps its variance from layer to layer, which is the \
             goal"
        );
    }
    let (verb, factor) = match condition > 1.0 {
        true => ("grows", condition),
        false => ("shrinks", 1.0 / condition),
    };
    let times = significant(factor, 4);
    format!(
        "condition {shown}: the gradient's variance {verb} {times} times per layer going back; \
         1 is the goal"
    )
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
        assert!(condition(f64::INFINITY).contains("grows inf times"));
    }
}
