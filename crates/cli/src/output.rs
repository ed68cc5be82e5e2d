//! What is written to the two output streams, and the exit code.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

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

    /// Writes the message to stderr and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::Failed(message) => (format!("error: {message}"), 1),
            Self::Usage(message) => (format!("error: {message}"), 2),
            Self::Interrupted(message) => (message, INTERRUPTED),
        };
        status(&message);
        ExitCode::from(code)
    }
}

/// Writes a line for people to stderr; it is lost without complaint where nobody listens.
pub(crate) fn status(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
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
        text.trim_end().to_owned()
    };
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Failed(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
