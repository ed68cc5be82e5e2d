//! Programs of higher derivatives, which most formulas never need.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::graph::{Graph, Id, MAX_JET_NODES};
use super::operation::Binary;
use super::parse::Mistake;
use super::program::{MAX_JET_REGISTERS, MAX_REGISTERS, Program};
use super::singular::{Singularities, suspects};
use super::{Formula, degree, derive, fail, frequency, parse, symmetry};
use crate::Error;

/// The programs of order 2 and 3 of a formula, compiled on first use and shared by its clones.
#[derive(Clone, Default)]
pub(super) struct JetPrograms(Arc<[OnceLock<Result<Program, Error>>; 2]>);

/// The programs follow from the expression and the parameters, which formulas compare.
impl PartialEq for JetPrograms {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for JetPrograms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JetPrograms")
    }
}

impl JetPrograms {
    /// The program of `order`, 2 or 3.
    pub(super) fn get(&self, formula: &Formula, order: usize) -> Result<&Program, Error> {
        let program = self.0[order - 2].get_or_init(|| compile(formula, order));
        program.as_ref().map_err(Clone::clone)
    }
}

fn compile(formula: &Formula, order: usize) -> Result<Program, Error> {
    let (graph, outputs) = derivatives(formula, order)?;
    Program::compile(&graph, &outputs)
        .ok_or_else(|| too_large(formula, order, &registers(MAX_JET_REGISTERS)))
}

/// The graph of the formula and its derivatives up to `order`, with their nodes.
fn derivatives(formula: &Formula, order: usize) -> Result<(Graph, Vec<Id>), Error> {
    let expression = formula.expression();
    let mut graph = Graph::with_max_nodes(MAX_JET_NODES);
    let (root, _) = parse::parse(expression, formula.parameters(), &mut graph)
        .map_err(|mistake| fail(expression, mistake))?;
    let mut outputs = vec![root];
    for _ in 0..order {
        let slope = derive::derivative(&mut graph, outputs[outputs.len() - 1]);
        outputs.push(slope);
        if graph.is_too_large() {
            return Err(too_large(formula, order, &format!("{MAX_JET_NODES} operations")));
        }
    }
    Ok((graph, outputs))
}

fn too_large(formula: &Formula, order: usize, limit: &str) -> Error {
    let reason = format!("with its first {order} derivatives it needs over {limit}");
    fail(formula.expression(), Mistake { column: 0, reason })
}

fn registers(limit: usize) -> String {
    format!("{limit} intermediate results at one time")
}

/// A function that is made from another one for its expectations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    /// f'.
    Slope,
    /// f².
    Square,
    /// f'².
    SquaredSlope,
}

impl Formula {
    /// The derived function with its own derivative. Its text is not an expression but says what it
    /// is of `name`, for messages, so that [`Formula::jet_program`] fails.
    ///
    /// `kinks` are those of the function. A built-in form, which `is_form` marks, can only be
    /// singular there.
    pub(in super::super) fn derived(
        &self,
        what: Derived,
        name: &str,
        kinks: Vec<f64>,
        is_form: bool,
    ) -> Result<Self, Error> {
        let order = if what == Derived::Square { 1 } else { 2 };
        let (mut graph, outputs) = derivatives(self, order)?;
        let factor = outputs[order - 1];
        let (root, slope, words) = match what {
            Derived::Slope => (factor, outputs[order], "the derivative of"),
            Derived::Square | Derived::SquaredSlope => {
                let root = graph.binary(Binary::Multiply, factor, factor);
                let slope = derive::derivative(&mut graph, root);
                let is_plain = what == Derived::Square;
                let words =
                    if is_plain { "the square of" } else { "the square of the derivative of" };
                (root, slope, words)
            }
        };
        if graph.is_too_large() {
            return Err(too_large(self, order, &format!("{MAX_JET_NODES} operations")));
        }
        let program = Program::compile(&graph, &[root, slope])
            .ok_or_else(|| too_large(self, order, &registers(MAX_REGISTERS)))?;
        let mut points = if is_form { Vec::new() } else { suspects(&graph, root) };
        points.extend(&kinks);
        let mut singularities = Singularities::of(&program, &points);
        if what != Derived::Square {
            singularities = singularities.with_jump_of_function(self.singularities.jump);
        }
        Ok(Self {
            expression: format!("{words} {name}").into(),
            parameters: Arc::new([]),
            kinks: kinks.into(),
            symmetry: symmetry::symmetry(&graph, root),
            degree: degree::degree(&graph, root),
            frequency: frequency::frequency(&graph, root),
            singularities: Arc::new(singularities),
            program: Arc::new(program),
            jets: JetPrograms::default(),
        })
    }
}
