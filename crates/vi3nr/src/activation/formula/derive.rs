//! Symbolic differentiation of an expression graph.

use super::graph::{Graph, Id, Node, operands};
use super::operation::{Binary, Unary};

/// Adds the derivative of `root` with respect to the input to `graph`.
///
/// The derivative reuses nodes of the function where possible (e^u, a quotient, tanh u), and is
/// written so that 0·∞ does not arise where the function itself is finite. At a kink, the
/// derivative of max and min is that of one side, and that of abs is the mean of both sides. The
/// derivative of sign is 0. The result can be differentiated again.
pub(super) fn derivative(graph: &mut Graph, root: Id) -> Id {
    let needed = dependencies(graph, root);
    let zero = graph.constant(0.0);
    let mut slopes: Vec<Id> = Vec::with_capacity(needed.len());
    for (id, is_needed) in needed.into_iter().enumerate() {
        let node = graph.nodes()[id];
        if !is_needed {
            slopes.push(zero);
            continue;
        }
        let slope = match node {
            Node::Input => graph.constant(1.0),
            Node::Constant(_) => graph.constant(0.0),
            Node::Unary(function, u) => unary(graph, function, id, u, &slopes),
            Node::Binary(operation, u, v) => {
                binary(graph, operation, id, (u, slopes[u]), (v, slopes[v]))
            }
            Node::Power(u, exponent) => {
                let power = graph.whole_power(u, exponent - 1);
                let factor = graph.constant(f64::from(exponent));
                let outer = graph.binary(Binary::Multiply, factor, power);
                graph.binary(Binary::Multiply, outer, slopes[u])
            }
            Node::Choose { greater, than, then, otherwise } => {
                graph.choose(greater, than, slopes[then], slopes[otherwise])
            }
        };
        slopes.push(slope);
        if graph.is_too_large() {
            return 0;
        }
    }
    slopes[root]
}

/// Whether `root` depends on each of the nodes up to it.
fn dependencies(graph: &Graph, root: Id) -> Vec<bool> {
    let mut needed = vec![false; root + 1];
    needed[root] = true;
    for id in (0..=root).rev() {
        if needed[id] {
            operands(graph.nodes()[id]).for_each(|operand| needed[operand] = true);
        }
    }
    needed
}

