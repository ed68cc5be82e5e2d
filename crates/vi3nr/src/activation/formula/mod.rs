//! Activations given as an expression in x: `exp(-x^2/(2*s^2)):s=0.05`.
//!
//! [`Formula::read`] parses an expression once into a graph in which every distinct subexpression
//! occurs once, differentiates it symbolically, and compiles both to a [`Program`]: straight-line
//! code on registers that computes f and f' together, for any [`Real`]. Engines can interpret the
//! program themselves; see [`Program`].
//!
//! # Grammar
//! `+ - * / ^`, parentheses, the variable `x`, numbers, `pi` and `e`, parameters by name, and exp,
//! log (natural, also ln), sqrt, abs, sign, sin, cos, tan, tanh, sinh, cosh, sech, erf, erfc, atan,
//! sinc (sin(u)/u), sigmoid, softplus, max, min. `^` binds tighter than a sign and groups to the
//! right: `-x^2` is -(x²) and `a^b^c` is a^(b^c). A power whose exponent is not an integer needs a
//! base of at least 0.
//!
//! # What is rewritten
//! Constants are folded, and some expressions that overflow or cancel are replaced by equal ones
//! that do not: log(1+u), log(1+exp(u)), a/(1+exp(u)), a/cosh(u),
//! (exp(u)-exp(-u))/(exp(u)+exp(-u)), sin(cu)/u, exp(u)-1, 1-cos(u), 1+erf(u). Everything else is
//! computed as written: x/tanh(x) is 0/0 = NaN at x = 0, and its derivative near 0 is inaccurate
//! because of cancellation. The expectations of this crate never evaluate f at such a point, but a
//! network does if a preactivation is exactly 0.
//!
//! ```
//! use vi3nr::Activation;
//!
//! let formula: Activation = "exp(-x^2/(2*s^2)):s=0.05".parse()?;
//! let built_in: Activation = "gaussian:sigma=0.05".parse()?;
//! let (value, slope) = formula.value_and_slope(0.03);
//! let (same, also) = built_in.value_and_slope(0.03);
//! assert!((value - same).abs() < 1e-15 && (slope - also).abs() < 1e-13);
//!
//! let error = "exp(-x^2/2".parse::<Activation>().unwrap_err();
//! assert!(error.to_string().contains("column 4: this '(' is never closed"));
//! # Ok::<(), vi3nr::Error>(())
//! ```

mod arithmetic;
mod degree;
mod derive;
mod elementary;
mod enclose;
mod frequency;
mod graph;
mod jet;
mod kinks;
mod operation;
mod parse;
mod program;
mod region;
mod singular;
mod symmetry;

pub(crate) use jet::Derived;
pub use operation::{Binary, Pair, Unary};
pub use program::{Instruction, MAX_JET_REGISTERS, MAX_REGISTERS, Operand, Operation, Program};

pub use super::symmetry::Symmetry;
pub(crate) use enclose::{Sides, enclose};
pub(crate) use region::Region;
pub(crate) use singular::Singularities;

use std::fmt;
use std::sync::Arc;

use super::function::Function;
use super::named::Named;
use crate::{Error, Real};
use graph::{Graph, MAX_NODES};
use parse::Mistake;
pub(super) use parse::is_expression;

/// A function of x that is given by an expression, compiled together with its derivative.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    expression: Arc<str>,
    parameters: Arc<[(String, f64)]>,
    kinks: Arc<[f64]>,
    symmetry: Symmetry,
    degree: Option<f64>,
    frequency: Option<f64>,
    singularities: Arc<Singularities>,
    program: Arc<Program>,
    jets: jet::JetPrograms,
}

