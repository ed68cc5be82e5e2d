// Losses on values and derivatives, four points at a time: `Term` and `PointJet::add_terms` of the
// engine on vectors.

struct Term {
  kind: u32,         // 0 value, 1 gradient, 2 directional, 3 normal, 4 eikonal, 5 laplacian,
                     // 6 off-surface, 7 heat
  is_squared: u32,   // whether the power of a difference is 2, otherwise 1
  is_signed: u32,
  parameter: f32,    // a or lambda
  factor: f32,       // of the derivatives: the term's weight/(n outputs)
}
@group(0) @binding(7) var<storage, read> terms: array<Term>;

// Sum over the points of this invocation of weight rho, for each term.
var<private> sums: array<f32, MAX_TERMS>;

// Each output row first holds the outputs of all channels, then the derivatives of the loss.
fn place(o: u32, column: u32, y: vec4<f32>) {
  scratch[own + o * COLUMNS + column] = select(vec4<f32>(0.0), y, o < net.outputs);
}

struct Difference { loss: vec4<f32>, slope: vec4<f32> }
fn of_difference(e: vec4<f32>, is_squared: u32) -> Difference {
  if (is_squared == 1u) { return Difference(e * e, 2.0 * e); }
  return Difference(abs(e), sign(e));
}

// a/b, and 0 where b is 0.
fn ratio(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let is_zero = b == vec4<f32>(0.0);
  return select(a / select(b, vec4<f32>(1.0), is_zero), vec4<f32>(0.0), is_zero);
}

// The rows of a point: coordinates, values, gradients, Laplacians, directions, directional
// derivatives, weight.
fn row(index: u32, q: u32) -> vec4<f32> {
  return points[at + index * POINTS + q];
}

fn differences(o: u32, q: u32) {
  let y = own + o * COLUMNS + q;
  let value = scratch[y];
  let first_gradient = net.inputs + net.outputs + o * net.inputs;
  let first_laplacian = net.inputs + net.outputs * (1u + net.inputs);
  let first_direction = first_laplacian + net.outputs;
  let first_slope = first_direction + net.inputs;
  let weight = row(first_slope + net.outputs, q);
  var d_value = vec4<f32>(0.0);
$declarations
  for (var t = 0u; t < launch.terms; t++) {
    let term = terms[t];
    let factor = term.factor * weight;
    var loss = vec4<f32>(0.0);
    switch (term.kind) {
      case 0u: {
        let s = select(sign(value), vec4<f32>(1.0), term.is_signed == 1u);
        let e = of_difference(s * value - row(net.inputs + o, q), term.is_squared);
        loss = e.loss;
        d_value += factor * s * e.slope;
      }
      case 6u: {
        loss = math_exp(-term.parameter * abs(value));
        d_value -= factor * term.parameter * loss * sign(value);
      }
$cases
      default: {}
    }
    loss *= weight;
    sums[t] += (loss.x + loss.y) + (loss.z + loss.w);
  }
  scratch[y] = d_value;
$stores
}

fn all_differences() {
  for (var i = tid; i < net.outputs * POINTS; i += INVOCATIONS) { differences(i / POINTS, i % POINTS); }
  storageBarrier();
}
