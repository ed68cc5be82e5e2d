//! Which kind of signal a file holds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SignalError;

/// Bytes of a file that are enough to tell its kind.
const HEAD: u64 = 512;

/// The kinds of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalKind {
    /// PNG and JPEG files.
    Image,
    /// PLY, OBJ, STL and XYZ files.
    Shape,
}

impl SignalKind {
    /// The kind of the file's content; where that is not recognised, the one its name promises, so
    /// that a damaged file is told apart from a foreign one.
    ///
    /// # Errors
    /// A file that cannot be read, or that neither content nor name say anything about.
    pub fn of(path: &Path) -> Result<Self, SignalError> {
        let unreadable = |source| SignalError::Read { path: path.to_owned(), source };
        let mut head = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
        let found = Self::of_content(&head).or_else(|| Self::of_name(path));
        found.ok_or_else(|| SignalError::Unknown { path: path.to_owned(), seen: seen(&head) })
    }

    fn of_content(head: &[u8]) -> Option<Self> {
        match head {
            [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => Some(Self::Image),
            [b'p', b'l', b'y', b'\r' | b'\n', ..] => Some(Self::Shape),
            _ => None,
        }
    }

    fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "png" | "jpg" | "jpeg" => Some(Self::Image),
            "ply" | "obj" | "stl" | "xyz" => Some(Self::Shape),
            _ => None,
        }
    }
}

/// What content that is not recognised looks like.
fn seen(head: &[u8]) -> String {
    if head.is_empty() {
        "it is empty (0 bytes)".into()
    } else if !head.contains(&0) && is_text(head) {
        "it contains text".into()
    } else {
        "its content is not recognised".into()
    }
}

/// Whether these bytes are UTF-8, a last character that is cut off left aside.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}
