//! The threads that all parts of a fit share.

use std::sync::Arc;

use crate::EngineError;

/// The maximum number of threads; more of them would only fill the memory with their stacks.
pub const MAX_THREADS: usize = 1024;

/// The threads of a fit. They are created once, and all computation runs on them, so that their
/// number bounds the number of cores in use: the kernels of all CPU engines on these workers, signed
/// distances, the linear algebra of optimizers, and metrics.
#[derive(Debug)]
pub struct Workers {
    pool: rayon::ThreadPool,
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
        let builder = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("vi3nr-worker-{index}"));
        match builder.build() {
            Ok(pool) => Ok(Arc::new(Self { pool })),
            Err(error) => Err(EngineError::Threads { threads, reason: error.to_string() }),
        }
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Creates workers for `count` computations that run at the same time. Each of them gets an
    /// equal share of this number of threads, but at least one thread.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if the operating system cannot start the threads.
    pub fn shares(&self, count: usize) -> Result<Vec<Arc<Self>>, EngineError> {
        let each = (self.threads() / count.max(1)).max(1);
        (0..count).map(|_| Self::new(Some(each))).collect()
    }

    /// Runs `work` on these threads. Rayon's parallel iterators inside `work` use only them. A call on
    /// one of the threads runs `work` there without waking another, so a computation of many short
    /// steps is best run as a whole by one call.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

/// The number of threads for a request of `requested` threads: at least one, and one per core if
/// `requested` is `None`.
pub fn thread_count(requested: Option<usize>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    requested.unwrap_or_else(cores).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_stays_on_the_requested_threads() {
        let workers = Workers::new(Some(3)).unwrap();
        let seen = workers.install(rayon::current_num_threads);
        assert_eq!((seen, workers.threads()), (3, 3));
        assert_eq!(Workers::new(Some(0)).unwrap().threads(), 1);
        let thread = || std::thread::current().id();
        let (outer, inner) = workers.install(|| (thread(), workers.install(thread)));
        assert_eq!(outer, inner);
    }
}
