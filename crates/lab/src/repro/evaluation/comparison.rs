//! Comparing two rows with each other, and their difference with the paper's.

use serde::Serialize;

use super::file::RowCase;
use crate::repro::student_t::two_sided_quantile;
use crate::spread::Spread;
use crate::sweep::{Entry, Score};

/// The confidence level of the interval for a mean difference.
const CONFIDENCE: f64 = 0.95;
/// The half width of the same interval of a normal distribution, in standard deviations.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// The order of a row and the row with which it is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The order is that of the paper; with several runs, the difference is significant.
    Agrees,
    /// The difference between several runs is not significant.
    Unclear,
    /// The order is the reverse of the paper's.
    Reversed,
    /// The row is not compared.
    #[default]
    Baseline,
}

impl Order {
    /// The order in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "order agrees",
            Self::Unclear => "not significant",
            Self::Reversed => "reversed",
            Self::Baseline => "",
        }
    }
}

/// The size of the effect beside the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// The two differ by no more than their intervals together.
    Agrees,
    /// Ours is smaller.
    Smaller,
    /// Ours is larger.
    Larger,
}

impl Size {
    /// The size in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "size agrees",
            Self::Smaller => "smaller than the paper's",
            Self::Larger => "larger than the paper's",
        }
    }
}

/// How much better a row is than another: a difference, or a quotient if smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// The mean over the pairs with the same file and seed.
    pub value: f64,
    /// The half width of the 95 % interval of a difference, or the factor of that of a quotient.
    /// `None` for a single pair.
    pub margin: Option<f64>,
}

/// Two rows compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Comparison {
    pub(super) order: Order,
    /// `None` if there is a single pair, the order is reversed, or the paper has no number.
    pub(super) size: Option<Size>,
    pub(super) effect: Option<Effect>,
    /// The paper's effect. Its margin treats the paper's rows as independent, which makes it an upper
    /// limit; it is known if the paper prints both standard deviations and their number of runs.
    pub(super) paper_effect: Option<Effect>,
}

/// What the comparison of the rows of one table needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convention {
    pub(super) is_maximized: bool,
    /// The factor that converts a score to the paper's unit.
    pub(super) factor: f64,
    /// The number of runs behind the paper's standard deviations.
    pub(super) paper_count: Option<u32>,
}

impl Convention {
    /// Positive if `a` is better than `b`. Errors span decades, so their logarithms are compared.
    fn better(&self, a: f64, b: f64) -> f64 {
        if self.is_maximized { a - b } else { (b / a).ln() }
    }

    /// An effect of the scale of [`Convention::better`].
    fn effect(&self, better: f64, margin: Option<f64>, factor: f64) -> Effect {
        match self.is_maximized {
            true => Effect { value: factor * better, margin: margin.map(|margin| factor * margin) },
            false => Effect { value: better.exp(), margin: margin.map(f64::exp) },
        }
    }
}

impl Comparison {
    pub(super) fn new(
        convention: &Convention,
        ours: Option<&Entry>,
        other: Option<&Entry>,
        (row, compared): (&RowCase, Option<&RowCase>),
    ) -> Self {
        let paper = compared.and_then(|compared| paper(convention, row, compared));
        let paper_effect = paper.map(|(value, margin)| convention.effect(value, margin, 1.0));
        let none = Self { order: Order::Baseline, size: None, effect: None, paper_effect };
        let (Some(ours), Some(other)) = (ours, other) else { return none };
        // Only files and seeds that both have scored are compared.
        let pairs = pairs(&ours.scores, &other.scores);
        if pairs.is_empty() {
            return none;
        }
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| convention.better(*a, *b)).collect();
        let Spread { mean, sd } = Spread::of(&differences);
        let margin = (differences.len() > 1).then(|| {
            let error = sd / (differences.len() as f64).sqrt();
            two_sided_quantile(CONFIDENCE, differences.len() as u64 - 1) * error
        });
        let expected = paper.map_or(1.0, |(value, _)| value.signum());
        let certain = margin.unwrap_or(0.0);
        let order = match mean * expected {
            ahead if ahead > certain => Order::Agrees,
            ahead if ahead < -certain => Order::Reversed,
            _ => Order::Unclear,
        };
        let comparable = paper.zip(margin).filter(|_| order != Order::Reversed);
        let size = comparable.map(|((value, paper_margin), margin)| {
            let scale = if convention.is_maximized { convention.factor } else { 1.0 };
            let reach = (scale * margin).hypot(paper_margin.unwrap_or(0.0));
            match scale * mean - value {
                difference if difference.abs() <= reach => Size::Agrees,
                difference if difference * expected > 0.0 => Size::Larger,
                _ => Size::Smaller,
            }
        });
        let effect = Some(convention.effect(mean, margin, convention.factor));
        Self { order, size, effect, paper_effect }
    }
}

/// The paper's difference on the scale of [`Convention::better`], in the paper's unit, with its margin.
fn paper(convention: &Convention, row: &RowCase, compared: &RowCase) -> Option<(f64, Option<f64>)> {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    let value = convention.better(number(&row.paper)?, number(&compared.paper)?);
    let margin = || {
        let (own, other) = (number(&row.paper_sd)?, number(&compared.paper_sd)?);
        let count = f64::from(convention.paper_count.filter(|_| convention.is_maximized)?);
        Some(NORMAL_QUANTILE * own.hypot(other) / count.sqrt())
    };
    Some((value, margin()))
}

