//! The texts are valid, and the functions and activations have the errors that are stated.

mod text;
