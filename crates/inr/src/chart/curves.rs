//! The layout of a line chart.

use plotters::prelude::{DrawingBackend, RGBColor};

use super::axis::Axis;
use super::canvas::{
    Anchor, CURVES, Canvas, FAINT_GRID, GRID, INK, LARGE, MARK, MEDIUM, Point, SMALL,
};
use super::file::Drawing;
use super::{Chart, ChartError, Panel};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 930.0;
/// The heights of the chart's title, a panel's title and a panel.
const TITLE: f64 = 46.0;
const PANEL_TITLE: f64 = 36.0;
const PANEL: f64 = 280.0;
/// The height of a row of the legend below the panel's title, and an upper estimate of the average
/// width of a letter relative to its height.
const LEGEND_ROW: f64 = 22.0;
const LETTER: f64 = 0.62;
const LEGEND_GAP: f64 = 18.0;
/// The height below the last panel, and that of the tick labels below the other panels.
const BOTTOM: f64 = 58.0;
const TICK_LABELS: f64 = 28.0;

/// The axes of a panel and the top of its frame.
struct Frame {
    x: Axis,
    y: Axis,
    top: f64,
}

impl Frame {
    fn position(&self, (x, y): (f64, f64)) -> Option<Point> {
        let (x, y) = (self.x.share(x)?, self.y.share(y)?);
        Some((LEFT + x * (RIGHT - LEFT), self.top + (1.0 - y) * PANEL))
    }

    fn column(&self, x: f64) -> Option<f64> {
        self.x.share(x).map(|share| LEFT + share * (RIGHT - LEFT))
    }

    fn row(&self, y: f64) -> Option<f64> {
        self.y.share(y).map(|share| self.top + (1.0 - share) * PANEL)
    }
}

