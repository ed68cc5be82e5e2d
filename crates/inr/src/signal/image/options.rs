//! How an image file is turned into the image to fit.

use serde::{Deserialize, Serialize};

/// What to do with transparent pixels.
///
/// An alpha channel that is opaque everywhere is dropped under either rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "expected refuse, white, black or a list of three numbers"
)]
pub enum AlphaRule {
    /// Refuse the image.
    #[default]
    Refuse,
    /// Put white behind the image.
    White,
    /// Put black behind the image.
    Black,
    /// Put this color (red, green, blue on \[0, 1\]) behind the image. Samples are mixed as they
    /// are stored, without undoing their gamma, as browsers do. Behind a gray image comes the
    /// color's luma. In JSON it is a list of three numbers.
    #[serde(untagged)]
    Composite([f32; 3]),
}

impl AlphaRule {
    /// The color behind the image: red, green, blue on \[0, 1\].
    pub(super) fn background(self) -> Option<[f32; 3]> {
        match self {
            Self::Refuse => None,
            Self::White => Some([1.0; 3]),
            Self::Black => Some([0.0; 3]),
            Self::Composite(color) => Some(color),
        }
    }
}

/// How an image file is turned into the image to fit, in this order: alpha, reduction, crop,
/// gray.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImageOptions {
    /// Divides both sides (rounding down) by Lanczos resampling; 1 leaves the image as it is.
    pub downscale: u32,
    /// Keeps a square of this side around the center; of an odd margin, the smaller half is cut on
    /// the left and the top.
    pub crop: Option<u32>,
    /// Makes RGB gray by Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B.
    pub gray: bool,
    /// What to do with transparent pixels.
    pub alpha: AlphaRule,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self { downscale: 1, crop: None, gray: false, alpha: AlphaRule::Refuse }
    }
}

/// What is asked of [`ImageOptions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageRequest {
    /// [`ImageOptions::downscale`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downscale: Option<u32>,
    /// [`ImageOptions::crop`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<u32>,
    /// [`ImageOptions::gray`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gray: Option<bool>,
    /// [`ImageOptions::alpha`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<AlphaRule>,
}

impl ImageRequest {
    /// The names of the fields.
    pub(super) const FIELDS: &'static [&'static str] = &["downscale", "crop", "gray", "alpha"];

    /// The options, with their defaults where nothing is asked for.
    pub fn options(&self) -> ImageOptions {
        let default = ImageOptions::default();
        ImageOptions {
            downscale: self.downscale.unwrap_or(default.downscale),
            crop: self.crop,
            gray: self.gray.unwrap_or(default.gray),
            alpha: self.alpha.unwrap_or(default.alpha),
        }
    }
}
