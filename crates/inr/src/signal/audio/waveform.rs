//! A chart of a waveform, its reconstruction and the difference.

use super::AudioInfo;
use crate::chart::{Chart, Curve, Panel, Scale};

/// The number of columns; in each, the range from the smallest to the largest value is drawn.
const COLUMNS: usize = 1000;

/// Ground truth, reconstruction and error over time, as values on the \[-1, 1\] of the scaled
/// waveform, all with the same vertical axis; for several channels, of the first.
pub(super) fn chart(info: &AudioInfo, truth: &[f32], reconstruction: &[f32]) -> Chart {
    let channels = info.channels.max(1);
    let first = |values: &[f32]| values.iter().copied().step_by(channels).collect::<Vec<f32>>();
    let (truth, reconstruction) = (first(truth), first(reconstruction));
    let error: Vec<f32> = reconstruction.iter().zip(&truth).map(|(ours, own)| ours - own).collect();
    // The largest magnitude of all three, so that their amplitudes can be compared.
    let finite = [&truth, &reconstruction, &error].into_iter().flatten().filter(|x| x.is_finite());
    let peak = f64::from(finite.fold(0.0f32, |peak, x| peak.max(x.abs())));
    let of = if channels == 1 { String::new() } else { format!(", channel 1 of {channels}") };
    let panel = |title: &str, values: &[f32]| Panel {
        title: format!("{title}{of}"),
        scale: Scale::Linear,
        curves: vec![Curve { label: String::new(), points: outline(info, values) }],
        level: None,
        marks: vec![],
        range: (peak > 0.0).then_some((-peak, peak)),
    };
    Chart {
        title: format!("Waveform at {} Hz, divided by its largest |x|", info.rate),
        x_label: "seconds".into(),
        x_scale: Scale::Linear,
        panels: vec![
            panel("ground truth", &truth),
            panel("reconstruction", &reconstruction),
            panel("error (reconstruction - ground truth)", &error),
        ],
    }
}

/// The values over time as separate strokes, since the miter joins of a line would form spikes at
/// sharp turns: from one value to the next, or, for many values, from the smallest to the largest
/// in each column.
fn outline(info: &AudioInfo, values: &[f32]) -> Vec<(f64, f64)> {
    let seconds = |index: usize| info.start + index as f64 / f64::from(info.rate);
    let place = |index: usize, value: f32| (seconds(index), f64::from(value));
    let stroke = |from: (f64, f64), to: (f64, f64)| [from, to, (to.0, f64::NAN)];
    if values.len() <= 2 * COLUMNS {
        let last = values.len().saturating_sub(1);
        let steps = (0..values.len()).map(|index| (index, (index + 1).min(last)));
        return steps.flat_map(|(a, b)| stroke(place(a, values[a]), place(b, values[b]))).collect();
    }
    let width = values.len().div_ceil(COLUMNS);
    (0..values.len())
        .step_by(width)
        .flat_map(|first| {
            // From the last value of the previous column, so that there are no gaps.
            let column = &values[first.saturating_sub(1)..values.len().min(first + width)];
            let smallest = column.iter().copied().fold(f32::INFINITY, f32::min);
            let largest = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            stroke(place(first, smallest), place(first, largest))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_of_long_audio_are_kept() {
        let mut values = vec![0.0; 100_000];
        values[77_777] = 0.9;
        values[5] = -0.8;
        let info = AudioInfo { rate: 1000, samples: 100_000, channels: 1, scale: 1.0, start: 2.0 };
        let points = outline(&info, &values);
        assert_eq!(points.len(), 3 * COLUMNS);
        let peak = points.iter().find(|point| point.1 > 0.5).unwrap();
        assert!((peak.0 - 79.777).abs() < 0.11 && peak.1 == f64::from(0.9f32), "{peak:?}");
        assert_eq!(points[0], (2.0, f64::from(-0.8f32)));
        let few = outline(&info, &values[4..7]);
        assert_eq!((few[0], few[1]), ((2.0, 0.0), (2.001, f64::from(-0.8f32))));
        assert!(few[2].1.is_nan() && few.len() == 9);
    }
}
