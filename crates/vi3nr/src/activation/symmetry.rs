//! Whether a function is even or odd.

/// How f(-x) relates to f(x).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symmetry {
    /// f(-x) = f(x).
    Even,
    /// f(-x) = -f(x).
    Odd,
    /// Not known; the function may still be even or odd.
    Unknown,
}
