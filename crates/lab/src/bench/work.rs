//! The work that an optimizer needs to reach a quality, independent of the machine.
//!
//! Work is counted in gradient equivalents (GE). One GE is a forward and a backward pass over all
//! points: 6 x weights x points floating-point operations. All other work of an optimizer is
//! converted, and operations in double precision count twice.

use std::ops::ControlFlow;

use serde::Serialize;
use vi3nr_engine::Backend;
use vi3nr_inr::chart::{Chart, Curve, Level, Panel, Scale};
use vi3nr_inr::fit::fit;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::plan::FitPlan;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::RunEvent;
use vi3nr_inr::session::{Beginning, FitError, FitReport, Session};
use vi3nr_inr::signal::{Signal, SignalKind};
use vi3nr_inr::train::Stop;

/// The work to one of several targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TargetWork {
    /// The target: a PSNR in dB with the image's largest value as its peak.
    pub psnr_paper: f64,
    /// The work until it was reached; `None` if it was not.
    pub gradient_equivalents: Option<f64>,
    /// The training time until then, in seconds.
    pub seconds: Option<f64>,
    /// The number of parameters of the model.
    pub parameters: f64,
    /// Bits per pixel.
    pub bits_per_pixel: Option<f64>,
}

/// The result of fitting toward one or more target qualities.
#[derive(Debug, Clone, Serialize)]
pub struct WorkReport {
    /// The optimizer.
    pub optimizer: OptimizerName,
    /// The distribution of the first layer's initial biases.
    pub first_biases: String,
    /// The seed of the initial weights.
    pub seed: u64,
    /// Each target, in ascending order.
    pub targets: Vec<TargetWork>,
    /// The work until the highest target was reached; `None` if it was not.
    pub gradient_equivalents_to_target: Option<f64>,
    /// The time until the target was reached, in seconds.
    pub seconds_to_target: Option<f64>,
    /// The total work.
    pub gradient_equivalents: f64,
    /// The total training time, in seconds.
    pub seconds: f64,
    /// The PSNR at the end, in dB with the image's largest value as the peak.
    pub psnr_paper: f64,
    /// The number of parameters of the model.
    pub parameters: f64,
    /// Bits per pixel.
    pub bits_per_pixel: Option<f64>,
    /// The reason for stopping.
    pub stopped: &'static str,
    /// The PSNR over the work.
    #[serde(skip)]
    pub curve: Vec<WorkPoint>,
}

/// A point of the curve of PSNR over work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkPoint {
    /// The work so far, including that of the next update.
    pub gradient_equivalents: f64,
    /// The time since training began, in seconds.
    pub seconds: f64,
    /// The best PSNR so far, in dB by the paper's convention.
    pub psnr_paper: f64,
}

/// An error of the measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The quality of the signal is not measured by a PSNR.
    #[error("a signal of kind {kind} has no PSNR; expected an image")]
    NoPsnr {
        /// The kind of the signal.
        kind: SignalKind,
    },
    /// No target was given.
    #[error("no target PSNR is given; expected at least one")]
    NoTarget,
    /// The fit failed.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// Fits `signal` by `plan` on `backend` until its PSNR is the highest of `targets` in dB (peak =
