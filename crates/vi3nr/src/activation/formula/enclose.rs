//! Enclosures of a program's results over a region.

use super::operation::{Binary, Pair, Unary};
use super::program::{Instruction, MAX_REGISTERS, Operand, Operation, Program};
use super::region::{Region, WHOLE};

/// The branch that each instruction of a program takes over a real interval.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sides {
    taken: Vec<Option<bool>>,
    /// Whether every instruction is known to stay on one branch.
    pub(crate) are_certain: bool,
}

/// Enclosures of f and f' over `x`.
///
/// Over a real interval, `sides` records the branch that abs, sign, max, min and the choices in f'
/// take, if it is certain. If these sides are then passed with a complex neighborhood of the
/// interval, the result encloses the analytic continuation of f from the interval, which bounds the
/// error of a Gauss rule on it. An instruction without a certain branch makes the result unbounded.
pub(crate) fn enclose(program: &Program, x: Region, sides: &mut Sides) -> (Region, Region) {
    let mut registers = [Region::constant(0.0); MAX_REGISTERS];
    let on_axis = x.im == 0.0;
    sides.taken.resize(program.instructions().len(), None);
    if on_axis {
        sides.are_certain = true;
    }
    let Sides { taken, are_certain } = sides;
    let read = |registers: &[Region], operand: Operand| match operand {
        Operand::Input => x,
        Operand::Constant(value) => Region::constant(value),
        Operand::Register(index) => registers[index],
    };
    for (Instruction { operation, target }, side) in program.instructions().iter().zip(taken) {
        let at = |operand| read(&registers, operand);
        let mut decide = |difference: Region| {
            if on_axis {
                *side = difference.is_at_least_zero();
                *are_certain &= side.is_some();
            }
            *side
        };
        let region = match *operation {
            Operation::Unary(function, operand) => {
                let u = at(operand);
                match function {
                    Unary::Absolute => match decide(u) {
                        Some(true) => u,
                        Some(false) => u.negate(),
                        None if on_axis => Region { lo: 0.0, hi: u.largest_real(), ..u },
                        None => WHOLE,
                    },
                    Unary::Sign => match decide(u) {
                        Some(true) => Region::constant(1.0),
                        Some(false) => Region::constant(-1.0),
                        None if on_axis => Region::interval(-1.0, 1.0),
                        None => WHOLE,
                    },
                    _ => unary(function, u),
                }
            }
            Operation::Pair { pair, operand, second } => {
                let u = at(operand);
                let (first, other) = match pair {
                    Pair::SinCos => u.sin_cos(),
                    Pair::SincAndSlope => u.sinc_and_slope(),
                };
                registers[second] = other;
                first
            }
            Operation::Binary(function, left, right) => {
                let (u, v) = (at(left), at(right));
                match function {
                    Binary::Add => u.add(v),
                    Binary::Subtract => u.add(v.negate()),
                    Binary::Multiply if left == right => u.square(),
                    Binary::Multiply => u.multiply(v),
                    Binary::Divide => u.multiply(v.reciprocal()),
                    Binary::Power => u.ln().multiply(v).exp_or_zero(u, v),
                    Binary::Maximum | Binary::Minimum => {
                        let above = decide(u.add(v.negate()));
                        let larger = function == Binary::Maximum;
                        match above {
                            Some(above) if above == larger => u,
                            Some(_) => v,
                            None if on_axis => u.hull(v),
                            None => WHOLE,
                        }
                    }
                }
            }
            Operation::Power(operand, exponent) => at(operand).power(exponent),
            Operation::Choose { greater, than, then, otherwise } => {
                match decide(at(greater).add(at(than).negate())) {
                    Some(true) => at(then),
                    Some(false) => at(otherwise),
                    None if on_axis => at(then).hull(at(otherwise)),
                    None => WHOLE,
                }
            }
        };
        registers[*target] = region;
    }
    (read(&registers, program.value()), read(&registers, program.slope()))
}

fn unary(function: Unary, u: Region) -> Region {
    match function {
        Unary::Negate => u.negate(),
        Unary::Exp => u.exp(),
        Unary::ExpM1 => u.exp_m1(),
        Unary::Ln => u.ln(),
        Unary::Ln1P => u.ln_1p(),
        Unary::Sqrt => u.sqrt(),
        Unary::Sin => u.sin_cos().0,
        Unary::Cos => u.sin_cos().1,
        Unary::Tan => {
            let (sine, cosine) = u.sin_cos();
            sine.multiply(cosine.reciprocal())
        }
        Unary::Tanh => u.tanh(),
        Unary::Sinh => u.sinh(),
        Unary::Cosh => u.cosh(),
        Unary::Sech => u.sech(),
        Unary::Erf => u.erf(libm::erf),
        Unary::Erfc => u.erf(libm::erfc),
        Unary::Atan => u.atan(),
        Unary::Sigmoid => u.sigmoid(),
        Unary::Softplus => u.softplus(),
        Unary::Sinc => u.sinc_and_slope().0,
        Unary::SincSlope => u.sinc_and_slope().1,
        Unary::SincSecond => u.sinc_second_and_third().0,
        Unary::SincThird => u.sinc_second_and_third().1,
        Unary::Absolute | Unary::Sign => WHOLE,
    }
}
