//! An interpreter for formulas, which runs each instruction on many preactivations at once.

use std::cell::Cell;

use vi3nr::Real;
use vi3nr::activation::formula::{Binary, Operand, Operation, Pair, Program, Unary};

use super::instruction_set::{InstructionSet, Task};
use super::jets::{Derivatives, JetFunction};
use super::lane::Lane;
use super::vector::Vector;
use super::vector_function::{VectorFunction, Width};

/// The number of points of one run of a program. They share the cost of the dispatch of an
/// instruction, and a few registers of this length fit in the first-level cache.
const POINTS: usize = 256;

/// A register: one number for each point of a run.
type Register = Box<[f32; POINTS]>;

fn register(value: f32) -> Register {
    Box::new([value; POINTS])
}

/// A program with a register for each of its constants, so that every operand is a register.
pub(super) struct Interpreter {
    /// f and its derivatives.
    all: Program,
    /// f alone.
    value: Program,
    /// The distinct constants of the program.
    constants: Vec<(f64, Register)>,
}

impl Interpreter {
    pub(super) fn new(program: &Program) -> Self {
        let read = program.instructions().iter().flat_map(|one| one.operation.operands());
        let mut constants: Vec<(f64, Register)> = Vec::new();
        for operand in read.chain(program.outputs().iter().copied()) {
            if let Operand::Constant(value) = operand
                && !constants.iter().any(|(known, _)| known.to_bits() == value.to_bits())
            {
                constants.push((value, register(value as f32)));
            }
        }
        Self { all: program.clone(), value: program.first(1), constants }
    }
}

impl VectorFunction for Interpreter {
    fn value_and_slope(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        slopes: &mut [f32],
    ) {
        let slopes = Results { matrix: slopes, row_stride: width.row_stride };
        set.run(InterpretRows { interpreter: self, width, values, results: [slopes] });
    }

    fn value(&self, set: InstructionSet, width: Width, values: &mut [f32]) {
        set.run(InterpretRows { interpreter: self, width, values, results: [] });
    }
}

impl JetFunction for Interpreter {
    fn jet(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        derivatives: Derivatives<'_>,
    ) {
        let Derivatives { slopes, second, third, row_stride } = derivatives;
        let slopes = Results { matrix: slopes, row_stride: width.row_stride };
        let second = Results { matrix: second, row_stride };
        let third = Results { matrix: third, row_stride };
        set.run(InterpretRows {
            interpreter: self,
            width,
            values,
            results: [slopes, second, third],
        });
    }
}

/// A matrix that takes one derivative; nothing is written if it is empty.
struct Results<'a> {
    matrix: &'a mut [f32],
    row_stride: usize,
}

/// A task that applies a formula to the columns of a row-major matrix and writes its first `N`
/// derivatives.
struct InterpretRows<'a, const N: usize> {
    interpreter: &'a Interpreter,
    width: Width,
    values: &'a mut [f32],
    results: [Results<'a>; N],
}

/// Columns of one row of the matrix that a run works on.
#[derive(Clone, Copy)]
struct Piece {
    row: usize,
    column: usize,
    len: usize,
}

impl<const N: usize> Task for InterpretRows<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(mut self) {
        let Width { columns, row_stride } = self.width;
        let mut registers = Registers::new(self.interpreter);
        // The pieces of the matrix in the current run.
        let mut pieces: Vec<Piece> = Vec::new();
        let mut filled = 0;
        for row in 0..self.values.len().div_ceil(row_stride) {
            for column in (0..columns).step_by(POINTS) {
                let len = POINTS.min(columns - column);
                if filled + len > POINTS {
                    self.finish::<FUSED>(&mut registers, &mut pieces, &mut filled);
                }
                let from = &self.values[row * row_stride + column..][..len];
                registers.numbers.input[filled..][..len].copy_from_slice(from);
                pieces.push(Piece { row, column, len });
                filled += len;
            }
        }
        self.finish::<FUSED>(&mut registers, &mut pieces, &mut filled);
        registers.recycle();
    }
}

