//! A chart of a waveform, its reconstruction and the difference.

use super::AudioInfo;
use crate::chart::{Chart, Curve, Panel, Scale};

/// Stretches of time that are told apart; of each the smallest and the largest value are drawn.
const COLUMNS: usize = 1500;

/// Original, reconstruction and error over time, as values on the scaled waveform's [-1, 1]; of
/// several channels the first.
pub(super) fn chart(info: &AudioInfo, truth: &[f32], reconstruction: &[f32]) -> Chart {
    let channels = info.channels.max(1);
    let first = |values: &[f32]| values.iter().copied().step_by(channels).collect::<Vec<f32>>();
    let (truth, reconstruction) = (first(truth), first(reconstruction));
    let error: Vec<f32> = reconstruction.iter().zip(&truth).map(|(ours, own)| ours - own).collect();
    let of = if channels == 1 { String::new() } else { format!(", channel 1 of {channels}") };
    let panel = |title: &str, values: &[f32]| Panel {
        title: format!("{title}{of}"),
        scale: Scale::Linear,
        curves: vec![Curve { label: String::new(), points: outline(info, values) }],
        level: None,
        marks: vec![],
    };
    Chart {
        title: format!("Waveform at {} Hz, divided by its largest |x|", info.rate),
        x_label: "seconds".into(),
        x_scale: Scale::Linear,
        panels: vec![
            panel("original", &truth),
            panel("reconstruction", &reconstruction),
            panel("error (reconstruction - original)", &error),
        ],
    }
}

/// The values over time; of many, the smallest and largest of each column.
fn outline(info: &AudioInfo, values: &[f32]) -> Vec<(f64, f64)> {
    let seconds = |index: usize| info.start + index as f64 / f64::from(info.rate);
    if values.len() <= 2 * COLUMNS {
        let points = values.iter().enumerate();
        return points.map(|(index, value)| (seconds(index), f64::from(*value))).collect();
    }
    let width = values.len().div_ceil(COLUMNS);
    let columns = values.chunks(width).enumerate();
    columns
        .flat_map(|(column, values)| {
            let smallest = values.iter().copied().fold(f32::INFINITY, f32::min);
            let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            [smallest, largest].map(|value| (seconds(column * width), f64::from(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_of_long_recordings_are_kept() {
        let mut values = vec![0.0; 100_000];
        values[77_777] = 0.9;
        values[5] = -0.8;
        let info = AudioInfo {
            rate: 1000,
            samples: 100_000,
            channels: 1,
            scale: 1.0,
            input_scale: 1.0,
            start: 2.0,
        };
        let points = outline(&info, &values);
        assert!(points.len() <= 2 * COLUMNS);
        let peak = points.iter().find(|point| point.1 > 0.5).unwrap();
        assert!((peak.0 - 79.777).abs() < 0.07 && peak.1 == f64::from(0.9f32), "{peak:?}");
        assert_eq!(points[0], (2.0, f64::from(-0.8f32)));
        assert_eq!(outline(&info, &values[..7]).len(), 7);
    }
}
