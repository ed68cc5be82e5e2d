//! The text of the kernels that pass tiles of points through a network.

use std::fmt::Write as _;

use super::super::tile::Tile;
use super::product::{Factor, Product, accumulate, entries, for_each_entry};
use super::{channels, curvature, terms};
use crate::channels::Channels;

/// What a pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::gpu) enum Purpose {
    /// The outputs of all channels.
    Evaluate,
    /// The loss of a [`Batch`](crate::Batch) and its gradient.
    Step,
    /// The loss of the terms of a [`Constraint`](crate::Constraint) and its gradient.
    Terms,
    /// The second moments of the activations and errors of hidden layers.
    Factors,
    /// The derivatives of all channels along a direction in the space of parameters.
    Tangents,
}

/// The part that every pass has in common; `activation` is the text of `activate`.
pub(super) fn head(tile: Tile, channels: &Channels, activation: &str, coherent: bool) -> String {
    let count = channels.count();
    let coherent = if coherent { "@coherent " } else { "" };
    format!(
        "{activation}
const INVOCATIONS = {invocations}u;
const COLUMNS = {columns}u; // of a tile, in vectors
const POINTS = {points}u; // of a tile, in vectors
const CHANNELS = {count}u;
const TANGENTS = {tangents}u;
const PARTS = {parts}u;
{tables}
{declarations}
@group(0) @binding(4) {coherent}var<storage, read_write> scratch: array<vec4<f32>>;
var<workgroup> shared_vectors: array<vec4<f32>, {shared}>;
",
        invocations = tile.invocations(),
        columns = tile.columns / 4,
        points = tile.points(count) / 4,
        tangents = channels.tangents,
        parts = tile.output_parts(),
        tables = include_str!("tables.wgsl"),
        declarations = include_str!("declarations.wgsl"),
        shared = tile.shared_vectors(),
    )
}

/// The place of an invocation among those of its workgroup. With 16 by 16 invocations, neighbors of a
/// group of 32 form patches of 8 by 4, so that they read fewer vectors of workgroup memory.
fn place(tile: Tile) -> String {
    match tile.side() {
        16 => "  let lane = tid % 32u;
  let patch_index = tid / 32u;
  tx = patch_index % 2u * 8u + lane % 8u;
  ty = patch_index / 2u * 4u + lane / 8u;
"
        .to_owned(),
        side => format!("  tx = tid % {side}u;\n  ty = tid / {side}u;\n"),
    }
}

/// The function `hidden_layer`: z = W h + b for all channels, block by block.
pub(super) fn hidden_layer(tile: Tile) -> String {
    let product = Product {
        terms: "layer.inputs",
        first: Factor::Rows("scratch[inputs + $k * COLUMNS + $m]"),
        second: Factor::Rows(
            "parameters[base + layer.weights + $k * layer.stride + block * COLUMNS + $m]",
        ),
        each_slice: "",
    };
    format!(
        "fn hidden_layer(index: u32) {{
  let layer = net.layer[index];
  let inputs = own + net.layer[index - 1u].region;
  for (var block = 0u; block < layer.stride / COLUMNS; block++) {{
    {{
{entries}{product}{biases}{store}    }}
  }}
  storageBarrier();
}}
",
        entries = entries(tile),
        product = accumulate(tile, &product),
        biases = biases(tile, "parameters[base + layer.biases"),
        store = store(tile, "put"),
    )
}

/// The statements that read the biases of an invocation's rows; `start` is the start of their index.
pub(super) fn biases(tile: Tile, start: &str) -> String {
    let mut text = String::new();
    for quad in 0..tile.each / 4 {
        let offset = quad * tile.side();
        let _ =
            writeln!(text, "      let bias{quad} = {start} + block * COLUMNS + {offset}u + tx];");
    }
    text
}

/// The statements that pass each entry with its bias to the function `put`. Only the channel of the
/// values has biases.
pub(super) fn store(tile: Tile, put: &str) -> String {
    let statement = format!(
        "{put}(layer, block * 4u * COLUMNS + $row, $vector, \
         $c + select(0.0, bias$quad.$component, $vector < POINTS));"
    );
    for_each_entry(tile, &statement)
}

