//! Options of reading an image file.

use serde::{Deserialize, Serialize};

/// The treatment of transparent pixels.
///
/// An alpha channel that is fully opaque is dropped in every case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "expected refuse, white, black or a list of three numbers"
)]
pub enum AlphaRule {
    /// Refuse the image.
    #[default]
    Refuse,
    /// Use a white background.
    White,
    /// Use a black background.
    Black,
    /// Use this background color (red, green, blue on \[0, 1\]). Samples are blended as they are
    /// stored, without linearizing their gamma, as browsers do. For a gray image the background is
    /// the luma of the color. In JSON the color is a list of three numbers.
    #[serde(untagged)]
    Composite([f32; 3]),
}

impl AlphaRule {
    /// The background color: red, green, blue on \[0, 1\].
    pub(super) fn background(self) -> Option<[f32; 3]> {
        match self {
            Self::Refuse => None,
            Self::White => Some([1.0; 3]),
            Self::Black => Some([0.0; 3]),
            Self::Composite(color) => Some(color),
        }
    }
}

/// Options of reading an image file, applied in this order: alpha, reduction, crop, gray.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImageOptions {
    /// The factor by which both sides are reduced (rounding down), by Lanczos resampling; 1 for
    /// none.
    pub downscale: u32,
    /// The side of the central square that is kept; if the margin is odd, its smaller half is at
    /// the left and the top.
    pub crop: Option<u32>,
    /// Whether RGB is converted to gray by Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B.
    pub gray: bool,
    /// The treatment of transparent pixels.
    pub alpha: AlphaRule,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self { downscale: 1, crop: None, gray: false, alpha: AlphaRule::Refuse }
    }
}

/// The requested [`ImageOptions`].
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

    /// The options, with their defaults for fields that are not given.
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
