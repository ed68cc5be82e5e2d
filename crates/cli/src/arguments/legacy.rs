//! Command lines of earlier versions.

use std::ffi::OsString;

/// `words` with the command that `bench` had no name for before: `bench --to-psnr` is now `bench
/// optimizers`, `bench --grid-parameters` is `bench grid`, and anything else `bench engine`.
pub(super) fn translated(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let Some(place) = words.iter().position(|word| word == "bench") else { return words };
    let before = words[1..place].iter().all(|word| word.to_string_lossy().starts_with('-'));
    let after = &words[place + 1..];
    let is_new = |word: &OsString| {
        let names = ["engine", "optimizers", "grid", "help", "-h", "--help"];
        names.iter().any(|name| word == name)
    };
    if !before || after.iter().any(is_new) {
        return words;
    }
    let has = |name: &str| {
        after.iter().any(|word| word.to_string_lossy().split('=').next() == Some(name))
    };
    let command = if has("--to-psnr") || has("--image") {
        "optimizers"
    } else if has("--grid-parameters") {
        "grid"
    } else {
        "engine"
    };
    words.insert(place + 1, command.into());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_forms_of_bench_are_understood() {
        for (before, after) in [
            ("vi3nr bench", "vi3nr bench engine"),
            ("vi3nr -q bench --shape sdf", "vi3nr -q bench engine --shape sdf"),
            ("vi3nr bench --to-psnr=4 --image a", "vi3nr bench optimizers --to-psnr=4 --image a"),
            ("vi3nr bench a --grid-parameters 9", "vi3nr bench grid a --grid-parameters 9"),
            ("vi3nr bench optimizers a", "vi3nr bench optimizers a"),
            ("vi3nr bench --help", "vi3nr bench --help"),
            ("vi3nr fit bench", "vi3nr fit bench"),
            ("vi3nr", "vi3nr"),
        ] {
            let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
            assert_eq!(translated(words(before)), words(after));
        }
    }
}
