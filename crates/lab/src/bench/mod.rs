//! Benchmarks: the speed of the engine, the work that optimizers need, and the quality of a grid of
//! values with the same number of parameters.

mod engine;
mod grid;
mod work;

pub use engine::{
    BenchError, BenchPlan, BenchReport, BenchShape, OptimizerSteps, Rate, TermSteps, bench,
};
pub use grid::{GridError, GridFit, GridLevel, GridPlan, GridReport, Interpolation, fit_grid};
pub use work::{TargetWork, WorkError, WorkPoint, WorkReport, work_chart, work_csv, work_to_psnr};
