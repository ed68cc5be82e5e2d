//! Simplification of sums, products, quotients and powers as they enter the graph.

use super::graph::{Graph, Id, Node};
use super::operation::{Binary, Unary};

/// Integer powers up to this exponent use repeated squaring; larger ones use the logarithm.
const MAX_WHOLE_POWER: f64 = 1024.0;

impl Graph {
    pub(super) fn add(&mut self, left: Id, right: Id) -> Id {
        // Constants first, then the older node: a + b and b + a are one node.
        let (left, right) = self.in_order(left, right);
        match (self.number(left), self.operand_of(right, Unary::Negate)) {
            (Some(0.0), _) => return right,
            // Rewrite e^u - 1, cos(u) - 1 and 1 + erf(u), which cancel where they are small.
            (Some(-1.0), _) => {
                if let Some(angle) = self.operand_of(right, Unary::Cos) {
                    let versine = self.versine(angle);
                    return self.unary(Unary::Negate, versine);
                }
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
        if self
            .squared(left, Unary::Sin)
            .is_some_and(|angle| self.squared(right, Unary::Cos) == Some(angle))
            || self
                .squared(left, Unary::Cos)
                .is_some_and(|angle| self.squared(right, Unary::Sin) == Some(angle))
        {
            return self.constant(1.0);
        }
        if let Some(negated) = self.operand_of(right, Unary::Negate) {
            return self.subtract(left, negated);
        }
        if let Some(negated) = self.operand_of(left, Unary::Negate) {
            return self.subtract(right, negated);
        }
        self.intern(Node::Binary(Binary::Add, left, right))
    }

    pub(super) fn subtract(&mut self, left: Id, right: Id) -> Id {
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
            && let Some(angle) = self.operand_of(right, Unary::Cos)
        {
            return self.versine(angle);
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

    /// u where the node is function(u)².
    fn squared(&self, id: Id, function: Unary) -> Option<Id> {
        match self.nodes[id] {
            Node::Power(base, 2) => self.operand_of(base, function),
            _ => None,
        }
    }

    /// 1 - cos(u) = 2 sin²(u/2).
    fn versine(&mut self, angle: Id) -> Id {
        let (half, two) = (self.constant(0.5), self.constant(2.0));
        let angle = self.multiply(half, angle);
        let sine = self.unary(Unary::Sin, angle);
        let square = self.whole_power(sine, 2);
        self.multiply(two, square)
    }

    pub(super) fn multiply(&mut self, left: Id, right: Id) -> Id {
        if self.number(left) == Some(0.0) || self.number(right) == Some(0.0) {
            return self.constant(0.0);
        }
        let ((a, left), (b, right)) = (self.split(left), self.split(right));
        let product = match (left, right) {
            (None, None) if (a * b).is_normal() || a * b == 0.0 && (a == 0.0 || b == 0.0) => {
                return self.constant(a * b);
            }
            (None, None) => {
                let (a, b) = (self.constant(a), self.constant(b));
                return self.intern(Node::Binary(Binary::Multiply, a, b));
            }
            (Some(only), None) | (None, Some(only)) => only,
            (Some(left), Some(right)) => self.product(left, right),
        };
        let (c, rest) = self.factored(product);
        let factor = a * b * c;
        if !factor.is_normal() && a.is_normal() && b.is_normal() && c.is_normal() {
            // A product of constants that underflows or overflows is left to be computed.
            let (large, small) = if a.abs() > b.abs() { (a, b) } else { (b, a) };
            let inner = self.scaled(large * c, rest);
            let small = self.constant(small);
            return self.intern(Node::Binary(Binary::Multiply, small, inner));
        }
        self.scaled(factor, rest)
    }

    /// Splits a node into a constant factor and a node without one.
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
        if base == other && m > 0 && n > 0 && m + n <= MAX_WHOLE_POWER as i32 {
            return self.whole_power(base, m + n);
        }
        let (left, right) = self.in_order(left, right);
        self.intern(Node::Binary(Binary::Multiply, left, right))
    }

    pub(super) fn divide(&mut self, left: Id, right: Id) -> Id {
        if self.number(left) == Some(0.0) {
            return left;
        }
        if let Some(number) = self.number(right) {
            // Multiplying by the inverse is much cheaper and adds at most one rounding.
            if number != 0.0 && (1.0 / number).is_normal() {
                let inverse = self.constant(1.0 / number);
                return self.multiply(inverse, left);
            }
            return self.intern(Node::Binary(Binary::Divide, left, right));
        }
        // Rewrite a/(1 + e^u), a/cosh(u) and e^u/(1 + e^u), which overflow, as do their
        // derivatives.
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
        if let Some(quotient) = self.divide_by_exponentials(left, right) {
            return quotient;
        }
        let ((a, numerator), (b, denominator)) = (self.factored(left), self.factored(right));
        if numerator == denominator && self.number(numerator).is_none() {
            return self.constant(a / b);
        }
        // |u|/u = u/|u| = sign(u), which has no pole.
        if self.operand_of(numerator, Unary::Absolute) == Some(denominator)
            || self.operand_of(denominator, Unary::Absolute) == Some(numerator)
        {
            let inner = if self.operand_of(numerator, Unary::Absolute).is_some() {
                denominator
            } else {
                numerator
            };
            let sign = self.unary(Unary::Sign, inner);
            return self.scaled_checked(a / b, sign);
        }
        // u^n/v^n = (u/v)^n, so that sin²(u)/u² is seen below.
        if let (Node::Power(u, n), Node::Power(v, m)) =
            (self.nodes[numerator], self.nodes[denominator])
            && n == m
        {
            let quotient = self.divide(u, v);
            let power = self.whole_power(quotient, n);
            let factor = self.constant(a / b);
            return self.multiply(factor, power);
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

    /// (e^a - e^b)/(e^a + e^b) = tanh((a - b)/2), e^a/(e^a + e^b) = 1/(1 + e^(b - a)), and
    /// c/(e^a + e^-a) = c sech(a)/2.
    fn divide_by_exponentials(&mut self, left: Id, right: Id) -> Option<Id> {
        let powers = |graph: &Self, id: Id| match graph.nodes[id] {
            Node::Binary(Binary::Add | Binary::Subtract, u, v) => {
                Some((graph.operand_of(u, Unary::Exp)?, graph.operand_of(v, Unary::Exp)?))
            }
            _ => None,
        };
        let Node::Binary(Binary::Add, ..) = self.nodes[right] else { return None };
        let (a, b) = powers(self, right)?;
        // e^a/(e^a + e^b) = 1/(1 + e^(b - a)).
        if let Some(power) = self.operand_of(left, Unary::Exp)
            && (power == a || power == b)
        {
            let other = if power == a { b } else { a };
            let difference = self.subtract(power, other);
            return Some(self.unary(Unary::Sigmoid, difference));
        }
        let half = self.constant(0.5);
        if let Node::Binary(Binary::Subtract, ..) = self.nodes[left]
            && let Some((c, d)) = powers(self, left)
            && ((a, b) == (c, d) || (a, b) == (d, c))
        {
            let difference = self.subtract(c, d);
            let argument = self.multiply(half, difference);
            return Some(self.unary(Unary::Tanh, argument));
        }
        let sum = self.add(a, b);
        if self.number(sum) != Some(0.0) {
            return None;
        }
        let sech = self.unary(Unary::Sech, a);
        let product = self.multiply(left, sech);
        Some(self.multiply(half, product))
    }

    fn scaled_checked(&mut self, factor: f64, id: Id) -> Id {
        if factor == 0.0 { self.constant(0.0) } else { self.scaled(factor, id) }
    }

    pub(super) fn power(&mut self, base: Id, exponent: Id) -> Id {
        match self.number(exponent) {
            Some(0.5) => self.unary(Unary::Sqrt, base),
            Some(n) if n == n.round() && n.abs() <= MAX_WHOLE_POWER => {
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

    /// The node to an integer power.
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
}
