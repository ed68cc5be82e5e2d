//! An activation as ONNX operations.
//!
//! A built-in form is translated by its definition, so that there is one translation for every
//! activation. The operations are those of the program of its formula
//! ([`Program`](vi3nr::activation::formula::Program)), without those that only the derivative
//! needs. Where ONNX has no operation of sufficient accuracy, several take its place, as in
//! [`vi3nr::Real`]; erfc(x), for which ONNX has none, is 1 - erf(x), with an absolute error of
//! float32's rounding.

use vi3nr::activation::Formula;
use vi3nr::activation::formula::{Binary, Instruction, Operand, Operation, Pair, Unary};

use super::graph::{Graph, Name};
use super::range::Range;

/// Beyond this argument the exponential overflows. The engine's results remain finite, and so do
/// those of the translation.
const MAX_EXPONENT: f32 = 88.72;

/// The source of a number that a step reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Source {
    /// The argument x of the function.
    Input,
    /// The same number for every x.
    Constant(f64),
    /// The result of an earlier step.
    Step(usize),
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Unary(Unary, Source),
    Binary(Binary, Source, Source),
    /// A power with an exponent of at least 2.
    Power(Source, i32),
    /// The third where the first is greater than the second, else the fourth.
    Choose([Source; 4]),
}

impl Step {
    fn sources(&self) -> Vec<Source> {
        match *self {
            Self::Unary(_, u) | Self::Power(u, _) => vec![u],
            Self::Binary(_, u, v) => vec![u, v],
            Self::Choose(all) => all.to_vec(),
        }
    }
}

/// The value of an activation as steps, each of which is computed once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    steps: Vec<Step>,
    ranges: Vec<Range>,
    /// Whether the value depends on each step.
    is_needed: Vec<bool>,
    depends_on_input: bool,
    value: Source,
}

impl Steps {
    /// The steps of a formula.
    pub(super) fn of(formula: &Formula) -> Self {
        let program = formula.program();
        // Registers are reused; each result becomes a step of its own.
        let mut registers = vec![Source::Input; program.registers()];
        let mut steps = Vec::new();
        let read = |registers: &[Source], operand: Operand| match operand {
            Operand::Input => Source::Input,
            Operand::Constant(value) => Source::Constant(value),
            Operand::Register(index) => registers[index],
        };
        for Instruction { operation, target } in program.instructions() {
            let of = |operand| read(&registers, operand);
            let step = match *operation {
                Operation::Unary(function, u) => Step::Unary(function, of(u)),
                Operation::Binary(function, u, v) => Step::Binary(function, of(u), of(v)),
                Operation::Power(u, exponent) => Step::Power(of(u), exponent),
                Operation::Choose { greater, than, then, otherwise } => {
                    Step::Choose([greater, than, then, otherwise].map(of))
                }
                Operation::Pair { pair, operand, second } => {
                    let (first, other) = match pair {
                        Pair::SinCos => (Unary::Sin, Unary::Cos),
                        Pair::SincAndSlope => (Unary::Sinc, Unary::SincSlope),
                    };
                    let operand = of(operand);
                    steps.push(Step::Unary(other, operand));
                    registers[second] = Source::Step(steps.len() - 1);
                    Step::Unary(first, operand)
                }
            };
            steps.push(step);
            registers[*target] = Source::Step(steps.len() - 1);
        }
        Self::new(steps, read(&registers, program.value()))
    }

    /// The function with the value `value`. Each step reads only earlier ones.
    pub(super) fn new(steps: Vec<Step>, value: Source) -> Self {
        let mut ranges = Vec::with_capacity(steps.len());
        for step in &steps {
            ranges.push(Range::of_step(step, &ranges));
        }
        let (mut is_needed, mut depends_on_input) = (vec![false; steps.len()], false);
        let mut open = vec![value];
        while let Some(source) = open.pop() {
            match source {
                Source::Input => depends_on_input = true,
                Source::Step(index) if !is_needed[index] => {
                    is_needed[index] = true;
                    open.extend(steps[index].sources());
                }
                _ => {}
            }
        }
        Self { steps, ranges, is_needed, depends_on_input, value }
    }

