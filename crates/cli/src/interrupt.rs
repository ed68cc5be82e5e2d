//! Ctrl-C and other requests to end.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use vi3nr_lab::sweep::ExecutorName;

use crate::output::{INTERRUPTED as EXIT_CODE, status};

/// Set by the first request to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The flag that Ctrl-C or SIGTERM sets, which is then answered with `words`; the second one ends the
/// program at once.
pub(crate) fn flag(words: &'static str) -> &'static AtomicBool {
    // A handler cannot be set twice in a process; without one Ctrl-C ends the program at once.
    let _ = ctrlc::set_handler(move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
        status(words);
    });
    &INTERRUPTED
}

/// What the first request to end a sweep is answered with.
pub(crate) fn words_of_sweep(executor: ExecutorName) -> &'static str {
    match executor {
        ExecutorName::Slurm => "no longer waiting; once more to stop at once",
        _ => "stopping; once more to stop at once",
    }
}

/// Ends the program as soon as standard input does: that of a sweep's child is a pipe that its parent
/// holds, so it cannot outlive that.
pub(crate) fn end_with_input() {
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 64];
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        std::process::exit(EXIT_CODE.into());
    });
}
