//! The points of a shape to which terms apply.

use vi3nr_engine::Term;

/// A group of points of a training step for a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Points of the surface: the target value is 0, the target gradient the unit normal.
    Surface,
    /// Points near the surface: the target value is the unsigned distance to the surface, the target
    /// gradient that of the unsigned distance.
    Near,
    /// Points that are uniform in the space, with the targets of [`Region::Near`].
    Space,
}

impl Region {
    /// All regions, in the order of the points of a step.
    pub const ALL: [Self; 3] = [Self::Surface, Self::Near, Self::Space];
}

/// The regions to which `term` applies; none if shapes have no targets for it.
///
/// | term | surface | near | space |
/// |---|---|---|---|
/// | `value` | x | | |
/// | `value` with `signed=false` | x | x | x |
/// | `gradient`, `normal` | x | | |
/// | `gradient` with `signed=false` | | x | x |
/// | `normal` with `signed=false` | x | | |
/// | `eikonal`, `laplacian` | x | x | x |
/// | `off-surface`, `heat` | | | x |
/// | `directional` | | | |
pub fn regions(term: Term) -> &'static [Region] {
    match term {
        Term::Value { signed: true, .. } | Term::Gradient { signed: true, .. } => {
            &[Region::Surface]
        }
        Term::Normal { .. } => &[Region::Surface],
        Term::Gradient { signed: false, .. } => &[Region::Near, Region::Space],
        Term::Value { signed: false, .. } | Term::Eikonal { .. } | Term::Laplacian { .. } => {
            &Region::ALL
        }
        Term::OffSurface { .. } | Term::Heat { .. } => &[Region::Space],
        Term::Directional { .. } => &[],
    }
}
