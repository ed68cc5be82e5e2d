//! What is said on the two output streams, and the exit code.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use serde::Serialize;

/// Why a command ends early: 1 for work that failed, 2 for a request or an input that cannot be
/// used.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work failed: divergence, a full disk, too little memory.
    Failed(String),
    /// The request makes no sense or its input cannot be read.
    Unusable(String),
}

impl Failure {
    /// Wraps an error of the work.
    pub(crate) fn failed(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// Wraps an error of the request.
    pub(crate) fn unusable(error: impl Display) -> Self {
        Self::Unusable(error.to_string())
    }

    /// Says what happened on stderr and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::Failed(message) => (message, 1),
            Self::Unusable(message) => (message, 2),
        };
        say(&format!("error: {message}"));
        ExitCode::from(code)
    }
}

/// A line on stderr, for people; lost without complaint where nobody listens.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The result of a command on stdout: as one JSON object, or as the text for people.
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
