//! The time that this process has spent on processors.

use std::time::Duration;

/// The time of all threads of this process together.
#[cfg(unix)]
pub(crate) fn of_process() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// The time that has passed, where the system does not tell the time on processors.
#[cfg(not(unix))]
pub(crate) fn of_process() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    STARTED.elapsed()
}
