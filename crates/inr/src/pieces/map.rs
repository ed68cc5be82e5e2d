//! The quality and work of each piece, as images.

use std::path::{Path, PathBuf};

use super::grid::PieceGrid;
use super::table::MAP_FILES;
use crate::chart::{Chart, ChartError, Curve, HeatMap, Panel, Scale};

/// A number for each piece, and its name.
pub(crate) struct Layer {
    pub(crate) title: &'static str,
    pub(crate) label: String,
    /// The numbers, in the order of the pieces.
    pub(crate) values: Vec<f64>,
}

/// Writes maps of quality and work over the signal into `directory` and returns their files.
/// Signals of two axes have one map of each, signals of one axis have curves, and other signals
/// have no files.
///
/// # Errors
/// Returns the error of the drawing library or of the system.
pub(crate) fn save_maps(
    grid: &PieceGrid,
    axes: &[usize],
    [quality, work]: [Layer; 2],
    directory: &Path,
) -> Result<Vec<PathBuf>, ChartError> {
    let [first, second] = MAP_FILES.map(|name| directory.join(name));
    let centers = |axis: usize| -> Vec<f64> {
        let stride: usize = grid.counts()[..axis].iter().product();
        let piece = |place: usize| grid.piece(axes, place * stride).core.axis(axis);
        let center = |place| (piece(place).start + piece(place).end) as f64 / 2.0;
        (0..grid.counts()[axis]).map(center).collect()
    };
    match axes.len() {
        1 => {
            let places = centers(0);
            let panel = |layer: &Layer| Panel {
                title: format!("{}, {}", layer.title, layer.label),
                scale: Scale::Linear,
                curves: vec![Curve {
                    label: String::new(),
                    points: places.iter().copied().zip(layer.values.iter().copied()).collect(),
                }],
                level: None,
                marks: Vec::new(),
                range: None,
            };
            let chart = Chart {
                title: "Pieces".into(),
                x_label: "sample".into(),
                x_scale: Scale::Linear,
                panels: vec![panel(&quality), panel(&work)],
            };
            chart.save(&first)?;
            Ok(vec![first])
        }
        2 => {
            for (layer, path) in [(&quality, &first), (&work, &second)] {
                map(grid, layer, [centers(0), centers(1)]).save(path)?;
            }
            Ok(vec![first, second])
        }
        _ => Ok(Vec::new()),
    }
}

/// A map in the orientation of the image: the first row of pieces is at the top.
fn map(grid: &PieceGrid, layer: &Layer, [columns, rows]: [Vec<f64>; 2]) -> HeatMap {
    let (across, down) = (grid.counts()[0], grid.counts()[1]);
    // Column by column, from the bottom.
    let value = |place: usize| {
        let (column, row) = (place / down, down - 1 - place % down);
        layer.values[row * across + column]
    };
    let finite = || layer.values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(0.0, f64::max));
    HeatMap {
        title: layer.title.into(),
        x_label: "x in pixels".into(),
        y_label: "-y in pixels".into(),
        value_label: layer.label.clone(),
        columns,
        rows: rows.iter().rev().map(|row| -row).collect(),
        values: (0..across * down).map(value).map(Some).collect(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        range: if low < high { (low, high) } else { (high - 1.0, high + 1.0) },
        line: Curve { label: String::new(), points: Vec::new() },
    }
}
