//! The folder of test data, which is not part of the repository.

use std::path::PathBuf;

fn data() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    std::env::var_os("VI3NR_DATA").map_or_else(|| beside.into(), PathBuf::from)
}

/// The path of a Kodak image, or `None` with a message if the data is absent.
pub(crate) fn kodak(name: &str) -> Option<PathBuf> {
    let path = data().join("kodak").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: no {}; set VI3NR_DATA to the folder that holds kodak/", path.display());
    None
}
