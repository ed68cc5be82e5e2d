//! Symmetry of an expression, derived from its graph.

use super::graph::{Graph, Id, Node};
use super::operation::{Binary, Unary};
use crate::activation::symmetry::Symmetry::{self, Even, Odd, Unknown};

/// The symmetry of the node `root`.
pub(super) fn symmetry(graph: &Graph, root: Id) -> Symmetry {
    let mut known: Vec<Symmetry> = Vec::with_capacity(root + 1);
    for node in &graph.nodes()[..=root] {
        let symmetry = match *node {
            Node::Input => Odd,
            Node::Constant(_) => Even,
            Node::Unary(function, u) => unary(function, known[u]),
            Node::Binary(operation, u, v) => binary(operation, known[u], known[v]),
            Node::Power(u, exponent) => match known[u] {
                Odd if exponent % 2 == 0 => Even,
                other => other,
            },
            Node::Choose { greater, than, then, otherwise } => {
                let all = [greater, than, then, otherwise].iter().all(|id| known[*id] == Even);
                if all { Even } else { Unknown }
            }
        };
        known.push(symmetry);
    }
    known[root]
}

fn unary(function: Unary, u: Symmetry) -> Symmetry {
    match (function, u) {
        (_, Unknown) => Unknown,
        (_, Even) => Even,
        (
            Unary::Absolute
            | Unary::Cos
            | Unary::Cosh
            | Unary::Sech
            | Unary::Sinc
            | Unary::SincSecond,
            Odd,
        ) => Even,
        (
            Unary::Negate
            | Unary::Sign
            | Unary::Sin
            | Unary::Tan
            | Unary::Tanh
            | Unary::Sinh
            | Unary::Erf
            | Unary::Atan
            | Unary::SincSlope
            | Unary::SincThird,
            Odd,
        ) => Odd,
        _ => Unknown,
    }
}

fn binary(operation: Binary, u: Symmetry, v: Symmetry) -> Symmetry {
    match (operation, u, v) {
        (_, Unknown, _) | (_, _, Unknown) => Unknown,
        (_, Even, Even) => Even,
        (Binary::Add | Binary::Subtract, Odd, Odd) => Odd,
        (Binary::Multiply | Binary::Divide, Odd, Odd) => Even,
        (Binary::Multiply | Binary::Divide, _, _) => Odd,
        _ => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Formula;
    use super::*;

    #[test]
    fn symmetries_are_recognized() {
        for (text, symmetry) in [
            ("sin(3*x)", Odd),
            ("exp(-x^2)", Even),
            ("x*abs(x)", Odd),
            ("sin(30*(abs(x)+1)*x)", Odd),
            ("cos(x)*exp(-x^2)", Even),
            ("max(x,0)", Unknown),
            ("exp(x)", Unknown),
            ("x^3/cosh(x)", Odd),
            ("sin(x)+1", Unknown),
        ] {
            assert_eq!(Formula::read(text, &[]).unwrap().symmetry(), symmetry, "{text}");
        }
    }
}
