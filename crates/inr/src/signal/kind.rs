//! Which kind of signal a file holds.

use std::path::Path;

use super::SignalError;

/// The kinds of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalKind {
    /// PNG and JPEG files.
    Image,
    /// PLY, OBJ, STL and XYZ files.
    Shape,
    /// WAV, FLAC and MP3 files.
    Audio,
}

impl SignalKind {
    /// The kind of a file's content; where that is not recognised, the one its name promises, so
    /// that a damaged file is told apart from a foreign one.
    ///
    /// # Errors
    /// A file that neither content nor name say anything about.
    pub(super) fn of(path: &Path, content: &[u8]) -> Result<Self, SignalError> {
        let found = Self::of_content(content).or_else(|| Self::of_name(path));
        found.ok_or_else(|| SignalError::Unknown { path: path.to_owned(), seen: seen(content) })
    }

    /// That no reader of this kind was compiled.
    #[cfg(not(all(feature = "audio", feature = "shape")))]
    pub(super) fn compiled_out(self, path: &Path) -> SignalError {
        let (kind, feature) = match self {
            Self::Image => unreachable!("pictures are always read"),
            Self::Shape => ("a shape", "shape"),
            Self::Audio => ("a recording", "audio"),
        };
        SignalError::CompiledOut { path: path.to_owned(), kind, feature }
    }

    fn of_content(head: &[u8]) -> Option<Self> {
        match head {
            [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => Some(Self::Image),
            [b'p', b'l', b'y', b'\r' | b'\n', ..] => Some(Self::Shape),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..]
            | [b'f', b'L', b'a', b'C', ..]
            | [b'I', b'D', b'3', ..]
            // MPEG audio starts with eleven ones and a layer, here the third.
            | [0xFF, 0xFA | 0xFB | 0xF2 | 0xF3 | 0xE2 | 0xE3, ..] => Some(Self::Audio),
            _ => None,
        }
    }

    fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "png" | "jpg" | "jpeg" => Some(Self::Image),
            "ply" | "obj" | "stl" | "xyz" => Some(Self::Shape),
            "wav" | "flac" | "mp3" => Some(Self::Audio),
            _ => None,
        }
    }
}

/// What content that is not recognised looks like.
pub(super) fn seen(content: &[u8]) -> String {
    let head = &content[..content.len().min(512)];
    // A last character may be cut off.
    let is_text = std::str::from_utf8(head).err().is_none_or(|error| error.error_len().is_none());
    let seen = match head {
        [] => "it is empty (0 bytes)",
        head if is_text && !head.contains(&0) => "it contains text",
        _ => "its content is not recognised",
    };
    seen.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_goes_before_the_name() {
        let kind = |name: &str, content: &[u8]| SignalKind::of(Path::new(name), content).ok();
        assert_eq!(kind("a.png", b"RIFF\0\0\0\0WAVEfmt "), Some(SignalKind::Audio));
        assert_eq!(kind("a.wav", b"\x89PNG\r\n"), Some(SignalKind::Image));
        assert_eq!(kind("a", b"\xFF\xD8\xFF\xE0"), Some(SignalKind::Image));
        assert_eq!(kind("a", b"\xFF\xFB\x90\x00"), Some(SignalKind::Audio));
        assert_eq!(kind("a.Wav", b"hello"), Some(SignalKind::Audio));
        assert_eq!(kind("a.txt", b"hello"), None);
    }

    #[cfg(not(all(feature = "audio", feature = "shape")))]
    #[test]
    fn what_is_compiled_out_is_named() {
        let refused = |name: &str, content: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            crate::signal::open(&path, &Default::default()).unwrap_err()
        };
        for (name, content, wanted, is_compiled) in [
            ("a.wav", b"RIFF\0\0\0\0WAVEfmt ".as_slice(), "audio", cfg!(feature = "audio")),
            ("a.ply", b"ply\n", "shape", cfg!(feature = "shape")),
        ] {
            match refused(name, content) {
                SignalError::CompiledOut { feature, .. } => {
                    assert!(!is_compiled);
                    assert_eq!(feature, wanted);
                }
                error => assert!(is_compiled, "{error}"),
            }
        }
    }

    #[test]
    fn what_is_seen_instead() {
        assert_eq!(seen(b""), "it is empty (0 bytes)");
        assert_eq!(seen(format!("a{}", "é".repeat(400)).as_bytes()), "it contains text");
        assert_eq!(seen(b"a\0b"), "its content is not recognised");
    }
}
