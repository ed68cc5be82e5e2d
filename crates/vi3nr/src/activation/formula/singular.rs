//! Where a formula may be discontinuous or grow without bound, and whether it does.

use super::graph::{Graph, Id, Node};
use super::kinks::roots_of;
use super::operation::{Binary, Unary};
use super::program::Program;
use crate::Bounded;

/// Halvings of the scale of a point at which a function is looked at on each side. A point other than
/// 0 is itself known to 2^-52 of its size only.
const NEAR_ZERO: [i32; 4] = [24, 36, 48, 60];
const NEAR_OTHERS: [i32; 4] = [10, 18, 26, 34];
/// |x - c|^a with a up to this has no integral; -1 with an allowance for its own estimate.
const NOT_INTEGRABLE: f64 = -0.9995;
/// Relative bound on a value that may be judged.
const CERTAIN: f64 = 1e-3;

/// What is known of a function from the points where an expression can be singular: the switches of
/// abs, sign, max and min, and the zeros of divisors, of the arguments of logarithms and roots, and of
/// cos(u) under tan(u), within ±1e6.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Singularities {
    /// One of the points at which f jumps or grows without bound; if there is none, f is taken for
    /// absolutely continuous on every bounded interval.
    pub(crate) jump: Option<f64>,
    /// For each of |f|, f², |f'| and f'² a point beside which it has no finite integral.
    pub(crate) divergent: [Option<f64>; 4],
}

impl Singularities {
    /// Looks at both sides of every point; `program` computes the function.
    pub(super) fn of(program: &Program, points: &[f64]) -> Self {
        let mut found = Self::default();
        for &point in points {
            let (scale, halvings) =
                if point == 0.0 { (1.0, NEAR_ZERO) } else { (point.abs(), NEAR_OTHERS) };
            let distances = halvings.map(|halving| scale * libm::exp2(-f64::from(halving)));
            let side = |sign: f64| {
                distances.map(|distance| program.run(Bounded::exact(point + sign * distance)))
            };
            let (left, right) = (side(-1.0), side(1.0));
            let mut jumps = false;
            for side in [&left, &right] {
                jumps |= has_no_limit(&side.map(|(value, _)| value));
                let exponents = [
                    exponent(&side.map(|(value, _)| value), &halvings),
                    exponent(&side.map(|(_, slope)| slope), &halvings),
                ];
                for (k, power) in [1.0, 2.0, 1.0, 2.0].into_iter().enumerate() {
                    if exponents[k / 2].is_some_and(|a| a * power <= NOT_INTEGRABLE) {
                        found.divergent[k].get_or_insert(point);
                    }
                }
            }
            let gaps: [Bounded; 4] = std::array::from_fn(|k| right[k].0 - left[k].0);
            let (last, before) = (gaps[3], gaps[2]);
            let scale = right[3].0.value.abs() + left[3].0.value.abs();
            // The point itself is known to a few roundings, which a slope turns into a gap.
            let slope = right[3].1.value.abs().max(left[3].1.value.abs());
            let blur = 1e-14 * (scale + point.abs() * slope);
            jumps |= last.value.abs() > 4.0 * last.error + blur
                && last.value.abs() > 0.5 * before.value.abs();
            if jumps {
                found.jump.get_or_insert(point);
            }
        }
        found
    }

    /// Those of the derivative, of which these are known: where the function or its derivative
    /// jumps, the second derivative has a point mass, whose square has no integral.
    pub(super) fn with_jump_of_function(mut self, jump: Option<f64>) -> Self {
        if let Some(point) = jump.or(self.jump) {
            self.divergent[2].get_or_insert(point);
            self.divergent[3].get_or_insert(point);
        }
        self
    }
}

/// Whether values ever nearer to a point do not settle.
fn has_no_limit(values: &[Bounded; 4]) -> bool {
    let steps: [Bounded; 3] = std::array::from_fn(|k| values[k + 1] - values[k]);
    let (before, last) = (steps[1], steps[2]);
    last.value.is_finite()
        && last.value.abs() > 4.0 * last.error + 1e-14 * values[3].value.abs()
        && last.value.abs() > 0.5 * before.value.abs()
}