    /// An interval that contains all values of the function.
    #[cfg(test)]
    pub(super) fn value_range(&self) -> Range {
        Range::of_source(self.value, &self.ranges)
    }

    /// Adds the operations that compute the function of the tensor `x` to `graph`, and returns the
    /// name of the result. New names begin with `prefix`.
    pub(super) fn add_to(&self, graph: &mut Graph, x: &Name, prefix: &str) -> Name {
        let mut scope = Scope { graph, prefix, x, count: 0, names: Vec::new() };
        for (index, step) in self.steps.iter().enumerate() {
            let name = match self.is_needed[index] {
                true => scope.step(step, &self.ranges),
                false => Name::new(),
            };
            scope.names.push(name);
        }
        let value = scope.source(self.value);
        if self.depends_on_input {
            return value;
        }
        let shape = scope.add("Shape", &[x]);
        scope.add("Expand", &[&value, &shape])
    }
}

/// A graph to which the operations of one layer are added.
struct Scope<'a> {
    graph: &'a mut Graph,
    prefix: &'a str,
    /// The input.
    x: &'a Name,
    /// The number of operations that were added.
    count: usize,
    /// The results of the steps so far.
    names: Vec<Name>,
}

impl Scope<'_> {
    fn source(&mut self, source: Source) -> Name {
        match source {
            Source::Input => self.x.clone(),
            Source::Constant(value) => self.graph.constant(value as f32),
            Source::Step(index) => self.names[index].clone(),
        }
    }

    fn step(&mut self, step: &Step, ranges: &[Range]) -> Name {
        match *step {
            Step::Unary(function, u) => {
                let range = Range::of_source(u, ranges);
                let u = self.source(u);
                self.unary(function, &u, range)
            }
            Step::Binary(function, u, v) => {
                let (u, v) = (self.source(u), self.source(v));
                self.binary(function, &u, &v)
            }
            Step::Power(u, exponent) => {
                let u = self.source(u);
                self.power(&u, exponent)
            }
            Step::Choose(sources) => {
                let [greater, than, then, otherwise] = sources.map(|source| self.source(source));
                let condition = self.add("Greater", &[&greater, &than]);
                self.add("Where", &[&condition, &then, &otherwise])
            }
        }
    }

    fn add(&mut self, operator: &'static str, inputs: &[&Name]) -> Name {
        let output = format!("{}.{}", self.prefix, self.count);
        self.count += 1;
        self.graph.node(operator, inputs, output, &[])
    }

    /// An operation whose first operand is a number.
    fn with_constant(&mut self, operator: &'static str, constant: f32, u: &Name) -> Name {
        let constant = self.graph.constant(constant);
        self.add(operator, &[&constant, u])
    }

    /// `then` where `left` `comparison` `right`, else `otherwise`.
    fn choose(
        &mut self,
        (comparison, left, right): (&'static str, &Name, f32),
        then: &Name,
        otherwise: &Name,
    ) -> Name {
        let right = self.graph.constant(right);
        let condition = self.add(comparison, &[left, &right]);
        self.add("Where", &[&condition, then, otherwise])
    }

    fn unary(&mut self, function: Unary, u: &Name, range: Range) -> Name {
        let operator = match function {
            Unary::Negate => "Neg",
            Unary::Absolute => "Abs",
            Unary::Sign => "Sign",
            Unary::Ln => "Log",
            Unary::Sqrt => "Sqrt",
            Unary::Sin => "Sin",
            Unary::Cos => "Cos",
            Unary::Tan => "Tan",
            Unary::Tanh => "Tanh",
            Unary::Erf => "Erf",
            Unary::Atan => "Atan",
            Unary::Softplus => "Softplus",
            Unary::Exp => return self.exp(u, range),
            Unary::ExpM1 => return self.exp_m1(u, range),
            Unary::Ln1P => return self.ln_1p(u),
            Unary::Sinh => return self.bounded("Sinh", u),
            Unary::Cosh => return self.bounded("Cosh", u),
            Unary::Sech => {
                let cosh = self.add("Cosh", &[u]);
                return self.with_constant("Div", 1.0, &cosh);
            }
            Unary::Erfc => {
                let erf = self.add("Erf", &[u]);
                return self.with_constant("Sub", 1.0, &erf);
            }
            // The operation Sigmoid of a runtime can be inaccurate where it is small.
            Unary::Sigmoid => {
                let negative = self.add("Neg", &[u]);
                let power = self.add("Exp", &[&negative]);
                let sum = self.with_constant("Add", 1.0, &power);
                return self.with_constant("Div", 1.0, &sum);
            }
            Unary::Sinc => return self.sinc(u),
            Unary::SincSlope => return self.sinc_slope(u),
            Unary::SincSecond => return self.sinc_second(u),
            Unary::SincThird => return self.sinc_third(u),
        };
        self.add(operator, &[u])
    }

    fn binary(&mut self, function: Binary, u: &Name, v: &Name) -> Name {
        let operator = match function {
            Binary::Add => "Add",
            Binary::Subtract => "Sub",
            Binary::Multiply => "Mul",
            Binary::Divide => "Div",
            Binary::Maximum => "Max",
            Binary::Minimum => "Min",
            // Pow has a value for some negative bases.
            Binary::Power => {
                let logarithm = self.add("Log", &[u]);
                let power = self.add("Mul", &[v, &logarithm]);
                return self.exp(&power, Range::WHOLE);
            }
        };
        self.add(operator, &[u, v])
    }

    /// An integer power by repeated squaring.
    fn power(&mut self, u: &Name, exponent: i32) -> Name {
        let (mut remaining, mut square, mut power) = (exponent.unsigned_abs(), u.clone(), None);
        while remaining > 0 {
            if remaining & 1 == 1 {
                power = Some(match power {
                    None => square.clone(),
                    Some(power) => self.add("Mul", &[&power, &square]),
                });
            }
            remaining >>= 1;
            if remaining > 0 {
                square = self.add("Mul", &[&square, &square]);
            }
        }
        power.unwrap_or_else(|| self.graph.constant(1.0))
    }

    fn exp(&mut self, u: &Name, range: Range) -> Name {
        if range.high <= f64::from(MAX_EXPONENT) {
            return self.add("Exp", &[u]);
        }
        let most = self.graph.constant(MAX_EXPONENT);
        let bounded = self.add("Min", &[u, &most]);
        self.add("Exp", &[&bounded])
    }

    /// e^u - 1 = 2t/(1 - t) with t = tanh(u/2), and as written where that does not cancel.
    fn exp_m1(&mut self, u: &Name, range: Range) -> Name {
        let half = self.with_constant("Mul", 0.5, u);
        let t = self.add("Tanh", &[&half]);
        let twice = self.add("Add", &[&t, &t]);
        let rest = self.with_constant("Sub", 1.0, &t);
        let near = self.add("Div", &[&twice, &rest]);
        if range.high <= 1.0 {
            return near;
        }
        let power = self.exp(u, range);
        let far = self.with_constant("Add", -1.0, &power);
        self.choose(("Less", u, 1.0), &near, &far)
    }

    /// ln(1 + u) = u ln(s)/(s - 1) with s = 1 + u as rounded, which is u if s = 1.
    fn ln_1p(&mut self, u: &Name) -> Name {
        let sum = self.with_constant("Add", 1.0, u);
        let logarithm = self.add("Log", &[&sum]);
        let product = self.add("Mul", &[u, &logarithm]);
        let rest = self.with_constant("Add", -1.0, &sum);
        let far = self.add("Div", &[&product, &rest]);
        self.choose(("Equal", &sum, 1.0), u, &far)
    }

    /// A function that grows as the exponential, at most at its largest argument.
    fn bounded(&mut self, operator: &'static str, u: &Name) -> Name {
        let [least, most] = [-MAX_EXPONENT, MAX_EXPONENT].map(|end| self.graph.constant(end));
        let bounded = self.add("Clip", &[u, &least, &most]);
        self.add(operator, &[&bounded])
    }

    /// sin(u)/u; at u = 0 a small number replaces u, for which the quotient is 1.
    fn sinc(&mut self, u: &Name) -> Name {
        let small = self.graph.constant(1e-20);
        let apart = self.choose(("Equal", u, 0.0), &small, u);
        let sine = self.add("Sin", &[&apart]);
        self.add("Div", &[&sine, &apart])
    }

    /// (cos(u) - sin(u)/u)/u, and its Taylor series for |u| < 1.
    fn sinc_slope(&mut self, u: &Name) -> Name {
        const SERIES: [f32; 5] =
            [-1.0 / 3_991_680.0, 1.0 / 45_360.0, -1.0 / 840.0, 1.0 / 30.0, -1.0 / 3.0];
        let sinc = self.sinc(u);
        let cosine = self.add("Cos", &[u]);
        let difference = self.add("Sub", &[&cosine, &sinc]);
        let far = self.add("Div", &[&difference, u]);
        let sum = self.series(u, &SERIES);
        let near = self.add("Mul", &[&sum, u]);
        self.near_or_far(u, &near, &far)
    }

    /// -(sinc + 2 sinc'/u).
    fn sinc_second(&mut self, u: &Name) -> Name {
        const SERIES: [f32; 5] =
            [-1.0 / 443_520.0, 1.0 / 6480.0, -1.0 / 168.0, 1.0 / 10.0, -1.0 / 3.0];
        let (sinc, slope) = (self.sinc(u), self.sinc_slope(u));
        let quotient = self.add("Div", &[&slope, u]);
        let double = self.with_constant("Mul", 2.0, &quotient);
        let sum = self.add("Add", &[&sinc, &double]);
        let far = self.add("Neg", &[&sum]);
        let near = self.series(u, &SERIES);
        self.near_or_far(u, &near, &far)
    }

    /// -(sinc' + (sinc + 3 sinc'')/u).
    fn sinc_third(&mut self, u: &Name) -> Name {
        const SERIES: [f32; 5] =
            [1.0 / 4_717_440.0, -1.0 / 55_440.0, 1.0 / 1080.0, -1.0 / 42.0, 1.0 / 5.0];
        let (sinc, slope, second) = (self.sinc(u), self.sinc_slope(u), self.sinc_second(u));
        let triple = self.with_constant("Mul", 3.0, &second);
        let sum = self.add("Add", &[&sinc, &triple]);
        let quotient = self.add("Div", &[&sum, u]);
        let sum = self.add("Add", &[&slope, &quotient]);
        let far = self.add("Neg", &[&sum]);
        let sum = self.series(u, &SERIES);
        let near = self.add("Mul", &[&sum, u]);
        self.near_or_far(u, &near, &far)
    }

    /// A polynomial in u², with the highest coefficient first.
    fn series(&mut self, u: &Name, coefficients: &[f32]) -> Name {
        let square = self.add("Mul", &[u, u]);
        let mut sum = self.graph.constant(coefficients[0]);
        for coefficient in &coefficients[1..] {
            let product = self.add("Mul", &[&sum, &square]);
            sum = self.with_constant("Add", *coefficient, &product);
        }
        sum
    }

    /// `near` where |u| < 1, else `far`.
    fn near_or_far(&mut self, u: &Name, near: &Name, far: &Name) -> Name {
        let magnitude = self.add("Abs", &[u]);
        self.choose(("Less", &magnitude, 1.0), near, far)
    }
}
