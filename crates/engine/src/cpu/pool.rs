//! The threads that kernels run on.

use std::sync::Arc;

use super::subnormals;
use crate::EngineError;
use crate::workers::start;

/// Threads that flush subnormal numbers to zero. Only this crate's own arithmetic runs on them: no
/// function passes a caller's closure to [`KernelPool::install`].
#[derive(Debug)]
pub(crate) struct KernelPool {
    threads: rayon::ThreadPool,
}

impl KernelPool {
    /// Starts a pool of `threads` threads.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if the operating system cannot start the threads.
    pub(crate) fn new(threads: usize) -> Result<Arc<Self>, EngineError> {
        let threads = start(threads, |builder| {
            builder
                .thread_name(|index| format!("vi3nr-kernel-{index}"))
                .start_handler(|_| subnormals::flush_to_zero())
        })?;
        Ok(Arc::new(Self { threads }))
    }

    /// The number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// Runs `kernel` on these threads.
    pub(crate) fn install<R: Send>(&self, kernel: impl FnOnce() -> R + Send) -> R {
        self.threads.install(kernel)
    }
}
