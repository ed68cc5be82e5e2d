//! Heat maps.

use std::path::Path;

use plotters::prelude::{DrawingBackend, RGBColor};

use super::axis::{Axis, Scale, Tick};
use super::canvas::{Anchor, Canvas, FRAME, INK, LARGE, MARK, MEDIUM, Point, SMALL};
use super::file::{self, Drawing};
use super::{ChartError, Curve};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 720.0;
/// The borders of the map.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 800.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 650.0;
/// The left and right borders of the color bar.
const BAR: (f64, f64) = (836.0, 862.0);
/// The largest number of cells along an axis that have a tick each.
const MAX_CENTER_TICKS: usize = 24;
/// The least distance between the labels of two columns and of two rows, in units.
const MIN_TICK_GAP: (f64, f64) = (72.0, 20.0);
/// The number of colors in the color bar.
const SHADES: usize = 256;
/// The length of a tick.
const TICK: f64 = 5.0;

/// A heat map: values over two axes as colors from dark to bright.
///
/// ```
/// use vi3nr_inr::chart::{Curve, HeatMap, Scale};
///
/// let map = HeatMap {
///     title: "distance".into(),
///     x_label: "x".into(),
///     y_label: "y".into(),
///     value_label: "|x - y|".into(),
///     columns: vec![0.0, 0.5, 1.0],
///     rows: vec![0.0, 1.0],
///     values: vec![0.0, 1.0, 0.5, 0.5, 1.0, 0.0].into_iter().map(Some).collect(),
///     x_scale: Scale::Linear,
///     y_scale: Scale::Linear,
///     range: (0.0, 1.0),
///     line: Curve { label: "x = y".into(), points: vec![(0.0, 0.0), (1.0, 1.0)] },
/// };
/// assert_eq!(map.value(2, 1), Some(0.0));
/// let folder = tempfile::tempdir()?;
/// map.save(&folder.path().join("distance.png"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// The title at the top.
    pub title: String,
    /// The label below the horizontal axis.
    pub x_label: String,
    /// The label above the vertical axis.
    pub y_label: String,
    /// The label above the color bar.
    pub value_label: String,
    /// The centers of the columns, ascending from left to right. The border of two columns is
    /// halfway between their centers.
    pub columns: Vec<f64>,
    /// The centers of the rows, ascending from bottom to top.
    pub rows: Vec<f64>,
    /// The values, shape (columns, rows). NaN is drawn white. A cell that is `None` was not measured:
    /// the cells above and below it in its column meet halfway between their centers.
    pub values: Vec<Option<f64>>,
    /// The scale of the horizontal axis; a logarithmic scale requires centers above 0.
    pub x_scale: Scale,
    /// The scale of the vertical axis; a logarithmic scale requires centers above 0.
    pub y_scale: Scale,
    /// The values of the darkest and the brightest color.
    pub range: (f64, f64),
    /// A dashed line over the map, with its label to the left of its first point.
    pub line: Curve,
}

