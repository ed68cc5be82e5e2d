//! An interpreter for formulas, which runs each instruction on many preactivations at once.

use std::cell::Cell;

use vi3nr::Real;
use vi3nr::activation::formula::{Binary, Operand, Operation, Pair, Program, Unary};

use super::instruction_set::{InstructionSet, Task};
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
    program: Program,
    /// The distinct constants of the program, in the order of [`operands`].
    constants: Vec<(f64, Register)>,
}

impl Interpreter {
    pub(super) fn new(program: &Program) -> Self {
        let mut constants: Vec<(f64, Register)> = Vec::new();
        for operand in operands(program) {
            if let Operand::Constant(value) = operand
                && !constants.iter().any(|(known, _)| known.to_bits() == value.to_bits())
            {
                constants.push((value, register(value as f32)));
            }
        }
        Self { program: program.clone(), constants }
    }
}

/// Every operand that the program reads, including its results.
fn operands(program: &Program) -> impl Iterator<Item = Operand> {
    let of = |operation: Operation| match operation {
        Operation::Unary(_, u) | Operation::Power(u, _) => vec![u],
        Operation::Pair { operand, .. } => vec![operand],
        Operation::Binary(_, u, v) => vec![u, v],
        Operation::Choose { greater, than, then, otherwise } => {
            vec![greater, than, then, otherwise]
        }
    };
    let read = program.instructions().iter().flat_map(move |one| of(one.operation));
    read.chain([program.value(), program.slope()])
}

impl VectorFunction for Interpreter {
    fn value_and_slope(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        slopes: &mut [f32],
    ) {
        set.run(InterpretRows { interpreter: self, width, values, slopes: Some(slopes) });
    }

    fn value(&self, set: InstructionSet, width: Width, values: &mut [f32]) {
        set.run(InterpretRows { interpreter: self, width, values, slopes: None });
    }
}

/// A task that applies a formula to the columns of a row-major matrix.
struct InterpretRows<'a> {
    interpreter: &'a Interpreter,
    width: Width,
    values: &'a mut [f32],
    slopes: Option<&'a mut [f32]>,
}

impl Task for InterpretRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(mut self) {
        let Width { columns, row_stride: row } = self.width;
        let mut registers = Registers::new(self.interpreter);
        // The pieces of the matrix in the current run: (start, length).
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        let mut filled = 0;
        for start in (0..self.values.len()).step_by(row) {
            for offset in (0..columns).step_by(POINTS) {
                let len = POINTS.min(columns - offset);
                if filled + len > POINTS {
                    self.finish::<FUSED>(&mut registers, &mut pieces, &mut filled);
                }
                let from = &self.values[start + offset..][..len];
                registers.numbers.input[filled..][..len].copy_from_slice(from);
                pieces.push((start + offset, len));
                filled += len;
            }
        }
        self.finish::<FUSED>(&mut registers, &mut pieces, &mut filled);
        registers.recycle();
    }
}

impl InterpretRows<'_> {
    /// Runs the program on the gathered points and writes the results back to the matrix.
    #[inline(always)]
    fn finish<const FUSED: bool>(
        &mut self,
        registers: &mut Registers<'_>,
        pieces: &mut Vec<(usize, usize)>,
        filled: &mut usize,
    ) {
        registers.run::<FUSED>();
        let (value, slope) = (self.interpreter.program.value(), self.interpreter.program.slope());
        let mut at = 0;
        for (start, len) in pieces.drain(..) {
            let value = &registers.read(value)[at..][..len];
            self.values[start..][..len].copy_from_slice(value);
            if let Some(slopes) = self.slopes.as_mut() {
                let slope = &registers.read(slope)[at..][..len];
                slopes[start..][..len].copy_from_slice(slope);
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
        while numbers.results.len() < interpreter.program.registers() {
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

    /// Runs all instructions in order, each on all points.
    #[inline(always)]
    fn run<const FUSED: bool>(&mut self) {
        let Self { interpreter, numbers: Numbers { input, results, spare: [first, second] } } =
            self;
        for instruction in interpreter.program.instructions() {
            let at = |operand| read(interpreter, input, results, operand);
            match instruction.operation {
                Operation::Unary(function, u) => unary::<FUSED>(function, first, at(u)),
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

#[inline(always)]
fn binary<const FUSED: bool>(
    function: Binary,
    out: &mut Register,
    a: &[f32; POINTS],
    b: &[f32; POINTS],
) {
    macro_rules! loops {
        ($($name:ident),* $(,)?) => {
            match function {
                $(Binary::$name => {
                    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
                        *out = Binary::$name.apply(Lane::<FUSED>(*a), Lane(*b)).0;
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
mod tests {
    use super::super::activate::vector_function;
    use super::*;
    use vi3nr::Activation;

    /// Formulas with every kind of operation against their double-precision values, over matrices
    /// with gaps between rows, and rows longer than a run.
    #[test]
    fn interpreted_formulas_agree_with_the_definition() {
        for text in [
            "x",
            "2+0*x",
            "exp(-x^2/(2*s^2)):s=0.3",
            "x*tanh(log(1+exp(x)))",
            "sin(w*(abs(x)+1)*x):w=3",
            "max(0.1*x,x)+min(x,0.5)*sign(x)",
            "cos(x)*exp(-x^2)+x^5/(1+x^4)",
            "erf(x)+atan(x)-sinh(x/2)*cosh(x/3)",
            "sqrt(1+x^2)+tan(x/4)",
            "sin(x)/x",
        ] {
            let activation: Activation = text.parse().unwrap();
            let function = vector_function(&activation);
            for (columns, row, rows) in [(16, 48, 5), (64, 144, 16), (300, 320, 3), (512, 512, 2)] {
                let width = Width { columns, row_stride: row };
                let input: Vec<f32> =
                    (0..rows * row).map(|i| ((i * 7919) % 1000) as f32 * 0.006 - 2.9987).collect();
                for set in InstructionSet::available() {
                    let (mut values, mut slopes) = (input.clone(), vec![7.0; input.len()]);
                    function.value_and_slope(set, width, &mut values, &mut slopes);
                    let mut alone = input.clone();
                    function.value(set, width, &mut alone);
                    assert!(values == alone, "{text} on {set:?}");
                    for (i, x) in input.iter().enumerate() {
                        if i % row >= columns {
                            assert!(
                                values[i] == *x && slopes[i] == 7.0,
                                "{text}: a gap is touched"
                            );
                            continue;
                        }
                        // The change from a few rounding errors of the argument is allowed.
                        let at = |x: f64| activation.value_and_slope(x);
                        let (exact, moved) = (at((*x).into()), at(f64::from(*x) * (1.0 + 5e-7)));
                        let near = |seen: f32, exact: f64, moved: f64| {
                            let allowed = 1e-6 * exact.abs().max(1.0) + (moved - exact).abs();
                            (f64::from(seen) - exact).abs() < allowed
                        };
                        assert!(near(values[i], exact.0, moved.0), "{text}({x}): {}", values[i]);
                        assert!(near(slopes[i], exact.1, moved.1), "{text}'({x}): {}", slopes[i]);
                    }
                }
            }
        }
    }
}
