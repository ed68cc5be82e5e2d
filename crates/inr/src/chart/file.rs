//! Writing drawings to files.

use std::path::Path;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::ChartError;
#[cfg(feature = "shape")]
use super::canvas::{Anchor, INK, MEDIUM};
use super::canvas::{Canvas, FAMILY};
use crate::atomic_file::write_atomically;
use crate::encoded_png::encode_png;

/// Coordinates per unit of length. The drawing library rounds to whole coordinates, and with one
/// per unit curves would be visibly wavy.
const SUBUNITS: u32 = 4;
/// Pixels of a PNG file per unit of length, so that it is sharp on high-resolution screens.
const PIXELS: u32 = 2;

/// The file format of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartFormat {
    /// An SVG drawing.
    Svg,
    /// A PNG image with two pixels per unit of length.
    Png,
}

impl ChartFormat {
    /// The format for the extension of `path`.
    ///
    /// # Errors
    /// Returns [`ChartError::Format`] if the extension is neither `.svg` nor `.png`.
    pub fn of(path: &Path) -> Result<Self, ChartError> {
        let extension = path.extension().and_then(|own| own.to_str()).unwrap_or("");
        match extension.to_ascii_lowercase().as_str() {
            "svg" => Ok(Self::Svg),
            "png" => Ok(Self::Png),
            _ => Err(ChartError::Format { path: path.to_owned() }),
        }
    }
}

/// A chart that can be drawn on a canvas.
pub(super) trait Drawing {
    /// Width and height in units.
    fn size(&self) -> (u32, u32);

    /// Draws the chart on `canvas`.
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError>;
}

/// Writes `drawing` to `path` atomically, in the format of its extension.
pub(super) fn save(drawing: &impl Drawing, path: &Path) -> Result<(), ChartError> {
    let bytes = match ChartFormat::of(path)? {
        ChartFormat::Svg => svg(drawing)?.into_bytes(),
        ChartFormat::Png => png(drawing)?,
    };
    write_atomically(path, |writer| writer.write_all(&bytes))?;
    Ok(())
}

pub(super) fn svg(drawing: &impl Drawing) -> Result<String, ChartError> {
    let mut text = String::new();
    let (width, height) = drawing.size();
    let fine = (SUBUNITS * width, SUBUNITS * height);
    draw(drawing, SVGBackend::with_string(&mut text, fine).into_drawing_area(), 0.0)?;
    // The view box keeps the fine units; the drawing is shown at its own size.
    let size = |width, height| format!("width=\"{width}\" height=\"{height}\"");
    Ok(text.replacen(&size(fine.0, fine.1), &size(width, height), 1))
}

fn png(drawing: &impl Drawing) -> Result<Vec<u8>, ChartError> {
    let (width, height) = drawing.size();
    encode_png(PIXELS * width, PIXELS * height, &pixels(drawing, PIXELS)?)
        .map_err(|error| ChartError::Drawing { reason: error.to_string() })
}

/// The drawing as RGB samples, `per_unit` pixels to a unit: a divisor of [`SUBUNITS`].
fn pixels(drawing: &impl Drawing, per_unit: u32) -> Result<Vec<u8>, ChartError> {
    let (width, height) = drawing.size();
    let fine_size = (SUBUNITS * width, SUBUNITS * height);
    let mut fine = vec![0; 3 * fine_size.0 as usize * fine_size.1 as usize];
    draw(drawing, BitMapBackend::with_buffer(&mut fine, fine_size).into_drawing_area(), 0.14)?;
    Ok(means_over_squares(&fine, fine_size.0 as usize, (SUBUNITS / per_unit) as usize))
}

/// The RGB image `fine`, `width` pixels wide, reduced: each sample is the rounded mean over a
/// square of `side` pixels' side.
fn means_over_squares(fine: &[u8], width: usize, side: usize) -> Vec<u8> {
    let mut image = Vec::with_capacity(fine.len() / (side * side));
    for rows in fine.chunks_exact(side * 3 * width) {
        for left in (0..width).step_by(side) {
            for channel in 0..3 {
                let offsets = (0..side * side).map(|i| (i / side * width + left + i % side) * 3);
                let sum: u32 = offsets.map(|offset| u32::from(rows[offset + channel])).sum();
                let count = (side * side) as u32;
                image.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    image
}

/// A white strip of `width` x `height` pixels, as RGB samples, with a line of text in it that
/// begins at each of `texts`' columns.
#[cfg(feature = "shape")]
pub(crate) fn text_strip(
    texts: &[(u32, String)],
    (width, height): (u32, u32),
) -> Result<Vec<u8>, ChartError> {
    struct Strip<'a>(&'a [(u32, String)], (u32, u32));

    impl Drawing for Strip<'_> {
        fn size(&self) -> (u32, u32) {
            self.1
        }

        fn draw<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError> {
            let middle = 0.5 * f64::from(self.1.1);
            self.0.iter().try_for_each(|(column, text)| {
                let at = (f64::from(*column), middle);
                canvas.text(text, at, Anchor::Left, MEDIUM, INK)
            })
        }
    }

    pixels(&Strip(texts, (width, height)), 1)
}

fn draw<B: DrawingBackend>(
    drawing: &impl Drawing,
    area: DrawingArea<B, Shift>,
    text_drop: f64,
) -> Result<(), ChartError> {
    load_font()?;
    let failed = |reason: String| ChartError::Drawing { reason };
    area.fill(&WHITE).map_err(|error| failed(error.to_string()))?;
    drawing.draw(&Canvas { area: &area, scale: f64::from(SUBUNITS), text_drop })?;
    area.present().map_err(|error| failed(error.to_string()))
}

/// Registers the embedded font with the drawing library, once. System fonts are not used.
fn load_font() -> Result<(), ChartError> {
    static LOADED: OnceLock<bool> = OnceLock::new();
    let load = || register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok();
    match *LOADED.get_or_init(load) {
        true => Ok(()),
        false => Err(ChartError::Drawing { reason: "the font cannot be read".into() }),
    }
}
