//! A test image that needs no file.

use std::f32::consts::PI;

use super::pixels::Pixels;
use super::{BitDepth, Image, WHOLE};
use crate::signal::error::SignalError;

/// The number of samples per pixel on each axis.
const OVERSAMPLING: u32 = 4;

type Rgb = [f32; 3];

/// A square RGB image with features that are difficult for coordinate networks: smooth gradients, a
/// disc and a rotated square with sharp edges, a zone plate, stripes of increasing frequency and
/// thin lines. Every call gives the same image; edges are smoothed with 16 samples per pixel.
///
/// # Errors
/// Returns a [`SignalError`] if the side is 0 or exceeds the limits of this crate.
pub fn test_image(side: u32) -> Result<Image, SignalError> {
    WHOLE.require(side, side)?;
    let fine = (side * OVERSAMPLING) as f32;
    let share = 255.0 / (OVERSAMPLING * OVERSAMPLING) as f32;
    let mut samples = Vec::with_capacity(3 * (side as usize).pow(2));
    for row in 0..side {
        for column in 0..side {
            let mut sum = [0.0; 3];
            for part in 0..OVERSAMPLING * OVERSAMPLING {
                let x = column * OVERSAMPLING + part % OVERSAMPLING;
                let y = row * OVERSAMPLING + part / OVERSAMPLING;
                let color = color_at((x as f32 + 0.5) / fine, (y as f32 + 0.5) / fine);
                for channel in 0..3 {
                    sum[channel] += color[channel].clamp(0.0, 1.0);
                }
            }
            samples.extend(sum.map(|value| (value * share).round() as u8));
        }
    }
    Image::of_pixels(side, side, 3, BitDepth::Eight, Pixels::Eight(samples))
}

/// The color at (x, y), each on \[0, 1\] from the top left.
fn color_at(x: f32, y: f32) -> Rgb {
    let mut color = sky(x, y);
    paint(&mut color, rays(x, y), [0.98, 0.93, 0.80]);
    // A sun behind everything else, brighter toward its upper left.
    let light = 1.0 - 0.9 * distance(x, y, 0.24, 0.22);
    paint(&mut color, distance(x, y, 0.28, 0.27) < 0.16, [light, 0.72 * light, 0.16 * light]);
    // A rotated square with a checkered face.
    let (along, across) = turned(x - 0.70, y - 0.30, 0.45);
    let checker = ((along / 0.058).floor() + (across / 0.058).floor()).rem_euclid(2.0);
    let face = if checker < 0.5 { [0.80, 0.13, 0.22] } else { [0.96, 0.88, 0.82] };
    paint(&mut color, along.abs().max(across.abs()) < 0.174, face);
    // A zone plate: rings whose spacing decreases outward.
    let radius = distance(x, y, 0.27, 0.72);
    let ring = 0.5 + 0.5 * (PI * radius * radius * 240.0).cos();
    let tint = [0.08 + 0.86 * ring, 0.16 + 0.78 * ring, 0.30 + 0.64 * ring];
    paint(&mut color, radius < 0.20, tint);
    paint(&mut color, (radius - 0.20).abs() < 0.004, [0.05, 0.08, 0.16]);
    // Stripes of increasing frequency, one band for each channel and one for all three.
    let (left, top) = (x - 0.54, y - 0.56);
    if (0.0..0.40).contains(&left) && (0.0..0.34).contains(&top) {
        let cycles = 10.0 * left + 60.0 * left * left;
        let stripe = 0.5 + 0.5 * (2.0 * PI * cycles).cos();
        let band = (top / 0.085) as usize;
        color = [0, 1, 2].map(|i| if band == i || band == 3 { stripe } else { 0.12 });
    }
    color
}

/// Night blue above, warm below, with slow waves of color.
fn sky(x: f32, y: f32) -> Rgb {
    let wave = (2.0 * PI * (0.8 * x + 0.35 * (3.0 * y).sin())).sin();
    [
        0.16 + 0.62 * y * y + 0.06 * wave,
        0.24 + 0.30 * y + 0.10 * (PI * (x - 0.3 * y)).sin(),
        0.50 - 0.22 * y + 0.16 * x - 0.05 * wave,
    ]
}

/// Thin lines that fan out from the bottom left corner.
fn rays(x: f32, y: f32) -> bool {
    [0.06, 0.17, 0.31, 0.50, 0.78].into_iter().any(|slope: f32| {
        let height = (1.0 - y) - slope * x;
        height.abs() < 0.0022 * (1.0 + slope * slope).sqrt()
    })
}

fn paint(color: &mut Rgb, inside: bool, with: Rgb) {
    if inside {
        *color = with;
    }
}

fn distance(x: f32, y: f32, from_x: f32, from_y: f32) -> f32 {
    (x - from_x).hypot(y - from_y)
}

/// (x, y) in axes rotated by `angle`.
fn turned(x: f32, y: f32, angle: f32) -> (f32, f32) {
    let (sine, cosine) = angle.sin_cos();
    (cosine * x + sine * y, cosine * y - sine * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_every_time_and_not_trivial() {
        let image = test_image(96).unwrap();
        assert_eq!((image.width(), image.height(), image.channels()), (96, 96, 3));
        assert_eq!(image, test_image(96).unwrap());
        let count = image.values().len() as f32;
        let mean = image.values().iter().sum::<f32>() / count;
        let variance =
            image.values().iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
        assert!(mean.abs() < 0.4 && variance > 0.15, "{mean} {variance}");
        // Sharp edges: some neighbors differ by more than half the range.
        assert!(image.values().windows(4).any(|four| (four[0] - four[3]).abs() > 1.0));
    }

    #[test]
    fn any_size_can_be_drawn_but_none() {
        assert_eq!(test_image(1).unwrap().values().len(), 3);
        assert!(test_image(0).is_err());
        assert!(test_image(u32::MAX).is_err());
    }
}
