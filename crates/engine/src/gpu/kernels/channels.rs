//! How channels pass an activation, forward and backward; see [`Channels`].

use std::fmt::Write as _;

use crate::channels::Channels;

/// The order of the derivatives of the activation that a pass needs: one more if it goes backward or
/// along a direction.
pub(in crate::gpu) fn order(channels: &Channels, slopes: Slopes) -> usize {
    channels.order() + usize::from(slopes == Slopes::Kept)
}

/// Whether a pass keeps the slopes of the activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gpu) enum Slopes {
    Kept,
    Unused,
}

/// The function `put`, which takes a preactivation, and, if there is more than one channel,
/// `sweep_forward`, which passes all channels of a layer through the activation.
pub(super) fn forward(channels: &Channels, slopes: Slopes) -> String {
    if channels.count() > 1 {
        return sweep_forward(channels);
    }
    let slope = match slopes {
        Slopes::Kept => "  scratch[o + layer.size] = select(vec4<f32>(0.0), jet.f1, is_unit);\n",
        Slopes::Unused => "",
    };
    format!(
        "fn put(layer: Layer, unit: u32, column: u32, z: vec4<f32>) {{
  let is_unit = unit < layer.units;
  let jet = activate(z);
  let o = own + layer.region + unit * COLUMNS + column;
  scratch[o] = select(vec4<f32>(0.0), jet.f0, is_unit);
{slope}}}
"
    )
}

/// The sum of the products of tangents, such as `z1 * z1 + z2 * z2`.
fn products(pairs: &[(usize, usize)]) -> String {
    let each: Vec<_> = pairs.iter().map(|(a, b)| format!("z{} * z{}", 1 + a, 1 + b)).collect();
    each.join(" + ")
}

/// The channels and their numbers: those of tangents, and those of second derivatives with their pairs.
fn seconds(channels: &Channels) -> impl Iterator<Item = (usize, &Vec<(usize, usize)>)> {
    (1 + channels.tangents..).zip(&channels.seconds)
}

fn sweep_forward(channels: &Channels) -> String {
    let mut text = String::from(
        "fn put(layer: Layer, unit: u32, column: u32, z: vec4<f32>) {
  scratch[own + layer.region + layer.size + unit * COLUMNS + column] = z;
}
fn sweep_forward(index: u32) {
  let layer = net.layer[index];
  for (var i = tid; i < 4u * layer.stride * POINTS; i += INVOCATIONS) {
    let unit = i / POINTS;
    let o = own + layer.region + unit * COLUMNS + i % POINTS;
    let from_z = o + layer.size;
    let is_unit = unit < layer.units;
    let z0 = scratch[from_z];
    let jet = activate(z0);
    scratch[o] = select(vec4<f32>(0.0), jet.f0, is_unit);
",
    );
    let mut store = |channel: usize, value: &str| {
        let _ = writeln!(
            text,
            "    let z{channel} = scratch[from_z + {channel}u * POINTS];\n    \
             scratch[o + {channel}u * POINTS] = select(vec4<f32>(0.0), {value}, is_unit);"
        );
    };
    for channel in 1..=channels.tangents {
        store(channel, &format!("jet.f1 * z{channel}"));
    }
    for (channel, pairs) in seconds(channels) {
        store(channel, &format!("jet.f1 * z{channel} + jet.f2 * ({})", products(pairs)));
    }
    // Columns without a channel stay 0.
    text += "    if (i % POINTS == 0u) {
      for (var c = CHANNELS * POINTS; c < COLUMNS; c++) { scratch[o + c] = vec4<f32>(0.0); }
    }
  }
  storageBarrier();
}
";
    text
}

