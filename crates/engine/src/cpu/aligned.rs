//! Float32 storage that starts on a cache line.

use std::ops::{Deref, DerefMut};

use crate::EngineError;

/// The size in bytes of a cache line and of the widest vector.
const LINE: usize = 64;

/// A zero-initialized slice whose first element is at the start of a cache line, so that no vector
/// of a row spans two lines.
#[derive(Debug)]
pub(super) struct Aligned {
    storage: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if the allocation fails.
    pub(super) fn zeros(len: usize) -> Result<Self, EngineError> {
        let padded = len + LINE / size_of::<f32>();
        let mut storage: Vec<f32> = Vec::new();
        storage.try_reserve_exact(padded).map_err(|_| EngineError::memory_for::<f32>(padded))?;
        storage.resize(padded, 0.0);
        let start = storage.as_ptr().align_offset(LINE);
        debug_assert!(start < LINE / size_of::<f32>());
        Ok(Self { storage, start, len })
    }
}

impl Deref for Aligned {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.storage[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.storage[self.start..self.start + self.len]
    }
}
