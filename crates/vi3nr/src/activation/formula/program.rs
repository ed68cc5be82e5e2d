//! Straight-line programs on registers that compute f and its derivatives together.

use super::graph::{Graph, Id, Node, operands};
use super::operation::{Binary, Pair, Unary};
use crate::Real;

/// The maximum number of registers of a program of f and f'.
pub const MAX_REGISTERS: usize = 64;

/// The maximum number of registers of a program that also computes higher derivatives.
pub const MAX_JET_REGISTERS: usize = 256;

/// The source of a number that an operation reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operand {
    /// The argument x of the function.
    Input,
    /// The same number for every x.
    Constant(f64),
    /// The result of an earlier operation.
    Register(usize),
}

/// What an instruction computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// A function of one operand.
    Unary(Unary, Operand),
    /// Two functions of one operand; the second result goes to the register `second`.
    Pair {
        /// The functions.
        pair: Pair,
        /// Their argument.
        operand: Operand,
        /// Where the second function's result goes.
        second: usize,
    },
    /// A function of two operands.
    Binary(Binary, Operand, Operand),
    /// An integer power with an exponent of at least 2.
    Power(Operand, i32),
    /// `then` where `greater` > `than`, else `otherwise`.
    Choose {
        /// The left side of the comparison.
        greater: Operand,
        /// Its right side.
        than: Operand,
        /// The result where the comparison holds.
        then: Operand,
        /// The result elsewhere.
        otherwise: Operand,
    },
}

impl Operation {
    /// The operands that it reads.
    pub fn operands(self) -> impl Iterator<Item = Operand> {
        let operands = match self {
            Self::Unary(_, u) | Self::Power(u, _) => [Some(u), None, None, None],
            Self::Pair { operand, .. } => [Some(operand), None, None, None],
            Self::Binary(_, u, v) => [Some(u), Some(v), None, None],
            Self::Choose { greater, than, then, otherwise } => {
                [Some(greater), Some(than), Some(then), Some(otherwise)]
            }
        };
        operands.into_iter().flatten()
    }
}

/// One operation and the register that takes its (first) result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instruction {
    /// What is computed.
    pub operation: Operation,
    /// Where the result goes. It may be a register that the operation reads.
    pub target: usize,
}

/// f and its derivatives up to some order as operations on registers, in order and without jumps.
///
/// # Interpreting a program
/// To evaluate a program on many points, an engine makes each of [`Program::registers`] registers
/// an array with one number per point. Ten registers of 64 to 256 floats fit in the first-level
/// cache. It then runs [`Program::instructions`] in order, each over all points, so that the cost
/// of the dispatch is shared and the inner loops are arithmetic on slices. `target` (and `second`)
/// may be the register of an operand, so the loop must compute element by element, or read before
/// it writes. At the end, [`Program::outputs`] are the operands that hold f, f' and so on. Each may
/// be a constant or the input itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    instructions: Vec<Instruction>,
    registers: usize,
    outputs: Vec<Operand>,
}

