//! Progress on stderr; few lines or none where stderr is not a terminal.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use vi3nr_inr::pieces::PieceProgress;
use vi3nr_inr::signal::Signal;
use vi3nr_inr::supervision::Supervision;
use vi3nr_inr::train::Progress;
use vi3nr_lab::sweep::{Event, Plan, State};

use crate::numbers::significant;
use crate::output::{is_quiet, note};

/// The bar of one fit.
pub(crate) struct FitBar<'a> {
    bar: ProgressBar,
    signal: &'a dyn Signal,
    supervision: &'a Supervision,
    /// Whether lines are written where there is no terminal.
    has_lines: bool,
    tenths: Tenths,
    /// Whether a line has told how long the pieces take.
    is_estimated: bool,
}

impl<'a> FitBar<'a> {
    /// A bar over `steps`; `signal` and `supervision` tell what their losses mean. `has_lines` is whether lines are
    /// written where there is no terminal.
    pub(crate) fn new(
        steps: u64,
        (signal, supervision): (&'a dyn Signal, &'a Supervision),
        has_lines: bool,
    ) -> Self {
        let bar = bar(steps);
        let has_lines = has_lines && !is_quiet();
        Self { bar, signal, supervision, has_lines, tenths: Tenths::default(), is_estimated: false }
    }

    /// Shows a step. Without a terminal, a line at every tenth of the steps.
    pub(crate) fn show(&mut self, progress: &Progress) {
        let share = progress.step as f64 / progress.steps.max(1) as f64;
        let has_line = self.has_lines && self.tenths.is_next(share, progress.elapsed);
        if self.bar.is_hidden() && !has_line {
            return;
        }
        let rate = progress.points_seen as f64 / progress.elapsed.as_secs_f64().max(1e-9);
        let meaning = self.supervision.metrics_of_loss(self.signal, progress.loss);
        let meaning =
            meaning.all.first().map(|first| format!("  {} {}", first.name, first.amount()));
        let left = progress.steps.saturating_sub(progress.step) as f64;
        let seconds = progress.elapsed.as_secs_f64() * left / progress.step.max(1) as f64;
        let message = format!(
            "loss {:.3e}{}  {}points/s  {} left",
            progress.loss,
            meaning.unwrap_or_default(),
            thousands(rate),
            HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
        );
        if self.bar.is_hidden() {
            note(&format!("step {} of {}  {message}", progress.step, progress.steps));
        } else {
            self.bar.set_position(progress.step);
            self.bar.set_message(message);
        }
    }

