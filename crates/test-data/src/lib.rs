//! Images for the tests of the workspace, and where tests find larger data.
//!
//! Three small images are part of the repository ([`image`]; `images/make.py` draws them).
//! Photographs, audio and shapes are not: [`file()`] and [`folder`] look for them in the folder that the
//! environment variable `VI3NR_DATA` names, else in `../shared/data` beside the checkout. A test that
//! does without them skips, and says so:
//!
//! - with a line on standard error,
//! - with a line in the file that `VI3NR_SKIPS` names, where it is set, so that skips can be counted,
//! - as a failure, where `VI3NR_REQUIRE_DATA` is set.
//!
//! Tests that need a GPU driver skip in the same way ([`skip_without_gpu`]), and so do tests that need a
//! cluster with Slurm ([`skip_without_slurm`]); for them the variables are `VI3NR_REQUIRE_GPU` and
//! `VI3NR_REQUIRE_SLURM`.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The subfolders that the data has.
const PARTS: [&str; 3] = ["kodak", "audio", "shapes"];

/// The path of one of the repository's own images, of 256x192 RGB pixels: `hills.png` (smooth, with
/// fine grain), `tiles.png` (sharp edges) and `leaves.png` (texture).
///
/// # Panics
/// Panics if there is no image of this name.
pub fn image(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("images").join(name);
    assert!(path.is_file(), "no {}; expected hills.png, tiles.png or leaves.png", path.display());
    path
}

/// The path of the file `name` in the subfolder `part` of the data, or none where it is absent.
///
/// # Panics
/// Panics where it is absent and `VI3NR_REQUIRE_DATA` is set.
pub fn file(part: &str, name: &str) -> Option<PathBuf> {
    let path = data().join(part).join(name);
    path.is_file().then_some(path).or_else(|| skip(&format!("{part}/{name}")))
}

/// The folder of the data with all its parts, or none where one is absent.
///
/// # Panics
/// Panics where one is absent and `VI3NR_REQUIRE_DATA` is set.
pub fn folder() -> Option<PathBuf> {
    let data = data();
    let complete = PARTS.iter().all(|part| data.join(part).is_dir());
    complete.then_some(data).or_else(|| skip("kodak, audio or shapes"))
}

fn data() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    env::var_os("VI3NR_DATA").map_or_else(|| beside.into(), PathBuf::from)
}

/// Records that the calling test skips because the machine has no GPU driver, not even a software
/// one.
///
/// # Panics
/// Panics if `VI3NR_REQUIRE_GPU` is set.
pub fn skip_without_gpu() {
    record_skip("no GPU driver", "VI3NR_REQUIRE_GPU");
}

/// Records that the calling test skips because no cluster with Slurm can be started, for this `reason`.
///
/// # Panics
/// Panics if `VI3NR_REQUIRE_SLURM` is set.
pub fn skip_without_slurm(reason: &str) {
    record_skip(&format!("no Slurm: {reason}"), "VI3NR_REQUIRE_SLURM");
}

/// Records that the calling test skips for want of `what`.
fn skip(what: &str) -> Option<PathBuf> {
    record_skip(&format!("no {what} in {}", data().display()), "VI3NR_REQUIRE_DATA");
    None
}

fn record_skip(reason: &str, requirement: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("{test}: {reason}");
    assert!(env::var_os(requirement).is_none(), "{line}, and {requirement} is set");
    eprintln!("skipped: {line}");
    if let Some(list) = env::var_os("VI3NR_SKIPS") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        writeln!(list, "{line}").unwrap();
    }
}