impl Program {
    /// The instructions in their order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The program of the first `count` outputs: of f alone, with fewer instructions, if it is 1. They have
    /// the same bits.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let outputs = self.outputs.iter().take(count).copied().collect::<Vec<_>>();
        let mut needed = vec![false; self.registers];
        let mark = |needed: &mut Vec<bool>, operand: Operand| {
            if let Operand::Register(register) = operand {
                needed[register] = true;
            }
        };
        outputs.iter().for_each(|output| mark(&mut needed, *output));
        let mut kept = Vec::new();
        // From the last instruction to the first, so that every reader has been seen.
        for &Instruction { operation, target } in self.instructions.iter().rev() {
            let is_needed = std::mem::take(&mut needed[target]);
            let instruction = match operation {
                Operation::Pair { pair, operand, second } => {
                    let (first_function, second_function) = pair.functions();
                    // A pair of which one result is needed is that function.
                    match (is_needed, std::mem::take(&mut needed[second])) {
                        (true, true) => Instruction { operation, target },
                        (true, false) => Instruction {
                            operation: Operation::Unary(first_function, operand),
                            target,
                        },
                        (false, true) => Instruction {
                            operation: Operation::Unary(second_function, operand),
                            target: second,
                        },
                        (false, false) => continue,
                    }
                }
                _ if is_needed => Instruction { operation, target },
                _ => continue,
            };
            operation.operands().for_each(|operand| mark(&mut needed, operand));
            kept.push(instruction);
        }
        kept.reverse();
        Self { instructions: kept, registers: self.registers, outputs }
    }

    /// The number of registers, at most [`MAX_REGISTERS`], or [`MAX_JET_REGISTERS`] if there are
    /// higher derivatives.
    pub fn registers(&self) -> usize {
        self.registers
    }

    /// The operands that hold f, f' and so on after the last instruction.
    pub fn outputs(&self) -> &[Operand] {
        &self.outputs
    }

    /// The operand that holds f after the last instruction.
    pub fn value(&self) -> Operand {
        self.outputs[0]
    }

    /// The operand that holds f' after the last instruction; NaN if the program does not compute it.
    pub fn slope(&self) -> Operand {
        self.outputs.get(1).copied().unwrap_or(Operand::Constant(f64::NAN))
    }

    /// f(x) and f'(x), one instruction at a time; NaN for f' if the program does not compute it.
    pub fn run<R: Real>(&self, x: R) -> (R, R) {
        // Small programs need not initialize all registers.
        match self.registers {
            0..=6 => self.run_on(x, &mut [x; 6]),
            7..=16 => self.run_on(x, &mut [x; 16]),
            17..=MAX_REGISTERS => self.run_on(x, &mut [x; MAX_REGISTERS]),
            _ => self.run_on(x, &mut [x; MAX_JET_REGISTERS]),
        }
    }

    /// f(x) and its derivatives up to the third, one instruction at a time; NaN for those that the
    /// program does not compute.
    pub fn run_jet<R: Real>(&self, x: R) -> [R; 4] {
        let mut registers = [x; MAX_JET_REGISTERS];
        self.run_on(x, &mut registers);
        std::array::from_fn(|order| match self.outputs.get(order) {
            Some(Operand::Input) => x,
            Some(Operand::Constant(value)) => R::from_f64(*value),
            Some(Operand::Register(index)) => registers[*index],
            None => R::from_f64(f64::NAN),
        })
    }

    fn run_on<R: Real>(&self, x: R, registers: &mut [R]) -> (R, R) {
        let read = |registers: &[R], operand: Operand| match operand {
            Operand::Input => x,
            Operand::Constant(value) => R::from_f64(value),
            Operand::Register(index) => registers[index],
        };
        for Instruction { operation, target } in &self.instructions {
            registers[*target] = match *operation {
                Operation::Unary(function, u) => function.apply(read(registers, u)),
                Operation::Pair { pair, operand, second } => {
                    let (first, other) = pair.apply(read(registers, operand));
                    registers[second] = other;
                    first
                }
                Operation::Binary(function, u, v) => {
                    function.apply(read(registers, u), read(registers, v))
                }
                Operation::Power(u, exponent) => read(registers, u).powi(exponent),
                Operation::Choose { greater, than, then, otherwise } => R::select(
                    read(registers, greater) > read(registers, than),
                    read(registers, then),
                    read(registers, otherwise),
                ),
            };
        }
        (read(registers, self.value()), read(registers, self.slope()))
    }

    /// Compiles the nodes that `outputs` depend on: f, f' and so on. Returns `None` if they need
    /// more registers than a program of this order may have.
    pub(super) fn compile(graph: &Graph, outputs: &[Id]) -> Option<Self> {
        let nodes = graph.nodes();
        let last_use = last_uses(nodes, outputs);
        let mut location: Vec<Option<Operand>> = vec![None; nodes.len()];
        let mut free: Vec<usize> = Vec::new();
        let mut registers = 0;
        let mut instructions = Vec::new();
        for id in 0..nodes.len() {
            if last_use[id].is_none() {
                continue;
            }
            if location[id].is_some() {
                // It was computed with its partner; the register of its operand may be free now.
                release(nodes, id, &last_use, &location, &mut free);
                continue;
            }
            let at = |operand: Id| location[operand].unwrap_or(Operand::Input);
            let operation = match nodes[id] {
                Node::Input => {
                    location[id] = Some(Operand::Input);
                    continue;
                }
                Node::Constant(bits) => {
                    location[id] = Some(Operand::Constant(f64::from_bits(bits)));
                    continue;
                }
                Node::Unary(function, u) => Operation::Unary(function, at(u)),
                Node::Binary(function, u, v) => Operation::Binary(function, at(u), at(v)),
                Node::Power(u, exponent) => Operation::Power(at(u), exponent),
                Node::Choose { greater, than, then, otherwise } => Operation::Choose {
                    greater: at(greater),
                    than: at(than),
                    then: at(then),
                    otherwise: at(otherwise),
                },
            };
            let paired = partner(nodes, &last_use, id);
            if paired.is_none() {
                // The registers of operands that are read for the last time can take the result.
                release(nodes, id, &last_use, &location, &mut free);
            }
            let mut take = || {
                free.pop().unwrap_or_else(|| {
                    registers += 1;
                    registers - 1
                })
            };
            let target = take();
            match (paired, operation) {
                (Some((pair, first, partner)), Operation::Unary(_, operand)) => {
                    let second = take();
                    location[first] = Some(Operand::Register(target));
                    location[partner] = Some(Operand::Register(second));
                    let operation = Operation::Pair { pair, operand, second };
                    instructions.push(Instruction { operation, target });
                    release(nodes, id, &last_use, &location, &mut free);
                }
                _ => {
                    location[id] = Some(Operand::Register(target));
                    instructions.push(Instruction { operation, target });
                }
            }
        }
        let location_of = |id: Id| location[id].unwrap_or(Operand::Constant(f64::NAN));
        let max_registers = if outputs.len() > 2 { MAX_JET_REGISTERS } else { MAX_REGISTERS };
        let outputs = outputs.iter().map(|id| location_of(*id)).collect();
        let program = Self { instructions, registers, outputs };
        (registers <= max_registers).then_some(program)
    }
}

