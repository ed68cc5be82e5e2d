//! `vi3nr solve`: the sigma_p at which gradients keep their variance.

use serde_json::{Value, json};
use vi3nr::backward::{Answer, Approach, Basis, Root, ScanReason, Solution, solve};
use vi3nr::{Activation, auto_sigma_p, backward_condition};

use super::gain;
use crate::CommandResult;
use crate::arguments::SolveArguments;
use crate::explain;
use crate::numbers::significant;
use crate::output::{Failure, print};

/// Digits of a root, which is known to 1e-10 relative.
const DIGITS: usize = 10;

/// Solves and prints.
pub(crate) fn run(arguments: &SolveArguments) -> CommandResult {
    let fan = |given: Option<u32>| f64::from(given.unwrap_or(1));
    let ratio = fan(arguments.fan_out) / fan(arguments.fan_in);
    let activation = &arguments.activation;
    let answer = solve(activation, ratio).map_err(Failure::usage)?;
    let auto = match answer.solution {
        Solution::Roots(_) => None,
        // Without a root here there may be one for equal fans, which is what auto means.
        _ => automatic(activation),
    };
    let default = gain::sigma_p(activation, None, arguments.signal).ok();
    let mut object = summary(&answer);
    object["default_sigma_p"] = json!(default.map(|default| default.value));
    let mut text = text(arguments, &answer, auto);
    if let Some(default) = default {
        let kind = arguments.signal.entry().plural;
        text += &format!(
            "\nBy default, gain, init and fit use sigma_p = {} for {kind}:\n{}.",
            significant(default.value, 6),
            default.reason
        );
    }
    print(arguments.json, &object, &text)
}

/// What `--sigma-p auto` takes, and the condition there.
fn automatic(activation: &Activation) -> Option<(f64, f64)> {
    let sigma_p = auto_sigma_p(activation).ok()?;
    Some((sigma_p, backward_condition(activation, sigma_p).ok()?))
}

/// The JSON object that scripts read; JSON has no infinity.
fn summary(answer: &Answer) -> Value {
    let solution = &answer.solution;
    let (kind, roots) = match solution {
        Solution::Roots(roots) => ("roots", &roots[..]),
        Solution::Every => ("every", &[][..]),
        Solution::None { .. } => ("none", &[][..]),
        _ => ("other", &[][..]),
    };
    let (infimum, approached_at) = match *solution {
        Solution::None { infimum, approached_at } => (
            json!(infimum),
            match approached_at {
                Approach::Zero => json!(0.0),
                Approach::Infinity => json!("infinity"),
                Approach::At(sigma_p) => json!(sigma_p),
                Approach::Everywhere => json!("everywhere"),
            },
        ),
        _ => (Value::Null, Value::Null),
    };
    let root = |root: &Root| json!({"sigma_p": root.sigma_p, "gain_squared": root.gain_squared});
    let roots: Vec<Value> = roots.iter().map(root).collect();
    json!({
        "kind": kind,
        "roots": roots,
        "infimum": infimum,
        "approached_at": approached_at,
        "proven": answer.is_proof(),
        "basis": answer.basis.name(),
        "range": answer.basis.range().map(|(from, to)| json!([from, to])),
    })
}

/// What people read.
fn text(arguments: &SolveArguments, answer: &Answer, auto: Option<(f64, f64)>) -> String {
    let activation: &Activation = &arguments.activation;
    let condition = match (arguments.fan_in, arguments.fan_out) {
        (Some(fan_in), Some(fan_out)) => {
            format!("cond = {fan_out}/{fan_in} sigma_p^2 E[f'^2]/E[f^2] = 1, Eq. (13)")
        }
        _ => "cond = sigma_p^2 E[f'^2]/E[f^2] = 1, Eq. (13)".to_owned(),
    };
    let mut lines = vec![format!("{activation}: {condition}")];
    match &answer.solution {
        Solution::Roots(roots) => {
            let count = match roots.len() {
                1 => "One sigma_p satisfies".to_owned(),
                count => format!("{count} sigma_p satisfy"),
            };
            lines.push(format!(
                "{count} it; there, weights of variance gain^2/fan-in keep the variance of both\n\
                 preactivations and gradients:"
            ));
            lines.push(format!("  {:<18}{}", "sigma_p", "gain^2"));
            let digits = |number| significant(number, DIGITS);
            lines.extend(
                roots.iter().map(|root| {
                    format!("  {:<18}{}", digits(root.sigma_p), digits(root.gain_squared))
                }),
            );
        }
        Solution::Every => lines.push(
            "Every sigma_p satisfies it: weights of variance gain^2/fan-in always keep the variance of\n\
             gradients too, and sigma_p only scales the network."
                .into(),
        ),
        Solution::None { infimum, approached_at } => {
            lines.push(nearest(*infimum, *approached_at));
        }
        _ => {}
    }
    lines.push(basis(&answer.basis, &answer.solution));
    if let Some((sigma_p, condition)) = auto {
        lines.push(format!(
            "`--sigma-p auto` uses {}. There, between layers of equal width:\n{}",
            significant(sigma_p, 6),
            explain::condition(condition)
        ));
    }
    lines.join("\n")
}

/// How close the condition comes to 1, in words.
fn nearest(infimum: f64, approached_at: Approach) -> String {
    let whence = match approached_at {
        Approach::Zero => "as sigma_p tends to 0".to_owned(),
        Approach::Infinity => "as sigma_p tends to infinity".to_owned(),
        Approach::At(sigma_p) => format!("at sigma_p = {}", significant(sigma_p, 6)),
        Approach::Everywhere => "at every sigma_p".to_owned(),
    };
    if infimum == 0.0 {
        format!("No sigma_p satisfies it: it is met in the limit only, {whence}.")
    } else {
        format!(
            "No sigma_p satisfies it: the least |cond - 1| is {}, {whence}.",
            significant(infimum, 6)
        )
    }
}

/// What the answer rests on, in words.
fn basis(basis: &Basis, solution: &Solution) -> String {
    let range = |from: f64, to: f64| format!("{} to {}", significant(from, 3), significant(to, 3));
    match *basis {
        Basis::Homogeneous { degree } => format!(
            "Proof: f(tx) = t^p f(x) for t > 0 with p = {}, so cond is the same for every sigma_p.",
            significant(degree, 6)
        ),
        Basis::Flat => "Proof: f' is 0 almost everywhere, so cond is 0 for every sigma_p.".into(),
        Basis::VanishesAtZero => {
            "Proof: f is continuous and f(0) = 0, so cond is nowhere below fan-out/fan-in.".into()
        }
        Basis::OneCrossing { from, to } => {
            let once = "f is continuous, so cond crosses 1 at most once, upwards";
            match solution {
                Solution::Roots(_) => format!("Proof: {once}; there is no other root."),
                _ => format!(
                    "Not a proof: {once}, but its sign was computed for sigma_p = {} only.",
                    range(from, to)
                ),
            }
        }
        Basis::Scan { from, to, reason } => {
            let why = match reason {
                ScanReason::Discontinuous => "f jumps",
                _ => "the layer has fewer outputs than inputs",
            };
            format!(
                "Not a proof, since {why}: cond was computed for sigma_p = {}, 24 to a decade.",
                range(from, to)
            )
        }
        _ => String::new(),
    }
}
