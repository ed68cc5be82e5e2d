//! A recursive-descent parser of expressions, which builds the graph directly.
//!
//! ```text
//! sum      = product { ("+" | "-") product }
//! product  = signed { ("*" | "/") signed }
//! signed   = { "+" | "-" } power
//! power    = atom [ "^" signed ]                    so -x^2 = -(x^2) and a^b^c = a^(b^c)
//! atom     = number | name | name "(" sum { "," sum } ")" | "(" sum ")"
//! ```

use super::graph::{Graph, Id, MAX_NODES};
use super::operation::{Binary, Unary};

/// The maximum nesting of parentheses, calls and powers, which bounds the recursion of the parser.
const MAX_NESTING: usize = 64;

/// The functions of one argument by name.
pub(super) const FUNCTIONS: [(&str, Unary); 19] = [
    ("exp", Unary::Exp),
    ("log", Unary::Ln),
    ("ln", Unary::Ln),
    ("sqrt", Unary::Sqrt),
    ("abs", Unary::Absolute),
    ("sign", Unary::Sign),
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("tan", Unary::Tan),
    ("tanh", Unary::Tanh),
    ("sinh", Unary::Sinh),
    ("cosh", Unary::Cosh),
    ("sech", Unary::Sech),
    ("erf", Unary::Erf),
    ("erfc", Unary::Erfc),
    ("atan", Unary::Atan),
    ("sinc", Unary::Sinc),
    ("sigmoid", Unary::Sigmoid),
    ("softplus", Unary::Softplus),
];

/// The functions of two or more arguments by name.
const FOLDS: [(&str, Binary); 2] = [("max", Binary::Maximum), ("min", Binary::Minimum)];

/// The constants by name.
const CONSTANTS: [(&str, f64); 2] = [("pi", std::f64::consts::PI), ("e", std::f64::consts::E)];

/// The name of the variable.
const VARIABLE: &str = "x";

/// A mistake in an expression; the column counts characters from 0.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) column: usize,
    pub(super) reason: String,
}

/// Whether a name has a predefined meaning, so that it cannot be a parameter.
pub(super) fn is_reserved(name: &str) -> bool {
    name == VARIABLE
        || CONSTANTS.iter().any(|(known, _)| *known == name)
        || FUNCTIONS.iter().any(|(known, _)| *known == name)
        || FOLDS.iter().any(|(known, _)| *known == name)
}

/// Whether a single name is an expression by itself.
pub(in crate::activation) fn is_expression(name: &str) -> bool {
    name == VARIABLE || CONSTANTS.iter().any(|(known, _)| *known == name)
}

/// Adds the expression to `graph`. The second result says which of `parameters` occur.
pub(super) fn parse(
    text: &str,
    parameters: &[(String, f64)],
    graph: &mut Graph,
) -> Result<(Id, Vec<bool>), Mistake> {
    let mut parser = Parser {
        characters: text.chars().collect(),
        position: 0,
        parameters,
        used: vec![false; parameters.len()],
        graph,
    };
    let root = parser.sum(0)?;
    match parser.peek() {
        None => Ok((root, parser.used)),
        Some(')') => parser.fail("this ')' closes nothing"),
        Some(found) => parser.fail(format!("expected an operator before '{found}'")),
    }
}

struct Parser<'a> {
    characters: Vec<char>,
    position: usize,
    parameters: &'a [(String, f64)],
    used: Vec<bool>,
    graph: &'a mut Graph,
}

