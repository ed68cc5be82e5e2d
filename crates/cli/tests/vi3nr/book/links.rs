//! The links of a page.

use std::fs;
use std::path::Path;

/// The links of `page` (a path from `root` with its `text`) that lead nowhere: to a file that does not
/// exist, or to a heading that its page does not have.
pub(crate) fn broken(root: &Path, page: &str, text: &str) -> Vec<String> {
    let folder = root.join(page).parent().unwrap().to_owned();
    let leads_nowhere = |target: &&str| {
        if target.contains("://") || target.starts_with("mailto:") {
            return false;
        }
        let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
        let path = if file.is_empty() { root.join(page) } else { folder.join(file) };
        if !path.exists() {
            return true;
        }
        let has_heading = || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == fragment)
        };
        !fragment.is_empty() && !has_heading()
    };
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let images = text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let wrong = targets.chain(images).filter(leads_nowhere);
    wrong.map(|target| format!("{page}: no {target}")).collect()
}

/// The fragment of a heading, as mdBook and GitHub make it.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let keep = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == ' ';
    words.chars().filter(|c| keep(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b.md"), "# Two Words, here\n").unwrap();
    let text = "[a](b.md) [b](c.md) [c](b.md#two-words-here) [d](b.md#three) [e](https://x.y)";
    let wrong = broken(folder.path(), "a.md", text);
    assert_eq!(wrong, ["a.md: no c.md", "a.md: no b.md#three"]);
}
