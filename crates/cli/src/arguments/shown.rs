//! The part of the command line that completion scripts offer.

use clap::{Arg, Command};

/// `command` without hidden options and commands, which completion scripts would list. What matters
/// only when a command line is read, such as conflicts between options, is left out too.
pub(crate) fn shown(command: &Command) -> Command {
    let mut copy = Command::new(command.get_name().to_owned());
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy.args(command.get_arguments().filter(|own| !own.is_hide_set()).map(argument))
        .subcommands(command.get_subcommands().filter(|own| !own.is_hide_set()).map(shown))
}

fn argument(own: &Arg) -> Arg {
    let mut copy = Arg::new(own.get_id().clone())
        .action(own.get_action().clone())
        .value_parser(own.get_value_parser().clone())
        .value_hint(own.get_value_hint())
        .required(own.is_required_set())
        .global(own.is_global_set());
    if let Some(short) = own.get_short() {
        copy = copy.short(short);
    }
    if let Some(long) = own.get_long() {
        copy = copy.long(long.to_owned());
    }
    if let Some(help) = own.get_help() {
        copy = copy.help(help.clone());
    }
    if let Some(names) = own.get_value_names() {
        copy = copy.value_names(names.to_vec());
    }
    if let Some(count) = own.get_num_args() {
        copy = copy.num_args(count);
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    /// The names of all options and commands below `command`.
    fn names(command: &Command, is_shown: fn(&Arg) -> bool) -> Vec<String> {
        let own = command.get_arguments().filter(|own| is_shown(own));
        let mut found: Vec<String> =
            own.map(|own| format!("{} {}", command.get_name(), own.get_id())).collect();
        for below in command.get_subcommands() {
            let more = names(below, is_shown);
            found.extend(more);
        }
        found
    }

    #[test]
    fn everything_but_what_is_hidden_is_offered() {
        let command = command();
        let offered = names(&shown(&command), |_| true);
        assert_eq!(offered, names(&command, |own| !own.is_hide_set()));
        assert!(offered.len() < names(&command, |_| true).len());
        shown(&command).debug_assert();
    }
}
