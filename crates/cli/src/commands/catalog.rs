//! `vi3nr activations` and `vi3nr schemes`: what there is to choose from.

use serde_json::{Value, json};
use vi3nr::activation::Parameter;
use vi3nr::activation::builtin::catalog;
use vi3nr::{Activation, Gain, Scheme};

use crate::CommandResult;
use crate::arguments::CatalogArguments;
use crate::numbers::significant;
use crate::output::{Failure, print};

/// Digits of a gain.
const DIGITS: usize = 6;

/// Lists the built-in activations with their gain at sigma_p = 1 and default parameters.
pub(crate) fn activations(arguments: &CatalogArguments) -> CommandResult {
    let mut text = "The gain is sigma_p/sqrt(E[f^2]), Eq. (15), at sigma_p = 1 and the default \
                    parameters.\nA formula in x is accepted wherever a name is.\n"
        .to_owned();
    let mut entries = Vec::new();
    for (name, parameters) in catalog() {
        let activation: Activation = name.parse().map_err(Failure::failed)?;
        let formula = activation.definition().unwrap_or(name);
        let gain = Gain::of(&activation, 1.0).map_err(Failure::failed)?.gain.value;
        text += &format!("\n{name:<12} {formula}\n{:<12} gain {}\n", "", significant(gain, DIGITS));
        text += &parameter_lines(parameters);
        entries.push(json!({
            "name": name,
            "formula": formula,
            "parameters": parameters_json(parameters),
            "gain": gain,
            "sigma_p": 1.0,
        }));
    }
    print(arguments.json, &json!({ "activations": entries }), &text)
}

/// Lists the schemes with the variances of their weights.
pub(crate) fn schemes(arguments: &CatalogArguments) -> CommandResult {
    let mut text = "The variance is that of the weights of layer i; M_i is its fan-in and M_{i+1} \
                    its fan-out.\n"
        .to_owned();
    let mut entries = Vec::new();
    for entry in Scheme::catalog() {
        text += &format!(
            "\n{:<12} {}\n{:<12} derived for {}\n",
            entry.name, entry.variance, "", entry.derived_for
        );
        text += &parameter_lines(entry.parameters);
        for own in entry.optional {
            text += &format!("{:<12} {}: {}\n", "", own.name, own.meaning);
        }
        let optional = entry.optional.iter();
        let optional = optional.map(|own| json!({"name": own.name, "meaning": own.meaning}));
        entries.push(json!({
            "name": entry.name,
            "variance": entry.variance,
            "derived_for": entry.derived_for,
            "parameters": parameters_json(entry.parameters),
            "optional": optional.collect::<Vec<_>>(),
        }));
    }
    print(arguments.json, &json!({ "schemes": entries }), &text)
}

fn parameter_lines(parameters: &[Parameter]) -> String {
    let line = |own: &Parameter| {
        let Parameter { name, default, meaning, accepted, .. } = own;
        format!("{:<12} {name} = {default}: {meaning}, {}\n", "", accepted.description())
    };
    parameters.iter().map(line).collect()
}

fn parameters_json(parameters: &[Parameter]) -> Vec<Value> {
    let object = |own: &Parameter| {
        json!({
            "name": own.name,
            "default": own.default,
            "meaning": own.meaning,
            "accepted": own.accepted.description(),
        })
    };
    parameters.iter().map(object).collect()
}