impl HeatMap {
    /// The value of a cell; row 0 is at the bottom.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn value(&self, column: usize, row: usize) -> Option<f64> {
        self.values[column * self.rows.len() + row]
    }

    /// The map as SVG, 960 units wide.
    ///
    /// # Errors
    /// Returns [`ChartError::Drawing`] if the drawing library fails.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        file::svg(self)
    }

    /// Writes the map atomically to an SVG file, 960 units wide, or a PNG file, 1,920 pixels wide,
    /// depending on the extension of `path`. Equal maps give equal bytes.
    ///
    /// # Errors
    /// Returns [`ChartError::Format`] for another extension, [`ChartError::Drawing`] if the drawing
    /// library fails, and [`ChartError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        file::save(self, path)
    }

    fn draw_cells<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError> {
        let (x, y) = self.axes();
        let across = |edge: f64| LEFT + x.share(edge).unwrap_or(0.0) * (RIGHT - LEFT);
        let edges_x: Vec<f64> =
            edges(self.x_scale, &self.columns).into_iter().map(across).collect();
        for column in 0..self.columns.len() {
            let (centers, values): (Vec<f64>, Vec<f64>) = (0..self.rows.len())
                .filter_map(|row| Some((self.rows[row], self.value(column, row)?)))
                .unzip();
            // The cells of a sparse column may reach beyond the axis.
            let (bottom, top) = self.ends();
            let up = |edge: f64| {
                let share = y.share(edge.clamp(bottom, top)).unwrap_or(0.0);
                BOTTOM - share * (BOTTOM - TOP)
            };
            let edges_y =
                if centers.len() == 1 { vec![bottom, top] } else { edges(self.y_scale, &centers) };
            let edges_y: Vec<f64> = edges_y.into_iter().map(up).collect();
            let shade = |row: usize| color(self.share(values[row]));
            // Cells of one color are drawn as one, and each extends below the next, so that no gap
            // shows.
            let (left, right) = (edges_x[column], (edges_x[column + 1] + 1.0).min(RIGHT));
            let mut row = 0;
            while row < values.len() {
                let Some(own) = shade(row) else {
                    row += 1;
                    continue;
                };
                let bottom = edges_y[row];
                while row < values.len() && shade(row) == Some(own) {
                    row += 1;
                }
                let top = (edges_y[row] - 1.0).max(TOP);
                canvas.fill((left, top), (right, bottom), own)?;
            }
        }
        Ok(())
    }

    /// The lower and the upper end of the vertical axis.
    fn ends(&self) -> (f64, f64) {
        let edges = edges(self.y_scale, &self.rows);
        (edges[0], edges[edges.len() - 1])
    }

    /// The axes along the columns and the rows.
    fn axes(&self) -> (Axis, Axis) {
        let axis =
            |scale, centers: &[f64]| Axis::over(scale, edges(scale, centers).into_iter(), 0.0);
        (axis(self.x_scale, &self.columns), axis(self.y_scale, &self.rows))
    }

    /// The position of a value between the darkest, 0, and the brightest, 1.
    fn share(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        if high > low { (value - low) / (high - low) } else { 0.5 + 0.0 * value }
    }

    fn draw_bar<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError> {
        let height = |share: f64| BOTTOM - share * (BOTTOM - TOP);
        for index in 0..SHADES {
            let share = index as f64 / SHADES as f64;
            let shade = color((index as f64 + 0.5) / SHADES as f64).unwrap_or(INK);
            canvas.fill((BAR.0, TOP), (BAR.1, height(share)), shade)?;
        }
        canvas.frame((BAR.0, TOP), (BAR.1, BOTTOM))?;
        let axis = Axis::over(Scale::Linear, [self.range.0, self.range.1].into_iter(), 0.0);
        for tick in axis.ticks() {
            let Some(share) = axis.share(tick.value) else { continue };
            let row = height(share);
            canvas.line(&[(BAR.1, row), (BAR.1 + TICK, row)], FRAME, 1.0)?;
            if let Some(label) = tick.label {
                canvas.text(&label, (BAR.1 + 10.0, row), Anchor::Left, SMALL, INK)?;
            }
        }
        canvas.text(&self.value_label, (WIDTH - 30.0, TOP - 18.0), Anchor::Right, MEDIUM, INK)
    }
}

/// The borders of cells with these centers: halfway between them on the axis. The outer borders are
/// as far from the first and the last center as the inner ones.
fn edges(scale: Scale, centers: &[f64]) -> Vec<f64> {
    let position = |center: f64| if scale == Scale::Log { center.ln() } else { center };
    let value = |position: f64| if scale == Scale::Log { position.exp() } else { position };
    let all: Vec<f64> = centers.iter().map(|center| position(*center)).collect();
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return vec![0.0, 1.0] };
    let inner: Vec<f64> = all.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    let before = first - inner.first().map_or(0.5, |edge| edge - first);
    let after = last + inner.last().map_or(0.5, |edge| last - edge);
    [before].into_iter().chain(inner).chain([after]).map(value).collect()
}

