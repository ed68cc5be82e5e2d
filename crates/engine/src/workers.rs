//! The thread pools that all parts of a fit share.

use std::sync::{Arc, OnceLock};

use crate::EngineError;
use crate::cpu::KernelPool;

/// The maximum number of threads; more of them would only fill the memory with their stacks.
pub const MAX_THREADS: usize = 1024;

/// The threads of a fit. They are created once, and all computation runs on them, so that their
/// number bounds the number of cores in use. There are two pools, and only one of them works at a
/// time:
///
/// - The general pool runs everything outside the engines' kernels, such as signed distances, the
///   linear algebra of optimizers, and metrics ([`Workers::install`]).
/// - The kernel pool is shared by all CPU engines on these workers. Its threads flush subnormal
///   numbers (below 1.2e-38) to zero, so only the engines' own arithmetic runs there. It is created
///   together with the first such engine.
#[derive(Debug)]
pub struct Workers {
    threads: usize,
    general: rayon::ThreadPool,
    kernels: OnceLock<Arc<KernelPool>>,
}

impl Workers {
    /// Starts `threads` threads (at least one), or one per core if `threads` is `None`.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if there are more than [`MAX_THREADS`] or the operating
    /// system cannot start them.
    pub fn new(threads: Option<usize>) -> Result<Arc<Self>, EngineError> {
        let threads = thread_count(threads);
        if threads > MAX_THREADS {
            let reason = format!("expected at most {MAX_THREADS}");
            return Err(EngineError::Threads { threads, reason });
        }
        let general = start(threads, |builder| {
            builder.thread_name(|index| format!("vi3nr-general-{index}"))
        })?;
        Ok(Arc::new(Self { threads, general, kernels: OnceLock::new() }))
    }

    /// The number of threads that work at a time.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Creates workers for `count` computations that run at the same time. Each of them gets an
    /// equal share of this number of threads, but at least one thread.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if the operating system cannot start the threads.
    pub fn shares(&self, count: usize) -> Result<Vec<Arc<Self>>, EngineError> {
        let each = (self.threads / count.max(1)).max(1);
        (0..count).map(|_| Self::new(Some(each))).collect()
    }

    /// Runs `work` on the general pool. Rayon's parallel iterators inside `work` use only its
    /// threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.general.install(work)
    }

    /// The kernel pool, which the first call creates.
    pub(crate) fn kernels(&self) -> Result<Arc<KernelPool>, EngineError> {
        if let Some(kernels) = self.kernels.get() {
            return Ok(kernels.clone());
        }
        // Two callers may both reach this line. One of the pools is then dropped unused.
        let kernels = KernelPool::new(self.threads)?;
        Ok(self.kernels.get_or_init(|| kernels).clone())
    }
}

/// The number of threads for a request of `requested` threads: at least one, and one per core if
/// `requested` is `None`.
pub fn thread_count(requested: Option<usize>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    requested.unwrap_or_else(cores).max(1)
}

/// Starts a pool of `threads` threads; `prepare` may set further options of the builder.
pub(crate) fn start(
    threads: usize,
    prepare: impl FnOnce(rayon::ThreadPoolBuilder) -> rayon::ThreadPoolBuilder,
) -> Result<rayon::ThreadPool, EngineError> {
    prepare(rayon::ThreadPoolBuilder::new().num_threads(threads))
        .build()
        .map_err(|error| EngineError::Threads { threads, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use rayon::prelude::*;

    use super::*;

    fn product() -> f32 {
        black_box(1e-30f32) * black_box(1e-12f32)
    }

    #[test]
    fn work_stays_on_the_requested_threads() {
        let workers = Workers::new(Some(3)).unwrap();
        let seen = workers.install(rayon::current_num_threads);
        assert_eq!((seen, workers.threads()), (3, 3));
        assert_eq!(Workers::new(Some(0)).unwrap().threads(), 1);
    }

    /// The arithmetic of callers keeps its subnormal numbers, even while engines exist.
    #[test]
    fn only_kernels_flush_to_zero() {
        let workers = Workers::new(Some(2)).unwrap();
        let kernels = workers.kernels().unwrap();
        let all = |_: usize| product() > 0.0;
        assert!(workers.install(|| (0..64).into_par_iter().all(all)));
        if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
            assert!(kernels.install(|| !(0..64).into_par_iter().any(all)));
        }
    }

    #[test]
    fn engines_on_the_same_workers_share_their_kernel_threads() {
        let workers = Workers::new(Some(2)).unwrap();
        assert!(Arc::ptr_eq(&workers.kernels().unwrap(), &workers.kernels().unwrap()));
    }
}