impl<const N: usize> InterpretRows<'_, N> {
    /// Runs the program on the gathered points and writes the results back to the matrices.
    #[inline(always)]
    fn finish<const FUSED: bool>(
        &mut self,
        registers: &mut Registers<'_>,
        pieces: &mut Vec<Piece>,
        filled: &mut usize,
    ) {
        let Interpreter { all, value, .. } = self.interpreter;
        let program = if N == 0 { value } else { all };
        registers.run::<FUSED>(program);
        let outputs = program.outputs();
        let mut at = 0;
        for Piece { row, column, len } in pieces.drain(..) {
            let value = &registers.read(outputs[0])[at..][..len];
            self.values[row * self.width.row_stride + column..][..len].copy_from_slice(value);
            for (result, output) in self.results.iter_mut().zip(&outputs[1..]) {
                if !result.matrix.is_empty() {
                    let derivative = &registers.read(*output)[at..][..len];
                    let start = row * result.row_stride + column;
                    result.matrix[start..][..len].copy_from_slice(derivative);
                }
            }
            at += len;
        }
        *filled = 0;
    }
}

thread_local! {
    /// The storage of this thread's last task, which the next one reuses.
    static LAST: Cell<Option<Numbers>> = const { Cell::new(None) };
}

/// The storage of a task. Every number is written before it is read.
struct Numbers {
    input: Register,
    results: Vec<Register>,
    /// Receive the results of an instruction, since its target may also be an operand.
    spare: [Register; 2],
}

/// The registers of one task.
struct Registers<'a> {
    interpreter: &'a Interpreter,
    numbers: Numbers,
}

impl<'a> Registers<'a> {
    fn new(interpreter: &'a Interpreter) -> Self {
        let mut numbers = LAST.take().unwrap_or_else(|| Numbers {
            input: register(0.0),
            results: Vec::new(),
            spare: [register(0.0), register(0.0)],
        });
        while numbers.results.len() < interpreter.all.registers() {
            numbers.results.push(register(0.0));
        }
        Self { interpreter, numbers }
    }

    /// Keeps the storage for the thread's next task.
    fn recycle(self) {
        LAST.set(Some(self.numbers));
    }

    fn read(&self, operand: Operand) -> &[f32; POINTS] {
        read(self.interpreter, &self.numbers.input, &self.numbers.results, operand)
    }

    /// Runs the instructions of a program in order, each on all points.
    #[inline(always)]
    fn run<const FUSED: bool>(&mut self, program: &Program) {
        let Self { interpreter, numbers: Numbers { input, results, spare: [first, second] } } =
            self;
        for instruction in program.instructions() {
            let at = |operand| read(interpreter, input, results, operand);
            match instruction.operation {
                Operation::Unary(function, u) => unary::<FUSED>(function, first, at(u)),
                // A constant stays in a vector register instead of being loaded for every point.
                Operation::Binary(function, Operand::Constant(u), v) => {
                    binary::<FUSED>(function, first, u as f32, at(v));
                }
                Operation::Binary(function, u, Operand::Constant(v)) => {
                    binary::<FUSED>(function, first, at(u), v as f32);
                }
                Operation::Binary(function, u, v) => binary::<FUSED>(function, first, at(u), at(v)),
                Operation::Power(u, exponent) => power::<FUSED>(exponent, first, at(u)),
                Operation::Pair { pair, operand, .. } => {
                    pairs::<FUSED>(pair, first, second, at(operand));
                }
                Operation::Choose { greater, than, then, otherwise } => {
                    let sides = at(greater).iter().zip(at(than));
                    let choices = at(then).iter().zip(at(otherwise));
                    for (out, ((a, b), (x, y))) in first.iter_mut().zip(sides.zip(choices)) {
                        *out = if a > b { *x } else { *y };
                    }
                }
            }
            if let Operation::Pair { second: target, .. } = instruction.operation {
                std::mem::swap(&mut results[target], second);
            }
            std::mem::swap(&mut results[instruction.target], first);
        }
    }
}

