//! `vi3nr init`: the initial weights of a network, as numbers about them and as a file.

use serde::Serialize;
use serde_json::{Map, Value, json};
use vi3nr::derivatives::Place;
use vi3nr::finite_width::FiniteWidth;
use vi3nr::scheme::Implied;
use vi3nr::stability::Depth;
use vi3nr::{BiasRule, InitRule, InputDistribution, Network, Scheme, variance_sensitivity};
use vi3nr_inr::model_file::{InitialWeights, ModelError};
use vi3nr_inr::plan::{Initialization, resolve_initialization};
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::recipes;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::signal::SignalKind;

use crate::CommandResult;
use crate::arguments::InitArguments;
use crate::explain;
use crate::failure::flag;
use crate::numbers::significant;
use crate::output::{Failure, print, warn};

/// Digits of a standard deviation in the table for people.
const DIGITS: usize = 8;

/// Plans, draws where a file is asked for, and prints.
pub(crate) fn run(arguments: &InitArguments) -> CommandResult {
    let activation = &arguments.activation;
    let network =
        Network::new(arguments.dims.0.clone(), activation.clone()).map_err(Failure::usage)?;
    let kind = arguments.signal.unwrap_or(match network.inputs() {
        1 => SignalKind::Audio,
        3 => SignalKind::Shape,
        _ => SignalKind::Image,
    });
    let recipe = recipes(kind).of(Preset::Fast);
    let chosen = resolve_initialization(&request(arguments), &network, &recipe, None)
        .map_err(|error| Failure::Usage(error.message(option)))?;
    let report = Report::new(arguments, &network, kind, &chosen)?;
    if let Some(out) = &arguments.out {
        let weights = InitialWeights {
            network: &network,
            rule: chosen.rule,
            seed: arguments.seed,
            input_scale: recipe.input_scale(activation, &chosen.rule.scheme),
        };
        weights.save(out).map_err(|error| match error {
            ModelError::Broken { .. } => Failure::usage(error),
            error => Failure::failed(error),
        })?;
    }
    if !arguments.json {
        for warning in &report.warnings {
            warn(&warning.to_string());
        }
    }
    print(arguments.json, &report, &report.text())
}

/// The part of a fit's request that decides its initial weights.
fn request(arguments: &InitArguments) -> FitRequest {
    let mut request = FitRequest::default();
    request.init = arguments.scheme;
    request.sigma_p = arguments.sigma_p;
    request.first_sigma_p = arguments.first_sigma_p;
    request.last_sigma_p = arguments.last_sigma_p;
    request.weights = arguments.distribution;
    request.biases = arguments.biases;
    request.first_bias = arguments.first_bias;
    request
}

/// The option of this command that fills a field of the request.
fn option(field: &str) -> String {
    match field {
        "activation" => "ACTIVATION".into(),
        field => flag(field),
    }
}

/// The JSON object that scripts read.
#[derive(Serialize)]
struct Report {
    activation: String,
    scheme: String,
    /// The same with rounded numbers.
    #[serde(skip)]
    short_scheme: String,
    derived_for: &'static str,
    /// The kind of signal that the defaults are of.
    signal: &'static str,
    #[serde(skip)]
    signals: &'static str,
    /// Why settings that were not given are what they are, by their names.
    reasons: Map<String, Value>,
    warnings: Vec<String>,
    /// The sigma_p that hidden layers keep: a list, or "any".
    sigma_p: Value,
    /// Where the list is empty: 0.0 or "infinity".
    sigma_p_tends_to: Value,
    /// What a layer without biases makes of an error in the variance at that sigma_p.
    chi: Option<f64>,
    /// The same with its biases.
    error_growth: Option<f64>,
    /// How deep a network of its width can be; null if that sigma_p or its moments are not known.
    drift: Option<Drift>,
    /// The factor by which a hidden layer multiplies the gradient's variance at that sigma_p.
    gradient_growth: Option<f64>,
    /// The network's derivatives by its coordinates at the start, as the theory predicts them.
    derivatives: Derivatives,
    distribution: &'static str,
    biases: String,
    first_biases: String,
    seed: u64,
    parameters: usize,
    layers: Vec<LayerReport>,
    file: Option<String>,
}

#[derive(Serialize, Clone, Copy)]
struct Drift {
    /// The number of units of the narrowest hidden layer.
    width: usize,
    /// The largest number of layers after which the variance of the preactivations is within a factor
    /// of 2 of sigma_p^2 with a probability of 95 %; null if it is at every depth.
    max_depth: Option<usize>,
}

#[derive(Serialize)]
struct LayerReport {
    index: usize,
    fan_in: usize,
    fan_out: usize,
    variance: f64,
    std: f64,
    /// The standard deviation of the noise that the weights contain.
    noise_std: f64,
    bound: Option<f64>,
    /// The standard deviation of the biases.
    bias_std: f64,
    /// The predicted standard deviations of the derivative of this layer's preactivations by a
    /// coordinate, and of their Laplacian.
    derivative_std: Option<f64>,
    laplacian_std: Option<f64>,
}