impl Drawing for Chart {
    fn size(&self) -> (u32, u32) {
        let heads: f64 = self.panels.iter().map(head_height).sum();
        let panels = self.panels.len() as f64;
        let height = TITLE + heads + panels * (PANEL + TICK_LABELS) + BOTTOM - TICK_LABELS;
        (WIDTH as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError> {
        let title = canvas.shortened(&self.title, RIGHT - LEFT, LARGE)?;
        canvas.text(&title, (LEFT, 0.5 * TITLE + 4.0), Anchor::Left, LARGE, INK)?;
        let curves = self.panels.iter().flat_map(|panel| &panel.curves);
        let columns = curves.flat_map(|curve| &curve.points).map(|point| point.0);
        let x = Axis::over(self.x_scale, columns, 0.0);
        let mut top = TITLE;
        for panel in &self.panels {
            top += head_height(panel);
            let curves = panel.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
            let level = panel.level.iter().map(|level| level.value);
            let range = panel.range.iter().flat_map(|range| [range.0, range.1]);
            let y = Axis::over(panel.scale, curves.chain(level).chain(range), 0.06);
            draw_panel(canvas, panel, &Frame { x, y, top })?;
            top += PANEL + TICK_LABELS;
        }
        let bottom = top - TICK_LABELS + 32.0;
        canvas.text(&self.x_label, (0.5 * (LEFT + RIGHT), bottom), Anchor::Top, MEDIUM, INK)
    }
}

fn draw_panel<B: DrawingBackend>(
    canvas: &Canvas<'_, B>,
    panel: &Panel,
    frame: &Frame,
) -> Result<(), ChartError> {
    draw_grid(canvas, frame)?;
    draw_head(canvas, panel, frame)?;
    if let Some(level) = &panel.level
        && let Some(row) = frame.row(level.value)
    {
        canvas.dashes((LEFT, row), (RIGHT, row), MARK)?;
    }
    for (curve, color) in panel.curves.iter().zip(CURVES.iter().cycle()) {
        draw_curve(canvas, &curve.points, frame, *color)?;
    }
    if let Some(level) = &panel.level
        && let Some(row) = frame.row(level.value)
    {
        // Above the line, or below it near the top, at the end where it hides no curve.
        let beside = if row < frame.top + 30.0 { row + 13.0 } else { row - 13.0 };
        let width = canvas.text_width(&level.label, SMALL)?;
        let at_right = is_free((RIGHT - 8.0 - width, RIGHT - 8.0), beside, panel, frame);
        let at_left = is_free((LEFT + 8.0, LEFT + 8.0 + width), beside, panel, frame);
        match at_left && !at_right {
            true => canvas.label(&level.label, (LEFT + 8.0, beside), Anchor::Left)?,
            false => canvas.label(&level.label, (RIGHT - 8.0, beside), Anchor::Right)?,
        }
    }
    for mark in &panel.marks {
        let Some((x, y)) = frame.position(mark.at) else { continue };
        canvas.dot((x, y), MARK)?;
        let width = canvas.text_width(&mark.label, SMALL)?;
        let (at, anchor) = free_side((x, y), width, panel, frame);
        canvas.label(&mark.label, at, anchor)?;
    }
    Ok(())
}

/// Draws the grid lines, the tick labels of both axes and the frame.
fn draw_grid<B: DrawingBackend>(canvas: &Canvas<'_, B>, frame: &Frame) -> Result<(), ChartError> {
    let bottom = frame.top + PANEL;
    // Faint lines first, so that they are not drawn over the others.
    for is_labeled in [false, true] {
        let color = if is_labeled { GRID } else { FAINT_GRID };
        for tick in frame.x.ticks().iter().filter(|tick| tick.label.is_some() == is_labeled) {
            let Some(column) = frame.column(tick.value) else { continue };
            canvas.line(&[(column, frame.top), (column, bottom)], color, 1.0)?;
            if let Some(label) = &tick.label {
                canvas.text(label, (column, bottom + 8.0), Anchor::Top, SMALL, INK)?;
            }
        }
        for tick in frame.y.ticks().iter().filter(|tick| tick.label.is_some() == is_labeled) {
            let Some(row) = frame.row(tick.value) else { continue };
            canvas.line(&[(LEFT, row), (RIGHT, row)], color, 1.0)?;
            if let Some(label) = &tick.label {
                canvas.text(label, (LEFT - 8.0, row), Anchor::Right, SMALL, INK)?;
            }
        }
    }
    canvas.frame((LEFT, frame.top), (RIGHT, bottom))
}

/// The indices of the curves with labels, row by row. The first row is beside the panel's title; it
/// is empty if there is too little space.
fn legend(panel: &Panel) -> Vec<Vec<usize>> {
    let width = |text: &str, size: f64| LETTER * size * text.chars().count() as f64;
    let names = panel.curves.iter().map(|curve| width(&curve.label, SMALL) + LEGEND_GAP);
    let named = names.enumerate().filter(|(index, _)| !panel.curves[*index].label.is_empty());
    let named: Vec<(usize, f64)> = named.collect();
    let all: f64 = named.iter().map(|name| name.1).sum();
    if width(&panel.title, MEDIUM) + all <= RIGHT - LEFT {
        return vec![named.iter().map(|name| name.0).collect()];
    }
    let mut lines = vec![Vec::new()];
    let mut space = 0.0;
    for (index, width) in named {
        if width > space {
            lines.push(Vec::new());
            space = RIGHT - LEFT + LEGEND_GAP;
        }
        space -= width;
        lines.last_mut().into_iter().for_each(|line| line.push(index));
    }
    lines
}

/// The height of the title and the legend above a panel.
fn head_height(panel: &Panel) -> f64 {
    PANEL_TITLE + LEGEND_ROW * (legend(panel).len() - 1) as f64
}

/// Draws the panel's title and, at the right, its legend.
fn draw_head<B: DrawingBackend>(
    canvas: &Canvas<'_, B>,
    panel: &Panel,
    frame: &Frame,
) -> Result<(), ChartError> {
    let mut row = frame.top - head_height(panel) + 0.5 * PANEL_TITLE + 2.0;
    canvas.text(&panel.title, (LEFT, row), Anchor::Left, MEDIUM, INK)?;
    for line in legend(panel) {
        let mut right = RIGHT;
        for index in line.into_iter().rev() {
            let (label, color) = (&panel.curves[index].label, CURVES[index % CURVES.len()]);
            canvas.text(label, (right, row), Anchor::Right, SMALL, color)?;
            right -= canvas.text_width(label, SMALL)? + LEGEND_GAP;
        }
        row += LEGEND_ROW;
    }
    Ok(())
}

/// Draws the parts of a curve that lie on the axes.
fn draw_curve<B: DrawingBackend>(
    canvas: &Canvas<'_, B>,
    points: &[(f64, f64)],
    frame: &Frame,
    color: RGBColor,
) -> Result<(), ChartError> {
    let positions: Vec<Option<Point>> = points.iter().map(|&point| frame.position(point)).collect();
    for piece in positions.split(Option::is_none) {
        let piece: Vec<Point> = piece.iter().copied().flatten().collect();
        if piece.len() >= 2 {
            canvas.line(&piece, color, 2.5)?;
        }
    }
    Ok(())
}

/// A position for a label of this width beside a point, where it hides no curve if there is one.
fn free_side((x, y): Point, width: f64, panel: &Panel, frame: &Frame) -> (Point, Anchor) {
    let sides = [(1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0)];
    let beside = |(right, below): (f64, f64)| {
        let anchor = if right > 0.0 { Anchor::Left } else { Anchor::Right };
        ((x + 10.0 * right, y + 18.0 * below), anchor)
    };
    let is_free = |&side: &(f64, f64)| {
        let ((near, row), _) = beside(side);
        let far = near + side.0 * width;
        let (left, right) = (near.min(far) - 3.0, near.max(far) + 3.0);
        let is_inside = left > LEFT
            && right < RIGHT
            && row > frame.top + 12.0
            && row < frame.top + PANEL - 12.0;
        is_inside && is_free((left, right), row, panel, frame)
    };
    beside(sides.into_iter().find(is_free).unwrap_or(sides[0]))
}

/// Whether no point of a curve lies behind a label.
fn is_free((left, right): (f64, f64), row: f64, panel: &Panel, frame: &Frame) -> bool {
    let mut points = panel.curves.iter().flat_map(|curve| &curve.points);
    !points.any(|&point| {
        let Some((x, y)) = frame.position(point) else { return false };
        (left..right).contains(&x) && (y - row).abs() < 12.0
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Curve, Scale};
    use super::*;

    #[test]
    fn long_legends_get_rows_of_their_own() {
        let curve = |label: &str| Curve { label: label.into(), points: vec![(0.0, 0.0)] };
        let panel = |labels: &[&str]| Panel {
            title: "best PSNR so far in dB, peak = largest value".into(),
            scale: Scale::Linear,
            curves: labels.iter().map(|label| curve(label)).collect(),
            level: None,
            marks: vec![],
            range: None,
        };
        let short = panel(&["adam", "", "kfac"]);
        assert_eq!(legend(&short), [vec![0, 2]]);
        assert_eq!(head_height(&short), PANEL_TITLE);
        let name = "first biases like-weights, seed 0";
        assert_eq!(legend(&panel(&[name; 5])), [vec![], vec![0, 1], vec![2, 3], vec![4]]);
        let endless = "x".repeat(500);
        assert_eq!(legend(&panel(&[&endless, "y"])), [vec![], vec![0], vec![1]]);
        assert_eq!(legend(&panel(&[])), [Vec::<usize>::new()]);
    }
}
