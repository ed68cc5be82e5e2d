//! The expression graph, which contains every distinct subexpression once and is simplified as it
//! is built.
//!
//! Nodes are numbered so that operands come before the nodes that use them. Passes over the graph
//! are loops over this order, so that the depth of an expression does not use stack space.

use std::collections::HashMap;

use super::operation::{Binary, Unary};

/// The index of a node.
pub(super) type Id = usize;

/// The maximum number of nodes of a function and its derivative together.
pub(super) const MAX_NODES: usize = 1000;

/// The maximum number of nodes of a function and its first three derivatives together.
pub(super) const MAX_JET_NODES: usize = 8000;

/// A subexpression. A constant holds the bits of its number, so that equal constants are one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Input,
    Constant(u64),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// An integer power.
    Power(Id, i32),
    /// `then` where `greater` > `than`, else `otherwise`.
    Choose {
        greater: Id,
        than: Id,
        then: Id,
        otherwise: Id,
    },
}

/// The operands of a node.
pub(super) fn operands(node: Node) -> impl Iterator<Item = Id> {
    let list = match node {
        Node::Input | Node::Constant(_) => [None; 4],
        Node::Unary(_, u) | Node::Power(u, _) => [Some(u), None, None, None],
        Node::Binary(_, u, v) => [Some(u), Some(v), None, None],
        Node::Choose { greater, than, then, otherwise } => {
            [Some(greater), Some(than), Some(then), Some(otherwise)]
        }
    };
    list.into_iter().flatten()
}

/// The nodes of an expression, each distinct one once.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    max_nodes: usize,
}

impl Default for Graph {
    fn default() -> Self {
        Self::with_max_nodes(MAX_NODES)
    }
}

impl Graph {
    /// An empty graph that is too large beyond `max_nodes` nodes.
    pub(super) fn with_max_nodes(max_nodes: usize) -> Self {
        Self { nodes: Vec::new(), known: HashMap::new(), max_nodes }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.nodes.len() > self.max_nodes
    }

    pub(super) fn intern(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        // The caller rejects a graph that exceeds the limit; here it only stops growing.
        if self.nodes.len() > self.max_nodes {
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
        // 0 and -0 are the same node.
        self.intern(Node::Constant(if value == 0.0 { 0 } else { value.to_bits() }))
    }

    /// The number of a node, if it is a constant.
    pub(super) fn number(&self, id: Id) -> Option<f64> {
        match self.nodes[id] {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The operand of a node, if the node is this unary function.
    pub(super) fn operand_of(&self, id: Id, function: Unary) -> Option<Id> {
        match self.nodes[id] {
            Node::Unary(seen, operand) if seen == function => Some(operand),
            _ => None,
        }
    }

    /// The constant factor and the rest of a product with a constant; (1, id) for any other node.
    pub(super) fn factored(&self, id: Id) -> (f64, Id) {
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

    /// `factor` times the node `id`, which must not have a constant factor itself.
    pub(super) fn scaled(&mut self, factor: f64, id: Id) -> Id {
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
            // What underflows is left to numbers that know their error.
            let underflows = matches!(
                function,
                Unary::Exp | Unary::Sech | Unary::Sigmoid | Unary::Softplus | Unary::Erfc
            ) && !folded.is_normal();
            if folded.is_finite() && !underflows {
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
                // ln(1 + u), which would lose digits for a small u.
                if let Node::Binary(Binary::Add, one, rest) = self.nodes[operand]
                    && self.number(one) == Some(1.0)
                {
                    return self.unary(Unary::Ln1P, rest);
                }
                // ln e^u = u and ln(1/(1 + e^(-u))) = -ln(1 + e^(-u)), which do not underflow.
                if let Some(power) = self.operand_of(operand, Unary::Exp) {
                    return power;
                }
                if let Some(power) = self.operand_of(operand, Unary::Sigmoid) {
                    let opposite = self.unary(Unary::Negate, power);
                    let softplus = self.unary(Unary::Softplus, opposite);
                    return self.unary(Unary::Negate, softplus);
                }
            }
            // sqrt(e^u) = e^(u/2).
            Unary::Sqrt => {
                if let Some(power) = self.operand_of(operand, Unary::Exp) {
                    let half = self.constant(0.5);
                    let power = self.multiply(half, power);
                    return self.unary(Unary::Exp, power);
                }
            }
            _ => {}
        }
        self.intern(Node::Unary(function, operand))
    }

    /// u, if the node is 1 + function(u).
    pub(super) fn one_plus(&self, id: Id, function: Unary) -> Option<Id> {
        let Node::Binary(Binary::Add, left, right) = self.nodes[id] else { return None };
        if self.number(left) != Some(1.0) {
            return None;
        }
        self.operand_of(right, function)
    }

    pub(super) fn binary(&mut self, operation: Binary, left: Id, right: Id) -> Id {
        if let (Some(a), Some(b)) = (self.number(left), self.number(right)) {
            let folded = operation.apply(a, b);
            let underflows = matches!(operation, Binary::Multiply | Binary::Divide | Binary::Power)
                && !folded.is_normal()
                && a != 0.0
                && b != 0.0;
            if folded.is_finite() && !underflows {
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

    /// `then` where `greater` > `than`, else `otherwise`.
    pub(super) fn choose(&mut self, greater: Id, than: Id, then: Id, otherwise: Id) -> Id {
        if then == otherwise {
            return then;
        }
        self.intern(Node::Choose { greater, than, then, otherwise })
    }

    pub(super) fn in_order(&self, left: Id, right: Id) -> (Id, Id) {
        let key = |id: Id| (self.number(id).is_none(), id);
        if key(left) <= key(right) { (left, right) } else { (right, left) }
    }
}