#[derive(Serialize)]
struct Derivatives {
    /// |x|^2 of the points of the prediction.
    square_norm: f64,
    /// The standard deviations for the network's outputs.
    std: Option<f64>,
    laplacian_std: Option<f64>,
    /// Why one of them is null.
    missing: Option<String>,
}

impl Report {
    fn new(
        arguments: &InitArguments,
        network: &Network,
        kind: SignalKind,
        chosen: &Initialization,
    ) -> Result<Self, Failure> {
        let rule = &chosen.rule;
        let plan = rule.plan(network).map_err(Failure::usage)?;
        let reasons = chosen.reasons.iter();
        let reasons = reasons.map(|reason| (reason.field.to_owned(), reason.text.clone().into()));
        let (derivative_std, laplacian_std, missing) = predicted(rule, network);
        let layers = network.layers().into_iter().zip(&plan).map(|(layer, plan)| LayerReport {
            index: layer.index,
            fan_in: layer.fan_in,
            fan_out: layer.fan_out,
            variance: plan.variance(),
            std: plan.std(),
            noise_std: plan.noise_std,
            bound: plan.bound(),
            bias_std: plan.bias_std,
            derivative_std: derivative_std.get(layer.index).copied(),
            laplacian_std: laplacian_std.get(layer.index).copied(),
        });
        let place = Place::of_mean_square(network.inputs(), &InputDistribution::COORDINATES)
            .map_err(Failure::usage)?;
        let derivatives = Derivatives {
            square_norm: place.square,
            std: derivative_std.last().copied(),
            laplacian_std: laplacian_std.last().copied(),
            missing,
        };
        let (sigma_p, sigma_p_tends_to) = kept(rule, network);
        let at = fixed_point(rule, &sigma_p);
        let [gradient_growth, error_growth] = growths(rule, network, at);
        let chi = at.and_then(|sigma_p| variance_sensitivity(network.activation(), sigma_p).ok());
        Ok(Self {
            activation: network.activation().to_string(),
            scheme: rule.scheme.to_string(),
            short_scheme: explain::scheme(&rule.scheme),
            derived_for: rule.scheme.derived_for(),
            signal: kind.name(),
            signals: kind.entry().plural,
            reasons: reasons.collect(),
            warnings: chosen.warnings.clone(),
            sigma_p,
            sigma_p_tends_to,
            chi,
            error_growth,
            drift: at.and_then(|sigma_p| drift(rule, network, sigma_p)),
            gradient_growth,
            derivatives,
            distribution: rule.weights.name(),
            biases: rule.biases.to_string(),
            first_biases: rule.first_biases.to_string(),
            seed: arguments.seed,
            parameters: network.parameter_count(),
            layers: layers.collect(),
            file: arguments.out.as_ref().map(|path| path.display().to_string()),
        })
    }

    /// What people read.
    fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "{}, derived for {}; {}",
                self.short_scheme,
                self.derived_for,
                self.amounts_to()
            ),
            format!(
                "weights {}{}, biases {}{}",
                self.distribution,
                self.noise(),
                self.biases,
                self.first()
            ),
        ];
        lines.extend(self.table());
        if self.layers.iter().any(|layer| layer.bound.is_some()) {
            lines
                .push("std: standard deviation of the weights, which are uniform on ±bound".into());
        }
        lines.extend(self.gradient_growth.map(explain::gradient_growth));
        lines.extend(self.chi.map(|chi| explain::chi(chi, self.error_growth.unwrap_or(chi))));
        lines.extend(self.drift.map(|drift| explain::max_depth(drift.max_depth, drift.width)));
        lines.push(self.derivatives.text());
        if let Some(reason) = self.reasons.get("sigma_p").and_then(Value::as_str) {
            lines.push(format!("default sigma_p of {}: {reason}", self.signals));
        }
        if let Some(file) = &self.file {
            let (parameters, seed) = (self.parameters, self.seed);
            lines.push(format!("{file} ({parameters} parameters, seed {seed})"));
        }
        lines.join("\n")
    }

    /// The numbers of each layer. Standard deviations of biases are shown where there are any.
    fn table(&self) -> Vec<String> {
        let has_biases = self.layers.iter().any(|layer| layer.bias_std > 0.0);
        let row = |[index, fan_in, fan_out, variance, std, bound, biases]: [String; 7]| {
            let row = format!(
                "{index:>5} {fan_in:>8} {fan_out:>8}  {variance:<15} {std:<15} {bound:<15}"
            );
            let row = if has_biases { format!("{row} {biases}") } else { row };
            row.trim_end().to_owned()
        };
        let names = ["layer", "fan-in", "fan-out", "variance", "std", "bound", "std of biases"];
        let mut lines = vec![row(names.map(str::to_owned))];
        lines.extend(self.layers.iter().map(|layer| {
            row([
                layer.index.to_string(),
                layer.fan_in.to_string(),
                layer.fan_out.to_string(),
                significant(layer.variance, DIGITS),
                significant(layer.std, DIGITS),
                layer.bound.map_or("-".into(), |bound| significant(bound, DIGITS)),
                significant(layer.bias_std, DIGITS),
            ])
        }));
        lines
    }

    /// The noise of the weights, if there is any.
    fn noise(&self) -> &'static str {
        match self.layers.iter().any(|layer| layer.noise_std > 0.0) {
            true => " plus normal noise in the first two layers",
            false => "",
        }
    }

    /// The first biases, where they differ.
    fn first(&self) -> String {
        if self.first_biases == self.biases {
            return String::new();
        }
        format!(", those of the first layer {}", self.first_biases)
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
                Value::Null if self.layers.len() < 3 => {
                    "no layer lies between hidden layers".into()
                }
                Value::Null => "which sigma_p hidden layers keep cannot be computed".into(),
                Value::Number(_) => "hidden layers keep no sigma_p: it falls toward 0".into(),
                _ => "hidden layers keep no sigma_p: it grows without bound".into(),
            },
        }
    }
}

