//! The location of test images, audio and shapes, which are not part of the repository.

use std::path::PathBuf;

/// The folder of the test data, or `None` with a message if a part of it is missing.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = data();
    if ["kodak", "audio", "shapes"].iter().all(|part| folder.join(part).is_dir()) {
        return Some(folder);
    }
    eprintln!("skipped: no kodak, audio and shapes in {}; set VI3NR_DATA", folder.display());
    None
}

fn data() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    std::env::var_os("VI3NR_DATA").map_or_else(|| default.into(), PathBuf::from)
}
