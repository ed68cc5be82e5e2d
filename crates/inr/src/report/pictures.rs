//! Pictures in a report.

use image::codecs::png::PngEncoder;
use image::{GrayImage, ImageBuffer, Pixel, PixelWithColorType, RgbImage};

use super::Picture;
use crate::Image;

/// How often an error is enlarged to be seen.
const ENLARGED: f32 = 10.0;

/// The truth, what a network makes of it, and ten times the absolute difference. Nothing for pictures of
/// different shapes.
pub fn side_by_side(truth: &Image, reconstruction: &Image) -> Vec<Picture> {
    let (own, values) = (truth.values(), reconstruction.values());
    let shape = |image: &Image| (image.width(), image.height(), image.channels());
    if shape(truth) != shape(reconstruction) {
        return Vec::new();
    }
    let level = |value: f32| ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
    let error = |(a, b): (&f32, &f32)| (ENLARGED * (a - b).abs() * 127.5).round().min(255.0) as u8;
    let all = [
        ("ground truth", own.iter().map(|value| level(*value)).collect()),
        ("reconstruction", values.iter().map(|value| level(*value)).collect()),
        ("10 x absolute error", own.iter().zip(values).map(error).collect::<Vec<u8>>()),
    ];
    let (width, height) = (truth.width(), truth.height());
    all.into_iter()
        .filter_map(|(caption, levels)| {
            let png = match truth.channels() {
                1 => png(&GrayImage::from_raw(width, height, levels)?),
                _ => png(&RgbImage::from_raw(width, height, levels)?),
            };
            Some(Picture { caption: caption.into(), png: png? })
        })
        .collect()
}

fn png<P>(picture: &ImageBuffer<P, Vec<u8>>) -> Option<Vec<u8>>
where
    P: Pixel<Subpixel = u8> + PixelWithColorType,
{
    let mut bytes = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut bytes)).ok()?;
    Some(bytes)
}