impl Derivatives {
    /// The standard deviations, or why there are none.
    fn text(&self) -> String {
        let missing = self.missing.as_deref().unwrap_or_default();
        match (self.std, self.laplacian_std) {
            (None, _) => format!("dPhi/dx is not predicted: {missing}"),
            (Some(std), None) => format!(
                "{}\nthe Laplacian of Phi is not predicted: {missing}",
                explain::derivatives(std, None, self.square_norm)
            ),
            (Some(std), laplacian) => explain::derivatives(std, laplacian, self.square_norm),
        }
    }
}

/// The predicted standard deviations of the derivatives and of the Laplacian of every layer, and why
/// one of the lists is empty.
fn predicted(rule: &InitRule, network: &Network) -> (Vec<f64>, Vec<f64>, Option<String>) {
    let deviations =
        |variances: Vec<f64>| -> Vec<f64> { variances.into_iter().map(f64::sqrt).collect() };
    match rule.derivative_variances(network) {
        Err(error) => (Vec::new(), Vec::new(), Some(error.to_string())),
        Ok(found) => match found.laplacians {
            Ok(second) => (deviations(found.derivatives), deviations(second), None),
            Err(error) => (deviations(found.derivatives), Vec::new(), Some(error.to_string())),
        },
    }
}

/// The sigma_p at which the factors of a layer are computed: that of the scheme if it is `kept`, else the
/// first that is, and 1 where every sigma_p is.
fn fixed_point(rule: &InitRule, kept: &Value) -> Option<f64> {
    let is_own =
        |sigma_p: &f64| rule.scheme.sigma_p().is_some_and(|own| (sigma_p / own - 1.0).abs() < 1e-6);
    let Some(kept) = kept.as_array() else {
        return kept.is_string().then(|| rule.scheme.sigma_p().unwrap_or(1.0));
    };
    let kept: Vec<f64> = kept.iter().filter_map(Value::as_f64).collect();
    kept.iter().find(|sigma_p| is_own(sigma_p)).or(kept.first()).copied()
}

/// How deep a network of this width can be whose hidden layers keep `sigma_p`.
fn drift(rule: &InitRule, network: &Network, sigma_p: f64) -> Option<Drift> {
    let Depth { share, width, .. } = Depth::of(rule, network, sigma_p).ok()??;
    let own = FiniteWidth::of(network.activation(), sigma_p).ok()?;
    Some(Drift { width, max_depth: own.max_depth(share, width) })
}

/// The factors by which the first layer between hidden ones multiplies the variance of the gradient and
/// an error in the variance, at this sigma_p.
fn growths(rule: &InitRule, network: &Network, sigma_p: Option<f64>) -> [Option<f64>; 2] {
    let layers = network.layers();
    let hidden = layers.get(1).filter(|layer| layer.index + 1 < layers.len());
    let (Some(hidden), Some(sigma_p)) = (hidden, sigma_p) else { return [None, None] };
    let (activation, fans) = (network.activation(), (hidden.fan_in, hidden.fan_out));
    [
        rule.gradient_growth(activation, sigma_p, fans.0, fans.1).ok(),
        rule.error_growth(activation, sigma_p, fans.0, fans.1).ok(),
    ]
}

/// The sigma_p that the scheme amounts to between the first two hidden layers, and the limit where
/// there is none; two nulls where the network has no such layer or the question has no answer.
fn kept(rule: &InitRule, network: &Network) -> (Value, Value) {
    if let Scheme::VarianceInformed { sigma_p, .. } = rule.scheme
        && rule.biases == BiasRule::Zero
    {
        return (json!([sigma_p]), Value::Null);
    }
    let layers = network.layers();
    let hidden = layers.get(1).filter(|layer| layer.index + 1 < layers.len());
    let implied = hidden.and_then(|layer| {
        rule.kept_sigma_p(network.activation(), layer.fan_in, layer.fan_out).ok()
    });
    match implied {
        None => (Value::Null, Value::Null),
        Some(Implied::SigmaP(sigmas)) => (json!(sigmas), Value::Null),
        Some(Implied::Any) => (json!("any"), Value::Null),
        Some(Implied::None { toward: 0.0 }) => (json!([]), json!(0.0)),
        Some(Implied::None { .. }) => (json!([]), json!("infinity")),
    }
}