/// The a for which the values go as a power a of the distance, at the nearest two that are certain.
fn exponent(values: &[Bounded; 4], halvings: &[i32; 4]) -> Option<f64> {
    let is_certain = |value: &Bounded| {
        value.is_finite() && value.value != 0.0 && value.error <= CERTAIN * value.value.abs()
    };
    let near = (1..4).rev().find(|&k| is_certain(&values[k]) && is_certain(&values[k - 1]))?;
    let ratio = libm::log2((values[near].value / values[near - 1].value).abs());
    Some(-ratio / f64::from(halvings[near] - halvings[near - 1]))
}

/// The points within ±1e6 where the expression `root` may be singular beside its switches.
pub(super) fn suspects(graph: &Graph, root: Id) -> Vec<f64> {
    let mut graph = graph.clone();
    let nodes = graph.nodes()[..=root].to_vec();
    let mut zeros: Vec<Id> = Vec::new();
    for node in nodes {
        match node {
            Node::Binary(Binary::Divide, _, divisor) => push_factors(&graph, divisor, &mut zeros),
            Node::Binary(Binary::Power, base, _) => push_factors(&graph, base, &mut zeros),
            Node::Unary(Unary::Ln | Unary::Sqrt, argument) => {
                push_factors(&graph, argument, &mut zeros);
            }
            Node::Unary(Unary::Ln1P, argument) => {
                let one = graph.constant(1.0);
                zeros.push(graph.binary(Binary::Add, one, argument));
            }
            Node::Unary(Unary::Tan, angle) => zeros.push(graph.unary(Unary::Cos, angle)),
            _ => {}
        }
    }
    zeros.retain(|id| graph.number(*id).is_none());
    roots_of(&mut graph, zeros)
}

/// The nodes of which one is 0 where `id` is: a power or a modulus touches 0 without a change of sign.
fn push_factors(graph: &Graph, id: Id, zeros: &mut Vec<Id>) {
    let mut waiting = vec![id];
    while let Some(id) = waiting.pop() {
        match graph.nodes()[id] {
            Node::Power(base, _) | Node::Unary(Unary::Absolute | Unary::Negate, base) => {
                waiting.push(base);
            }
            Node::Binary(Binary::Multiply, left, right) => waiting.extend([left, right]),
            _ => zeros.push(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Formula;

    #[test]
    fn jumps_and_poles_are_told_from_kinks() {
        for (text, is_discontinuous, divergent) in [
            ("sign(x)*exp(-x^2)", true, [false; 4]),
            ("sign(x)*x", false, [false; 4]),
            ("sign(x-0.3)*x", true, [false; 4]),
            ("x*max(0,sign(abs(x)-0.5))", true, [false; 4]),
            ("x+1e-6*sign(x-1)", true, [false; 4]),
            ("abs(x)^0.51", false, [false; 4]),
            ("abs(x)^0.5", false, [false, false, false, true]),
            ("sqrt(abs(x-2))", false, [false, false, false, true]),
            ("log(abs(x-2))", true, [false, false, true, true]),
            ("x*log(abs(x))", false, [false; 4]),
            ("1/(1-x)", true, [true; 4]),
            ("tan(x)", true, [true; 4]),
            ("x/tanh(x)", false, [false; 4]),
            ("(1-cos(x))/x^2", false, [false; 4]),
            ("x/(exp(x)-1)", false, [false; 4]),
            ("exp(-1/x^2)", false, [false; 4]),
            ("atan(sin(x)/abs(cos(x)))", false, [false; 4]),
            ("tanh(x)", false, [false; 4]),
            ("sign(sin(x))", true, [false; 4]),
            ("max(0,1-100*abs(x-1))", false, [false; 4]),
        ] {
            let formula = Formula::read(text, &[]).unwrap();
            let seen = formula.singularities();
            assert_eq!(seen.jump.is_some(), is_discontinuous, "{text}: {seen:?}");
            assert_eq!(seen.divergent.map(|point| point.is_some()), divergent, "{text}: {seen:?}");
        }
    }
}
