//! What is written to the two output streams, and the exit code.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ColorChoice;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use serde_json::Value;
use vi3nr::printable;

/// Set by `--quiet`.
static QUIET: AtomicBool = AtomicBool::new(false);
/// Set by `--verbose`.
static VERBOSE: AtomicBool = AtomicBool::new(false);

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Follows `--quiet`, `--verbose` and `--color` from here on.
pub(crate) fn configure(quiet: bool, verbose: bool, color: ColorChoice) {
    QUIET.store(quiet, Ordering::Relaxed);
    VERBOSE.store(verbose, Ordering::Relaxed);
    // Without a choice, anstream looks at the terminal and at NO_COLOR.
    match color {
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
        ColorChoice::Auto => anstream::ColorChoice::Auto,
    }
    .write_global();
}

/// Whether `--quiet` was given.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Whether `--verbose` was given.
pub(crate) fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work failed: divergence, a full disk, too little memory. Exit code 1.
    Failed(String),
    /// The request makes no sense or its input cannot be read. Exit code 2.
    Usage(String),
    /// The user interrupted the work; the message says how it goes on. Exit code 130.
    Interrupted(String),
}

/// The exit code after an interrupt, as shells have it for SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

impl Failure {
    /// Wraps an error of the work.
    pub(crate) fn failed(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// Wraps an error of the request.
    pub(crate) fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// The same failure, whose message begins with the name of the file that it concerns.
    pub(crate) fn about_file(self, path: &Path) -> Self {
        let of_file = |message| format!("'{}': {message}", path.display());
        match self {
            Self::Failed(message) => Self::Failed(of_file(message)),
            Self::Usage(message) => Self::Usage(of_file(message)),
            Self::Interrupted(message) => Self::Interrupted(message),
        }
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Failed(message) | Self::Usage(message) | Self::Interrupted(message) => message,
        }
    }

    /// Writes the message to stderr and gives the exit code.
    pub(crate) fn report(self) -> u8 {
        let code = match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Interrupted(_) => INTERRUPTED,
        };
        match self {
            Self::Interrupted(message) => status(&message),
            _ => error(self.message()),
        }
        code
    }
}

/// Writes an error to stderr.
pub(crate) fn error(message: &str) {
    write_stderr(&format!("{ERROR}error:{ERROR:#} {}", printable::message(message)));
}

/// Writes a warning to stderr, unless `--quiet` was given.
pub(crate) fn warn(message: &str) {
    if !is_quiet() {
        write_stderr(&format!("{WARNING}warning:{WARNING:#} {}", printable::message(message)));
    }
}

/// Writes a line for people to stderr, unless `--quiet` was given.
pub(crate) fn note(line: &str) {
    if !is_quiet() {
        status(line);
    }
}

/// Writes a line for people to stderr in any case.
pub(crate) fn status(line: &str) {
    write_stderr(&printable::printable(line));
}

/// Writes a line that may hold styles; it is lost without complaint where nobody listens.
fn write_stderr(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// The sizes of a network's layers, such as 2-128-128-3.
pub(crate) fn sizes(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// Paths for JSON, which holds text only: U+FFFD stands for what is not Unicode.
pub(crate) fn paths_json(paths: &[PathBuf]) -> Value {
    paths.iter().map(|path| path.to_string_lossy()).collect()
}

/// Writes the result of a command to stdout: as one JSON object, or as the text for people.
pub(crate) fn print(json: bool, value: &impl Serialize, text: &str) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string(value).map_err(Failure::failed)?
    } else {
        printable::printable(text.trim_end()).into_owned()
    };
    write_stdout(|stdout| writeln!(stdout, "{text}"))
}

/// Copies a file to stdout, which must not be a terminal.
pub(crate) fn print_file(path: &Path) -> Result<(), Failure> {
    let mut file = std::fs::File::open(path).map_err(Failure::failed)?;
    write_stdout(|stdout| std::io::copy(&mut file, stdout).map(|_| ()))
}

/// Writes bytes to stdout, which must not be a terminal.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    write_stdout(|stdout| stdout.write_all(bytes))
}

/// Checks that what is written to stdout does not go to a terminal, which would show its bytes as
/// text.
pub(crate) fn require_no_terminal(what: &str) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        let reason = format!("{what} is not written to a terminal; redirect it or name a file");
        return Err(Failure::Usage(reason));
    }
    Ok(())
}

fn write_stdout(
    write: impl FnOnce(&mut std::io::StdoutLock<'_>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Failed(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
