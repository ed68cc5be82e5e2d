//! The text of losses on derivatives.

use std::fmt::Write as _;

use crate::channels::Channels;

/// The largest number of terms of a constraint.
pub(in crate::gpu) const MAX_TERMS: usize = 16;

/// The functions `place` and `all_differences` of a pass whose channels are those of an order.
pub(super) fn terms(channels: &Channels) -> String {
    let (mut declarations, mut cases, mut stores) = (String::new(), String::new(), String::new());
    if channels.tangents > 0 {
        declarations += "  var gradient: array<vec4<f32>, TANGENTS>;
  var d_gradient: array<vec4<f32>, TANGENTS>;
  for (var d = 0u; d < TANGENTS; d++) {
    gradient[d] = scratch[y + (1u + d) * POINTS];
    d_gradient[d] = vec4<f32>(0.0);
  }
";
        cases += include_str!("gradient_terms.wgsl");
        stores += "  for (var d = 0u; d < TANGENTS; d++) {
    scratch[y + (1u + d) * POINTS] = d_gradient[d];
  }
";
    }
    if !channels.seconds.is_empty() {
        declarations += "  let laplacian = scratch[y + (1u + TANGENTS) * POINTS];
  var d_laplacian = vec4<f32>(0.0);
";
        cases += "      case 5u: {
        let e = of_difference(laplacian - row(first_laplacian + o, q), term.is_squared);
        loss = e.loss;
        d_laplacian += factor * e.slope;
      }
";
        stores += "  scratch[y + (1u + TANGENTS) * POINTS] = d_laplacian;\n";
    }
    let mut text = format!("const MAX_TERMS = {MAX_TERMS}u;\n");
    let _ = write!(
        text,
        "{}",
        include_str!("terms.wgsl")
            .replace("$declarations\n", &declarations)
            .replace("$cases\n", &cases)
            .replace("$stores\n", &stores)
    );
    text
}

/// The statements that write the sums of each term, at the end of a pass.
pub(super) fn write_sums() -> &'static str {
    "  for (var t = 0u; t < launch.terms; t++) {
    workgroupBarrier();
    shared_vectors[tid] = vec4(sums[t]);
    workgroupBarrier();
    if (tid == 0u) {
      var total = 0.0;
      for (var i = 0u; i < INVOCATIONS; i++) { total += shared_vectors[i].x; }
      let o = group.x * MAX_TERMS + t;
      if (launch.first_tile == 0u) { losses[o] = total; } else { losses[o] += total; }
    }
  }
"
}