/// the image's largest value) or `budget` gradient equivalents have been spent. The number of steps
/// and the target of the plan are ignored.
///
/// One network is fitted once, and a lower target counts as reached at the first step whose loss
/// reaches it. A plan in pieces is fitted once for each target, since its pieces end there.
///
/// # Errors
/// Returns [`WorkError::NoTarget`] if there is no target, [`WorkError::NoPsnr`] if the signal has
/// no PSNR, and [`WorkError::Fit`] if the fit fails.
pub fn work_to_psnr(
    plan: &FitPlan,
    signal: &dyn Signal,
    backend: &dyn Backend,
    targets: &[f64],
    budget: f64,
) -> Result<WorkReport, WorkError> {
    let mut targets = targets.to_vec();
    targets.sort_by(f64::total_cmp);
    targets.dedup();
    let Some(highest) = targets.last().copied() else { return Err(WorkError::NoTarget) };
    let psnr = |loss: f64, name: &str| signal.metrics_of_loss(loss).get(name);
    let paper = |loss: f64| psnr(loss, "psnr_paper").unwrap_or(f64::NAN);
    let (Some(usual), Some(papers)) = (psnr(1.0, "psnr"), psnr(1.0, "psnr_paper")) else {
        return Err(WorkError::NoPsnr { kind: signal.info().kind() });
    };
    let mut plan = plan.clone();
    if plan.pieces.is_some() {
        let mut works = Vec::new();
        let mut highest = None;
        for target in targets {
            plan.training.target_psnr = Some(target + usual - papers);
            let report = pieces_to_psnr(&plan, signal, backend, (target, &paper))?;
            works.extend_from_slice(&report.targets);
            highest = Some(report);
        }
        let highest = highest.ok_or(WorkError::NoTarget)?;
        return Ok(WorkReport { targets: works, ..highest });
    }
    plan.training.target_psnr = Some(highest + usual - papers);
    let all = plan.signal.points().default_count();
    let equivalent = 6.0 * plan.network.weight_count() as f64 * all as f64;
    // The learning-rate schedule ends with the budget.
    let share = plan.training.batch.map_or(1.0, |batch| batch.min(all) as f64 / all as f64);
    plan.training.steps = (budget / share).ceil().max(1.0) as u64;
    let mut curve: Vec<WorkPoint> = Vec::new();
    let mut session = Session::new(&plan, signal, backend, Beginning::default())?;
    session.run(|progress, _| {
        let gradient_equivalents = progress.operations / equivalent;
        let before = curve.last().map_or(f64::NEG_INFINITY, |last| last.psnr_paper);
        curve.push(WorkPoint {
            gradient_equivalents,
            seconds: progress.elapsed.as_secs_f64(),
            psnr_paper: paper(progress.loss).max(before),
        });
        if gradient_equivalents >= budget {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    // The model is discarded, so its request does not matter.
    let report = session.finish(&FitRequest::default())?.report;
    let last = WorkPoint {
        gradient_equivalents: report.gradient_equivalents,
        seconds: report.training_seconds,
        psnr_paper: paper(report.loss),
    };
    curve.push(last);
    Ok(work_report(&plan, &report, (last, curve), &targets))
}

/// The same for a plan in pieces. Each piece ends at the target or after the plan's number of
/// steps.
fn pieces_to_psnr(
    plan: &FitPlan,
    signal: &dyn Signal,
    backend: &dyn Backend,
    (target, paper): (f64, &dyn Fn(f64) -> f64),
) -> Result<WorkReport, WorkError> {
    let mut watch = |_: RunEvent<'_>| ControlFlow::Continue(());
    let (beginning, request) = (Beginning::default(), FitRequest::default());
    let report = fit(plan, signal, backend, beginning, &request, &mut watch)?.report;
    let last = WorkPoint {
        gradient_equivalents: report.gradient_equivalents,
        seconds: report.training_seconds,
        psnr_paper: paper(report.loss),
    };
    Ok(work_report(plan, &report, (last, vec![last]), &[target]))
}

fn work_report(
    plan: &FitPlan,
    report: &FitReport,
    (last, curve): (WorkPoint, Vec<WorkPoint>),
    targets: &[f64],
) -> WorkReport {
    let reached = report.stopped == Stop::Target;
    let parameters = report.metrics.get("parameters").unwrap_or(f64::NAN);
    let bits_per_pixel = report.metrics.get("bits_per_pixel");
    let work = |(index, &target): (usize, &f64)| {
        // Rounding must not separate the last target from the reason why the fit stopped.
        let passed = match index + 1 == targets.len() {
            true => reached.then_some(&last),
            false => curve.iter().find(|point| point.psnr_paper >= target),
        };
        TargetWork {
            psnr_paper: target,
            gradient_equivalents: passed.map(|point| point.gradient_equivalents),
            seconds: passed.map(|point| point.seconds),
            parameters,
            bits_per_pixel,
        }
    };
    WorkReport {
        optimizer: report.optimizer,
        first_biases: plan.init.first_biases.to_string(),
        seed: plan.seed,
        targets: targets.iter().enumerate().map(work).collect(),
        gradient_equivalents_to_target: reached.then_some(last.gradient_equivalents),
        seconds_to_target: reached.then_some(last.seconds),
        gradient_equivalents: last.gradient_equivalents,
        seconds: last.seconds,
        psnr_paper: last.psnr_paper,
        parameters,
        bits_per_pixel,
        // Only the budget interrupts a fit.
        stopped: match report.stopped {
            Stop::Interrupted => "budget",
            other => other.as_str(),
        },
        curve,
    }
}

/// All curves as CSV, with one row per step.
pub fn work_csv(reports: &[WorkReport]) -> String {
    let mut text =
        String::from("optimizer,first_biases,seed,gradient_equivalents,seconds,psnr_paper\n");
    for report in reports {
        for point in &report.curve {
            text += &format!(
                "{},{},{},{:.3},{:.3},{:.4}\n",
                report.optimizer,
                report.first_biases,
                report.seed,
                point.gradient_equivalents,
                point.seconds,
                point.psnr_paper
            );
        }
    }
    text
}

/// A chart of all curves over the work, with the target if it is near the highest PSNR.
pub fn work_chart(title: String, reports: &[WorkReport], target: f64) -> Chart {
    let parts = |report: &WorkReport| {
        let biases = format!("first biases {}", report.first_biases);
        [report.optimizer.to_string(), biases, format!("seed {}", report.seed)]
    };
    // Labels omit what all curves have in common.
    let all: Vec<[String; 3]> = reports.iter().map(parts).collect();
    let differs = |part: &usize| all.iter().any(|parts| parts[*part] != all[0][*part]);
    let mut used: Vec<usize> = (0..3).filter(differs).collect();
    if used.is_empty() {
        used.push(0);
    }
    let curve = |(report, parts): (&WorkReport, &[String; 3])| Curve {
        label: used.iter().map(|part| parts[*part].as_str()).collect::<Vec<_>>().join(", "),
        points: report
            .curve
            .iter()
            .map(|point| (point.gradient_equivalents, point.psnr_paper))
            .collect(),
    };
    let highest = reports.iter().map(|report| report.psnr_paper).fold(f64::NEG_INFINITY, f64::max);
    let level = Level { value: target, label: format!("{target} dB") };
    let panel = Panel {
        title: "best PSNR so far in dB, peak = largest value of the image".into(),
        scale: Scale::Linear,
        curves: reports.iter().zip(&all).map(curve).collect(),
        level: (target <= highest + 10.0).then_some(level),
        marks: vec![],
        range: None,
    };
    let x_label = "work in gradient equivalents".into();
    Chart { title, x_label, x_scale: Scale::Linear, panels: vec![panel] }
}
