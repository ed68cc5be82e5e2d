//! Blocks of matrix products.

use std::fmt::Write as _;

use super::super::tile::Tile;

/// How a factor of a product is copied to workgroup memory, as an expression of its vectors.
pub(super) enum Factor {
    /// `source(k, m)` is the vector `m` (of the block's entries 4m to 4m + 3) of the term `k`.
    Rows(&'static str),
    /// `source(row, k)` is the vector `k` of four terms of the block's entry `row`.
    Columns(&'static str),
}

/// A sum of outer products over `terms` terms. The block's entry at the row r and the column c is
/// Σ_k second(k, r) first(k, c); each invocation keeps its entries in vectors along the columns,
/// `c{row}_{vector}`.
pub(super) struct Product {
    /// The number of terms, an expression.
    pub(super) terms: &'static str,
    pub(super) first: Factor,
    pub(super) second: Factor,
    /// Statements that every slice runs once it is in workgroup memory.
    pub(super) each_slice: &'static str,
}

const COMPONENTS: [&str; 4] = ["x", "y", "z", "w"];

/// The number of terms between two jumps of the innermost loop.
const UNROLL: usize = 4;

/// Declares the entries of the invocation, all 0.
pub(super) fn entries(tile: Tile) -> String {
    let mut text = String::new();
    each_entry(tile, |row, vector| {
        let _ = writeln!(text, "      var c{row}_{vector} = vec4<f32>(0.0);");
    });
    text
}

/// Calls `act` for each vector of an invocation's entries.
fn each_entry(tile: Tile, mut act: impl FnMut(usize, usize)) {
    for row in 0..tile.each {
        for vector in 0..tile.each / 4 {
            act(row, vector);
        }
    }
}

/// Statements for each vector of an invocation's entries: `statement` with `$c` as the vector, `$row`
/// as its row in the block, `$quad.$component` as the invocation's component for that row in vectors
/// `quad` along the rows, and `$vector` as its place among the block's vectors.
pub(super) fn for_each_entry(tile: Tile, statement: &str) -> String {
    let side = tile.side();
    let mut text = String::new();
    each_entry(tile, |row, vector| {
        let entry = format!("c{row}_{vector}");
        let statement = statement
            .replace("$row", &format!("({}u + 4u * tx)", row / 4 * 4 * side + row % 4))
            .replace("$quad", &(row / 4).to_string())
            .replace("$component", COMPONENTS[row % 4])
            .replace("$vector", &format!("({}u + ty)", vector * side))
            .replace("$c", &entry);
        let _ = writeln!(text, "      {statement}");
    });
    text
}

/// The statements that add the product to the entries.
pub(super) fn accumulate(tile: Tile, product: &Product) -> String {
    let Tile { columns, each, slice, .. } = tile;
    let (columns, side) = (columns / 4, tile.side());
    let mut text = String::new();
    let _ = writeln!(
        text,
        "      for (var k0 = 0u; k0 < {}; k0 += {slice}u) {{\n        workgroupBarrier();",
        product.terms
    );
    text += &stage(tile, &product.first, 0);
    text += &stage(tile, &product.second, slice * columns);
    text += "        workgroupBarrier();\n";
    text += product.each_slice;
    let _ = writeln!(
        text,
        "        for (var k = 0u; k < net.slice; k += {UNROLL}u) {{\n          \
         let first = k * {columns}u + ty;\n          \
         let second = {}u + k * {columns}u + tx;",
        slice * columns
    );
    for step in 0..UNROLL {
        text += "          {\n";
        for vector in 0..each / 4 {
            let offset = step * columns + vector * side;
            let _ =
                writeln!(text, "            let a{vector} = shared_vectors[first + {offset}u];");
            let _ =
                writeln!(text, "            let b{vector} = shared_vectors[second + {offset}u];");
        }
        each_entry(tile, |row, vector| {
            let (quad, component) = (row / 4, COMPONENTS[row % 4]);
            let _ = writeln!(
                text,
                "            c{row}_{vector} = fma(vec4(b{quad}.{component}), a{vector}, \
                 c{row}_{vector});"
            );
        });
        text += "          }\n";
    }
    text + "        }\n      }\n"
}

/// Copies a slice of a factor to workgroup memory, from the vector `start` on.
fn stage(tile: Tile, factor: &Factor, start: usize) -> String {
    let (columns, invocations) = (tile.columns / 4, tile.invocations());
    let (count, body) = match factor {
        Factor::Rows(source) => {
            let source = source.replace("$k", "(k0 + k)").replace("$m", "m");
            let body = format!(
                "let k = i / {columns}u; let m = i % {columns}u; \
                 shared_vectors[{start}u + i] = {source};"
            );
            (tile.slice * columns, body)
        }
        // Four by four: four vectors of four terms are transposed.
        Factor::Columns(source) => {
            let quads = tile.slice / 4;
            let mut body = format!("let k = i % {quads}u; let m = i / {quads}u;\n");
            for row in 0..4 {
                let source = source
                    .replace("$row", &format!("(4u * m + {row}u)"))
                    .replace("$k", "(k0 / 4u + k)");
                let _ = writeln!(body, "          let r{row} = {source};");
            }
            for (term, c) in COMPONENTS.iter().enumerate() {
                let _ = writeln!(
                    body,
                    "          shared_vectors[{start}u + (4u * k + {term}u) * {columns}u + m] = \
                     vec4(r0.{c}, r1.{c}, r2.{c}, r3.{c});"
                );
            }
            (quads * columns, body)
        }
    };
    let mut text = String::new();
    for first in (0..count).step_by(invocations) {
        if first + invocations > count {
            let _ = write!(text, "        if (tid < {}u)", count - first);
        }
        let _ = writeln!(text, "        {{ let i = {first}u + tid; {body} }}");
    }
    text
}
