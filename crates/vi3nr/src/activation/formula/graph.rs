//! The expression graph: every distinct subexpression once, a little simplified as it is built.
//!
//! Nodes are numbered so that operands come before what uses them; nothing here recurses, so the
//! depth of an expression costs no stack.

use std::collections::HashMap;

use super::program::{Binary, Unary};

/// A node's number.
pub(super) type Id = usize;

/// Most nodes that a function and its derivative may have together.
pub(super) const MOST_NODES: usize = 1000;
/// Whole powers up to this are multiplied out; larger ones go through the logarithm.
const LARGEST_WHOLE_POWER: f64 = 64.0;

/// One subexpression. A constant holds the bits of its number, so that equal ones are one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Input,
    Constant(u64),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// A whole power.
    Power(Id, i32),
    /// `then` where `greater` > `than`, else `otherwise`.
    Choose {
        greater: Id,
        than: Id,
        then: Id,
        otherwise: Id,
    },
}

/// The nodes of an expression, each distinct one once.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
}

impl Graph {
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.nodes.len() > MOST_NODES
    }

    fn intern(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        // A graph past its limit is refused by whoever builds it; it merely stops growing here.
        if self.nodes.len() > MOST_NODES {
            return 0;
        }
        self.nodes.push(node);
        self.known.insert(node, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    pub(super) fn input(&mut self) -> Id {
        self.intern(Node::Input)
    }

    pub(super) fn constant(&mut self, value: f64) -> Id {
        // One zero only, so that 0 and -0 are the same node.
        self.intern(Node::Constant(if value == 0.0 { 0 } else { value.to_bits() }))
    }

    /// The number that a node is, where it is one.
    pub(super) fn number(&self, id: Id) -> Option<f64> {
        match self.nodes[id] {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The operand of a node that is this unary function.
    fn operand_of(&self, id: Id, function: Unary) -> Option<Id> {
        match self.nodes[id] {
            Node::Unary(seen, operand) if seen == function => Some(operand),
            _ => None,
        }
    }

    /// The constant factor and the rest of a product with a constant; (1, id) for anything else.
    fn factored(&self, id: Id) -> (f64, Id) {
        match self.nodes[id] {
            Node::Binary(Binary::Multiply, left, right) => match self.number(left) {
                Some(factor) => (factor, right),
                None => (1.0, id),
            },
            Node::Unary(Unary::Negate, operand) => {
                let (factor, rest) = self.factored_once(operand);
                (-factor, rest)
            }
            _ => (1.0, id),
        }
    }

    fn factored_once(&self, id: Id) -> (f64, Id) {
        match self.nodes[id] {
            Node::Binary(Binary::Multiply, left, right) if self.number(left).is_some() => {
                (self.number(left).unwrap_or(1.0), right)
            }
            _ => (1.0, id),
        }
    }

    /// `factor` times the node `id`, which itself has no constant factor.
    fn scaled(&mut self, factor: f64, id: Id) -> Id {
        if factor == 1.0 {
            return id;
        }
        if factor == -1.0 {
            return self.intern(Node::Unary(Unary::Negate, id));
        }
        let factor = self.constant(factor);
        self.intern(Node::Binary(Binary::Multiply, factor, id))
    }

    pub(super) fn unary(&mut self, function: Unary, operand: Id) -> Id {
        if let Some(value) = self.number(operand) {
            let folded = function.apply(value);
            if folded.is_finite() {
                return self.constant(folded);
            }
        }
        match function {
            Unary::Negate => {
                let (factor, rest) = self.factored(operand);
                return self.scaled(-factor, rest);
            }
            // |-u| = |u|, |c u| = |c| |u|.
            Unary::Absolute => {
                let (factor, rest) = self.factored(operand);
                if factor != 1.0 && factor.is_finite() {
                    let magnitude = self.unary(Unary::Absolute, rest);
                    return self.scaled(factor.abs(), magnitude);
                }
            }
            // ln(1 + e^u), which would overflow.
            Unary::Ln => {
                if let Some(power) = self.one_plus(operand, Unary::Exp) {
                    return self.unary(Unary::Softplus, power);
                }
            }
            _ => {}
        }
        self.intern(Node::Unary(function, operand))
    }

    /// u where the node is 1 + function(u).
    fn one_plus(&self, id: Id, function: Unary) -> Option<Id> {
        let Node::Binary(Binary::Add, left, right) = self.nodes[id] else { return None };
        if self.number(left) != Some(1.0) {
            return None;
        }
        self.operand_of(right, function)
    }

    pub(super) fn binary(&mut self, operation: Binary, left: Id, right: Id) -> Id {
        if let (Some(a), Some(b)) = (self.number(left), self.number(right)) {
            let folded = operation.apply(a, b);
            if folded.is_finite() {
                return self.constant(folded);
            }
        }
        match operation {
            Binary::Add => self.add(left, right),
            Binary::Subtract => self.subtract(left, right),
            Binary::Multiply => self.multiply(left, right),
            Binary::Divide => self.divide(left, right),
            Binary::Power => self.power(left, right),
            Binary::Maximum | Binary::Minimum if left == right => left,
            Binary::Maximum | Binary::Minimum => self.intern(Node::Binary(operation, left, right)),
        }
    }

    fn add(&mut self, left: Id, right: Id) -> Id {
        // Constants first, then the older node: a + b and b + a are one node.
        let (left, right) = self.in_order(left, right);
        match (self.number(left), self.operand_of(right, Unary::Negate)) {
            (Some(0.0), _) => return right,
            // e^u - 1 and 1 + erf(u) lose their digits where they are small.
            (Some(-1.0), _) => {
                if let Some(power) = self.operand_of(right, Unary::Exp) {
                    return self.unary(Unary::ExpM1, power);
                }
            }
            (Some(1.0), Some(negated)) => {
                if let Some(argument) = self.operand_of(negated, Unary::Erf) {
                    return self.unary(Unary::Erfc, argument);
                }
            }
            (Some(1.0), None) => {
                if let Some(argument) = self.operand_of(right, Unary::Erf) {
                    let argument = self.unary(Unary::Negate, argument);
                    return self.unary(Unary::Erfc, argument);
                }
            }
            _ => {}
        }
        if let Some(negated) = self.operand_of(right, Unary::Negate) {
            return self.subtract(left, negated);
        }
        if let Some(negated) = self.operand_of(left, Unary::Negate) {
            return self.subtract(right, negated);
        }
        self.intern(Node::Binary(Binary::Add, left, right))
    }

    fn subtract(&mut self, left: Id, right: Id) -> Id {
        if left == right {
            return self.constant(0.0);
        }
        if let Some(number) = self.number(right) {
            let negated = self.constant(-number);
            return self.binary(Binary::Add, negated, left);
        }
        if self.number(left) == Some(0.0) {
            return self.unary(Unary::Negate, right);
        }
        if self.number(left) == Some(1.0)
            && let Some(argument) = self.operand_of(right, Unary::Erf)
        {
            return self.unary(Unary::Erfc, argument);
        }
        if let Some(negated) = self.operand_of(right, Unary::Negate) {
            return self.binary(Binary::Add, left, negated);
        }
        self.intern(Node::Binary(Binary::Subtract, left, right))
    }

    fn multiply(&mut self, left: Id, right: Id) -> Id {
        if self.number(left) == Some(0.0) || self.number(right) == Some(0.0) {
            return self.constant(0.0);
        }
        let ((a, left), (b, right)) = (self.split(left), self.split(right));
        let product = match (left, right) {
            (None, None) => return self.constant(a * b),
            (Some(only), None) | (None, Some(only)) => only,
            (Some(left), Some(right)) => self.product(left, right),
        };
        let (c, rest) = self.factored(product);
        self.scaled(a * b * c, rest)
    }

    /// A node as a constant factor times a node without one.
    fn split(&self, id: Id) -> (f64, Option<Id>) {
        match self.number(id) {
            Some(number) => (number, None),
            None => {
                let (factor, rest) = self.factored(id);
                (factor, Some(rest))
            }
        }
    }

    /// The product of two nodes without constant factors.
    fn product(&mut self, left: Id, right: Id) -> Id {
        let power = |graph: &Self, id| match graph.nodes[id] {
            Node::Power(base, exponent) => (base, exponent),
            _ => (id, 1),
        };
        let ((base, m), (other, n)) = (power(self, left), power(self, right));
        if base == other && m > 0 && n > 0 && m + n <= LARGEST_WHOLE_POWER as i32 {
            return self.whole_power(base, m + n);
        }
        let (left, right) = self.in_order(left, right);
        self.intern(Node::Binary(Binary::Multiply, left, right))
    }

    fn divide(&mut self, left: Id, right: Id) -> Id {
        if self.number(left) == Some(0.0) {
            return left;
        }
        if let Some(number) = self.number(right) {
            // A division by a power of two or by anything else: one rounding more, far cheaper.
            if number != 0.0 && (1.0 / number).is_normal() {
                let inverse = self.constant(1.0 / number);
                return self.multiply(inverse, left);
            }
            return self.intern(Node::Binary(Binary::Divide, left, right));
        }
        // a/(1 + e^u), a/cosh(u) and e^u/(1 + e^u) overflow; so do their derivatives.
        if let Some(power) = self.one_plus(right, Unary::Exp) {
            let same = self.operand_of(left, Unary::Exp) == Some(power);
            let power = if same { power } else { self.unary(Unary::Negate, power) };
            let sigmoid = self.unary(Unary::Sigmoid, power);
            return if same { sigmoid } else { self.multiply(left, sigmoid) };
        }
        if let Some(argument) = self.operand_of(right, Unary::Cosh) {
            if self.operand_of(left, Unary::Sinh) == Some(argument) {
                return self.unary(Unary::Tanh, argument);
            }
            let sech = self.unary(Unary::Sech, argument);
            return self.multiply(left, sech);
        }
        let ((a, numerator), (b, denominator)) = (self.factored(left), self.factored(right));
        if numerator == denominator && self.number(numerator).is_none() {
            return self.constant(a / b);
        }
        // sin(c u)/(b u) = (c/b) sinc(c u), which has a value at 0.
        if let Some(argument) = self.operand_of(numerator, Unary::Sin) {
            let (c, inner) = self.factored(argument);
            if inner == denominator && c.is_finite() {
                let sinc = self.unary(Unary::Sinc, argument);
                return self.scaled_checked(a * c / b, sinc);
            }
        }
        if self.number(left).is_some() {
            let quotient = self.intern(Node::Binary(Binary::Divide, left, right));
            return quotient;
        }
        let quotient = self.intern(Node::Binary(Binary::Divide, numerator, denominator));
        self.scaled_checked(a / b, quotient)
    }

    fn scaled_checked(&mut self, factor: f64, id: Id) -> Id {
        if factor == 0.0 { self.constant(0.0) } else { self.scaled(factor, id) }
    }

    fn power(&mut self, base: Id, exponent: Id) -> Id {
        match self.number(exponent) {
            Some(0.5) => self.unary(Unary::Sqrt, base),
            Some(n) if n == n.round() && n.abs() <= LARGEST_WHOLE_POWER => {
                self.whole_power(base, n as i32)
            }
            _ => match self.operand_of(base, Unary::Exp) {
                // (e^u)^p = e^(p u) does not overflow on the way.
                Some(power) if self.number(exponent).is_some() => {
                    let power = self.multiply(exponent, power);
                    self.unary(Unary::Exp, power)
                }
                _ => self.intern(Node::Binary(Binary::Power, base, exponent)),
            },
        }
    }

    /// The node to a whole power.
    pub(super) fn whole_power(&mut self, base: Id, exponent: i32) -> Id {
        match (exponent, self.nodes[base]) {
            (0, _) => return self.constant(1.0),
            (1, _) => return base,
            (_, Node::Unary(Unary::Exp, power)) => {
                let exponent = self.constant(f64::from(exponent));
                let power = self.multiply(exponent, power);
                return self.unary(Unary::Exp, power);
            }
            (_, Node::Unary(Unary::Negate | Unary::Absolute, operand)) if exponent % 2 == 0 => {
                return self.whole_power(operand, exponent);
            }
            (-1, _) => {
                let one = self.constant(1.0);
                return self.divide(one, base);
            }
            _ => {}
        }
        if exponent < 0 {
            let power = self.whole_power(base, -exponent);
            let one = self.constant(1.0);
            return self.divide(one, power);
        }
        let (factor, rest) = self.factored(base);
        let folded = factor.powi(exponent);
        if factor != 1.0 && folded.is_normal() {
            let power = self.whole_power(rest, exponent);
            return self.scaled(folded, power);
        }
        self.intern(Node::Power(base, exponent))
    }

    /// `then` where `greater` > `than`, else `otherwise`.
    pub(super) fn choose(&mut self, greater: Id, than: Id, then: Id, otherwise: Id) -> Id {
        if then == otherwise {
            return then;
        }
        self.intern(Node::Choose { greater, than, then, otherwise })
    }

    fn in_order(&self, left: Id, right: Id) -> (Id, Id) {
        let key = |id: Id| (self.number(id).is_none(), id);
        if key(left) <= key(right) { (left, right) } else { (right, left) }
    }
}
