//! The registry of all kinds of signals, and the recognition of a file's kind.

use std::fmt;
use std::path::Path;

use super::error::SignalError;
use super::kind::{KindEntry, SignalKind};

impl SignalKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[Self::Image, Self::Audio, Self::Shape];

    /// The entry of this kind.
    pub fn entry(self) -> &'static KindEntry {
        match self {
            Self::Image => &super::image::KIND,
            Self::Audio => &super::audio::KIND,
            Self::Shape => &super::shape::KIND,
        }
    }

    /// The name in model files.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The names of all kinds in a sentence: `image, audio or shape`.
    pub fn names() -> String {
        let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
        in_words(&names)
    }

    /// The kind of a file's content. If the content is not recognized, it is the kind of the file
    /// name's extension, so that damaged files are distinguished from files of other types.
    ///
    /// # Errors
    /// Returns [`SignalError::Unknown`] if neither content nor name determines the kind.
    pub fn of_file(path: &Path, content: &[u8]) -> Result<Self, SignalError> {
        let by_content = Self::ALL.iter().find(|kind| (kind.entry().recognizes)(content));
        let found = by_content.copied().or_else(|| Self::of_name(path));
        found.ok_or_else(|| SignalError::Unknown {
            path: path.to_owned(),
            seen: seen(content),
            expected: {
                let formats: Vec<&str> = Self::ALL.iter().map(|k| k.entry().formats).collect();
                in_words(&formats)
            },
        })
    }

    fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|kind| kind.entry().endings.contains(&&*ending))
    }
}

impl fmt::Display for SignalKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// `a`, `a or b`, `a, b or c`.
fn in_words(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What unrecognized content resembles.
pub(super) fn seen(content: &[u8]) -> String {
    let head = &content[..content.len().min(512)];
    // The last character may be incomplete.
    let is_text = std::str::from_utf8(head).err().is_none_or(|error| error.error_len().is_none());
    let seen = match head {
        [] => "it is empty (0 bytes)",
        head if is_text && !head.contains(&0) => "it contains text",
        _ => "its content is not recognized",
    };
    seen.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_goes_before_the_name() {
        let kind = |name: &str, content: &[u8]| SignalKind::of_file(Path::new(name), content).ok();
        assert_eq!(kind("a.wav", b"\x89PNG\r\n"), Some(SignalKind::Image));
        assert_eq!(kind("a", b"\xFF\xD8\xFF\xE0"), Some(SignalKind::Image));
        assert_eq!(kind("a.Png", b"hello"), Some(SignalKind::Image));
        assert_eq!(kind("a.txt", b"hello"), None);
        assert_eq!(kind("a.png", b"RIFF\0\0\0\0WAVEfmt "), Some(SignalKind::Audio));
        assert_eq!(kind("a", b"\xFF\xFB\x90\x00"), Some(SignalKind::Audio));
        assert_eq!(kind("a.Wav", b"hello"), Some(SignalKind::Audio));
        assert_eq!(kind("a.png", b"ply\nformat"), Some(SignalKind::Shape));
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
        assert_eq!(seen(b"a\0b"), "its content is not recognized");
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        for kind in SignalKind::ALL {
            assert_eq!(SignalKind::named(kind.name()), Some(*kind));
        }
        assert_eq!(SignalKind::named("smell"), None);
    }
}
