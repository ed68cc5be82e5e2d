//! Losses on the derivatives of a network with respect to its coordinates.
//!
//! A [`TermBatch`] is a list of [`Constraint`]s. Each of them has points, the targets that are known
//! there, and weighted [`Term`]s. The loss is
//!
//! L = Σ_c Σ_t λ_t · 1/n_c Σ_p w_p ρ_t(x_p)
//!
//! over constraints c, their terms t and their n_c points p, where ρ_t is the loss that [`Term`]
//! defines at one point, λ_t the weight of the term, and w_p the weight of the point. The weights
//! of points are 1 unless the constraint sets them, and they are not normalized.

mod batch;
mod point;
mod text;

pub use batch::{Constraint, TermBatch};
pub(crate) use batch::{LoadedTerms, Tally};
pub(crate) use point::PointJet;

/// The power of an absolute difference in a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Power {
    /// |e|, whose slope at 0 is 0.
    One,
    /// e².
    #[default]
    Two,
}

/// What a loss compares at a point x, with the outputs Φ_o of the network, their gradients ∇Φ_o and
/// their Laplacians ΔΦ_o with respect to the coordinates. Every loss is a mean over the outputs o.
///
/// The text form is the name, followed by the settings that differ from the defaults:
/// `eikonal`, `eikonal:power=1`, `off-surface:a=50`.
///
/// ```
/// use vi3nr_engine::{Power, Term};
///
/// let term: Term = "eikonal:power=1".parse()?;
/// assert_eq!(term, Term::Eikonal { power: Power::One });
/// assert_eq!(term.order(), 1);
/// # Ok::<(), vi3nr_engine::EngineError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Term {
    /// `value`: |Φ_o - y_o|^power, or ||Φ_o| - y_o|^power if the sign is unknown (SAL, Atzmon and
    /// Lipman 2020).
    Value {
        /// The power of the difference.
        power: Power,
        /// Whether the sign of the target is known.
        signed: bool,
    },
    /// `gradient`: ‖∇Φ_o - g_o‖^power, or the smaller of ‖∇Φ_o - g_o‖ and ‖∇Φ_o + g_o‖ to this
    /// power if the sign is unknown (SALD, Atzmon and Lipman 2021).
    Gradient {
        /// The power of the Euclidean norm of the difference.
        power: Power,
        /// Whether the sign of the target is known.
        signed: bool,
    },
    /// `directional`: |d·∇Φ_o - s_o|^power for a direction d of each point.
    Directional {
        /// The power of the difference.
        power: Power,
    },
    /// `normal`: 1 - cos(∇Φ_o, g_o), or 1 - |cos(∇Φ_o, g_o)| if the orientation of the normals g is
    /// unknown. The slope is 0 where either vector is 0.
    Normal {
        /// Whether the orientation of the normals is known.
        signed: bool,
    },
    /// `eikonal`: |‖∇Φ_o‖ - 1|^power.
    Eikonal {
        /// The power of the difference.
        power: Power,
    },
    /// `laplacian`: |ΔΦ_o - l_o|^power.
    Laplacian {
        /// The power of the difference.
        power: Power,
    },
    /// `off-surface`: exp(-a|Φ_o|), which keeps Φ away from 0 (SIREN, Sitzmann et al. 2020).
    OffSurface {
        /// The decay rate a > 0.
        a: f64,
    },
    /// `heat`: ½ exp(-2λ|Φ_o|) (‖∇Φ_o‖² + 1), which is smallest for a distance as λ grows (HotSpot,
    /// Wang et al. 2025).
    Heat {
        /// The absorption λ > 0.
        lambda: f64,
    },
}

impl Term {
    /// The highest derivative with respect to the coordinates that the term needs: 0, 1 or 2.
    pub fn order(self) -> usize {
        match self {
            Self::Value { .. } | Self::OffSurface { .. } => 0,
            Self::Gradient { .. }
            | Self::Directional { .. }
            | Self::Normal { .. }
            | Self::Eikonal { .. }
            | Self::Heat { .. } => 1,
            Self::Laplacian { .. } => 2,
        }
    }

    /// The term with the weight `weight` in the loss.
    pub fn weighted(self, weight: f64) -> WeightedTerm {
        WeightedTerm { term: self, weight }
    }
}

/// A term and its weight λ in the loss.
///
/// The text form is `TERM:WEIGHT`, with settings after a comma: `eikonal:0.1`,
/// `eikonal:50,power=1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedTerm {
    /// What is compared.
    pub term: Term,
    /// The factor of the term in the loss: finite and at least 0.
    pub weight: f64,
}
