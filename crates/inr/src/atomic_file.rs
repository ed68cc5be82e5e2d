//! Atomic writes: a file is either written completely or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

const PREFIX: &str = ".vi3nr-";
const SUFFIX: &str = ".tmp";
/// The number of random characters between [`PREFIX`] and [`SUFFIX`].
const RANDOM: usize = 6;

/// A file could not be written. No partial file remains.
#[derive(Debug, thiserror::Error)]
#[error("cannot write '{}': {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The error of the system.
    pub source: io::Error,
}

/// The destination of a file's content. Seeking fails if the target is a pipe or a device.
pub trait Output: Write + Seek {}

impl<W: Write + Seek> Output for W {}

/// Writes the content that `write` produces to `path`, so that a reader sees either the old file or
/// the complete new one.
///
/// The content is written to a new file in the same folder, synchronized to disk and renamed to
/// `path`. The result has the permissions of an ordinary new file. A symbolic link is followed. A
/// pipe or a device is written to directly, since it cannot be replaced by a rename.
///
/// # Errors
/// Returns a [`WriteError`] with the path if `write` fails or the system reports an error.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Output) -> io::Result<()>,
) -> Result<(), WriteError> {
    let result = match fs::metadata(path) {
        Ok(existing) if existing.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(existing) if existing.is_file() => {
            fs::canonicalize(path).and_then(|target| replace(&target, write))
        }
        Ok(_) => File::options().write(true).open(path).and_then(|file| fill(&file, write)),
        Err(_) => replace(path, write),
    };
    result.map_err(|source| WriteError { path: path.to_owned(), source })
}

/// Writes a new file beside `target` and renames it to `target`.
fn replace(target: &Path, write: impl FnOnce(&mut dyn Output) -> io::Result<()>) -> io::Result<()> {
    let folder = match target.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(io::Error::new(ErrorKind::InvalidInput, "not the name of a file")),
    };
    // Not opened by tempfile, which would make the file private to its owner.
    let create = |path: &Path| File::options().write(true).create_new(true).open(path);
    let temporary = temporary_names().make_in(folder, create)?;
    fill(temporary.as_file(), write)?;
    temporary.as_file().sync_all()?;
    temporary.persist(target).map_err(|failure| failure.error)?;
    Ok(())
}

/// The names of temporary files: `.vi3nr-`, random letters and digits, `.tmp`.
pub(crate) fn temporary_names() -> tempfile::Builder<'static, 'static> {
    let mut names = tempfile::Builder::new();
    names.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    names
}

/// Removes the temporary files of processes that were killed while they wrote to a file in `folder`.
/// No other process may be writing there.
///
/// # Errors
/// Returns the error of the system.
pub(crate) fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let middle = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        let is_ours = middle.is_some_and(|middle| {
            middle.len() == RANDOM && middle.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if is_ours && entry.file_type()?.is_file() {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

fn fill(file: &File, write: impl FnOnce(&mut dyn Output) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        fs::read_dir(folder).unwrap().map(|entry| name(entry).into_string().unwrap()).collect()
    }

    #[test]
    fn the_new_content_replaces_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for content in ["a long first version", "short"] {
            write_atomically(&path, |writer| writer.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_failure_keeps_the_old_content_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let error = write_atomically(&path, |writer| {
            writer.write_all(&[0; 100_000])?;
            Err(ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(error.source.kind(), ErrorKind::StorageFull);
        assert!(error.to_string().contains(path.to_str().unwrap()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn only_temporary_files_of_this_program_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let killed = temporary_names().tempfile_in(folder.path()).unwrap().keep().unwrap().1;
        let others =
            [".vi3nr-.tmp", ".vi3nr-a b c1.tmp", ".tmpAbC123", ".vi3nr-notes.txt", "a.tmp"];
        for name in others {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(killed.exists());
        remove_leftovers(folder.path()).unwrap();
        let mut left = names(folder.path());
        left.sort();
        let mut expected = others;
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn errors_name_the_path_and_the_cause() {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        fs::write(inside("file"), "").unwrap();
        for (path, text) in [
            (folder.path().to_owned(), "is a directory"),
            (inside("missing/a"), "No such file"),
            (inside("file/a"), "Not a directory"),
            (PathBuf::new(), "not the name of a file"),
        ] {
            let error = write_atomically(&path, |_| Ok(())).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(path.to_str().unwrap()), "{error}");
            assert!(!error.contains(".vi3nr-"), "{error}");
        }
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_an_ordinary_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let (ordinary, atomic) = (folder.path().join("ordinary"), folder.path().join("atomic"));
        fs::write(&ordinary, "").unwrap();
        write_atomically(&atomic, |_| Ok(())).unwrap();
        assert_eq!(mode(&atomic), mode(&ordinary));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_atomically(&link, |writer| writer.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_written_to_and_a_full_disk_is_reported() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            eprintln!("skipped: no /dev/full");
            return;
        }
        let error = write_atomically(full, |writer| writer.write_all(b"x")).unwrap_err();
        assert!(error.to_string().contains("No space left on device"), "{error}");
        assert!(!fs::metadata(full).unwrap().is_file());
    }
}
