//! Files of initial weights, for use in other programs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Value, json};
use vi3nr::{InitRule, Network};

use super::{Model, ModelError, Origin, Storage, metadata, write};
use crate::atomic_file::write_atomically;
use crate::signal::SignalKind;

/// The `format` entry of a file of initial weights.
pub(super) const FORMAT: &str = "vi3nr-init";

/// The initial weights of a network, to be drawn and written to a file.
///
/// The file has the tensors of a model file; its metadata entries are `format` (`vi3nr-init`),
/// `dims`, `activation`, `scheme`, `weights`, `biases`, `first_biases`, `seed`, `input_scale` and
/// `vi3nr_version`. It is not a model, since it has no signal.
///
/// ```
/// use vi3nr::{InitRule, Network};
/// use vi3nr_inr::model_file::InitialWeights;
///
/// let network = Network::new(vec![2, 16, 3], "sine".parse()?)?;
/// let rule = InitRule::new("siren:omega=30".parse()?);
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("w.safetensors");
/// InitialWeights { network: &network, rule, seed: 0, input_scale: 1.0 }.save(&path)?;
/// assert!(path.is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct InitialWeights<'a> {
    /// The shape and activation of the network.
    pub network: &'a Network,
    /// The rule by which the parameters are drawn.
    pub rule: InitRule,
    /// The seed with which the parameters are drawn.
    pub seed: u64,
    /// The coordinate scale s: coordinates lie in \[-s, s\].
    pub input_scale: f64,
}

impl InitialWeights<'_> {
    /// Draws the parameters and writes them atomically: see [`write_atomically`]. Equal values give
    /// equal bytes.
    ///
    /// # Errors
    /// Returns [`ModelError::Broken`] if [`InitRule::plan`] fails or a parameter is not finite in
    /// float32, and [`ModelError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let broken = |reason| ModelError::Broken { path: path.to_owned(), reason };
        let plan = self.rule.plan(self.network).map_err(|error| broken(error.to_string()))?;
        let parameters = vi3nr::draw(self.network, &plan, self.seed);
        if let Some(reason) = super::not_finite(self.network, &parameters) {
            return Err(broken(reason));
        }
        write_atomically(path, |writer| {
            write::network(writer, self.entries(), self.network, &parameters, Storage::F32)
        })?;
        Ok(())
    }

    fn entries(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("format", FORMAT.to_owned()),
            ("vi3nr_version", env!("CARGO_PKG_VERSION").into()),
            ("dims", metadata::dims(self.network)),
            ("activation", self.network.activation().to_string()),
            ("scheme", self.rule.scheme.to_string()),
            ("weights", self.rule.weights.name().into()),
            ("biases", self.rule.biases.to_string()),
            ("first_biases", self.rule.first_biases.to_string()),
            ("seed", self.seed.to_string()),
            ("input_scale", self.input_scale.to_string()),
        ])
    }
}

/// The content of a file of initial weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InitialFile {
    /// The shape and activation of the network.
    pub network: Network,
    /// Weights and biases, in the order of [`Network::layers`].
    pub parameters: Vec<f32>,
    /// The seed with which the parameters were drawn.
    pub seed: u64,
    /// The coordinate scale s: coordinates lie in \[-s, s\]. `None` for files of version 1.
    pub input_scale: Option<f64>,
    /// The settings with which the parameters were drawn, by name.
    pub settings: Value,
}

impl InitialFile {
    /// The file described by the metadata, without its parameters.
    pub(super) fn describe(entries: &HashMap<String, String>) -> Result<Self, metadata::Problem> {
        let text = |key: &str| entries.get(key).map(String::as_str);
        let input_scale = match entries.contains_key("input_scale") {
            true => Some(metadata::input_scale(entries)?),
            false => None,
        };
        Ok(Self {
            network: metadata::network(entries)?,
            parameters: Vec::new(),
            seed: metadata::seed(entries)?,
            input_scale,
            settings: json!({
                "init": text("scheme"),
                "weights": text("weights"),
                "biases": text("biases"),
                "first_biases": text("first_biases"),
                "steps": 0,
            }),
        })
    }

    /// Converts the weights to a model of a signal of the default size.
    pub(super) fn into_model(self, path: &Path) -> Result<Model, ModelError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let blank = |kind: &SignalKind| (kind.entry().blank)(inputs, outputs);
        let Some(signal) = SignalKind::ALL.iter().find_map(blank) else {
            return Err(ModelError::NoSignal { path: path.to_owned(), inputs, outputs });
        };
        Ok(Model {
            input_scale: self.input_scale.unwrap_or(1.0),
            seed: self.seed,
            origin: Origin::Settings(self.settings),
            ..Model::new(self.network, self.parameters, signal)
        })
    }
}
