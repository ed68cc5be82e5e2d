//! The threads that all parts of a fit share.

use std::sync::{Arc, OnceLock};

use crate::EngineError;
use crate::cpu::KernelPool;

/// The threads of a fit, made once: whoever computes does so on them, so that their number bounds
/// the cores in use. There are two pools, of which one rests while the other works:
///
/// - the general one, for everything outside the engines' kernels: signed distances, the optimizers'
///   own algebra, metrics ([`Workers::install`]);
/// - the kernels', which all CPU engines on these workers share. Its threads treat numbers below
///   1.2e-38 as zero; only the engines' own arithmetic runs there. It is made for the first such
///   engine.
#[derive(Debug)]
pub struct Workers {
    threads: usize,
    general: rayon::ThreadPool,
    kernels: OnceLock<Arc<KernelPool>>,
}

impl Workers {
    /// `threads` workers, at least one, or one per core if none is given.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if the system does not start them.
    pub fn new(threads: Option<usize>) -> Result<Arc<Self>, EngineError> {
        let threads = thread_count(threads);
        let general = start(threads, |builder| {
            builder.thread_name(|index| format!("vi3nr-general-{index}"))
        })?;
        Ok(Arc::new(Self { threads, general, kernels: OnceLock::new() }))
    }

    /// How many threads work at a time.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Workers for `count` computations that run at the same time, each with an equal share of these
    /// threads, at least one.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if the system does not start them.
    pub fn shares(&self, count: usize) -> Result<Vec<Arc<Self>>, EngineError> {
        let each = (self.threads / count.max(1)).max(1);
        (0..count).map(|_| Self::new(Some(each))).collect()
    }

    /// Runs `work` on the general threads: parallel iterators of rayon inside it use these and no
    /// others.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.general.install(work)
    }

    /// The threads for kernels.
    pub(crate) fn kernels(&self) -> Result<Arc<KernelPool>, EngineError> {
        if let Some(kernels) = self.kernels.get() {
            return Ok(kernels.clone());
        }
        // Two callers may both get here: one pool is then dropped unused.
        let kernels = KernelPool::new(self.threads)?;
        Ok(self.kernels.get_or_init(|| kernels).clone())
    }
}

/// As many threads as were asked for, at least one, or one per core.
pub fn thread_count(asked: Option<usize>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(cores).max(1)
}

/// Starts a pool of `threads` threads with what `prepare` sets besides.
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
    fn work_stays_on_the_threads_asked_for() {
        let workers = Workers::new(Some(3)).unwrap();
        let seen = workers.install(rayon::current_num_threads);
        assert_eq!((seen, workers.threads()), (3, 3));
        assert_eq!(Workers::new(Some(0)).unwrap().threads(), 1);
    }

    /// Callers' arithmetic keeps its subnormal numbers, also while engines exist.
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
