//! Axes: from values to positions, and the ticks.

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Linear: equal differences have equal lengths.
    Linear,
    /// Logarithmic: equal quotients have equal lengths. Only values above 0 are shown.
    Log,
}

/// A range of values along a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    /// The ends, as base-10 logarithms on a logarithmic axis.
    lo: f64,
    hi: f64,
}

/// A tick with its grid line, which is fainter without a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: Option<String>,
}

/// The approximate maximum number of labels of an axis.
const MAX_LABELS: f64 = 9.0;

impl Axis {
    /// An axis over all `values` that it can show, with a margin of `margin` times its length at
    /// either end.
    pub(super) fn over(scale: Scale, values: impl Iterator<Item = f64>, margin: f64) -> Self {
        let positions =
            values.map(|value| position(scale, value)).filter(|position| position.is_finite());
        let (lo, hi) = positions.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), position| {
            (lo.min(position), hi.max(position))
        });
        if lo > hi {
            return Self { scale, lo: 0.0, hi: 1.0 };
        }
        // A constant curve is centered.
        let flat = if scale == Scale::Log { 0.5 } else { 0.5 * lo.abs().max(1e-3) };
        let slack = if hi - lo < 1e-6 * hi.abs().max(1e-3) { flat } else { margin * (hi - lo) };
        Self { scale, lo: lo - slack, hi: hi + slack }
    }

    /// The position of `value` as a fraction of the axis, from 0 at the low end to 1 at the high
    /// end; `None` outside.
    pub(super) fn share(&self, value: f64) -> Option<f64> {
        let share = (position(self.scale, value) - self.lo) / (self.hi - self.lo);
        (-1e-9..=1.0 + 1e-9).contains(&share).then_some(share)
    }

    /// The ticks, in ascending order.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => linear_ticks(self.lo, self.hi),
            Scale::Log if self.hi - self.lo < 0.8 => linear_ticks(exp10(self.lo), exp10(self.hi)),
            Scale::Log => decade_ticks(self.lo, self.hi),
        }
    }
}

/// The position of `value` in the units of the ends of an axis.
fn position(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log => value.log10(),
    }
}

fn exp10(exponent: f64) -> f64 {
    10f64.powf(exponent)
}

/// Ticks at powers of ten, labeled at a regular interval of decades, and at their multiples up to 7
/// decades.
fn decade_ticks(lo: f64, hi: f64) -> Vec<Tick> {
    let decades = hi - lo;
    let stride = (decades / MAX_LABELS).ceil().max(1.0);
    let multiples = if decades <= 7.0 { 1..=9 } else { 1..=1 };
    let mut ticks = Vec::new();
    for exponent in lo.floor() as i32..=hi.ceil() as i32 {
        for multiple in multiples.clone() {
            let value = f64::from(multiple) * exp10(f64::from(exponent));
            if !(lo..=hi).contains(&value.log10()) {
                continue;
            }
            let is_major = multiple == 1 && f64::from(exponent) % stride == 0.0;
            let is_labeled = is_major || (decades < 2.5 && (multiple == 2 || multiple == 5));
            let label = is_labeled.then(|| power(multiple, exponent));
            ticks.push(Tick { value, label });
        }
    }
    ticks
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(lo: f64, hi: f64) -> Vec<Tick> {
    let rough = (hi - lo) / (MAX_LABELS - 2.0);
    let power = rough.log10().floor();
    let unit = exp10(power);
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * unit);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let decimals = (-power).max(0.0) as usize;
    let count = ((hi / step).floor() - (lo / step).ceil()).clamp(0.0, 100.0) as usize;
    (0..=count)
        .map(|index| {
            let value = ((lo / step).ceil() + index as f64) * step;
            let label = match power.abs() < 6.0 {
                true => format!("{value:.decimals$}"),
                false => format!("{value:.2e}"),
            };
            Tick { value, label: Some(label) }
        })
        .collect()
}

/// The label of a multiple of a power of ten.
fn power(multiple: i32, exponent: i32) -> String {
    if (-3..=3).contains(&exponent) {
        let decimals = (-exponent).max(0) as usize;
        return format!("{:.decimals$}", f64::from(multiple) * exp10(f64::from(exponent)));
    }
    let raised: String = exponent
        .to_string()
        .chars()
        .map(|digit| match digit.to_digit(10) {
            Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
            None => '⁻',
        })
        .collect();
    let factor = if multiple == 1 { String::new() } else { format!("{multiple}·") };
    format!("{factor}10{raised}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.ticks().into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn axes_of_any_length_have_readable_ticks() {
        let axis = |scale, lo, hi| Axis::over(scale, [lo, hi].into_iter(), 0.0);
        assert_eq!(
            labels(axis(Scale::Log, 1e-5, 1e2)),
            ["10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1", "10", "100"]
        );
        assert_eq!(labels(axis(Scale::Log, 1.0, 50.0)), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(axis(Scale::Linear, 0.0, 1.0))[..3], ["0.0", "0.2", "0.4"]);
        for (lo, hi) in [(1e-300, 1e300), (1e-9, 3e9), (0.99, 1.01), (1.0, 1.0), (1e-12, 2e-12)] {
            let count = labels(axis(Scale::Log, lo, hi)).len();
            assert!((1..=12).contains(&count), "{lo} {hi}: {count}");
        }
        assert!(!labels(axis(Scale::Log, -1.0, f64::NAN)).is_empty());
    }

    #[test]
    fn values_outside_the_axis_have_no_share() {
        let axis = Axis::over(Scale::Log, [1.0, 100.0].into_iter(), 0.0);
        assert_eq!(axis.share(10.0), Some(0.5));
        for outside in [0.1, 1e3, 0.0, -1.0, f64::NAN] {
            assert_eq!(axis.share(outside), None);
        }
    }
}
