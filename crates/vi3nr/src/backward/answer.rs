//! What the search for a σ_p answers, and what the answer rests on.

/// A σ_p with cond(σ_p) = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Root {
    /// The σ_p, to 1e-10 relative.
    pub sigma_p: f64,
    /// gain²(f, σ_p), Eq. (15).
    pub gain_squared: f64,
}

/// Where |cond - 1| approaches its infimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Approach {
    /// As σ_p tends to 0.
    Zero,
    /// As σ_p tends to infinity.
    Infinity,
    /// At this σ_p.
    At(f64),
    /// The condition is the same for every σ_p.
    Everywhere,
}

/// The answer to cond(σ_p) = 1.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Solution {
    /// These σ_p, in increasing order, and no others within what [`Basis`] covers.
    Roots(Vec<Root>),
    /// Every σ_p: positively homogeneous functions such as the rectifier.
    Every,
    /// No σ_p within what [`Basis`] covers.
    None {
        /// The infimum of |cond(σ_p) - 1|; 0 where the condition is met in the limit only. Inside a
        /// range it is the deepest of the local minima that samples show, refined.
        infimum: f64,
        /// Where it is approached.
        approached_at: Approach,
    },
}

/// What an [`Answer`] rests on: a case of the theorem in [the module](crate::backward), or a scan.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Basis {
    /// Proof: f(tx) = t^p f(x) for t > 0 by the form of the expression, so cond is the same for every
    /// σ_p: (M_{i+1}/M_i) p²/(2p - 1), and 0 for p = 0.
    Homogeneous {
        /// The degree p.
        degree: f64,
    },
    /// Proof: f' is 0 almost everywhere, and so is cond.
    Flat,
    /// Proof: f is absolutely continuous, f(0) = 0 and M_{i+1} >= M_i, so cond >= M_{i+1}/M_i for every
    /// σ_p, with equality for M_{i+1} = M_i only where f is homogeneous of degree 1.
    VanishesAtZero,
    /// Proof: f is absolutely continuous and M_{i+1} >= M_i, so cond crosses 1 at most once, upwards;
    /// the sign of cond - 1 is certain at σ_p = `from` and `to`. A root that was found is the only one;
    /// without one, there is no proof that none lies beyond. cond is below 1 at every σ_p up to the
    /// last where it is below 1, and above 1 from the first where it is above 1.
    OneCrossing {
        /// The smallest σ_p at which the sign was computed.
        from: f64,
        /// The largest σ_p at which the sign was computed.
        to: f64,
    },
    /// No proof: the condition was computed at 24 σ_p to a decade from `from` to `to`, and every change
    /// of sign was refined. Two roots between neighboring σ_p escape.
    Scan {
        /// The smallest σ_p.
        from: f64,
        /// The largest σ_p.
        to: f64,
        /// Why no case of the theorem applies.
        reason: ScanReason,
    },
}

/// Why a solution cannot be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanReason {
    /// f jumps.
    Discontinuous,
    /// The layer has fewer outputs than inputs, M_{i+1} < M_i.
    FewerOutputs,
}

impl Basis {
    /// A short name: `homogeneous`, `flat`, `vanishes-at-zero`, `one-crossing` or `scan`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Homogeneous { .. } => "homogeneous",
            Self::Flat => "flat",
            Self::VanishesAtZero => "vanishes-at-zero",
            Self::OneCrossing { .. } => "one-crossing",
            Self::Scan { .. } => "scan",
        }
    }

    /// The range of σ_p in which the condition was computed, where the answer depends on one.
    pub fn range(&self) -> Option<(f64, f64)> {
        match *self {
            Self::OneCrossing { from, to } | Self::Scan { from, to, .. } => Some((from, to)),
            _ => None,
        }
    }
}

/// The solutions of Eq. (13) and what they rest on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The σ_p that satisfy the condition.
    pub solution: Solution,
    /// Why there are no others.
    pub basis: Basis,
}

impl Answer {
    /// Whether the answer is proven, up to the accuracy of the moments. That a function of one crossing
    /// has none is not: it may lie beyond the σ_p at which the sign was computed.
    pub fn is_proof(&self) -> bool {
        match self.basis {
            Basis::Scan { .. } => false,
            Basis::OneCrossing { .. } => !matches!(self.solution, Solution::None { .. }),
            _ => true,
        }
    }
}
