//! A network's first weights on disk, for use in other programs.

use std::collections::BTreeMap;
use std::path::Path;

use vi3nr::{InitRule, Network};

use super::{ModelError, metadata, write};
use crate::atomic_file::write_atomically;

/// The first weights of a network that has not been trained, with what they were drawn from.
///
/// The file has the tensors of a model file; its metadata are `format` (`vi3nr-init`), `dims`,
/// `activation`, `scheme`, `weights`, `biases`, `seed` and `vi3nr_version`. It is no model: it
/// belongs to no signal.
///
/// ```
/// use vi3nr::{BiasRule, InitRule, Network, WeightShape};
/// use vi3nr_inr::model_file::InitialWeights;
///
/// let network = Network::new(vec![2, 16, 3], "sine".parse()?)?;
/// let rule = InitRule {
///     scheme: "siren:omega=30".parse()?,
///     weights: WeightShape::Uniform,
///     biases: BiasRule::Zero,
///     first_biases: BiasRule::Zero,
/// };
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("w.safetensors");
/// InitialWeights { network: &network, rule, seed: 0 }.save(&path)?;
/// assert!(path.is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct InitialWeights<'a> {
    /// The shape and activation.
    pub network: &'a Network,
    /// What the parameters are drawn from.
    pub rule: InitRule,
    /// The seed that they are drawn with.
    pub seed: u64,
}

impl InitialWeights<'_> {
    /// Draws the parameters and writes them, atomically: see [`write_atomically`]. Equal requests
    /// give equal bytes.
    ///
    /// # Errors
    /// Those of [`InitRule::plan`], a parameter that is not finite in float32, or whatever the
    /// system reports.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let broken = |reason| ModelError::Broken { path: path.to_owned(), reason };
        let plan = self.rule.plan(self.network).map_err(|error| broken(error.to_string()))?;
        let parameters = vi3nr::draw(self.network, &plan, self.seed);
        if let Some(reason) = super::not_finite(self.network, &parameters) {
            return Err(broken(reason));
        }
        write_atomically(path, |writer| {
            write::tensors(writer, self.entries(), self.network, &parameters)
        })?;
        Ok(())
    }

    fn entries(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("format", "vi3nr-init".to_owned()),
            ("vi3nr_version", env!("CARGO_PKG_VERSION").into()),
            ("dims", metadata::dims(self.network)),
            ("activation", self.network.activation().to_string()),
            ("scheme", self.rule.scheme.to_string()),
            ("weights", self.rule.weights.name().into()),
            ("biases", self.rule.biases.to_string()),
            ("first_biases", self.rule.first_biases.to_string()),
            ("seed", self.seed.to_string()),
        ])
    }
}
