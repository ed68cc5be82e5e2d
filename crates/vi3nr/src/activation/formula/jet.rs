//! Programs of higher derivatives, which most formulas never need.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::graph::{Graph, MAX_JET_NODES};
use super::parse::Mistake;
use super::program::{MAX_JET_REGISTERS, Program};
use super::{Formula, derive, fail, parse};
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
    let expression = formula.expression();
    let mut graph = Graph::with_max_nodes(MAX_JET_NODES);
    let (root, _) = parse::parse(expression, formula.parameters(), &mut graph)
        .map_err(|mistake| fail(expression, mistake))?;
    let too_large = |limit: String| {
        let reason = format!("with its first {order} derivatives it needs over {limit}");
        fail(expression, Mistake { column: 0, reason })
    };
    let mut outputs = vec![root];
    for _ in 0..order {
        let slope = derive::derivative(&mut graph, outputs[outputs.len() - 1]);
        outputs.push(slope);
        if graph.is_too_large() {
            return Err(too_large(format!("{MAX_JET_NODES} operations")));
        }
    }
    Program::compile(&graph, &outputs)
        .ok_or_else(|| too_large(format!("{MAX_JET_REGISTERS} intermediate results at one time")))
}
