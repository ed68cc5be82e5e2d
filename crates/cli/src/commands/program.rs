//! `vi3nr completions` and `vi3nr man`: the program's own description of itself.

use std::time::Duration;

use clap_mangen::Man;
use vi3nr::suggest::nearest;

use crate::CommandResult;
use crate::arguments::{self, CompletionsArguments, ManArguments};
use crate::output::{Failure, print};

/// Prints the completion script of a shell.
pub(crate) fn completions(arguments: &CompletionsArguments) -> CommandResult {
    let mut script = Vec::new();
    let mut command = arguments::shown(&arguments::command());
    clap_complete::generate(arguments.shell, &mut command, "vi3nr", &mut script);
    print(false, &(), &String::from_utf8_lossy(&script))
}

/// Prints one manual page, or writes all of them to a directory.
pub(crate) fn man(arguments: &ManArguments) -> CommandResult {
    let mut program = arguments::command();
    if let Some(out) = &arguments.out {
        let failure =
            |error| Failure::Failed(format!("cannot write to '{}': {error}", out.display()));
        std::fs::create_dir_all(out).map_err(failure)?;
        clap_mangen::generate_to(program, out).map_err(failure)?;
        return print(false, &(), &out.display().to_string());
    }
    program.build();
    let command = match &arguments.command {
        None => &program,
        Some(name) => program.find_subcommand(name).ok_or_else(|| unknown(name, &program))?,
    };
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(Failure::failed)?;
    print(false, &(), &String::from_utf8_lossy(&page))
}

fn unknown(name: &str, program: &clap::Command) -> Failure {
    let names: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => format!("expected one of {}", names.join(", ")),
    };
    Failure::Usage(format!("no command '{name}'; {hint}"))
}

/// What `--verbose` adds at the end: the version, the machine and the time taken.
pub(crate) fn footer(elapsed: Duration) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "vi3nr {}, {} {}, {cores} cores, {:.2} s",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        elapsed.as_secs_f64()
    )
}
