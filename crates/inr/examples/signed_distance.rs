//! Signed distances to a shape, for comparison with other programs.
//!
//! ```sh
//! cargo run --release -p vi3nr-inr --example signed_distance -- bunny.ply < points.txt
//! ```
//!
//! For each line `x y z` of standard input, in the units of the file, the example prints the signed
//! distance in the same units, negative inside.

use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;

use vi3nr_inr::signal::shape::{Shape, SignedDistance};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("expected the name of a shape file")?;
    let shape = Shape::open(Path::new(&file))?;
    for warning in &shape.warnings {
        eprintln!("warning: {warning}");
    }
    let distance = SignedDistance::new(&shape.geometry);
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let started = std::time::Instant::now();
    let placement = shape.placement;
    let at = |point: &[f64; 3]| distance.at(placement.normalize(*point)) * placement.scale;
    let distances: Vec<f64> = numbers.as_chunks().0.iter().map(at).collect();
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{} points, {:.2} us each", distances.len(), 1e6 * seconds / distances.len() as f64);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for value in distances {
        writeln!(out, "{value:.12e}")?;
    }
    Ok(())
}
