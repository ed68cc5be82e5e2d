//! The loss of terms at one point.

use super::batch::Constraint;
use super::{Power, Term};

/// Φ, its gradient and its Laplacian at a point, or the derivatives of the loss with respect to
/// them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PointJet {
    /// Φ_o, shape (outputs).
    pub(crate) values: Vec<f64>,
    /// dΦ_o/dx_d, shape (outputs, inputs).
    pub(crate) gradients: Vec<f64>,
    /// ΔΦ_o, shape (outputs).
    pub(crate) laplacians: Vec<f64>,
}

impl PointJet {
    pub(crate) fn zeros(inputs: usize, outputs: usize) -> Self {
        Self {
            values: vec![0.0; outputs],
            gradients: vec![0.0; outputs * inputs],
            laplacians: vec![0.0; outputs],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
        self.gradients.fill(0.0);
        self.laplacians.fill(0.0);
    }

    /// Reads the channels of a point from rows that start `stride` numbers apart: the values, one
    /// row for each coordinate, and the Laplacians if there are any.
    pub(crate) fn read(&mut self, rows: &[f32], stride: usize, has_laplacian: bool) {
        let tangents = self.gradients.len() / self.values.len();
        for o in 0..self.values.len() {
            self.values[o] = rows[o].into();
            for a in 0..tangents {
                self.gradients[o * tangents + a] = rows[(1 + a) * stride + o].into();
            }
            if has_laplacian {
                self.laplacians[o] = rows[(1 + tangents) * stride + o].into();
            }
        }
    }

    /// The inverse of [`PointJet::read`]; the rest of each row is set to 0.
    pub(crate) fn write(&self, rows: &mut [f32], stride: usize, has_laplacian: bool) {
        let tangents = self.gradients.len() / self.values.len();
        rows.fill(0.0);
        for o in 0..self.values.len() {
            rows[o] = self.values[o] as f32;
            for a in 0..tangents {
                rows[(1 + a) * stride + o] = self.gradients[o * tangents + a] as f32;
            }
            if has_laplacian {
                rows[(1 + tangents) * stride + o] = self.laplacians[o] as f32;
            }
        }
    }

    /// Adds to `self`, for point `index` of `constraint`, λ_t w/n times the derivatives of every
    /// term's loss at `jet`, and w ρ_t to `sums`.
    pub(crate) fn add_terms(
        &mut self,
        constraint: &Constraint<'_>,
        index: usize,
        jet: &Self,
        sums: &mut [f64],
    ) {
        let outputs = jet.values.len();
        let inputs = jet.gradients.len() / outputs;
        let weight = constraint.weight(index);
        let each = 1.0 / outputs as f64;
        for (weighted, sum) in constraint.terms.iter().zip(sums) {
            let factor = weighted.weight * weight * each / constraint.count as f64;
            let mut total = 0.0;
            for o in 0..outputs {
                let gradient = &jet.gradients[o * inputs..][..inputs];
                let mut at = AtOutput {
                    target: Targets { constraint, index, output: o },
                    value: jet.values[o],
                    gradient,
                    laplacian: jet.laplacians[o],
                    factor,
                    value_adjoint: &mut self.values[o],
                    gradient_adjoint: &mut self.gradients[o * inputs..][..inputs],
                    laplacian_adjoint: &mut self.laplacians[o],
                };
                total += at.add(weighted.term);
            }
            *sum += weight * each * total;
        }
    }
}

/// The targets of one output at one point; 0 where the constraint has none.
struct Targets<'a, 'b> {
    constraint: &'a Constraint<'b>,
    index: usize,
    output: usize,
}

impl Targets<'_, '_> {
    fn scalar(&self, array: Option<&[f32]>) -> f64 {
        let at = self.index * self.constraint.outputs + self.output;
        array.map_or(0.0, |array| array[at].into())
    }

    fn gradient(&self, d: usize) -> f64 {
        let inputs = self.constraint.inputs;
        let at = (self.index * self.constraint.outputs + self.output) * inputs + d;
        self.constraint.gradients.map_or(0.0, |array| array[at].into())
    }

