//! The plan of a fit, printed.

use serde_json::{Map, Value, json};
use vi3nr_inr::optimizer::Schedule;
use vi3nr_inr::pieces::PiecePlan;
use vi3nr_inr::plan::{FitPlan, Resolved};
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::signal::PointCount;

use crate::failure::flag;
use crate::numbers::significant;
use crate::output::sizes;

/// What a fit of `request` would do, for scripts.
pub(super) fn object(request: &FitRequest, resolved: &Resolved) -> Value {
    let reasons: Map<_, _> = resolved
        .reasons
        .iter()
        .map(|reason| (reason.field.to_owned(), reason.text.clone().into()))
        .collect();
    json!({
        "request": request,
        "plan": resolved.plan,
        "reasons": reasons,
        "warnings": resolved.warnings,
    })
}

/// Shape, activation and initial weights in a few words.
pub(super) fn network_text(plan: &FitPlan) -> String {
    let start = match &plan.start {
        None => plan.init.scheme.to_string(),
        Some(start) => format!("from weights {}", start.parameters),
    };
    let each = if plan.pieces.is_some() { " each" } else { "" };
    let mut text = format!(
        "network {} ({} parameters{each}), {}, {start}",
        sizes(plan.network.dims()),
        plan.network.parameter_count(),
        plan.network.activation(),
    );
    if plan.input_scale != 1.0 {
        text += &format!(", coordinates within ±{}", plan.input_scale);
    }
    text
}

/// The number of pieces and how they lie.
pub(super) fn pieces_text(pieces: &PiecePlan) -> String {
    let counts: Vec<String> = pieces.grid.counts().iter().map(usize::to_string).collect();
    let count = pieces.grid.piece_count();
    format!("{count} ({}), overlap {}", counts.join("x"), pieces.grid.overlap())
}

/// The same for people.
pub(super) fn text(resolved: &Resolved) -> String {
    let plan = &resolved.plan;
    let training = &plan.training;
    let batch = match (training.batch, plan.signal.points()) {
        (None, _) if plan.pieces.is_some() => "all points of a piece".into(),
        (Some(count), _) | (None, PointCount::Drawn(count)) => format!("{count} points"),
        (None, PointCount::Sampled(count)) => format!("all {count} points"),
    };
    let start = match plan.start {
        Some(_) => "drawn by no scheme".to_owned(),
        None => format!(
            "{}, biases {}, first biases {}",
            plan.init.weights.name(),
            plan.init.biases,
            plan.init.first_biases
        ),
    };
    let mut lines = vec![
        format!("signal    {}", plan.signal.details()),
        format!("network   {}", network_text(plan).trim_start_matches("network ")),
        format!("weights   {start}, seed {}", plan.seed),
    ];
    if let Some(pieces) = &plan.pieces {
        lines.insert(1, format!("pieces    {}", pieces_text(pieces)));
    }
    lines.push(format!(
        "training  {}, at most {} steps of {batch}, backend {}",
        training.optimizer.name(),
        training.steps,
        plan.backend.as_str()
    ));
    if let Some(rates) = training.optimizer.clone().rates_mut() {
        let schedule = match rates.schedule {
            Schedule::Constant => "constant".to_owned(),
            Schedule::Exponential { factor } => format!("exponential, {factor} each step"),
            Schedule::Cosine => "cosine".to_owned(),
        };
        lines.push(format!("          learning rate {}, {schedule}", rates.learning_rate));
    }
    if !plan.supervision.is_values() {
        let terms: Vec<String> = plan.supervision.terms().iter().map(ToString::to_string).collect();
        lines.push(format!("terms     {}", terms.join(" ")));
    }
    if let Some(limit) = training.time_limit {
        lines.push(format!("          within {} s", limit.as_secs_f64()));
    }
    if let Some(target) = training.target_psnr {
        lines.push(format!("          until a PSNR of {} dB", significant(target, 4)));
    }
    if !resolved.reasons.is_empty() {
        lines.push("\ndefaults and their reasons:".into());
    }
    lines.extend(
        resolved
            .reasons
            .iter()
            .map(|reason| format!("  {:<16} {}", flag(reason.field), reason.text)),
    );
    lines.extend(resolved.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}