/// The numbers of an operand.
#[inline(always)]
fn read<'a>(
    interpreter: &'a Interpreter,
    input: &'a Register,
    results: &'a [Register],
    operand: Operand,
) -> &'a [f32; POINTS] {
    match operand {
        Operand::Input => input,
        Operand::Register(index) => &results[index],
        Operand::Constant(value) => {
            let same = |entry: &&(f64, Register)| entry.0.to_bits() == value.to_bits();
            // `Interpreter::new` has made a register for every constant of the program.
            interpreter.constants.iter().find(same).map_or(input, |entry| &entry.1)
        }
    }
}

/// out ← f(x).
#[inline(always)]
fn map<const FUSED: bool>(
    out: &mut Register,
    x: &[f32; POINTS],
    function: impl Fn(Lane<FUSED>) -> Lane<FUSED>,
) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = function(Lane(*x)).0;
    }
}

/// Applies a function in a loop of its own, so that the compiler can vectorize each loop.
#[inline(always)]
fn unary<const FUSED: bool>(function: Unary, out: &mut Register, x: &[f32; POINTS]) {
    macro_rules! loops {
        ($($name:ident),* $(,)?) => {
            match function {
                $(Unary::$name => map::<FUSED>(out, x, |x| Unary::$name.apply(x)),)*
            }
        };
    }
    loops!(
        Negate, Absolute, Sign, Exp, ExpM1, Ln, Ln1P, Sqrt, Sin, Cos, Tan, Tanh, Sinh, Cosh, Sech,
        Erf, Erfc, Atan, Sigmoid, Softplus, Sinc, SincSlope, SincSecond, SincThird,
    );
}

/// The numbers of an operand by point.
trait Source: Copy {
    fn get(self, point: usize) -> f32;
}

impl Source for &[f32; POINTS] {
    #[inline(always)]
    fn get(self, point: usize) -> f32 {
        self[point]
    }
}

impl Source for f32 {
    #[inline(always)]
    fn get(self, _: usize) -> f32 {
        self
    }
}

/// out ← f(a, b).
#[inline(always)]
fn binary<const FUSED: bool>(function: Binary, out: &mut Register, a: impl Source, b: impl Source) {
    macro_rules! loops {
        ($($name:ident),* $(,)?) => {
            match function {
                $(Binary::$name => {
                    for (point, out) in out.iter_mut().enumerate() {
                        *out = Binary::$name.apply(Lane::<FUSED>(a.get(point)), Lane(b.get(point))).0;
                    }
                })*
            }
        };
    }
    loops!(Add, Subtract, Multiply, Divide, Power, Maximum, Minimum);
}

#[inline(always)]
fn power<const FUSED: bool>(exponent: i32, out: &mut Register, x: &[f32; POINTS]) {
    match exponent {
        // For a constant exponent, the compiler unrolls the loop in `powi`.
        2 => map::<FUSED>(out, x, |x| x.powi(2)),
        3 => map::<FUSED>(out, x, |x| x.powi(3)),
        4 => map::<FUSED>(out, x, |x| x.powi(4)),
        _ => map::<FUSED>(out, x, |x| x.powi(exponent)),
    }
}

#[inline(always)]
fn pairs<const FUSED: bool>(
    pair: Pair,
    first: &mut Register,
    second: &mut Register,
    x: &[f32; POINTS],
) {
    macro_rules! loops {
        ($($name:ident),* $(,)?) => {
            match pair {
                $(Pair::$name => {
                    for ((first, second), x) in first.iter_mut().zip(second.iter_mut()).zip(x) {
                        let (a, b) = Pair::$name.apply(Lane::<FUSED>(*x));
                        (*first, *second) = (a.0, b.0);
                    }
                })*
            }
        };
    }
    loops!(SinCos, SincAndSlope);
}

#[cfg(test)]
mod tests;