impl Formula {
    /// Reads an expression and the values of its parameters.
    ///
    /// # Errors
    /// Returns [`Error::Formula`] with the column of the mistake if the expression cannot be
    /// parsed, a symbol has no value, or a limit is exceeded (4096 bytes, a nesting depth of 64,
    /// 1000 operations together with the derivative, 64 intermediate results at a time). Returns
    /// [`Error::UnusedParameter`] if the expression does not contain a parameter, and
    /// [`Error::OutOfRange`] if a value is not finite.
    ///
    /// ```
    /// use vi3nr::activation::formula::Formula;
    ///
    /// let bump = Formula::read("1/(1+(x/w)^2)", &[("w", 2.0)])?;
    /// let (value, slope) = bump.program().run(2.0f64);
    /// assert!((value - 0.5).abs() < 1e-15 && (slope + 0.25).abs() < 1e-15);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn read(expression: &str, parameters: &[(&str, f64)]) -> Result<Self, Error> {
        if expression.len() > super::named::MAX_TEXT {
            return Err(fail(
                expression,
                Mistake { column: 0, reason: "it is over 4096 bytes long".into() },
            ));
        }
        let expression = expression.trim();
        let parameters: Vec<(String, f64)> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Self::compile(expression, parameters, true)
    }

    /// Reads a formula from the parts of `text`.
    pub(super) fn from_named(named: &Named, text: &str) -> Result<Self, Error> {
        let formula = Self::compile(&named.name, named.pairs().to_vec(), true);
        // Columns are counted from the start of the text.
        let indent = text.chars().take_while(|c| c.is_whitespace()).count();
        formula.map_err(|error| match error {
            Error::Formula { formula, column, reason } => {
                Error::Formula { formula, column: column + indent, reason }
            }
            other => other,
        })
    }

    /// The formula of a built-in form's definition, without a search for kinks, which the form
    /// lists itself.
    pub(super) fn of_definition(
        expression: &str,
        parameters: &[(&str, f64)],
    ) -> Result<Self, Error> {
        let parameters =
            parameters.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        Self::compile(expression, parameters, false)
    }

    fn compile(
        expression: &str,
        parameters: Vec<(String, f64)>,
        find_kinks: bool,
    ) -> Result<Self, Error> {
        for (name, value) in &parameters {
            let identifier = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !identifier || parse::is_reserved(name) {
                let reason = format!("'{name}' cannot be the name of a parameter");
                return Err(fail(expression, Mistake { column: 0, reason }));
            }
            if !value.is_finite() {
                return Err(Error::OutOfRange {
                    quantity: format!("parameter {name} of '{expression}'"),
                    value: *value,
                    expected: "a finite number",
                });
            }
        }
        let mut graph = Graph::default();
        let (root, used) = parse::parse(expression, &parameters, &mut graph)
            .map_err(|mistake| fail(expression, mistake))?;
        if let Some(unused) = used.iter().position(|used| !used) {
            return Err(Error::UnusedParameter {
                formula: expression.to_owned(),
                parameter: parameters[unused].0.clone(),
            });
        }
        let too_large = |reason: String| fail(expression, Mistake { column: 0, reason });
        let slope = derive::derivative(&mut graph, root);
        if graph.is_too_large() {
            return Err(too_large(format!(
                "with its derivative it needs over {MAX_NODES} operations"
            )));
        }
        let program = Program::compile(&graph, &[root, slope]).ok_or_else(|| {
            too_large(format!("it needs over {MAX_REGISTERS} intermediate results at one time"))
        })?;
        // A built-in form states its kinks, and all of them are continuous.
        let (kinks, singularities) = if find_kinks {
            let kinks = kinks::kinks(&graph, root);
            let mut points = singular::suspects(&graph, root);
            points.extend(&kinks);
            (kinks, Singularities::of(&program, &points))
        } else {
            (Vec::new(), Singularities::default())
        };
        Ok(Self {
            expression: expression.into(),
            parameters: parameters.into(),
            kinks: kinks.into(),
            symmetry: symmetry::symmetry(&graph, root),
            degree: degree::degree(&graph, root),
            frequency: frequency::frequency(&graph, root),
            singularities: Arc::new(singularities),
            program: Arc::new(program),
            jets: jet::JetPrograms::default(),
        })
    }

    /// The values of the parameters and the constants of the program, in increasing order.
    pub(super) fn numbers(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.parameters.iter().map(|(_, value)| *value).collect();
        let constant = |operand: Operand| match operand {
            Operand::Constant(value) => Some(value),
            _ => None,
        };
        for instruction in self.program.instructions() {
            if let Operation::Binary(_, u, v) = instruction.operation {
                numbers.extend([u, v].into_iter().filter_map(constant));
            }
        }
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        numbers
    }

    /// The expression as given, without the parameters.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The parameters with their values, in the order in which they were given.
    pub fn parameters(&self) -> &[(String, f64)] {
        &self.parameters
    }

    /// The points within ±1e6 at which abs, sign, max or min switch branches, in increasing order:
    /// at most the 256 that are nearest to 0.
    pub fn kinks(&self) -> &[f64] {
        &self.kinks
    }

    /// Whether the expression is provably even or odd.
    pub fn symmetry(&self) -> Symmetry {
        self.symmetry
    }

    /// The p with f(tx) = t^p f(x) for every t > 0, where the form of the expression proves one.
    pub(crate) fn degree(&self) -> Option<f64> {
        self.degree
    }

    /// The ω > 0 for which the form of the expression proves that 2π/ω is a period.
    pub(crate) fn frequency(&self) -> Option<f64> {
        self.frequency
    }

    /// Where f jumps, or f or f' has no finite integral.
    pub(crate) fn singularities(&self) -> &Singularities {
        &self.singularities
    }

    /// The straight-line program that computes f and its derivatives up to `order`, which is 1, 2
    /// or 3. Those of order 2 and 3 are compiled when they are first needed.
    ///
    /// # Errors
    /// Returns [`Error::Formula`] if the derivatives exceed a limit: 8000 operations together with
    /// the function, 256 intermediate results at a time.
    ///
    /// ```
    /// use vi3nr::activation::formula::Formula;
    ///
    /// let cube = Formula::read("x^3", &[])?;
    /// assert_eq!(cube.jet_program(3)?.run_jet(2.0f64), [8.0, 12.0, 12.0, 6.0]);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn jet_program(&self, order: usize) -> Result<&Program, Error> {
        match order {
            0 | 1 => Ok(&self.program),
            _ => self.jets.get(self, order.min(3)),
        }
    }

    /// The straight-line program that computes f and f'.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

fn fail(expression: &str, mistake: Mistake) -> Error {
    Error::Formula {
        formula: expression.chars().take(200).collect(),
        column: mistake.column + 1,
        reason: mistake.reason,
    }
}

impl Function for Formula {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        self.program.run(x)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        // The program of lower order leaves the higher derivatives NaN.
        self.jet_program(3).unwrap_or(&self.program).run_jet(x)
    }
}

/// Writes `expression` or `expression:key=value,key=value`, which parses to the same formula.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<(&str, f64)> =
            self.parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        super::named::write(f, &self.expression, &parameters)
    }
}

#[cfg(test)]
mod tests;