/// For each needed node, the last node that reads it. The results are read after all nodes.
fn last_uses(nodes: &[Node], outputs: &[Id]) -> Vec<Option<Id>> {
    let mut last_use = vec![None; nodes.len()];
    for output in outputs {
        last_use[*output] = Some(Id::MAX);
    }
    for id in (0..nodes.len()).rev() {
        if last_use[id].is_some() {
            for operand in operands(nodes[id]) {
                last_use[operand] = last_use[operand].max(Some(id));
            }
        }
    }
    last_use
}

/// The pair that computes this node together with its partner, if the partner is needed too: (pair,
/// first, second).
fn partner(nodes: &[Node], last_use: &[Option<Id>], id: Id) -> Option<(Pair, Id, Id)> {
    let Node::Unary(function, u) = nodes[id] else { return None };
    let (pair, other, is_first) = Pair::ALL.into_iter().find_map(|pair| {
        let (first, second) = pair.functions();
        if function == first {
            return Some((pair, second, true));
        }
        (function == second).then_some((pair, first, false))
    })?;
    let other = nodes.iter().position(|node| *node == Node::Unary(other, u))?;
    last_use[other]?;
    Some(if is_first { (pair, id, other) } else { (pair, other, id) })
}

/// Frees the registers of operands that no later node reads.
fn release(
    nodes: &[Node],
    id: Id,
    last_use: &[Option<Id>],
    location: &[Option<Operand>],
    free: &mut Vec<usize>,
) {
    for operand in operands(nodes[id]) {
        if last_use[operand] == Some(id)
            && let Some(Operand::Register(register)) = location[operand]
            && !free.contains(&register)
        {
            free.push(register);
        }
    }
}