impl Parser<'_> {
    fn fail<T>(&self, reason: impl Into<String>) -> Result<T, Mistake> {
        self.fail_at(self.position, reason)
    }

    fn fail_at<T>(&self, column: usize, reason: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake { column, reason: reason.into() })
    }

    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        while self.characters.get(self.position).is_some_and(|c| c.is_whitespace()) {
            self.position += 1;
        }
        self.characters.get(self.position).copied()
    }

    /// Consumes the next character that is not a space if it is `expected`.
    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.position += usize::from(found);
        found
    }

    fn checked(&self, id: Id) -> Result<Id, Mistake> {
        if self.graph.is_too_large() {
            return self.fail(format!("it needs over {MAX_NODES} operations"));
        }
        Ok(id)
    }

    fn deeper(&self, depth: usize) -> Result<usize, Mistake> {
        if depth >= MAX_NESTING {
            return self.fail(format!("it is nested over {MAX_NESTING} deep"));
        }
        Ok(depth + 1)
    }

    fn sum(&mut self, depth: usize) -> Result<Id, Mistake> {
        let mut left = self.product(depth)?;
        loop {
            let operation = match self.peek() {
                Some('+') => Binary::Add,
                Some('-') => Binary::Subtract,
                _ => return Ok(left),
            };
            self.position += 1;
            let right = self.product(depth)?;
            left = self.graph.binary(operation, left, right);
            left = self.checked(left)?;
        }
    }

    fn product(&mut self, depth: usize) -> Result<Id, Mistake> {
        let mut left = self.signed(depth)?;
        loop {
            let operation = match self.peek() {
                Some('*') => Binary::Multiply,
                Some('/') => Binary::Divide,
                _ => return Ok(left),
            };
            self.position += 1;
            if self.characters.get(self.position) == Some(&'*') {
                return self.fail("a power is written ^");
            }
            let right = self.signed(depth)?;
            left = self.graph.binary(operation, left, right);
            left = self.checked(left)?;
        }
    }

    fn signed(&mut self, depth: usize) -> Result<Id, Mistake> {
        let mut negative = false;
        loop {
            match self.peek() {
                Some('-') => negative = !negative,
                Some('+') => {}
                _ => break,
            }
            self.position += 1;
        }
        let value = self.power(depth)?;
        Ok(if negative { self.graph.unary(Unary::Negate, value) } else { value })
    }

    fn power(&mut self, depth: usize) -> Result<Id, Mistake> {
        let base = self.atom(depth)?;
        if !self.take('^') {
            return Ok(base);
        }
        let depth = self.deeper(depth)?;
        let exponent = self.signed(depth)?;
        let power = self.graph.binary(Binary::Power, base, exponent);
        self.checked(power)
    }

    fn atom(&mut self, depth: usize) -> Result<Id, Mistake> {
        match self.peek() {
            None => self.fail("something is missing at the end"),
            Some('(') => {
                let opened = self.position;
                self.position += 1;
                let depth = self.deeper(depth)?;
                let inner = self.sum(depth)?;
                self.close(opened)?;
                Ok(inner)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if is_name_start(c) => self.name(depth),
            Some(c) => self.fail(format!("expected a number, a name or '(' and found '{c}'")),
        }
    }

    fn close(&mut self, opened: usize) -> Result<(), Mistake> {
        match self.peek() {
            Some(')') => {
                self.position += 1;
                Ok(())
            }
            None => self.fail_at(opened, "this '(' is never closed"),
            Some(c) => self.fail(format!("expected an operator or ')' and found '{c}'")),
        }
    }

    fn number(&mut self) -> Result<Id, Mistake> {
        let start = self.position;
        let at = |position: usize| self.characters.get(position).copied().unwrap_or(' ');
        let mut end = start;
        while at(end).is_ascii_digit() || at(end) == '.' {
            end += 1;
        }
        // An exponent needs a digit; otherwise the e starts a name.
        let signed = usize::from(matches!(at(end + 1), '+' | '-'));
        if matches!(at(end), 'e' | 'E') && at(end + 1 + signed).is_ascii_digit() {
            end += 1 + signed;
            while at(end).is_ascii_digit() {
                end += 1;
            }
        }
        let text: String = self.characters[start..end].iter().collect();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.position = end;
                Ok(self.graph.constant(value))
            }
            _ => self.fail(format!("'{text}' is not a finite number")),
        }
    }

    fn name(&mut self, depth: usize) -> Result<Id, Mistake> {
        let start = self.position;
        while self.characters.get(self.position).is_some_and(|c| is_name_part(*c)) {
            self.position += 1;
        }
        let name: String = self.characters[start..self.position].iter().collect();
        if self.peek() == Some('(') {
            return self.call(&name, start, depth);
        }
        if name == VARIABLE {
            return Ok(self.graph.input());
        }
        if let Some(index) = self.parameters.iter().position(|(key, _)| *key == name) {
            self.used[index] = true;
            return Ok(self.graph.constant(self.parameters[index].1));
        }
        if let Some((_, value)) = CONSTANTS.iter().find(|(known, _)| *known == name) {
            return Ok(self.graph.constant(*value));
        }
        if is_reserved(&name) {
            return self.fail(format!("the function '{name}' needs its argument in parentheses"));
        }
        self.fail_at(
            start,
            format!("unknown symbol '{name}'; give its value after the formula as :{name}=VALUE"),
        )
    }

    fn call(&mut self, name: &str, start: usize, depth: usize) -> Result<Id, Mistake> {
        let opened = self.position;
        self.position += 1;
        let depth = self.deeper(depth)?;
        let mut arguments = vec![self.sum(depth)?];
        while self.take(',') {
            arguments.push(self.sum(depth)?);
        }
        self.close(opened)?;
        if let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            if arguments.len() != 1 {
                let count = arguments.len();
                return self.fail_at(start, format!("'{name}' takes one argument, not {count}"));
            }
            return Ok(self.graph.unary(*function, arguments[0]));
        }
        let Some((_, fold)) = FOLDS.iter().find(|(known, _)| *known == name) else {
            let known = FUNCTIONS.iter().map(|f| f.0).chain(FOLDS.iter().map(|f| f.0));
            let known = known.collect::<Vec<_>>().join(", ");
            return self.fail_at(start, format!("unknown function '{name}'; known: {known}"));
        };
        if arguments.len() < 2 {
            return self.fail_at(start, format!("'{name}' takes two arguments or more"));
        }
        let mut folded = arguments[0];
        for argument in &arguments[1..] {
            folded = self.graph.binary(*fold, folded, *argument);
        }
        self.checked(folded)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
