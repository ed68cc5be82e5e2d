//! The points at which abs, sign, max and min switch branches: the roots of what they compare.

use super::derive::derivative;
use super::enclose::{Sides, enclose};
use super::graph::{Graph, Id, Node};
use super::operation::{Binary, Unary};
use super::program::Program;
use super::region::Region;

/// Kinks are searched for within ±`SEARCH_LIMIT`.
const SEARCH_LIMIT: f64 = 1e6;
/// The maximum number of intervals that a search examines before it returns what it has found.
const MAX_INTERVALS: usize = 20_000;
/// The maximum number of operations of a search, for long expressions.
const MAX_WORK: usize = 200_000;
/// The maximum number of kinks that are listed.
const MAX_KINKS: usize = 256;

/// The kinks of the function `root`, in increasing order: points within ±1e6 where the argument
/// of abs or sign, or the difference of the arguments of max or min, changes its sign.
///
/// An interval is discarded if its enclosure proves that it contains no root. The others are
/// bisected down to neighboring numbers, so that no root is missed. At most 256 kinks are listed,
/// those nearest to 0. The expectations do not depend on the list being complete; it only saves
/// work.
pub(super) fn kinks(graph: &Graph, root: Id) -> Vec<f64> {
    let mut graph = graph.clone();
    let differences = switches(&mut graph, root);
    roots_of(&mut graph, differences)
}

/// The roots of all these nodes, with the limits of [`kinks`].
pub(super) fn roots_of(graph: &mut Graph, mut nodes: Vec<Id>) -> Vec<f64> {
    nodes.sort_unstable();
    nodes.dedup();
    let mut kinks = Vec::new();
    for node in nodes {
        let slope = derivative(graph, node);
        if let Some(program) = Program::compile(graph, &[node, slope]) {
            kinks.extend(roots(&program));
        }
    }
    kinks.sort_by(f64::total_cmp);
    kinks.dedup_by(|a, b| (*a - *b).abs() <= 1e-12 * b.abs());
    if kinks.len() > MAX_KINKS {
        kinks.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        kinks.truncate(MAX_KINKS);
        kinks.sort_by(f64::total_cmp);
    }
    kinks
}

/// The nodes whose sign decides which branch is taken.
fn switches(graph: &mut Graph, root: Id) -> Vec<Id> {
    let nodes = graph.nodes()[..=root].to_vec();
    let mut found = Vec::new();
    for node in nodes {
        match node {
            Node::Unary(Unary::Absolute | Unary::Sign, argument) => found.push(argument),
            Node::Binary(Binary::Maximum | Binary::Minimum, u, v) => {
                found.push(graph.binary(Binary::Subtract, u, v));
            }
            _ => {}
        }
    }
    found
}

/// Sign changes of a program's value.
fn roots(program: &Program) -> Vec<f64> {
    let value = |x: f64| program.run(x).0;
    let mut found: Vec<f64> = Vec::new();
    let mut waiting = vec![(-SEARCH_LIMIT, 0.0), (0.0, SEARCH_LIMIT)];
    let mut examined = 0;
    while let Some((from, to)) = waiting.pop() {
        examined += 1;
        if examined * program.instructions().len() > MAX_WORK
            || examined > MAX_INTERVALS
            || found.len() >= 4 * MAX_KINKS
        {
            break;
        }
        let (region, slope) = enclose(program, Region::interval(from, to), &mut Sides::default());
        let certain = region.lo > 0.0 || region.hi < 0.0;
        if certain || (region.lo == 0.0 && region.hi == 0.0) {
            continue;
        }
        let (at_from, at_to) = (value(from), value(to));
        let monotone = slope.im == 0.0 && (slope.lo >= 0.0 || slope.hi <= 0.0);
        if monotone {
            if at_from == 0.0 {
                found.push(from);
            } else if at_to == 0.0 {
                found.push(to);
            } else if (at_from < 0.0) != (at_to < 0.0) {
                found.push(bisected(value, from, to));
            }
            continue;
        }
        let middle = 0.5 * (from + to);
        let width = to - from;
        if width <= 1e-13 * middle.abs() || width < 1e-100 || middle == from || middle == to {
            if at_from == 0.0 || at_to == 0.0 || (at_from < 0.0) != (at_to < 0.0) {
                found.push(if at_to == 0.0 { to } else { from });
            }
            continue;
        }
        waiting.push((from, middle));
        waiting.push((middle, to));
        // The interval nearest to 0 is examined first.
        let last = waiting.len() - 1;
        if waiting[last].0.abs() > waiting[last - 1].0.abs() {
            waiting.swap(last, last - 1);
        }
    }
    found
}

/// The point at which the sign changes, up to neighboring numbers.
fn bisected(value: impl Fn(f64) -> f64, mut from: f64, mut to: f64) -> f64 {
    let starts_below = value(from) < 0.0;
    for _ in 0..1100 {
        let middle = 0.5 * (from + to);
        if middle <= from || middle >= to {
            break;
        }
        let there = value(middle);
        if there == 0.0 {
            return middle;
        }
        if (there < 0.0) == starts_below { from = middle } else { to = middle }
    }
    to
}
