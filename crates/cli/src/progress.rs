//! The progress bar on stderr; nothing at all where stderr is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use vi3nr_inr::Signal;
use vi3nr_inr::train::Progress;

/// The bar of one fit.
pub(crate) struct FitBar<'a> {
    bar: ProgressBar,
    signal: &'a dyn Signal,
}

impl<'a> FitBar<'a> {
    /// A bar over `steps`; `signal` tells what their losses mean.
    pub(crate) fn new(steps: u64, signal: &'a dyn Signal) -> Self {
        // ProgressBar draws to stderr and hides itself where that is no terminal.
        let bar = ProgressBar::new(steps);
        let template = "{bar:28} {pos}/{len} {msg} eta {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, signal }
    }

    /// Shows a step.
    pub(crate) fn show(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = progress.points_seen as f64 / progress.elapsed.as_secs_f64().max(1e-9);
        let meaning = self.signal.metrics_of_loss(progress.loss);
        let meaning =
            meaning.all.first().map(|first| format!("  {} {}", first.name, first.amount()));
        self.bar.set_message(format!(
            "loss {:.3e}{}  {} points/s",
            progress.loss,
            meaning.unwrap_or_default(),
            thousands(rate)
        ));
        self.bar.set_position(progress.step);
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// A rate with a readable unit: 812, 43.1 k, 1.25 M.
pub(crate) fn thousands(rate: f64) -> String {
    match rate {
        rate if rate >= 1e6 => format!("{:.2} M", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.1} k", rate / 1e3),
        rate => format!("{rate:.0} "),
    }
}