impl Drawing for HeatMap {
    fn size(&self) -> (u32, u32) {
        (WIDTH as u32, HEIGHT as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError> {
        let title = canvas.shortened(&self.title, WIDTH - LEFT - 30.0, LARGE)?;
        canvas.text(&title, (LEFT, 28.0), Anchor::Left, LARGE, INK)?;
        canvas.text(&self.y_label, (LEFT, TOP - 18.0), Anchor::Left, MEDIUM, INK)?;
        self.draw_cells(canvas)?;
        let (x, y) = self.axes();
        let gap = |width: f64, length: f64| width / length;
        for tick in ticks(&x, &self.columns, gap(MIN_TICK_GAP.0, RIGHT - LEFT)) {
            let Some(share) = x.share(tick.value) else { continue };
            let column = LEFT + share * (RIGHT - LEFT);
            canvas.line(&[(column, BOTTOM), (column, BOTTOM + TICK)], FRAME, 1.0)?;
            if let Some(label) = tick.label {
                canvas.text(&label, (column, BOTTOM + 9.0), Anchor::Top, SMALL, INK)?;
            }
        }
        for tick in ticks(&y, &self.rows, gap(MIN_TICK_GAP.1, BOTTOM - TOP)) {
            let Some(share) = y.share(tick.value) else { continue };
            let row = BOTTOM - share * (BOTTOM - TOP);
            canvas.line(&[(LEFT - TICK, row), (LEFT, row)], FRAME, 1.0)?;
            if let Some(label) = tick.label {
                canvas.text(&label, (LEFT - 9.0, row), Anchor::Right, SMALL, INK)?;
            }
        }
        canvas.frame((LEFT, TOP), (RIGHT, BOTTOM))?;
        let position = |&(at_x, at_y): &(f64, f64)| {
            let (along, up) = (x.share(at_x)?, y.share(at_y)?);
            Some((LEFT + along * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)))
        };
        let line: Vec<Point> = self.line.points.iter().filter_map(position).collect();
        for pair in line.windows(2) {
            canvas.dashes(pair[0], pair[1], MARK)?;
        }
        if let Some(&(column, row)) = line.first() {
            canvas.label(&self.line.label, (column - 60.0, row), Anchor::Right)?;
        }
        self.draw_bar(canvas)?;
        let middle = 0.5 * (LEFT + RIGHT);
        canvas.text(&self.x_label, (middle, BOTTOM + 36.0), Anchor::Top, MEDIUM, INK)
    }
}

/// Ticks at the centers of cells, if there are few enough to read them; labels that would be closer
/// than `gap`, a share of the axis, are left out. Otherwise round numbers.
fn ticks(axis: &Axis, centers: &[f64], gap: f64) -> Vec<Tick> {
    if centers.len() > MAX_CENTER_TICKS {
        return axis.ticks();
    }
    let mut last = f64::NEG_INFINITY;
    let tick = |&value: &f64| {
        let share = axis.share(value).unwrap_or(0.0);
        let is_labeled = share - last >= gap;
        if is_labeled {
            last = share;
        }
        Tick { value, label: is_labeled.then(|| four_digits(value)) }
    };
    centers.iter().map(tick).collect()
}

/// A number with at most four significant digits, without trailing zeros.
fn four_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded.abs() {
        size if size != 0.0 && !(1e-4..1e6).contains(&size) => format!("{rounded:e}"),
        _ => rounded.to_string(),
    }
}