/// The function `pull_back`, which takes the derivative of the loss with respect to an activation, and,
/// if there is more than one channel, `sweep_backward`, which turns those of a layer into the
/// derivatives with respect to the preactivations.
pub(super) fn backward(channels: &Channels) -> String {
    if channels.count() == 1 {
        return "fn pull_back(layer: Layer, index: u32, error: vec4<f32>) {
  scratch[index] = error * scratch[index + layer.size];
}
"
        .to_owned();
    }
    let mut text = String::from(
        "fn pull_back(layer: Layer, index: u32, error: vec4<f32>) {
  scratch[index] = error;
}
fn sweep_backward(index: u32) {
  let layer = net.layer[index];
  for (var i = tid; i < 4u * layer.stride * POINTS; i += INVOCATIONS) {
    let unit = i / POINTS;
    let o = own + layer.region + unit * COLUMNS + i % POINTS;
    let from_z = o + layer.size;
    let is_unit = unit < layer.units;
    let jet = activate(scratch[from_z]);
",
    );
    let count = channels.count();
    for channel in 0..count {
        let _ = writeln!(text, "    let e{channel} = scratch[o + {channel}u * POINTS];");
    }
    for channel in 1..count {
        let _ = writeln!(text, "    let z{channel} = scratch[from_z + {channel}u * POINTS];");
    }
    let mut sums: Vec<String> = (0..count).map(|channel| format!("jet.f1 * e{channel}")).collect();
    for channel in 1..=channels.tangents {
        let _ = write!(sums[0], " + jet.f2 * z{channel} * e{channel}");
    }
    for (channel, pairs) in seconds(channels) {
        let _ = write!(
            sums[0],
            " + (jet.f2 * z{channel} + jet.f3 * ({})) * e{channel}",
            products(pairs)
        );
        for (a, b) in pairs {
            let _ = write!(sums[1 + a], " + jet.f2 * z{} * e{channel}", 1 + b);
            let _ = write!(sums[1 + b], " + jet.f2 * z{} * e{channel}", 1 + a);
        }
    }
    for (channel, sum) in sums.iter().enumerate() {
        let _ = writeln!(
            text,
            "    scratch[o + {channel}u * POINTS] = select(vec4<f32>(0.0), {sum}, is_unit);"
        );
    }
    text + "  }
  storageBarrier();
}
"
}

/// The function `put_moved`, which takes the derivative of a preactivation along a direction, and, if
/// there is more than one channel, `sweep_moved`, which passes all channels of a layer and their
/// derivatives through the activation.
pub(super) fn moved(channels: &Channels) -> String {
    if channels.count() == 1 {
        return "fn put_moved(layer: Layer, unit: u32, column: u32, z: vec4<f32>) {
  let o = own + layer.region + unit * COLUMNS + column;
  scratch[o + 2u * layer.size] = z * scratch[o + layer.size];
}
"
        .to_owned();
    }
    let mut text = String::from(
        "fn put_moved(layer: Layer, unit: u32, column: u32, z: vec4<f32>) {
  scratch[own + layer.region + 3u * layer.size + unit * COLUMNS + column] = z;
}
fn sweep_moved(index: u32) {
  sweep_forward(index);
  let layer = net.layer[index];
  for (var i = tid; i < 4u * layer.stride * POINTS; i += INVOCATIONS) {
    let unit = i / POINTS;
    let from_z = own + layer.region + layer.size + unit * COLUMNS + i % POINTS;
    let o = from_z + layer.size;
    let from_v = o + layer.size;
    let is_unit = unit < layer.units;
    let jet = activate(scratch[from_z]);
",
    );
    let count = channels.count();
    for channel in 0..count {
        let _ = writeln!(text, "    let z{channel} = scratch[from_z + {channel}u * POINTS];");
        let _ = writeln!(text, "    let v{channel} = scratch[from_v + {channel}u * POINTS];");
    }
    let mut sums: Vec<String> = (0..count).map(|channel| format!("jet.f1 * v{channel}")).collect();
    for (channel, sum) in sums.iter_mut().enumerate().skip(1) {
        let _ = write!(sum, " + jet.f2 * z{channel} * v0");
    }
    for (channel, pairs) in seconds(channels) {
        let _ = write!(sums[channel], " + jet.f3 * ({}) * v0", products(pairs));
        for (a, b) in pairs {
            let (a, b) = (1 + a, 1 + b);
            let _ = write!(sums[channel], " + jet.f2 * (z{a} * v{b} + z{b} * v{a})");
        }
    }
    for (channel, sum) in sums.iter().enumerate() {
        let _ = writeln!(
            text,
            "    scratch[o + {channel}u * POINTS] = select(vec4<f32>(0.0), {sum}, is_unit);"
        );
    }
    text + "    if (i % POINTS == 0u) {
      for (var c = CHANNELS * POINTS; c < COLUMNS; c++) { scratch[o + c] = vec4<f32>(0.0); }
    }
  }
  storageBarrier();
}
"
}
