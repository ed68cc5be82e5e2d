//! Programs as lines of WGSL.

use std::fmt::Write as _;

use vi3nr::activation::formula::{Binary, Instruction, Operand, Operation, Pair, Program, Unary};

use super::range::{LARGEST, Range};

/// Which derivative a kink of |u| has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinks {
    /// That of the left side.
    Left,
    /// The mean of both sides.
    Mean,
}

/// The lines of a function of `x: vec4<f32>` that returns `Jet(f, f', …)` with the derivatives up to
/// `order`.
pub(super) fn lines(program: &Program, order: usize, kinks: Kinks) -> String {
    let outputs = &program.outputs()[..=order];
    let mut writer = Writer {
        text: String::new(),
        kinks,
        constants: Vec::new(),
        registers: vec![None; program.registers()],
        results: 0,
    };
    for instruction in needed(program, outputs) {
        writer.instruction(instruction);
    }
    let mut outputs: Vec<String> = outputs.iter().map(|output| writer.read(*output).name).collect();
    outputs[0] = format!("math_keep_nan(x, {})", outputs[0]);
    let _ = writeln!(writer.text, "  return Jet({});", outputs.join(", "));
    writer.text
}

/// The instructions whose results `outputs` depend on, in their order.
fn needed<'a>(program: &'a Program, outputs: &[Operand]) -> Vec<&'a Instruction> {
    let mut is_read = vec![false; program.registers()];
    let read = |is_read: &mut Vec<bool>, operand: Operand| {
        if let Operand::Register(register) = operand {
            is_read[register] = true;
        }
    };
    outputs.iter().for_each(|output| read(&mut is_read, *output));
    let mut needed = Vec::new();
    for instruction in program.instructions().iter().rev() {
        let second = match instruction.operation {
            Operation::Pair { second, .. } => Some(second),
            _ => None,
        };
        let written = [Some(instruction.target), second];
        if written.into_iter().flatten().any(|register| is_read[register]) {
            written.into_iter().flatten().for_each(|register| is_read[register] = false);
            operands(instruction.operation)
                .into_iter()
                .flatten()
                .for_each(|operand| read(&mut is_read, operand));
            needed.push(instruction);
        }
    }
    needed.reverse();
    needed
}

/// What an operation reads.
fn operands(operation: Operation) -> [Option<Operand>; 4] {
    match operation {
        Operation::Unary(_, u) | Operation::Power(u, _) => [Some(u), None, None, None],
        Operation::Pair { operand, .. } => [Some(operand), None, None, None],
        Operation::Binary(_, u, v) => [Some(u), Some(v), None, None],
        Operation::Choose { greater, than, then, otherwise } => {
            [Some(greater), Some(than), Some(then), Some(otherwise)]
        }
    }
}

/// A number in the text: its name and the range of its values.
#[derive(Debug, Clone)]
struct Value {
    name: String,
    range: Range,
}

struct Writer {
    text: String,
    kinks: Kinks,
    /// The bits of the constants that the text declares as `c0`, `c1`, …
    constants: Vec<u32>,
    /// What each register holds.
    registers: Vec<Option<Value>>,
    /// The number of results, which the text names `r0`, `r1`, …
    results: usize,
}

impl Writer {
    fn read(&mut self, operand: Operand) -> Value {
        match operand {
            Operand::Constant(value) => self.constant(value),
            // A program writes every register before it reads it.
            Operand::Register(register) => {
                self.registers[register].clone().unwrap_or_else(|| self.constant(f64::NAN))
            }
            Operand::Input => Value { name: "x".into(), range: Range::INPUT },
        }
    }

    /// The nearest float32 number within ±[`LARGEST`]. It is a variable, because expressions of
    /// constants alone are not accepted if they overflow.
    fn constant(&mut self, value: f64) -> Value {
        let value = value.clamp(-LARGEST, LARGEST) as f32;
        let bits = value.to_bits();
        let known = self.constants.iter().position(|known| *known == bits);
        let index = known.unwrap_or_else(|| {
            let index = self.constants.len();
            let _ = writeln!(self.text, "  var c{index} = vec4<f32>(bitcast<f32>(0x{bits:08x}u));");
            self.constants.push(bits);
            index
        });
        Value { name: format!("c{index}"), range: Range::point(value.into()) }
    }

