//! The commands and links of the book.
