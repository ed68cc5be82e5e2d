//! What can be given after the commands about the program itself.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct CatalogArguments {
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// Installation, for example: `vi3nr completions bash >
/// ~/.local/share/bash-completion/completions/vi3nr`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The command whose page is printed [default: the program's own page]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write the pages of all commands to this directory instead
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) out: Option<PathBuf>,
}
