// The tables of networks and jobs. Sizes are in vectors of four numbers unless a comment says otherwise.

struct Layer {
  weights: u32,   // where the weights start: one row of `stride` for each input
  biases: u32,
  stride: u32,
  inputs: u32,    // the number of inputs, padding included
  units: u32,     // the number of units, without padding
  region: u32,    // where the layer's activations start in scratch memory
  size: u32,      // the size of a region
  moments: u32,   // where its second moments start
}

// Loops are bounded by `points`, `slice` and `columns` where a constant would make compilers unroll
// them, which takes seconds on a CPU.
struct Net {
  layers: u32,
  inputs: u32,
  outputs: u32,
  parameters: u32,
  scratch: u32,   // of a workgroup
  tile: u32,      // of a tile's points and targets
  groups: u32,    // the largest number of workgroups of a network
  moments: u32,   // of a workgroup
  points: u32,    // of a tile: POINTS
  slice: u32,     // the number of terms of a slice
  columns: u32,   // of a tile: COLUMNS
  padding: u32,
  layer: array<Layer>,
}

// The work on one network.
struct Job {
  slot: u32,      // the network
  tiles: u32,     // the number of tiles
  points: u32,    // where its points start
  scale: f32,     // 1/(n outputs)
  groups: u32,    // the number of workgroups with a partial gradient
}
