//! Reading a whole file up to a maximum size.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// All bytes of the regular file `path`, or an error if there are more than `max`. Pipes and devices
/// are refused: reading one may wait forever. The bytes are counted while reading, since a file may
/// grow.
pub(crate) fn read_at_most(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    // Checked before opening, which blocks for a pipe until it has a writer.
    let about = fs::metadata(path)?;
    if !about.is_file() && !about.is_dir() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let text = format!("it has more than {max} bytes, the largest size that is read");
        return Err(io::Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn devices_are_refused() {
        let error = read_at_most(Path::new("/dev/zero"), 5).unwrap_err().to_string();
        assert_eq!(error, "it is not a regular file");
        assert!(read_at_most(&std::env::temp_dir(), 5).is_err());
    }

    #[test]
    fn the_limit_is_inclusive() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "12345").unwrap();
        assert_eq!(read_at_most(file.path(), 5).unwrap(), b"12345");
        assert_eq!(read_at_most(file.path(), 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
