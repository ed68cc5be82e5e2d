//! Reading a whole file up to a maximum size.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// All bytes of `path`, or an error if there are more than `max`. The bytes are counted while
/// reading, since the length of a pipe or a device is not known in advance.
pub(crate) fn read_at_most(path: &Path, max: u64) -> io::Result<Vec<u8>> {
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

    #[test]
    fn the_limit_is_inclusive() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "12345").unwrap();
        assert_eq!(read_at_most(file.path(), 5).unwrap(), b"12345");
        assert_eq!(read_at_most(file.path(), 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
