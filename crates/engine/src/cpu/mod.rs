//! The fused float32 engine.
//!
//! One step: the batch is cut into chunks of whole tiles, a fixed number of them. Each chunk has a
//! partial gradient; whichever thread takes the chunk runs its tiles through all layers and back
//! ([`tile`]), one after the other, in its own cache. Then the partial gradients are summed in the
//! order of their chunks, Adam moves the parameters and the weights are packed for the next step
//! ([`update`]), again shared among the threads. No array of the size of the batch exists besides
//! the batch itself.
//!
//! [`core`](self::core) holds what all kernels read, [`engine`] is the trait's side of it.

mod activate;
mod aligned;
mod core;
mod curvature;
mod dense;
mod engine;
mod formula;
mod instruction_set;
mod lane;
mod layout;
mod peak;
mod pool;
mod product;
mod subnormals;
mod tangent;
mod tile;
mod update;
mod vector;
mod vector_function;

pub use dense::DenseLayers;
pub use engine::CpuEngine;
pub use instruction_set::InstructionSet;
pub use peak::peak_gflops;
pub(crate) use pool::KernelPool;
