//! The frequency of a periodic expression, derived from its graph.

use super::graph::{Graph, Id, Node};
use super::operation::{Binary, Unary};

/// The largest multiple of a common frequency that a term may have.
const MAX_MULTIPLE: f64 = 1000.0;

/// What is known of a node as a function of x.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Course {
    Constant,
    /// ωx plus a constant.
    Affine(f64),
    /// Periodic with a period of 2π/ω, ω > 0.
    Periodic(f64),
    Unknown,
}

use Course::{Affine, Constant, Periodic, Unknown};

/// The ω > 0 for which the form of the expression `root` proves that 2π/ω is a period. The frequencies of
/// all terms are exact multiples of it.
pub(super) fn frequency(graph: &Graph, root: Id) -> Option<f64> {
    let mut known: Vec<Course> = Vec::with_capacity(root + 1);
    for node in &graph.nodes()[..=root] {
        let course = match *node {
            Node::Input => Affine(1.0),
            Node::Constant(_) => Constant,
            Node::Unary(function, u) => match (function, known[u]) {
                (Unary::Sin | Unary::Cos | Unary::Tan, Affine(omega)) => Periodic(omega.abs()),
                (Unary::Negate, Affine(omega)) => Affine(-omega),
                (_, Affine(_)) => Unknown,
                (_, other) => other,
            },
            Node::Binary(operation, u, v) => match (operation, known[u], known[v]) {
                (Binary::Add | Binary::Subtract, Affine(omega), Constant) => Affine(omega),
                (Binary::Add, Constant, Affine(omega)) => Affine(omega),
                (Binary::Subtract, Constant, Affine(omega)) => Affine(-omega),
                // Only a single factor is sure not to be rounded.
                (Binary::Multiply, Affine(1.0), Constant) => {
                    graph.number(v).map_or(Unknown, Affine)
                }
                (Binary::Multiply, Constant, Affine(1.0)) => {
                    graph.number(u).map_or(Unknown, Affine)
                }
                (_, left, right) => common(left, right),
            },
            Node::Power(u, _) => common(known[u], Constant),
            Node::Choose { greater, than, then, otherwise } => {
                let all = [greater, than, then, otherwise];
                all.into_iter().fold(Constant, |course, id| common(course, known[id]))
            }
        };
        known.push(course);
    }
    match known[root] {
        Periodic(omega) if omega.is_normal() => Some(omega),
        _ => None,
    }
}

/// What any function of two nodes is.
fn common(left: Course, right: Course) -> Course {
    match (left, right) {
        (Constant, Constant) => Constant,
        (Periodic(omega), Constant) | (Constant, Periodic(omega)) => Periodic(omega),
        (Periodic(a), Periodic(b)) => {
            // Euclid's algorithm; remainders of floating-point numbers are exact.
            let (mut divisor, mut rest) = (a.max(b), a.min(b));
            while rest.is_normal() {
                (divisor, rest) = (rest, divisor % rest);
            }
            let is_common = rest == 0.0 && a.max(b) <= MAX_MULTIPLE * divisor;
            if is_common { Periodic(divisor) } else { Unknown }
        }
        _ => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Formula;

    #[test]
    fn periods_are_read_off() {
        for (text, frequency) in [
            ("sin(3*x)", Some(3.0)),
            ("sign(sin(x))", Some(1.0)),
            ("tanh(b*sin(w*x)):b=2,w=30", Some(30.0)),
            ("atan(sin(x)/abs(cos(x)))", Some(1.0)),
            ("sin(x)+sin(3*x)^2*cos(7*x-1)", Some(1.0)),
            ("exp(-cos(1-0.5*x))+2^sin(x)", Some(0.5)),
            ("max(sin(2*x),0.3)", Some(2.0)),
            ("abs(tan(x)/(1+abs(tan(x))))", Some(1.0)),
            ("sin(x)+sin(pi*x)", None),
            ("sin(0.1*x)+sin(0.3*x)", None),
            ("x+sin(x)", None),
            ("sin(x^2)", None),
            ("sin(abs(x))", None),
            ("sin(exp(x))", None),
            ("2*x", None),
            ("3", None),
        ] {
            let named: crate::Activation = text.parse().unwrap();
            let formula = named.to_formula().unwrap();
            assert_eq!(Formula::frequency(&formula), frequency, "{text}");
        }
    }
}
