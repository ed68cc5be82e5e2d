//! From something that can be drawn to a file.

use std::path::Path;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::ChartError;
use super::canvas::{Canvas, FAMILY};
use crate::atomic_file::write_atomically;
use crate::encoded_png::encode_png;

/// Parts of a unit that are told apart: the drawing library knows whole numbers only, and at one to
/// a unit curves would be visibly wavy.
const FINENESS: u32 = 4;
/// Pixels of a PNG file per unit, so that it is sharp on dense screens too.
const PIXELS: u32 = 2;

/// The kind of file that a chart is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartFormat {
    /// A vector drawing.
    Svg,
    /// A picture, two pixels to a unit.
    Png,
}

impl ChartFormat {
    /// The format that a file's name asks for by its ending.
    ///
    /// # Errors
    /// An ending other than `.svg` and `.png`.
    pub fn of(path: &Path) -> Result<Self, ChartError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        match ending.to_ascii_lowercase().as_str() {
            "svg" => Ok(Self::Svg),
            "png" => Ok(Self::Png),
            _ => Err(ChartError::Format { path: path.to_owned() }),
        }
    }
}

/// Something that can be drawn on any canvas.
pub(super) trait Drawing {
    /// Width and height in units.
    fn size(&self) -> (u32, u32);

    /// Draws itself.
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>) -> Result<(), ChartError>;
}

/// Writes `drawing` to `path` in the format of its ending, atomically.
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
    let fine = (FINENESS * width, FINENESS * height);
    draw(drawing, SVGBackend::with_string(&mut text, fine).into_drawing_area(), 0.0)?;
    // The view box stays, and is shown at the drawing's own size.
    let size = |width, height| format!("width=\"{width}\" height=\"{height}\"");
    Ok(text.replacen(&size(fine.0, fine.1), &size(width, height), 1))
}

fn png(drawing: &impl Drawing) -> Result<Vec<u8>, ChartError> {
    let (width, height) = drawing.size();
    let fine_size = (FINENESS * width, FINENESS * height);
    let mut fine = vec![0; 3 * fine_size.0 as usize * fine_size.1 as usize];
    draw(drawing, BitMapBackend::with_buffer(&mut fine, fine_size).into_drawing_area(), 0.14)?;
    let picture = means_over_squares(&fine, fine_size.0 as usize);
    encode_png(PIXELS * width, PIXELS * height, &picture)
        .map_err(|error| ChartError::Drawing { reason: error.to_string() })
}

/// The RGB picture `fine`, `width` pixels wide, reduced from FINENESS to PIXELS a unit: each sample
/// is the rounded mean over a square.
fn means_over_squares(fine: &[u8], width: usize) -> Vec<u8> {
    const SIDE: usize = (FINENESS / PIXELS) as usize;
    let mut picture = Vec::with_capacity(fine.len() / (SIDE * SIDE));
    for rows in fine.chunks_exact(SIDE * 3 * width) {
        for left in (0..width).step_by(SIDE) {
            for channel in 0..3 {
                let offsets = (0..SIDE * SIDE).map(|i| (i / SIDE * width + left + i % SIDE) * 3);
                let sum: u32 = offsets.map(|offset| u32::from(rows[offset + channel])).sum();
                let count = (SIDE * SIDE) as u32;
                picture.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    picture
}

fn draw<B: DrawingBackend>(
    drawing: &impl Drawing,
    area: DrawingArea<B, Shift>,
    text_drop: f64,
) -> Result<(), ChartError> {
    load_font()?;
    let failed = |reason: String| ChartError::Drawing { reason };
    area.fill(&WHITE).map_err(|error| failed(error.to_string()))?;
    drawing.draw(&Canvas { area: &area, scale: f64::from(FINENESS), text_drop })?;
    area.present().map_err(|error| failed(error.to_string()))
}

/// Makes the font known to the drawing library, once: no font of the system is looked for.
fn load_font() -> Result<(), ChartError> {
    static LOADED: OnceLock<bool> = OnceLock::new();
    let load = || register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok();
    match *LOADED.get_or_init(load) {
        true => Ok(()),
        false => Err(ChartError::Drawing { reason: "the font cannot be read".into() }),
    }
}
