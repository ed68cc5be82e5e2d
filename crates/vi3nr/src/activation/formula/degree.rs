//! Whether an expression is positively homogeneous, read off its graph.

use super::graph::{Graph, Id, Node};
use super::operation::{Binary, Unary};

/// How f(tx) relates to f(x) for t > 0.
#[derive(Clone, Copy, PartialEq)]
enum Degree {
    /// 0 everywhere, and so of every degree.
    Every,
    /// f(tx) = t^p f(x).
    Of(f64),
    Unknown,
}

/// The p with f(tx) = t^p f(x) for every t > 0, where the form of the expression proves one.
pub(super) fn degree(graph: &Graph, root: Id) -> Option<f64> {
    let mut known: Vec<Degree> = Vec::with_capacity(root + 1);
    for node in &graph.nodes()[..=root] {
        let degree = match *node {
            Node::Input => Degree::Of(1.0),
            Node::Constant(0) => Degree::Every,
            Node::Constant(_) => Degree::Of(0.0),
            Node::Unary(function, u) => match (function, known[u]) {
                (Unary::Negate | Unary::Absolute, degree) => degree,
                (Unary::Sqrt, Degree::Of(p)) => Degree::Of(0.5 * p),
                (Unary::Sign, Degree::Of(_)) => Degree::Of(0.0),
                (_, Degree::Of(0.0)) => Degree::Of(0.0),
                _ => Degree::Unknown,
            },
            Node::Binary(operation, u, v) => match (operation, known[u], known[v]) {
                (Binary::Multiply, Degree::Of(p), Degree::Of(q)) => Degree::Of(p + q),
                (Binary::Divide, Degree::Of(p), Degree::Of(q)) => Degree::Of(p - q),
                (Binary::Power, Degree::Of(p), Degree::Of(0.0)) => {
                    graph.number(v).map_or(Degree::Unknown, |power| Degree::Of(p * power))
                }
                (Binary::Multiply | Binary::Divide | Binary::Power, _, _) => Degree::Unknown,
                (_, Degree::Every, other) | (_, other, Degree::Every) => other,
                (_, Degree::Of(p), Degree::Of(q)) if p == q => Degree::Of(p),
                _ => Degree::Unknown,
            },
            Node::Power(u, exponent) => match known[u] {
                Degree::Of(p) => Degree::Of(p * f64::from(exponent)),
                other => other,
            },
            Node::Choose { .. } => Degree::Unknown,
        };
        known.push(degree);
    }
    match known[root] {
        Degree::Of(p) => Some(p),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Formula;

    #[test]
    fn degrees_are_read_off() {
        for (text, degree) in [
            ("max(x,0)", Some(1.0)),
            ("max(x,0)-0.3*min(x,0)", Some(1.0)),
            ("abs(x)^1.5", Some(1.5)),
            ("x*sign(x)+sqrt(x^2)", Some(1.0)),
            ("max(x,0)^3/x", Some(2.0)),
            ("sign(x)", Some(0.0)),
            ("3+0*x", Some(0.0)),
            ("x+1", None),
            ("x+x^2", None),
            ("tanh(x)", None),
            ("2^x", None),
            ("max(x-1,0)", None),
        ] {
            assert_eq!(Formula::read(text, &[]).unwrap().degree(), degree, "{text}");
        }
    }
}
