//! What a network learns from a signal: its values, or terms on its values and derivatives.
//!
//! A [`FitRequest`](crate::request::FitRequest) names a [`Supervise`] and a [`TermList`]; a
//! [`FitPlan`](crate::plan::FitPlan) contains the [`Supervision`] that they resolve to. [`regions`]
//! is the table of the points to which each term applies.

mod preset;
mod region;
mod term_list;

pub use preset::TermPreset;
pub use region::{Region, regions};
pub use term_list::{TermEntry, TermList};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vi3nr_engine::{Term, WeightedTerm};

/// The setting `supervise`: what a network learns from a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Supervise {
    /// The signed distances of a shape: from the triangles of a mesh, or from the plane through the
    /// nearest point of a cloud.
    Distance,
    /// Terms at points of the surface of a shape and at points of space.
    Surface,
}

impl Supervise {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Distance, Self::Surface];

    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Distance => "distance",
            Self::Surface => "surface",
        }
    }
}

/// What a fit is supervised with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Supervision {
    /// The values of the signal: those of an image or of audio, the signed distances of a shape.
    #[default]
    Values,
    /// Terms at points of the surface of a shape and at points of space: see [`regions`].
    Surface(#[serde(with = "as_text")] Vec<WeightedTerm>),
}

impl Supervision {
    /// Whether these are the values of the signal.
    pub fn is_values(&self) -> bool {
        *self == Self::Values
    }

    /// The terms of the loss; none if it is a difference of values.
    pub fn terms(&self) -> &[WeightedTerm] {
        match self {
            Self::Values => &[],
            Self::Surface(terms) => terms,
        }
    }

    /// What the training loss is, in words; `None` if it is that of the signal.
    pub fn loss_convention(&self) -> Option<&'static str> {
        match self {
            Self::Values => None,
            Self::Surface(_) => Some(
                "sum of the terms' means times their weights, over points of the surface and of \
                 space on the [-1, 1] scale",
            ),
        }
    }

    /// Whether Φ and -Φ have the same loss, so that the sign of the result is not determined.
    pub fn is_unsigned(&self) -> bool {
        let has_sign = |weighted: &WeightedTerm| {
            matches!(
                weighted.term,
                Term::Normal { signed: true } | Term::Gradient { signed: true, .. }
            )
        };
        !self.is_values() && !self.terms().iter().any(has_sign)
    }
}

/// Terms as a list of texts.
mod as_text {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serialize, Serializer, WeightedTerm};

    pub(super) fn serialize<S: Serializer>(
        terms: &[WeightedTerm],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        terms.iter().map(WeightedTerm::to_string).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<WeightedTerm>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
