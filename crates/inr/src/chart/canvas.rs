//! Drawing lines and text on a bitmap or an SVG drawing, in the same units.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ChartError;

/// A point in units, x to the right and y down.
pub(super) type Point = (f64, f64);

pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
pub(super) const FRAME: RGBColor = RGBColor(136, 136, 136);
pub(super) const GRID: RGBColor = RGBColor(216, 216, 216);
pub(super) const FAINT_GRID: RGBColor = RGBColor(240, 240, 240);
/// Colors that color-blind readers can distinguish (after Okabe and Ito).
pub(super) const CURVES: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 133, 98),
    RGBColor(140, 82, 128),
    RGBColor(184, 134, 11),
    RGBColor(64, 164, 216),
    RGBColor(110, 110, 110),
    RGBColor(122, 72, 40),
];
pub(super) const MARK: RGBColor = RGBColor(176, 32, 32);

/// The font family. In a PNG file it is the embedded DejaVu Sans; in an SVG file the viewer selects
/// the font.
pub(super) const FAMILY: &str = "sans-serif";

/// Font sizes.
pub(super) const LARGE: f64 = 22.0;
pub(super) const MEDIUM: f64 = 18.0;
pub(super) const SMALL: f64 = 16.0;

/// The point of a text that is placed at the given position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The middle of the left side.
    Left,
    /// The middle of the right side.
    Right,
    /// The middle of the top.
    Top,
}

/// A drawing area whose unit is `scale` pixels.
pub(super) struct Canvas<'a, B: DrawingBackend> {
    pub(super) area: &'a DrawingArea<B, Shift>,
    pub(super) scale: f64,
    /// The downward shift of text as a fraction of its size, since the drawing library centers it
    /// too high on bitmaps.
    pub(super) text_drop: f64,
}

impl<B: DrawingBackend> Canvas<'_, B> {
    /// Draws a line through `points`.
    pub(super) fn line(
        &self,
        points: &[Point],
        color: RGBColor,
        width: f64,
    ) -> Result<(), ChartError> {
        let pixels: Vec<_> = points.iter().map(|&point| self.pixel(point)).collect();
        let width = (width * self.scale).round().max(1.0) as u32;
        self.area.draw(&PathElement::new(pixels, color.stroke_width(width))).map_err(drawing)
    }

    /// Draws a frame between two opposite corners.
    pub(super) fn frame(
        &self,
        (left, top): Point,
        (right, bottom): Point,
    ) -> Result<(), ChartError> {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.line(&corners, FRAME, 1.0)
    }

    /// Draws a dashed line.
    pub(super) fn dashes(&self, from: Point, to: Point, color: RGBColor) -> Result<(), ChartError> {
        let (right, down) = (to.0 - from.0, to.1 - from.1);
        let length = right.hypot(down);
        let at = |distance: f64| {
            let share = (distance / length).min(1.0);
            (from.0 + share * right, from.1 + share * down)
        };
        let mut distance = 0.0;
        while distance < length {
            self.line(&[at(distance), at(distance + 7.0)], color, 1.5)?;
            distance += 12.0;
        }
        Ok(())
    }

    /// Draws a filled circle.
    pub(super) fn dot(&self, at: Point, color: RGBColor) -> Result<(), ChartError> {
        let radius = (5.0 * self.scale) as i32;
        self.area.draw(&Circle::new(self.pixel(at), radius, color.filled())).map_err(drawing)
    }

    /// Draws a filled rectangle between two opposite corners.
    pub(super) fn fill(&self, from: Point, to: Point, color: RGBColor) -> Result<(), ChartError> {
        let corners = [self.pixel(from), self.pixel(to)];
        self.area.draw(&Rectangle::new(corners, color.filled())).map_err(drawing)
    }

    /// Draws one line of text.
    pub(super) fn text(
        &self,
        text: &str,
        at: Point,
        anchor: Anchor,
        size: f64,
        color: RGBColor,
    ) -> Result<(), ChartError> {
        let (horizontal, vertical) = match anchor {
            Anchor::Left => (HPos::Left, VPos::Center),
            Anchor::Right => (HPos::Right, VPos::Center),
            Anchor::Top => (HPos::Center, VPos::Top),
        };
        let style = (FAMILY, size * self.scale)
            .into_text_style(self.area)
            .color(&color)
            .pos(Pos::new(horizontal, vertical));
        let at = (at.0, at.1 + self.text_drop * size);
        self.area.draw_text(text, &style, self.pixel(at)).map_err(drawing)
    }

    /// The width of a line of text.
    pub(super) fn text_width(&self, text: &str, size: f64) -> Result<f64, ChartError> {
        let style = (FAMILY, size * self.scale).into_text_style(self.area);
        let (width, _) = self.area.estimate_text_size(text, &style).map_err(drawing)?;
        Ok(f64::from(width) / self.scale)
    }

    /// Draws text on a white background, so that it is readable across lines.
    pub(super) fn label(
        &self,
        text: &str,
        (x, y): Point,
        anchor: Anchor,
    ) -> Result<(), ChartError> {
        let width = self.text_width(text, SMALL)?;
        let left = if anchor == Anchor::Right { x - width } else { x };
        let white = RGBColor(255, 255, 255);
        self.fill((left - 3.0, y - 10.0), (left + width + 3.0, y + 10.0), white)?;
        self.text(text, (x, y), anchor, SMALL, MARK)
    }

    /// `text`, shortened with an ellipsis if it is wider than `width`.
    pub(super) fn shortened(
        &self,
        text: &str,
        width: f64,
        size: f64,
    ) -> Result<String, ChartError> {
        // A formula may be thousands of characters long.
        let mut kept: String = text.chars().take(120).collect();
        let mut is_cut = kept.len() < text.len();
        loop {
            let shown = if is_cut { format!("{kept}…") } else { kept.clone() };
            if kept.is_empty() || self.text_width(&shown, size)? <= width {
                return Ok(shown);
            }
            kept.pop();
            is_cut = true;
        }
    }

    fn pixel(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }
}

/// The error of the drawing library as a [`ChartError`].
fn drawing(error: impl std::fmt::Display) -> ChartError {
    ChartError::Drawing { reason: error.to_string() }
}
