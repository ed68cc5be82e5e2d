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
use vi3nr_engine::{Residuals, Term, WeightedTerm};

use crate::metrics::Metrics;
use crate::points::TermLosses;
use crate::signal::Signal;

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
    /// The values of an image.
    Value,
    /// The gradient of an image.
    Gradient,
    /// The Laplacian of an image.
    Laplacian,
}

impl Supervise {
    /// All values.
    pub const ALL: [Self; 5] =
        [Self::Distance, Self::Surface, Self::Value, Self::Gradient, Self::Laplacian];

    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Distance => "distance",
            Self::Surface => "surface",
            Self::Value => "value",
            Self::Gradient => "gradient",
            Self::Laplacian => "laplacian",
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
    /// Terms on the values, the gradient and the Laplacian of an image at all of its pixels.
    Derivatives(#[serde(with = "as_text")] Vec<WeightedTerm>),
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
            Self::Surface(terms) | Self::Derivatives(terms) => terms,
        }
    }

    /// What the training loss is, in words; `None` if it is that of the signal.
    pub fn loss_convention(&self) -> Option<&'static str> {
        match self {
            Self::Values => None,
            Self::Derivatives(_) => Some(
                "sum of the terms' means times their weights, over all pixels; derivatives are \
                 with respect to the coordinates, of values on the [-1, 1] scale",
            ),
            Self::Surface(_) => Some(
                "sum of the terms' means times their weights, over points of the surface and of \
                 space on the [-1, 1] scale",
            ),
        }
    }

    /// Whether the loss is a mean of squares, which `kfac` needs.
    pub(crate) fn is_squared(&self) -> bool {
        self.is_values() || Residuals::of_terms(self.terms()).is_some()
    }

    /// Whether Φ and Φ plus a constant have the same loss.
    pub(crate) fn leaves_constant_open(&self) -> bool {
        let has_value = |weighted: &WeightedTerm| weighted.term.order() == 0;
        matches!(self, Self::Derivatives(terms) if !terms.iter().any(has_value))
    }

    /// The terms with their mean losses.
    pub(crate) fn report(&self, losses: &TermLosses) -> Vec<TermReport> {
        let report = |(term, loss): (&WeightedTerm, &f64)| TermReport {
            term: term.term.to_string(),
            weight: term.weight,
            loss: *loss,
        };
        self.terms().iter().zip(&**losses).map(report).collect()
    }

    /// What follows from a training loss alone: the metrics of the signal, or nothing if the loss is
    /// a sum of terms.
    pub fn metrics_of_loss(&self, signal: &dyn Signal, loss: f64) -> Metrics {
        if self.is_values() { signal.metrics_of_loss(loss) } else { Metrics::default() }
    }

    /// Whether Φ and -Φ have the same loss, so that the sign of the result is not determined.
    pub fn is_unsigned(&self) -> bool {
        let has_sign = |weighted: &WeightedTerm| {
            matches!(
                weighted.term,
                Term::Normal { signed: true } | Term::Gradient { signed: true, .. }
            )
        };
        matches!(self, Self::Surface(_)) && !self.terms().iter().any(has_sign)
    }
}

/// A term of the loss of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TermReport {
    /// The term without its weight, as text.
    pub term: String,
    /// Its weight.
    pub weight: f64,
    /// Its mean loss, without the weight.
    pub loss: f64,
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