/// The pairs of scores with the same file and seed.
fn pairs(ours: &[Score], others: &[Score]) -> Vec<(f64, f64)> {
    let other = |score: &Score| others.iter().find(|other| other.replicate == score.replicate);
    ours.iter().filter_map(|score| Some((score.value, other(score)?.value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(scores: &[(&str, f64)]) -> Entry {
        let score = |(file, value): &(&str, f64)| Score {
            value: *value,
            replicate: (*file).to_owned(),
            is_diverged: false,
        };
        Entry {
            label: String::new(),
            trials: Vec::new(),
            scores: scores.iter().map(score).collect(),
            failed: 0,
            pending: 0,
        }
    }

    fn row(name: &str, paper: &str, sd: &str) -> RowCase {
        toml::from_str(&format!("name = '{name}'\npaper = '{paper}'\npaper_sd = '{sd}'")).unwrap()
    }

    fn with(convention: &Convention, ours: &[(&str, f64)], others: &[(&str, f64)]) -> Comparison {
        let (ours, others) = (entry(ours), entry(others));
        let rows = (row("ours", "30", "3"), row("other", "20", "4"));
        Comparison::new(convention, Some(&ours), Some(&others), (&rows.0, Some(&rows.1)))
    }

    const DECIBELS: Convention =
        Convention { is_maximized: true, factor: 1.0, paper_count: Some(25) };

    fn compare(ours: &[(&str, f64)], others: &[(&str, f64)]) -> Comparison {
        with(&DECIBELS, ours, others)
    }

    /// One trial of each row failed, with different files. Pairs by index would be (10, 19), (20,
    /// 29), and the order would be reversed.
    #[test]
    fn scores_are_paired_by_file_and_seed() {
        let ours = [("a", 10.0), ("b", 20.0)];
        let others = [("b", 19.0), ("c", 29.0)];
        let comparison = compare(&ours, &others);
        let single = Effect { value: 1.0, margin: None };
        assert_eq!((comparison.order, comparison.effect), (Order::Agrees, Some(single)));
        assert_eq!((comparison.size, comparison.paper_effect.unwrap().value), (None, 10.0));
        // The order in which scores are listed does not matter, nor does one that only one row has.
        let ours = [("a", 11.0), ("b", 21.1), ("c", 30.9), ("d", 5.0)];
        let others = [("c", 30.0), ("a", 10.0), ("b", 20.0), ("e", 90.0)];
        let comparison = compare(&ours, &others);
        assert_eq!(comparison.order, Order::Agrees);
        assert!((comparison.effect.unwrap().value - 1.0).abs() < 1e-9);
        // The differences 1, 1.1 and 0.9 have the standard deviation 0.1, and t is 4.303.
        let margin = comparison.effect.unwrap().margin.unwrap();
        assert!((margin - 4.302_652_7 * 0.1 / 3f64.sqrt()).abs() < 1e-6, "{margin}");
    }

    /// The paper's 10 ± 1.96 (3² + 4²)^½/√25 = 10 ± 1.96.
    #[test]
    fn sizes_agree_within_both_intervals() {
        let others = [("a", 10.0), ("b", 20.0), ("c", 30.0)];
        let plus = |by: f64| others.map(|(file, value)| (file, value + by + value / 100.0));
        let size = |by: f64| compare(&plus(by), &others).size;
        let paper = compare(&plus(10.0), &others).paper_effect.unwrap();
        assert!((paper.margin.unwrap() - NORMAL_QUANTILE).abs() < 1e-12);
        assert_eq!(size(8.5), Some(Size::Agrees));
        assert_eq!(size(11.0), Some(Size::Agrees));
        assert_eq!(size(7.0), Some(Size::Smaller));
        assert_eq!(size(13.0), Some(Size::Larger));
        let reversed = compare(&plus(-40.0), &others);
        assert_eq!((reversed.order, reversed.size), (Order::Reversed, None));
    }

    /// The quotient of the paper's errors is 20/30: the row is worse.
    #[test]
    fn errors_are_compared_by_their_quotients() {
        let errors = Convention { is_maximized: false, factor: 1000.0, paper_count: None };
        let comparison = with(&errors, &[("a", 3.0), ("b", 0.3)], &[("a", 2.0), ("b", 0.2)]);
        assert_eq!((comparison.order, comparison.size), (Order::Agrees, Some(Size::Agrees)));
        assert!((comparison.effect.unwrap().value - 2.0 / 3.0).abs() < 1e-12);
        assert!((comparison.effect.unwrap().margin.unwrap() - 1.0).abs() < 1e-9);
        // Five times the error instead of 1.5 times.
        let larger = with(&errors, &[("a", 5.0), ("b", 0.51)], &[("a", 1.0), ("b", 0.1)]);
        assert_eq!((larger.order, larger.size), (Order::Agrees, Some(Size::Larger)));
        let single = with(&errors, &[("a", 2.0)], &[("a", 3.0)]);
        assert_eq!(single.order, Order::Reversed);
    }

    #[test]
    fn without_common_files_there_is_no_comparison() {
        let comparison = compare(&[("a", 1.0)], &[("b", 2.0)]);
        assert_eq!((comparison.order, comparison.effect), (Order::Baseline, None));
    }
}
