//! The boundary to decoders of other crates, which may panic on damaged files.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether a decoder runs on this thread, whose panic is not reported on stderr.
    static IS_DECODING: Cell<bool> = const { Cell::new(false) };
}

/// A decoder of another crate panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the decoder failed on this file")]
pub(crate) struct DecoderPanic;

/// Calls a decoder of another crate. A panic on this thread becomes an error, without a message on
/// stderr; panics of other threads are reported as before. What the call borrows must not be used
/// after an error.
///
/// # Errors
/// Returns [`DecoderPanic`] if the call panics.
pub(crate) fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, DecoderPanic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_DECODING.get() {
                previous(info);
            }
        }));
    });
    let before = IS_DECODING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    IS_DECODING.set(before);
    result.map_err(|_| DecoderPanic)
}

/// [`catch_panic`] of a call that returns a result, with both errors as text.
///
/// # Errors
/// Returns the error of the call, or [`DecoderPanic`].
pub(crate) fn decode_caught<T, E: ToString>(
    call: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    match catch_panic(call) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let empty: &[u8] = &[];
        assert_eq!(catch_panic(|| empty[std::hint::black_box(3)]), Err(DecoderPanic));
        assert!(!IS_DECODING.get());
        assert_eq!(catch_panic(|| 5), Ok(5));
        let call = || -> Result<(), &str> { panic!("inside") };
        assert_eq!(decode_caught(call), Err("the decoder failed on this file".into()));
        assert_eq!(decode_caught(|| Err::<(), _>("text")), Err("text".into()));
    }
}