/// Dark violet at 0, green, yellow at 1: even in lightness, as viridis is. `None` for NaN.
fn color(value: f64) -> Option<RGBColor> {
    const STOPS: [[f64; 3]; 6] = [
        [68.0, 1.0, 84.0],
        [65.0, 68.0, 135.0],
        [42.0, 120.0, 142.0],
        [34.0, 168.0, 132.0],
        [122.0, 209.0, 81.0],
        [253.0, 231.0, 37.0],
    ];
    if value.is_nan() {
        return None;
    }
    let position = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let index = (position as usize).min(STOPS.len() - 2);
    let share = position - index as f64;
    let mix = |channel: usize| {
        ((1.0 - share) * STOPS[index][channel] + share * STOPS[index + 1][channel]).round() as u8
    };
    Some(RGBColor(mix(0), mix(1), mix(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saves `map` as PNG in `folder` and returns its colors at positions in units.
    fn pixels_of(map: &HeatMap, folder: &Path) -> impl Fn(f64, f64) -> [u8; 3] {
        let png = folder.join("map.png");
        map.save(&png).unwrap();
        let image = image::open(&png).unwrap().to_rgb8();
        move |x, y| image.get_pixel((2.0 * x) as u32, (2.0 * y) as u32).0
    }

    fn shade(value: f64) -> [u8; 3] {
        let RGBColor(r, g, b) = color(value).unwrap();
        [r, g, b]
    }

    #[test]
    fn cells_meet_halfway() {
        assert_eq!(edges(Scale::Linear, &[1.0, 2.0, 4.0]), [0.5, 1.5, 3.0, 5.0]);
        let log = edges(Scale::Log, &[1.0, 4.0]);
        assert!(log.iter().zip([0.5, 2.0, 8.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{log:?}");
        assert_eq!(edges(Scale::Linear, &[3.0]), [2.5, 3.5]);
    }

    #[test]
    fn the_map_has_row_0_at_the_bottom() {
        let map = HeatMap {
            title: "a < b".into(),
            x_label: "x".into(),
            y_label: "y".into(),
            value_label: "value".into(),
            columns: vec![1.0, 2.0, 3.0],
            rows: vec![1.0, 2.0],
            values: vec![10.0, 20.0, 12.0, f64::NAN, 16.0, 18.0].into_iter().map(Some).collect(),
            x_scale: Scale::Linear,
            y_scale: Scale::Linear,
            range: (10.0, 20.0),
            line: Curve { label: "line".into(), points: vec![] },
        };
        let folder = tempfile::tempdir().unwrap();
        let at = pixels_of(&map, folder.path());
        assert_eq!(at(LEFT + 20.0, TOP + 20.0), shade(1.0));
        assert_eq!(at(LEFT + 20.0, BOTTOM - 20.0), shade(0.0));
        assert_eq!(at(RIGHT - 20.0, BOTTOM - 20.0), shade(0.6));
        // NaN stays white.
        assert_eq!(at(0.5 * (LEFT + RIGHT), TOP + 20.0), [255; 3]);
        // 3 of 558 units below the top: the second color from the top.
        let below = (SHADES as f64 - 1.5) / SHADES as f64;
        assert_eq!(at(0.5 * (BAR.0 + BAR.1), TOP + 3.0), shade(below));
        let svg = folder.path().join("map.svg");
        map.save(&svg).unwrap();
        assert!(std::fs::read_to_string(svg).unwrap().contains("a &lt; b"));
    }

    #[test]
    fn cells_extend_over_what_was_not_measured() {
        let map = HeatMap {
            title: String::new(),
            x_label: "x".into(),
            y_label: "y".into(),
            value_label: "value".into(),
            columns: vec![1.0, 2.0],
            rows: vec![1.0, 2.0, 3.0],
            values: vec![Some(10.0), None, Some(20.0), None, Some(15.0), None],
            x_scale: Scale::Linear,
            y_scale: Scale::Linear,
            range: (10.0, 20.0),
            line: Curve { label: String::new(), points: vec![] },
        };
        let folder = tempfile::tempdir().unwrap();
        let at = pixels_of(&map, folder.path());
        let middle = 0.5 * (TOP + BOTTOM);
        // The two cells of the first column meet in the middle; the second column is one cell.
        assert_eq!(at(LEFT + 20.0, middle + 5.0), shade(0.0));
        assert_eq!(at(LEFT + 20.0, middle - 5.0), shade(1.0));
        for y in [TOP + 20.0, middle, BOTTOM - 20.0] {
            assert_eq!(at(RIGHT - 20.0, y), shade(0.5));
        }
    }

    #[test]
    fn ticks_are_at_the_values() {
        let axis = Axis::over(Scale::Log, [0.001, 1.0].into_iter(), 0.0);
        let labels = |values: &[f64]| -> Vec<String> {
            ticks(&axis, values, 0.1).into_iter().filter_map(|tick| tick.label).collect()
        };
        assert_eq!(labels(&[0.003, 0.01, 0.0388443, 0.3]), ["0.003", "0.01", "0.03884", "0.3"]);
        // 0.0101 is too close to its neighbor to be labeled.
        assert_eq!(labels(&[0.01, 0.0101, 0.1]), ["0.01", "0.1"]);
        let many: Vec<f64> = (1..100).map(|index| f64::from(index) * 0.01).collect();
        assert_eq!(ticks(&axis, &many, 0.1), axis.ticks());
        assert_eq!(four_digits(123456.0), "123500");
        assert_eq!(four_digits(2.5e-7), "2.5e-7");
    }
}