/// The statements that add a slice of the first factor of a product, whose terms are columns, to
/// `bias`: only the columns of values.
pub(super) const SUM_OF_VALUES: &str = "        if (rows == 0u && tid < COLUMNS) {
          for (var k = 0u; k < net.slice && k0 + k < 4u * POINTS; k++) {
            bias += shared_vectors[k * COLUMNS + tid];
          }
        }
";

/// The functions `weight_gradient` and `hidden_backward`.
pub(super) fn hidden_backward(tile: Tile) -> String {
    let gradient = Product {
        terms: "4u * COLUMNS",
        first: Factor::Columns("scratch[errors + (block * 4u * COLUMNS + $row) * COLUMNS + $k]"),
        second: Factor::Columns("scratch[inputs + (rows * 4u * COLUMNS + $row) * COLUMNS + $k]"),
        each_slice: SUM_OF_VALUES,
    };
    let back = Product {
        terms: "4u * layer.stride",
        first: Factor::Rows("scratch[errors + $k * COLUMNS + $m]"),
        second: Factor::Columns(
            "parameters[base + layer.weights + (rows * 4u * COLUMNS + $row) * layer.stride + $k]",
        ),
        each_slice: "",
    };
    let add = for_each_entry(
        tile,
        "add(layer.weights + (rows * 4u * COLUMNS + $row) * layer.stride + block * COLUMNS + \
         $vector, $c);",
    );
    let pull = for_each_entry(
        tile,
        "pull_back(before, inputs + (rows * 4u * COLUMNS + $row) * COLUMNS + $vector, $c);",
    );
    format!(
        "fn weight_gradient(index: u32) {{
  let layer = net.layer[index];
  let errors = own + layer.region;
  let inputs = own + net.layer[index - 1u].region;
  for (var rows = 0u; rows < layer.inputs / (4u * COLUMNS); rows++) {{
    for (var block = 0u; block < layer.stride / COLUMNS; block++) {{
      var bias = vec4<f32>(0.0);
{entries}{gradient}{add}      if (rows == 0u && tid < COLUMNS) {{
        add(layer.biases + block * COLUMNS + tid, bias);
      }}
    }}
  }}
  storageBarrier();
}}
fn hidden_backward(index: u32) {{
  let layer = net.layer[index];
  let before = net.layer[index - 1u];
  let errors = own + layer.region;
  let inputs = own + before.region;
  for (var rows = 0u; rows < layer.inputs / (4u * COLUMNS); rows++) {{
    {{
{entries}{back}{pull}    }}
  }}
  storageBarrier();
}}
",
        entries = entries(tile),
        gradient = accumulate(tile, &gradient),
        back = accumulate(tile, &back),
    )
}

/// A call of the function `name`, which passes all channels of a layer through the activation, or
/// nothing if there is one channel, which needs no separate pass.
pub(super) fn sweep(channels: &Channels, name: &str, layer: &str) -> String {
    match channels.count() {
        1 => String::new(),
        _ => format!("{name}({layer}); "),
    }
}

/// The function `output_layer`.
pub(super) fn output_layer() -> &'static str {
    include_str!("output_layer.wgsl")
}

/// The statements of a forward pass up to the last hidden layer.
pub(super) fn forward(channels: &Channels) -> String {
    format!(
        "    first_layer(); {first}
    for (var l = 1u; l + 1u < net.layers; l++) {{ hidden_layer(l); {other}}}
",
        first = sweep(channels, "sweep_forward", "0u"),
        other = sweep(channels, "sweep_forward", "l"),
    )
}

/// The entry point: `prepare` once, `body` for each tile, and `end` once.
pub(super) fn main(tile: Tile, prepare: &str, body: &str, end: &str) -> String {
    format!(
        "@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32, @builtin(workgroup_id) group: vec3<u32>) {{
  tid = invocation;
{place}  let job = jobs[launch.first_job + group.y];
  own = (group.y * net.groups + group.x) * net.scratch;
  base = job.slot * net.parameters;
{prepare}  let end = min(job.tiles, launch.end_tile);
  for (var tile = launch.first_tile + group.x; tile < end; tile += net.groups) {{
    at = job.points + tile * net.tile;
{body}  }}
{end}}}
",
        place = place(tile),
    )
}

