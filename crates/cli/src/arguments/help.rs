//! How help looks: styles, and the commands in groups.

use clap::builder::StyledStr;
use clap::builder::styling::{AnsiColor, Styles};

/// As in cargo and uv.
pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The commands by what they are for.
pub(super) const GROUPS: [(&str, &[&str]); 4] = [
    ("Models", &["fit", "decode", "eval", "info", "export", "sample"]),
    ("Theory", &["gain", "solve", "init", "plot", "propagate", "activations", "schemes"]),
    ("Experiments", &["sweep", "repro", "report", "bench"]),
    ("Program", &["devices", "completions", "man", "help"]),
];

/// The help of the program: its commands in groups, each with the first line of its own help.
pub(super) fn template(command: &clap::Command) -> StyledStr {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n\n".to_owned();
    let names = GROUPS.iter().flat_map(|(_, names)| *names);
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    for (title, names) in GROUPS {
        text += &format!("{header}{title}:{header:#}\n");
        for name in names {
            let about = match *name {
                "help" => "Print the help of a command".to_owned(),
                name => command
                    .find_subcommand(name)
                    .and_then(|own| own.get_about())
                    .map_or(String::new(), ToString::to_string),
            };
            text += &format!("  {literal}{name:<width$}{literal:#}  {about}\n");
        }
        text += "\n";
    }
    (text + &format!("{header}Options:{header:#}\n{{options}}{{after-help}}")).into()
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let command = command();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        grouped.retain(|name| *name != "help");
        let mut own: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        own.sort_unstable();
        assert_eq!(grouped, own);
        command.debug_assert();
    }

    #[test]
    fn lines_fit_a_terminal() {
        for line in template(&command()).to_string().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