    /// Shows how many pieces have ended. Without a terminal, a line once the duration can be told
    /// and at every tenth of the pieces.
    pub(crate) fn show_pieces(&mut self, progress: &PieceProgress) {
        let meaning = self.supervision.metrics_of_loss(self.signal, progress.loss);
        let meaning = meaning.all.first().filter(|first| first.value.is_finite());
        let meaning = meaning
            .map_or(String::new(), |first| format!("  {} {} so far", first.name, first.amount()));
        let left =
            progress.left.map_or(String::new(), |left| format!("  {} left", HumanDuration(left)));
        let refitted = match progress.cured {
            0 => String::new(),
            count => format!("  {count} fitted again"),
        };
        if !self.bar.is_hidden() {
            self.bar.set_position(progress.done as u64);
            self.bar.set_message(format!("pieces{meaning}{refitted}{left}"));
            return;
        }
        if !self.has_lines {
            return;
        }
        let PieceProgress { done, pieces, elapsed, .. } = progress;
        let is_next = self.tenths.is_next(*done as f64 / (*pieces).max(1) as f64, *elapsed);
        let is_first = !self.is_estimated && progress.left.is_some() && *elapsed > QUIET;
        if is_first || is_next {
            self.is_estimated |= progress.left.is_some();
            note(&format!("{done} of {pieces} pieces{meaning}{refitted}{left}"));
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The bar of one decoding.
pub(crate) struct DecodeBar {
    bar: ProgressBar,
    started: Instant,
    has_lines: bool,
    tenths: Tenths,
}

impl DecodeBar {
    /// A bar at 0 %; `has_lines` is whether lines are written where there is no terminal.
    pub(crate) fn new(has_lines: bool) -> Self {
        Self { bar: bar(100), started: Instant::now(), has_lines, tenths: Tenths::default() }
    }

    /// Shows the share of the work that is done. Without a terminal, a line at every tenth.
    pub(crate) fn show(&mut self, share: f64) {
        if self.started.elapsed() < QUIET {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64() * (1.0 / share.max(1e-9) - 1.0);
        let left = HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        if !self.bar.is_hidden() {
            self.bar.set_position((100.0 * share) as u64);
            self.bar.set_message(format!("%  {left} left"));
            return;
        }
        if self.has_lines && self.tenths.is_next(share, self.started.elapsed()) {
            note(&format!("decoded {:.0} %  {left} left", 100.0 * share));
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Decides when a line is written where there is no terminal: at every tenth of work that takes
/// long, except at its end.
#[derive(Debug, Default)]
struct Tenths {
    /// The last tenth that a line told of.
    shown: u32,
}

impl Tenths {
    /// Whether a line is due with this share of the work done after this time.
    fn is_next(&mut self, share: f64, elapsed: Duration) -> bool {
        let tenth = (10.0 * share) as u32;
        let is_next = elapsed > QUIET && tenth > self.shown && tenth < 10;
        if is_next {
            self.shown = tenth;
        }
        is_next
    }
}

/// A bar on stderr, which hides itself where that is not a terminal.
fn bar(length: u64) -> ProgressBar {
    if is_quiet() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:28} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// The duration from which a trial has a line of its own where there is no terminal.
const SLOW: Duration = Duration::from_secs(20);

/// The time that work may take before any progress is shown.
const QUIET: Duration = Duration::from_secs(2);

/// The table of a sweep: how far it is, the best so far, what is running.
pub(crate) struct SweepTable<'a> {
    plan: &'a Plan,
    lines: MultiProgress,
    bar: ProgressBar,
    best: ProgressBar,
    running: Vec<(String, Instant, ProgressBar)>,
    /// The best score and its trial.
    leader: Option<(f64, String)>,
    /// The operations of the trials that have ended since this process began, and the seconds that they
    /// took together.
    ended: (f64, f64),
    /// The operations of the trials that are left.
    operations: f64,
    failed: usize,
    jobs: usize,
    /// Where the trials on a cluster are.
    queue: String,
}

impl<'a> SweepTable<'a> {
    /// An empty table.
    pub(crate) fn new(plan: &'a Plan) -> Self {
        // MultiProgress draws to stderr and hides itself where that is not a terminal.
        let lines = MultiProgress::new();
        if is_quiet() {
            lines.set_draw_target(ProgressDrawTarget::hidden());
        }
        let bar = lines.add(ProgressBar::new(0));
        if let Ok(style) = ProgressStyle::with_template("{bar:28} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let best = lines.add(text_line());
        Self {
            plan,
            lines,
            bar,
            best,
            running: vec![],
            leader: None,
            ended: (0.0, 0.0),
            operations: 0.0,
            failed: 0,
            jobs: 1,
            queue: String::new(),
        }
    }

    /// Shows what happened.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        if let Event::Submitted { job, tasks, trials } = event {
            self.lines.suspend(|| {
                note(&format!("submitted job {job}: {trials} trials in {tasks} tasks"));
            });
        }
        self.count(event);
        if self.bar.is_hidden() {
            return self.show_line(event);
        }
        match event {
            Event::Started(trial) => {
                let line = self.lines.add(text_line());
                self.running.push((self.plan.full_label(trial), Instant::now(), line));
            }
            Event::Ended { trial, row, .. } => {
                let label = self.plan.full_label(trial);
                if let Some(own) = self.running.iter().position(|line| line.0 == label) {
                    self.lines.remove(&self.running.remove(own).2);
                }
                let score = row.result.as_ref().and_then(|all| all[&self.plan.metric].as_f64());
                if let Some(score) = score {
                    let leads = |best: &(f64, String)| self.plan.is_better(score, best.0);
                    if self.leader.as_ref().is_none_or(leads) {
                        self.best
                            .set_message(format!("best {} {score:.4}  {label}", self.plan.metric));
                        self.leader = Some((score, label));
                    }
                }
            }
            Event::Queued { running, waiting, reason } => {
                self.jobs = (*running).max(1);
                let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
                self.queue = format!("{running} running, {waiting} waiting{reason}  ");
            }
            Event::Planned { .. } | Event::Submitted { .. } | Event::Tick => {}
        }
        for (label, began, line) in &self.running {
            line.set_message(format!("  {:>6.1} s  {label}", began.elapsed().as_secs_f64()));
        }
        let mut message = self.queue.clone();
        if self.failed > 0 {
            message += &format!("{} failed  ", self.failed);
        }
        if let Some(left) = self.left() {
            message += &format!("left {left}");
        }
        self.bar.set_message(message);
    }

    /// The time that the trials that are left will take at the rate of those that have ended.
    fn left(&self) -> Option<HumanDuration> {
        let (operations, seconds) = self.ended;
        let left = seconds / operations * self.operations.max(0.0) / self.jobs as f64;
        Duration::try_from_secs_f64(left).ok().map(HumanDuration)
    }

    /// Counts what has ended, whether or not it is shown.
    fn count(&mut self, event: &Event<'_>) {
        match event {
            Event::Planned { scheduled, ended, operations, jobs } => {
                self.bar.set_length(*scheduled as u64);
                self.bar.set_position(*ended as u64);
                self.operations = *operations;
                self.jobs = *jobs;
            }
            Event::Ended { trial, row, is_retried } => {
                let operations = self.plan.operations(trial).unwrap_or(0.0);
                if row.result.is_some() {
                    self.ended.0 += operations;
                    self.ended.1 += row.seconds;
                }
                if !is_retried {
                    self.operations -= operations;
                    self.bar.inc(1);
                    self.failed += usize::from(row.state == State::Failed);
                }
            }
            _ => {}
        }
    }

    /// Without a terminal, a line for every trial that took long.
    fn show_line(&self, event: &Event<'_>) {
        let Event::Ended { trial, row, .. } = event else { return };
        if row.seconds < SLOW.as_secs_f64() || is_quiet() {
            return;
        }
        let score = row.result.as_ref().and_then(|all| all[&self.plan.metric].as_f64());
        let score = score.map_or("no score".to_owned(), |score| {
            format!("{} {}", self.plan.metric, significant(score, 4))
        });
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        let left = self.left().map_or_else(String::new, |left| format!(", left {left}"));
        note(&format!("{done} of {all}{left}: {}: {score}", self.plan.full_label(trial)));
    }

    /// Removes the table.
    pub(crate) fn clear(&self) {
        let lines = self.running.iter().map(|(_, _, line)| line);
        lines.chain([&self.best, &self.bar]).for_each(ProgressBar::finish_and_clear);
    }
}

/// A line of words.
fn text_line() -> ProgressBar {
    let line = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        line.set_style(style);
    }
    line
}

/// A rate with a readable unit: 812, 43.1 k, 1.25 M.
pub(crate) fn thousands(rate: f64) -> String {
    match rate {
        rate if rate >= 1e6 => format!("{:.2} M", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.1} k", rate / 1e3),
        rate => format!("{rate:.0} "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_at_every_tenth_of_long_work() {
        let mut tenths = Tenths::default();
        let lines = (1..=1000_u32).filter(|step| {
            tenths.is_next(f64::from(*step) / 1000.0, Duration::from_secs(u64::from(*step) + 2))
        });
        let expected = [100, 200, 300, 400, 500, 600, 700, 800, 900];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
        let mut tenths = Tenths::default();
        assert!(!tenths.is_next(0.5, Duration::from_millis(1)), "short work");
        assert!(tenths.is_next(0.95, Duration::from_secs(3)));
        assert!(!tenths.is_next(1.0, Duration::from_secs(4)), "the end");
    }
}