    fn direction(&self, d: usize) -> f64 {
        let at = self.index * self.constraint.inputs + d;
        self.constraint.directions.map_or(0.0, |array| array[at].into())
    }
}

/// One output at one point, and where the derivatives of its loss are added.
struct AtOutput<'a, 'b> {
    target: Targets<'a, 'b>,
    value: f64,
    gradient: &'a [f64],
    laplacian: f64,
    /// The factor of the derivatives.
    factor: f64,
    value_adjoint: &'a mut f64,
    gradient_adjoint: &'a mut [f64],
    laplacian_adjoint: &'a mut f64,
}

impl AtOutput<'_, '_> {
    /// Adds `factor` times the derivatives of ρ and returns ρ.
    fn add(&mut self, term: Term) -> f64 {
        match term {
            Term::Value { power, signed } => {
                let target = self.target.scalar(self.target.constraint.values);
                let sign = if signed { 1.0 } else { sign(self.value) };
                let (loss, slope) = of_difference(sign * self.value - target, power);
                *self.value_adjoint += self.factor * sign * slope;
                loss
            }
            Term::Gradient { power, signed } => self.add_gradient(power, signed),
            Term::Directional { power } => {
                let along = |d| self.target.direction(d);
                let derivative: f64 = (0..).zip(self.gradient).map(|(d, g)| along(d) * g).sum();
                let target = self.target.scalar(self.target.constraint.slopes);
                let (loss, slope) = of_difference(derivative - target, power);
                for (d, adjoint) in self.gradient_adjoint.iter_mut().enumerate() {
                    *adjoint += self.factor * slope * self.target.direction(d);
                }
                loss
            }
            Term::Normal { signed } => self.add_normal(signed),
            Term::Eikonal { power } => {
                let norm = norm(self.gradient);
                let (loss, slope) = of_difference(norm - 1.0, power);
                if norm > 0.0 {
                    for (adjoint, g) in self.gradient_adjoint.iter_mut().zip(self.gradient) {
                        *adjoint += self.factor * slope * g / norm;
                    }
                }
                loss
            }
            Term::Laplacian { power } => {
                let target = self.target.scalar(self.target.constraint.laplacians);
                let (loss, slope) = of_difference(self.laplacian - target, power);
                *self.laplacian_adjoint += self.factor * slope;
                loss
            }
            Term::OffSurface { a } => {
                let loss = (-a * self.value.abs()).exp();
                *self.value_adjoint -= self.factor * a * loss * sign(self.value);
                loss
            }
            Term::Heat { lambda } => {
                let heat = (-2.0 * lambda * self.value.abs()).exp();
                let square: f64 = self.gradient.iter().map(|g| g * g).sum();
                let loss = 0.5 * heat * (square + 1.0);
                *self.value_adjoint -= self.factor * 2.0 * lambda * sign(self.value) * loss;
                for (adjoint, g) in self.gradient_adjoint.iter_mut().zip(self.gradient) {
                    *adjoint += self.factor * heat * g;
                }
                loss
            }
        }
    }

    fn add_gradient(&mut self, power: Power, signed: bool) -> f64 {
        let distance = |sign: f64| -> f64 {
            let squares = self.gradient.iter().enumerate();
            squares.map(|(d, g)| (g - sign * self.target.gradient(d)).powi(2)).sum::<f64>().sqrt()
        };
        let sign = if signed || distance(1.0) <= distance(-1.0) { 1.0 } else { -1.0 };
        let distance = distance(sign);
        let (loss, slope) = of_difference(distance, power);
        if distance > 0.0 {
            for (d, (adjoint, g)) in self.gradient_adjoint.iter_mut().zip(self.gradient).enumerate()
            {
                let difference = g - sign * self.target.gradient(d);
                *adjoint += self.factor * slope * difference / distance;
            }
        }
        loss
    }

    fn add_normal(&mut self, signed: bool) -> f64 {
        let (mut product, mut square) = (0.0, 0.0);
        for (d, g) in self.gradient.iter().enumerate() {
            let normal = self.target.gradient(d);
            product += g * normal;
            square += normal * normal;
        }
        let norms = norm(self.gradient) * square.sqrt();
        // The cosine is not defined if either vector is 0; NaN propagates.
        if norms == 0.0 {
            return 1.0;
        }
        let cosine = product / norms;
        let sign = if signed { 1.0 } else { sign(cosine) };
        let own: f64 = self.gradient.iter().map(|g| g * g).sum();
        for (d, (adjoint, g)) in self.gradient_adjoint.iter_mut().zip(self.gradient).enumerate() {
            let slope = self.target.gradient(d) / norms - cosine * g / own;
            *adjoint -= self.factor * sign * slope;
        }
        1.0 - sign * cosine
    }
}

/// |e|^power and its derivative with respect to e.
fn of_difference(e: f64, power: Power) -> (f64, f64) {
    match power {
        Power::One => (e.abs(), sign(e)),
        Power::Two => (e * e, 2.0 * e),
    }
}

/// The sign of `x`: 0 at 0, NaN for NaN.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
