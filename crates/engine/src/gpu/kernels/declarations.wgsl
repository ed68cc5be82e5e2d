// What every pass declares.

struct Launch {
  accumulate: u32,  // whether partial gradients and losses are added to those of the launch before
  loss: u32,        // 0 squared, 1 absolute, 2 clamped absolute, 3 clamped squared
  limit: f32,       // of a clamped loss
  first_job: u32,
  first_tile: u32,  // the tiles of this launch
  end_tile: u32,
  terms: u32,       // the number of terms
  padding: u32,
}

@group(0) @binding(0) var<storage, read> net: Net;
@group(0) @binding(1) var<storage, read> jobs: array<Job>;
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
var<immediate> launch: Launch;

var<private> tid: u32;
var<private> tx: u32;
var<private> ty: u32;
var<private> own: u32;   // where the workgroup's scratch memory starts
var<private> base: u32;  // where the network's parameters start
var<private> at: u32;    // where the tile's points start
