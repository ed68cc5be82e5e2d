//! The fused float32 engine.
//!
//! A step divides the batch into chunks of whole tiles. The number of chunks does not depend on the
//! number of threads. Each chunk has a partial gradient. The thread that takes a chunk runs its
//! tiles through all layers, forward and backward, one tile after the other and in its own cache
//! ([`tile`]). Then the threads sum the partial gradients in the order of the chunks, apply Adam,
//! and pack the weights for the next step ([`update`]). No array of the size of the batch exists
//! besides the batch itself.
//!
//! [`jets`] passes derivatives with respect to the coordinates through the same layers beside the
//! values, for losses on them.
//!
//! [`core`](self::core) holds what all kernels read, and [`engine`] implements the trait.

mod activate;
mod aligned;
mod core;
mod curvature;
mod dense;
mod engine;
mod formula;
mod instruction_set;
mod jets;
mod lane;
mod layout;
mod peak;
mod product;
mod tangent;
mod tile;
mod tiny;
mod update;
mod vector;
mod vector_function;

pub use dense::DenseLayers;
pub use engine::CpuEngine;
pub use instruction_set::InstructionSet;
pub use peak::peak_gflops;
