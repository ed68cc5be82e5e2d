//! The `vi3nr` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::current_exe() {
        Ok(program) => ExitCode::from(vi3nr_cli::run(std::env::args_os(), program)),
        Err(error) => {
            eprintln!("error: cannot find this program's own file: {error}");
            ExitCode::FAILURE
        }
    }
}
