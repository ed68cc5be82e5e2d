//! What a network is fitted to: values at coordinates.
//!
//! Values lie in \[-1, 1\], and so do the coordinates of the longest side.

mod error;
mod grid;
mod image;
mod info;
mod jpeg;
mod lanczos;
mod open;
mod samples;
mod test_picture;

pub use self::image::{BitDepth, Image};
pub use error::SignalError;
pub use grid::Grid;
pub use info::SignalInfo;
pub use open::{AlphaRule, ImageOptions};
pub use test_picture::test_picture;

/// Longest side, in pixels, of an image that is read or drawn.
pub const LONGEST_SIDE: u32 = 1 << 15;
/// Most pixels of an image that is read or drawn: 3 GiB of RGB in float32.
pub const MOST_PIXELS: u64 = 1 << 28;

/// Why an image of this size is refused, if it is.
fn size_problem(width: u32, height: u32) -> Option<String> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        Some("both sides must be at least 1 pixel".into())
    } else if width.max(height) > LONGEST_SIDE {
        Some(format!("a side may have at most {LONGEST_SIDE} pixels"))
    } else if pixels > MOST_PIXELS {
        Some(format!("{pixels} pixels, at most {MOST_PIXELS} are accepted"))
    } else {
        None
    }
}

/// Refuses a size that no image of this crate has.
fn require_size(width: u32, height: u32) -> Result<(), SignalError> {
    match size_problem(width, height) {
        Some(reason) => Err(SignalError::Size { width, height, reason }),
        None => Ok(()),
    }
}