/// What a pass declares that writes the outputs of each tile.
pub(super) const RESULTS: &str =
    "@group(0) @binding(5) var<storage, read_write> results: array<vec4<f32>>;
var<private> to: u32;
fn place(o: u32, column: u32, y: vec4<f32>) {
  if (o < net.outputs) { results[to + o * COLUMNS + column] = y; }
}
";

/// The statements that write the outputs of a tile.
pub(super) const WRITE_RESULTS: &str = "    to = tile * net.outputs * COLUMNS;
    output_layer();
    storageBarrier();
";

/// The kernel that evaluates all channels.
fn evaluate(tile: Tile, channels: &Channels, activation: &str, coherent: bool) -> String {
    let mut text = head(tile, channels, activation, coherent);
    text += RESULTS;
    text += &channels::forward(channels, channels::Slopes::Unused);
    text += include_str!("first_layer.wgsl");
    text += &hidden_layer(tile);
    text += output_layer();
    let body = format!("{forward}{WRITE_RESULTS}", forward = forward(channels),);
    text + &main(tile, "", &body, "")
}

/// The kernel of a training step, on values or on terms.
fn step(
    purpose: Purpose,
    tile: Tile,
    channels: &Channels,
    activation: &str,
    coherent: bool,
) -> String {
    let mut text = head(tile, channels, activation, coherent);
    text += "@group(0) @binding(5) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;
var<private> part: u32;       // where the workgroup's partial gradient starts
var<private> is_first: bool;  // whether the partial gradient is overwritten
var<private> scale: f32;
var<private> loss: vec4<f32>;
";
    let (differences, at_end) = match purpose {
        Purpose::Terms => {
            text += &terms::terms(channels);
            ("    all_differences();\n", terms::write_sums())
        }
        _ => {
            text += include_str!("loss.wgsl");
            ("", LOSS_SUM)
        }
    };
    text += &channels::forward(channels, channels::Slopes::Kept);
    text += &channels::backward(channels);
    text += include_str!("first_layer.wgsl");
    text += &hidden_layer(tile);
    text += output_layer();
    text += include_str!("backward.wgsl");
    text += include_str!("gradients.wgsl");
    text += &hidden_backward(tile);
    let prepare = "  part = (job.slot * net.groups + group.x) * net.parameters;
  scale = job.scale;
  loss = vec4(0.0);
";
    let body = format!(
        "    is_first = tile == launch.first_tile + group.x && launch.accumulate == 0u;
{forward}    output_layer();
    storageBarrier();
{differences}    output_gradient(); output_errors(); {last}
    for (var l = net.layers - 2u; l > 0u; l--) {{
      weight_gradient(l); hidden_backward(l); {other}
    }}
    first_gradient();
    storageBarrier();
",
        forward = forward(channels),
        last = sweep(channels, "sweep_backward", "net.layers - 2u"),
        other = sweep(channels, "sweep_backward", "l - 1u"),
    );
    text + &main(tile, prepare, &body, at_end)
}

/// The statements that write a workgroup's loss.
const LOSS_SUM: &str = "  workgroupBarrier();
  shared_vectors[tid] = loss;
  workgroupBarrier();
  if (tid == 0u) {
    var total = vec4<f32>(0.0);
    for (var i = 0u; i < INVOCATIONS; i++) { total += shared_vectors[i]; }
    let o = job.slot * net.groups + group.x;
    if (launch.accumulate == 0u) { losses[o] = sum(total); } else { losses[o] += sum(total); }
  }
";

/// The text of a pass of `channels` with the tile `tile`; `activation` is the text of `activate`, and
/// `coherent` whether scratch memory is declared so.
pub(in crate::gpu) fn pass(
    purpose: Purpose,
    tile: Tile,
    channels: &Channels,
    activation: &str,
    coherent: bool,
) -> String {
    match purpose {
        Purpose::Evaluate => evaluate(tile, channels, activation, coherent),
        Purpose::Factors => curvature::factors(tile, channels, activation, coherent),
        Purpose::Tangents => curvature::tangents(tile, channels, activation, coherent),
        Purpose::Step | Purpose::Terms => step(purpose, tile, channels, activation, coherent),
    }
}
