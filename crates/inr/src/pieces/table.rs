//! The table of the work and result of each piece of a fit.

use super::grid::PieceGrid;
use super::train::PieceReport;
use crate::signal::Signal;

/// The file name of the table in a run directory.
pub const TABLE_FILE: &str = "pieces.csv";
/// The file names of the maps of quality and work in a run directory. Signals of one axis have one
/// file for both.
pub const MAP_FILES: [&str; 2] = ["pieces.png", "pieces-work.png"];

/// A CSV table with a row for each piece: its number, the first sample and the number of samples
/// along each axis, its loss and the metrics that `signal` derives from it (`losses`, over its
/// core), the steps, gradient equivalents of `per_sample` floating-point operations, seconds of
/// processor time, the number of attempts, the width of the network that is kept, and the reason
/// why training ended.
pub fn piece_table(
    signal: &dyn Signal,
    grid: &PieceGrid,
    reports: &[PieceReport],
    losses: &[f64],
    per_sample: f64,
) -> String {
    let axes = signal.info().axes();
    let names = signal.metrics_of_loss(1.0).all.into_iter().map(|metric| metric.name.to_owned());
    let along = |what: &str| -> Vec<String> {
        (0..axes.len()).map(|axis| format!("{what}_{axis}")).collect()
    };
    let tail = ["steps", "gradient_equivalents", "seconds", "attempts", "width", "stopped"];
    let head = [vec!["piece".to_owned()], along("start"), along("length"), vec!["loss".into()]];
    let head = head.concat().into_iter().chain(names).chain(tail.map(String::from));
    let mut text = head.collect::<Vec<_>>().join(",") + "\n";
    for (report, loss) in reports.iter().zip(losses) {
        let core = grid.piece(&axes, report.index).core;
        let mut cells = vec![report.index.to_string()];
        cells.extend((0..axes.len()).map(|axis| core.axis(axis).start.to_string()));
        cells.extend((0..axes.len()).map(|axis| core.axis(axis).len().to_string()));
        cells.push(format!("{loss:e}"));
        cells.extend(signal.metrics_of_loss(*loss).all.iter().map(|m| format!("{:.3}", m.value)));
        let equivalents = report.operations / (per_sample * core.sample_count() as f64);
        cells.push(report.steps.to_string());
        cells.push(format!("{equivalents:.1}"));
        cells.push(format!("{:.3}", report.seconds));
        cells.push(report.attempts.to_string());
        cells.push(report.width.to_string());
        cells.push(report.stopped.to_string());
        text += &cells.join(",");
        text.push('\n');
    }
    text
}
