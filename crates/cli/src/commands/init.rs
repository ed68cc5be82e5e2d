//! `vi3nr init`: the first weights of a network, as numbers about them and as a file.

use serde::Serialize;
use serde_json::{Value, json};
use vi3nr::scheme::Implied;
use vi3nr::{InitRule, Network, Scheme};
use vi3nr_inr::ModelError;
use vi3nr_inr::model_file::InitialWeights;

use super::scheme::TypedScheme;
use crate::Done;
use crate::arguments::InitArguments;
use crate::numbers::significant;
use crate::output::{Failure, print, say};

/// Digits of a standard deviation in the table for people.
const DIGITS: usize = 8;

/// Plans, draws where a file is asked for, and prints.
pub(crate) fn run(arguments: &InitArguments) -> Done {
    let activation = &arguments.activation;
    let network =
        Network::new(arguments.dims.0.clone(), activation.clone()).map_err(Failure::unusable)?;
    let typed = TypedScheme {
        option: "--scheme",
        choice: arguments.scheme,
        sigma_p: arguments.sigma_p,
        last_sigma_p: arguments.last_sigma_p,
        default_sigma_p: &vi3nr::auto_sigma_p,
    };
    let rule = InitRule {
        scheme: typed.resolve(activation)?,
        weights: arguments.distribution.into(),
        biases: arguments.biases.into(),
        first_biases: arguments.first_bias.unwrap_or(arguments.biases.into()),
    };
    let report = Report::new(arguments, &network, &rule)?;
    if let Some(out) = &arguments.out {
        let weights = InitialWeights { network: &network, rule, seed: arguments.seed };
        weights.save(out).map_err(|error| match error {
            ModelError::Broken { .. } => Failure::unusable(error),
            error => Failure::failed(error),
        })?;
    }
    if !arguments.json {
        for warning in &report.warnings {
            say(&format!("warning: {warning}"));
        }
    }
    print(arguments.json, &report, &report.text())
}

/// The JSON object that scripts read.
#[derive(Serialize)]
struct Report {
    activation: String,
    scheme: String,
    derived_for: &'static str,
    warnings: Vec<String>,
    /// The sigma_p that hidden layers keep: a list, or "any".
    sigma_p: Value,
    /// Where the list is empty: 0.0 or "infinity".
    sigma_p_tends_to: Value,
    distribution: &'static str,
    biases: String,
    first_biases: String,
    seed: u64,
    parameters: usize,
    layers: Vec<LayerReport>,
    file: Option<std::path::PathBuf>,
}

#[derive(Serialize)]
struct LayerReport {
    index: usize,
    fan_in: usize,
    fan_out: usize,
    variance: f64,
    std: f64,
    bound: Option<f64>,
}

impl Report {
    fn new(arguments: &InitArguments, network: &Network, rule: &InitRule) -> Result<Self, Failure> {
        let plan = rule.plan(network).map_err(Failure::unusable)?;
        let layers = network.layers().into_iter().zip(&plan).map(|(layer, plan)| LayerReport {
            index: layer.index,
            fan_in: layer.fan_in,
            fan_out: layer.fan_out,
            variance: plan.variance(),
            std: plan.weight_std,
            bound: plan.bound(),
        });
        let (sigma_p, sigma_p_tends_to) = kept(&rule.scheme, network);
        Ok(Self {
            activation: network.activation().to_string(),
            scheme: rule.scheme.to_string(),
            derived_for: rule.scheme.derived_for(),
            warnings: rule.scheme.warnings(network.activation()),
            sigma_p,
            sigma_p_tends_to,
            distribution: rule.weights.name(),
            biases: rule.biases.to_string(),
            first_biases: rule.first_biases.to_string(),
            seed: arguments.seed,
            parameters: network.parameter_count(),
            layers: layers.collect(),
            file: arguments.out.clone(),
        })
    }

    /// What people read.
    fn text(&self) -> String {
        let mut lines = vec![
            format!("{}, derived for {}; {}", self.scheme, self.derived_for, self.amounts_to()),
            format!("weights {}, biases {}{}", self.distribution, self.biases, self.first()),
            format!(
                "{:>5} {:>8} {:>8}  {:<15} {:<15} {}",
                "layer", "fan-in", "fan-out", "variance", "std", "bound"
            ),
        ];
        lines.extend(self.layers.iter().map(|layer| {
            let bound = layer.bound.map_or("-".into(), |bound| significant(bound, DIGITS));
            format!(
                "{:>5} {:>8} {:>8}  {:<15} {:<15} {bound}",
                layer.index,
                layer.fan_in,
                layer.fan_out,
                significant(layer.variance, DIGITS),
                significant(layer.std, DIGITS),
            )
        }));
        if let Some(file) = &self.file {
            let (parameters, seed) = (self.parameters, self.seed);
            lines.push(format!("{} ({parameters} parameters, seed {seed})", file.display()));
        }
        lines.join("\n")
    }

    /// The first biases, where they differ.
    fn first(&self) -> String {
        if self.first_biases == self.biases {
            return String::new();
        }
        format!(", the first {}", self.first_biases)
    }

    /// The sigma_p of the hidden layers, in words.
    fn amounts_to(&self) -> String {
        let digits = |value: &Value| value.as_f64().map(|value| significant(value, DIGITS));
        match &self.sigma_p {
            Value::Array(sigmas) if !sigmas.is_empty() => {
                let sigmas: Vec<String> = sigmas.iter().filter_map(digits).collect();
                format!("hidden layers keep sigma_p = {}", sigmas.join(" or "))
            }
            Value::String(_) => "hidden layers keep any sigma_p".into(),
            _ => match &self.sigma_p_tends_to {
                Value::Null => "no sigma_p to tell".into(),
                Value::Number(_) => "no sigma_p is kept, it falls towards 0".into(),
                _ => "no sigma_p is kept, it grows without bound".into(),
            },
        }
    }
}

/// The sigma_p that the scheme amounts to between the first two hidden layers, and the limit where
/// there is none; two nulls where the network has no such layer or the question has no answer.
fn kept(scheme: &Scheme, network: &Network) -> (Value, Value) {
    if let Scheme::VarianceInformed { sigma_p, .. } = scheme {
        return (json!([sigma_p]), Value::Null);
    }
    let layers = network.layers();
    let hidden = layers.get(1).filter(|layer| layer.index + 1 < layers.len());
    let implied = hidden.and_then(|layer| {
        scheme.implied_sigma_p(network.activation(), layer.fan_in, layer.fan_out).ok()
    });
    match implied {
        None => (Value::Null, Value::Null),
        Some(Implied::SigmaP(sigmas)) => (json!(sigmas), Value::Null),
        Some(Implied::Any) => (json!("any"), Value::Null),
        Some(Implied::None { towards: 0.0 }) => (json!([]), json!(0.0)),
        Some(Implied::None { .. }) => (json!([]), json!("infinity")),
    }
}