/// The derivative of function(u), where `value` is the node of function(u) and `slopes` are the
/// derivatives of the nodes up to u.
fn unary(graph: &mut Graph, function: Unary, value: Id, u: Id, slopes: &[Id]) -> Id {
    let inner = slopes[u];
    if graph.number(inner) == Some(0.0) {
        return inner;
    }
    let outer = match function {
        Unary::Negate => return graph.unary(Unary::Negate, inner),
        Unary::Absolute => graph.unary(Unary::Sign, u),
        Unary::Sign => return graph.constant(0.0),
        Unary::SincSlope => graph.unary(Unary::SincSecond, u),
        Unary::SincSecond => graph.unary(Unary::SincThird, u),
        // (sin(u) - 4 sinc'''(u))/u, from the derivatives of u·sinc(u); no program needs it.
        Unary::SincThird => {
            let four = graph.constant(4.0);
            let product = graph.binary(Binary::Multiply, four, value);
            let sine = graph.unary(Unary::Sin, u);
            let difference = graph.binary(Binary::Subtract, sine, product);
            graph.binary(Binary::Divide, difference, u)
        }
        Unary::Exp => value,
        Unary::ExpM1 => graph.unary(Unary::Exp, u),
        Unary::Ln => return graph.binary(Binary::Divide, inner, u),
        Unary::Ln1P => {
            let one = graph.constant(1.0);
            let sum = graph.binary(Binary::Add, one, u);
            return graph.binary(Binary::Divide, inner, sum);
        }
        Unary::Sqrt => {
            let half = graph.constant(0.5);
            let inner = graph.binary(Binary::Multiply, half, inner);
            return graph.binary(Binary::Divide, inner, value);
        }
        Unary::Sin => graph.unary(Unary::Cos, u),
        Unary::Cos => {
            let sine = graph.unary(Unary::Sin, u);
            graph.unary(Unary::Negate, sine)
        }
        Unary::Tan => {
            let square = graph.whole_power(value, 2);
            let one = graph.constant(1.0);
            graph.binary(Binary::Add, one, square)
        }
        // sech², in relative accuracy where 1 - t² and (1 - t)(1 + t) have lost all digits.
        Unary::Tanh => {
            let sech = graph.unary(Unary::Sech, u);
            graph.whole_power(sech, 2)
        }
        Unary::Sinh => graph.unary(Unary::Cosh, u),
        Unary::Cosh => graph.unary(Unary::Sinh, u),
        Unary::Sech => {
            let tanh = graph.unary(Unary::Tanh, u);
            let product = graph.binary(Binary::Multiply, value, tanh);
            graph.unary(Unary::Negate, product)
        }
        Unary::Erf | Unary::Erfc => {
            let square = graph.whole_power(u, 2);
            let power = graph.unary(Unary::Negate, square);
            let bell = graph.unary(Unary::Exp, power);
            let sign = if function == Unary::Erf { 1.0 } else { -1.0 };
            let factor = graph.constant(sign * std::f64::consts::FRAC_2_SQRT_PI);
            graph.binary(Binary::Multiply, factor, bell)
        }
        Unary::Atan => {
            // atan(p/q)' = (p' q - p q')/(p² + q²) has a value where q = 0.
            if let Node::Binary(Binary::Divide, p, q) = graph.nodes()[u] {
                let square = graph.whole_power(p, 2);
                let other = graph.whole_power(q, 2);
                let sum = graph.binary(Binary::Add, square, other);
                let rising = graph.binary(Binary::Multiply, slopes[p], q);
                let falling = graph.binary(Binary::Multiply, p, slopes[q]);
                let numerator = graph.binary(Binary::Subtract, rising, falling);
                return graph.binary(Binary::Divide, numerator, sum);
            }
            let square = graph.whole_power(u, 2);
            let one = graph.constant(1.0);
            let sum = graph.binary(Binary::Add, one, square);
            return graph.binary(Binary::Divide, inner, sum);
        }
        // s(u) s(-u): 1 - s(u) loses its digits to the right.
        Unary::Sigmoid => {
            let opposite = graph.unary(Unary::Negate, u);
            let rest = graph.unary(Unary::Sigmoid, opposite);
            graph.binary(Binary::Multiply, value, rest)
        }
        Unary::Softplus => graph.unary(Unary::Sigmoid, u),
        Unary::Sinc => graph.unary(Unary::SincSlope, u),
    };
    graph.binary(Binary::Multiply, outer, inner)
}

/// The derivative of `u operation v`, where each operand is given with its derivative.
fn binary(graph: &mut Graph, operation: Binary, value: Id, u: (Id, Id), v: (Id, Id)) -> Id {
    let ((u, du), (v, dv)) = (u, v);
    match operation {
        Binary::Add | Binary::Subtract => graph.binary(operation, du, dv),
        Binary::Multiply => {
            let left = graph.binary(Binary::Multiply, du, v);
            let right = graph.binary(Binary::Multiply, u, dv);
            graph.binary(Binary::Add, left, right)
        }
        // (u/v)' = (u' - (u/v) v')/v.
        Binary::Divide => {
            let product = graph.binary(Binary::Multiply, value, dv);
            let numerator = graph.binary(Binary::Subtract, du, product);
            graph.binary(Binary::Divide, numerator, v)
        }
        Binary::Maximum => graph.choose(u, v, du, dv),
        Binary::Minimum => graph.choose(u, v, dv, du),
        Binary::Power => match graph.number(v) {
            // c u^(c-1) u'.
            Some(exponent) => {
                let lower = graph.constant(exponent - 1.0);
                let power = graph.binary(Binary::Power, u, lower);
                let outer = graph.binary(Binary::Multiply, v, power);
                graph.binary(Binary::Multiply, outer, du)
            }
            // u^v (v' ln u + v u'/u).
            None => {
                let ln = graph.unary(Unary::Ln, u);
                let growth = graph.binary(Binary::Multiply, dv, ln);
                let rate = graph.binary(Binary::Divide, du, u);
                let rate = graph.binary(Binary::Multiply, v, rate);
                let sum = graph.binary(Binary::Add, growth, rate);
                graph.binary(Binary::Multiply, value, sum)
            }
        },
    }
}