    /// Gives the result of `expression`, which is in `range`, a name. What could overflow is bounded.
    fn result(&mut self, expression: &str, range: Range) -> Value {
        let name = format!("r{}", self.results);
        self.results += 1;
        let largest = LARGEST as f32;
        let bounded = match (range.lo < -LARGEST, range.hi > LARGEST) {
            (false, false) => expression.to_owned(),
            (false, true) => format!("min({expression}, vec4<f32>({largest:e}))"),
            (true, false) => format!("max({expression}, vec4<f32>(-{largest:e}))"),
            (true, true) => {
                format!("clamp({expression}, vec4<f32>(-{largest:e}), vec4<f32>({largest:e}))")
            }
        };
        let _ = writeln!(self.text, "  let {name} = {bounded};");
        Value { name, range: range.bounded() }
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let value = match instruction.operation {
            Operation::Unary(function, u) => {
                let u = self.read(u);
                let expression = unary(function, &u.name, self.kinks);
                self.result(&expression, u.range.unary(function))
            }
            Operation::Binary(function, u, v) => {
                let (u, v) = (self.read(u), self.read(v));
                self.result(&binary(function, &u.name, &v.name), u.range.binary(function, v.range))
            }
            Operation::Power(u, exponent) => {
                let u = self.read(u);
                self.power(u, exponent)
            }
            Operation::Choose { greater, than, then, otherwise } => {
                let [greater, than, then, otherwise] =
                    [greater, than, then, otherwise].map(|operand| self.read(operand));
                let expression = format!(
                    "select({otherwise}, {then}, {greater} > {than})",
                    otherwise = otherwise.name,
                    then = then.name,
                    greater = greater.name,
                    than = than.name
                );
                self.result(&expression, then.range.or(otherwise.range))
            }
            Operation::Pair { pair, operand, second } => {
                let u = self.read(operand);
                let (function, first_function, second_function) = match pair {
                    Pair::SinCos => ("math_sin_cos", Unary::Sin, Unary::Cos),
                    Pair::SincAndSlope => ("math_sinc_and_slope", Unary::Sinc, Unary::SincSlope),
                };
                let both = format!("r{}", self.results);
                self.results += 1;
                let _ = writeln!(self.text, "  let {both} = {function}({});", u.name);
                let part = |part: &str, function: Unary| Value {
                    name: format!("{both}.{part}"),
                    range: u.range.unary(function),
                };
                self.registers[second] = Some(part("second", second_function));
                part("first", first_function)
            }
        };
        self.registers[instruction.target] = Some(value);
    }

    /// A power with an exponent of at least 2, by repeated squaring.
    fn power(&mut self, base: Value, exponent: i32) -> Value {
        let mut square = base;
        let mut power: Option<Value> = None;
        let mut remaining = exponent.unsigned_abs();
        loop {
            if remaining & 1 == 1 {
                power = Some(match power {
                    None => square.clone(),
                    Some(power) => self.product(&power, &square),
                });
            }
            remaining >>= 1;
            if remaining == 0 {
                break;
            }
            let range = square.range.squared();
            square = self.result(&format!("{0} * {0}", square.name), range);
        }
        // The exponent of a program is at least 2.
        power.unwrap_or(square)
    }

    fn product(&mut self, u: &Value, v: &Value) -> Value {
        let range = u.range.binary(Binary::Multiply, v.range);
        self.result(&binary(Binary::Multiply, &u.name, &v.name), range)
    }
}

fn unary(function: Unary, u: &str, kinks: Kinks) -> String {
    let name = match function {
        Unary::Negate => return format!("-{u}"),
        Unary::Sin => return format!("math_sin_cos({u}).first"),
        Unary::Cos => return format!("math_sin_cos({u}).second"),
        Unary::Sinc => return format!("math_sinc_and_slope({u}).first"),
        Unary::SincSlope => return format!("math_sinc_and_slope({u}).second"),
        Unary::SincSecond => return format!("math_sinc_second_and_third({u}).first"),
        Unary::SincThird => return format!("math_sinc_second_and_third({u}).second"),
        Unary::Sign if kinks == Kinks::Left => {
            return format!("select(vec4<f32>(-1.0), vec4<f32>(1.0), {u} > vec4<f32>(0.0))");
        }
        Unary::Sign => "sign",
        Unary::Absolute => "abs",
        Unary::Sqrt => "sqrt",
        Unary::Exp => "math_exp",
        Unary::ExpM1 => "math_exp_m1",
        Unary::Ln => "math_ln",
        Unary::Ln1P => "math_ln_1p",
        Unary::Tan => "math_tan",
        Unary::Tanh => "math_tanh",
        Unary::Sinh => "math_sinh",
        Unary::Cosh => "math_cosh",
        Unary::Sech => "math_sech",
        Unary::Erf => "math_erf",
        Unary::Erfc => "math_erfc",
        Unary::Atan => "math_atan",
        Unary::Sigmoid => "math_sigmoid",
        Unary::Softplus => "math_softplus",
    };
    format!("{name}({u})")
}

fn binary(function: Binary, u: &str, v: &str) -> String {
    match function {
        Binary::Add => format!("{u} + {v}"),
        Binary::Subtract => format!("{u} - {v}"),
        Binary::Multiply => format!("{u} * {v}"),
        Binary::Divide => format!("{u} / {v}"),
        Binary::Power => format!("math_pow({u}, {v})"),
        // Unlike `max` and `min`, a NaN in u propagates.
        Binary::Maximum => format!("select({u}, {v}, {u} < {v})"),
        Binary::Minimum => format!("select({u}, {v}, {u} > {v})"),
    }
}
