//! The commands in the code blocks of a page.

use std::path::Path;

/// A command of the program, as a page has it.
pub(crate) struct Command {
    /// The line.
    pub(crate) line: String,
    /// The words after `vi3nr`, with values in the position of placeholders.
    pub(crate) words: Vec<String>,
    /// Whether there were placeholders, such as `DIR`.
    has_placeholders: bool,
}

/// What a test does with a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Runs it.
    Run,
    /// Runs it with `--dry-run`.
    Plan,
    /// Has its arguments parsed, by `--help` at the end.
    Parse,
}

impl Command {
    /// What can be done with the command in `folder`: commands of the theory are run, fits of files
    /// that are there are planned, and so on.
    pub(crate) fn use_in(&self, folder: &Path) -> Use {
        let has = |option: &str| self.words.iter().any(|word| word == option);
        let input = self.words.get(1).filter(|word| !word.starts_with("--"));
        let is_there = input.is_none_or(|name| folder.join(name).exists());
        if self.has_placeholders {
            return Use::Parse;
        }
        match self.words[0].as_str() {
            "gain" | "solve" | "init" | "plot" => Use::Run,
            "propagate" if has("--depth") => Use::Run,
            "fit" if is_there && !["--resume", "--request", "--from"].iter().any(|o| has(o)) => {
                Use::Plan
            }
            "info" | "eval" | "decode" | "export" if is_there && input.is_some() => Use::Run,
            _ => Use::Parse,
        }
    }
}

/// The commands of a page: lines of indented code blocks that begin with `vi3nr`, or with
/// `cargo run --release --`, which means the same.
pub(crate) fn commands(page: &str) -> Vec<Command> {
    let joined = page.replace("\\\n", " ");
    let is_command = |line: &str| {
        let code = line.strip_prefix("    ")?.trim();
        let rest = ["vi3nr ", "cargo run --release -- "].iter().find_map(|p| code.strip_prefix(p));
        Some((code.to_owned(), rest?.to_owned()))
    };
    joined.lines().filter_map(is_command).map(|(line, rest)| command(line, &rest)).collect()
}

fn command(line: String, rest: &str) -> Command {
    let mut has_placeholders = false;
    let mut words = Vec::new();
    for word in words_of(rest) {
        let word = word.trim_matches(['[', ']']);
        let plain = word.strip_suffix("...").unwrap_or(word);
        if plain.is_empty() {
            has_placeholders = true;
            continue;
        }
        let (before, value) = plain.split_once('=').map_or(("", plain), |(b, v)| (b, v));
        let is_placeholder = value.chars().all(|c| c.is_ascii_uppercase());
        let filled = match value {
            "SHAPE" => "img256",
            "ACTIVATION" | "NAME" => "relu",
            "LOSS" => "squared",
            _ if is_placeholder && before.is_empty() => "1",
            _ if is_placeholder => &format!("{before}=1"),
            // The first of alternatives, outside formulas.
            _ if !plain.contains(['(', '^']) => plain.split('|').next().unwrap_or(plain),
            _ => plain,
        };
        has_placeholders |= filled != word || plain.contains("NN");
        words.push(filled.to_owned());
    }
    Command { line, words, has_placeholders }
}

/// Splits a line as a shell does, up to a comment, a pipe or a redirection; quotes keep spaces
/// together.
fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut open) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            '\'' => (quoted, open) = (!quoted, true),
            '#' | '|' | '>' if !quoted && !open && word.is_empty() => break,
            c if c.is_whitespace() && !quoted => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            c => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn commands_are_found_and_filled_in() {
    let page = "Text with `vi3nr gain`.\n\n    vi3nr solve 'exp(-x^2/(2*s^2)):s=1' # all\n    \
                vi3nr fit kodimNN.png [--quality DB] \\\n        --activation sinc:a=A | cat\n    \
                cargo test\n";
    let found = commands(page);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].words, ["solve", "exp(-x^2/(2*s^2)):s=1"]);
    assert_eq!(found[0].use_in(Path::new(".")), Use::Run);
    let expected = ["fit", "kodimNN.png", "--quality", "1", "--activation", "sinc:a=1"];
    assert_eq!(found[1].words, expected);
    assert_eq!(found[1].use_in(Path::new(".")), Use::Parse);
}
