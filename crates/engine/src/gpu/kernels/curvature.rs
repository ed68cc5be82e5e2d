//! The text of the kernels of curvature: second moments of activations and errors, and derivatives
//! along a direction in the space of parameters.

use super::super::tile::Tile;
use super::pass::{forward, head, hidden_backward, hidden_layer, main, output_layer, sweep};
use super::product::{Factor, Product, accumulate, entries, for_each_entry};
use super::{channels, pass};
use crate::channels::Channels;

/// The function `second_moment`: the sum over all columns of the outer product of a region with
/// itself, and the sum of the columns of values. Points that only fill up a tile have the mask 0.
fn second_moment(tile: Tile) -> String {
    let product = Product {
        terms: "4u * COLUMNS",
        first: Factor::Columns(
            "(scratch[region + (block * 4u * COLUMNS + $row) * COLUMNS + $k] * \
             points[mask + $k % POINTS])",
        ),
        second: Factor::Columns("scratch[region + (rows * 4u * COLUMNS + $row) * COLUMNS + $k]"),
        each_slice: pass::SUM_OF_VALUES,
    };
    let add = for_each_entry(
        tile,
        "add(offset + (rows * 4u * COLUMNS + $row) * layer.stride + block * COLUMNS + $vector, $c);",
    );
    format!(
        "fn second_moment(index: u32, is_error: bool) {{
  let layer = net.layer[index];
  let region = own + layer.region;
  let mask = at + (net.inputs + net.outputs * CHANNELS) * POINTS;
  let units = 4u * layer.stride;
  var offset = layer.moments;
  if (is_error) {{ offset += (units + 1u) * layer.stride; }}
  for (var rows = 0u; rows < layer.stride / COLUMNS; rows++) {{
    for (var block = 0u; block < layer.stride / COLUMNS; block++) {{
      var bias = vec4<f32>(0.0);
{entries}{product}{add}      if (rows == 0u && tid < COLUMNS && !is_error) {{
        add(offset + units * layer.stride + block * COLUMNS + tid, bias);
      }}
    }}
  }}
  storageBarrier();
}}
",
        entries = entries(tile),
        product = accumulate(tile, &product),
    )
}

/// The kernel that sums the second moments of the activations and errors of every hidden layer.
pub(super) fn factors(tile: Tile, channels: &Channels, activation: &str, coherent: bool) -> String {
    let mut text = head(tile, channels, activation, coherent);
    text += "@group(0) @binding(5) var<storage, read_write> partials: array<vec4<f32>>;
var<private> part: u32;       // where the workgroup's sums start
var<private> is_first: bool;  // whether they are overwritten

// The values that are propagated back from the outputs.
fn signs() {
  let layer = net.layer[net.layers - 1u];
  for (var i = tid; i < 4u * layer.stride * COLUMNS; i += INVOCATIONS) {
    let o = i / COLUMNS;
    let column = i % COLUMNS;
    var error = vec4<f32>(0.0);
    if (o < net.outputs && column < CHANNELS * POINTS) {
      error = points[at + (net.inputs + o * CHANNELS) * POINTS + column];
    }
    scratch[own + i] = error;
  }
  storageBarrier();
}
";
    text += &channels::forward(channels, channels::Slopes::Kept);
    text += &channels::backward(channels);
    text += include_str!("first_layer.wgsl");
    text += &hidden_layer(tile);
    text += include_str!("backward.wgsl");
    text += &hidden_backward(tile);
    text += &second_moment(tile);
    let body = format!(
        "    is_first = tile == launch.first_tile + group.x && launch.accumulate == 0u;
{forward}    signs();
    second_moment(net.layers - 2u, false);
    output_errors(); {last}
    for (var l = net.layers - 2u; l > 0u; l--) {{
      second_moment(l, true);
      second_moment(l - 1u, false);
      hidden_backward(l); {other}
    }}
    second_moment(0u, true);
",
        forward = forward(channels),
        last = sweep(channels, "sweep_backward", "net.layers - 2u"),
        other = sweep(channels, "sweep_backward", "l - 1u"),
    );
    text + &main(tile, "  part = group.x * net.moments;\n", &body, "")
}

/// The kernel of the derivatives of all channels of the outputs along a direction.
pub(super) fn tangents(
    tile: Tile,
    channels: &Channels,
    activation: &str,
    coherent: bool,
) -> String {
    let mut text = head(tile, channels, activation, coherent);
    text += pass::RESULTS;
    text += "@group(0) @binding(6) var<storage, read> direction: array<vec4<f32>>;\n";
    text += &channels::forward(channels, channels::Slopes::Kept);
    text += &channels::moved(channels);
    text += include_str!("first_layer.wgsl");
    text += &include_str!("first_layer.wgsl")
        .replace("fn first_layer", "fn first_moved")
        .replace("put(", "put_moved(")
        .replace("parameters[base + ", "direction[");
    text += &hidden_layer(tile);
    text += &hidden_moved(tile);
    text += &output_layer()
        .replace(
            "let w = parameters[base + layer.weights + k * layer.stride + quad];",
            "let w = parameters[base + layer.weights + k * layer.stride + quad];
        let moved = scratch[region + 2u * before.size + k * COLUMNS + column];
        let v = direction[layer.weights + k * layer.stride + quad];",
        )
        .replace("parameters[base + layer.biases", "direction[layer.biases");
    for (row, component) in ["x", "y", "z", "w"].iter().enumerate() {
        text = text.replace(
            &format!("y{row} = fma(vec4(w.{component}), a, y{row});"),
            &format!(
                "y{row} = fma(vec4(w.{component}), moved, fma(vec4(v.{component}), a, y{row}));"
            ),
        );
    }
    let body = format!(
        "    first_layer(); first_moved(); {first}
    for (var l = 1u; l + 1u < net.layers; l++) {{ hidden_layer(l); hidden_moved(l); {other}}}
{write}",
        write = pass::WRITE_RESULTS,
        first = sweep(channels, "sweep_moved", "0u"),
        other = sweep(channels, "sweep_moved", "l"),
    );
    text + &main(tile, "", &body, "")
}

/// The function `hidden_moved`: W h' + W' h + b', where ' is the derivative along the direction.
fn hidden_moved(tile: Tile) -> String {
    let of = |first, second| Product {
        terms: "layer.inputs",
        first: Factor::Rows(first),
        second: Factor::Rows(second),
        each_slice: "",
    };
    let products = [
        of(
            "scratch[inputs + 2u * before.size + $k * COLUMNS + $m]",
            "parameters[base + layer.weights + $k * layer.stride + block * COLUMNS + $m]",
        ),
        of(
            "scratch[inputs + $k * COLUMNS + $m]",
            "direction[layer.weights + $k * layer.stride + block * COLUMNS + $m]",
        ),
    ];
    let products: String = products.iter().map(|product| accumulate(tile, product)).collect();
    format!(
        "fn hidden_moved(index: u32) {{
  let layer = net.layer[index];
  let before = net.layer[index - 1u];
  let inputs = own + before.region;
  for (var block = 0u; block < layer.stride / COLUMNS; block++) {{
    {{
{entries}{products}{biases}{store}    }}
  }}
  storageBarrier();
}}
",
        entries = entries(tile),
        biases = pass::biases(tile, "direction[layer.biases"),
        store = pass::store(tile, "put_moved"),
    )
}
