//! `help [<command>]`

use super::table::COMMANDS;
use super::{Command, CommandLine, Words, find, help};
use crate::shell::Output;
use crate::shell::fs::Failure;

pub(super) const COMMAND: Command = Command::new(
    "help",
    "help [<command>]",
    "Prints help message for the given command. If there isn't given command, prints help messages for all supported commands.",
    Words::AtMost(1),
    |line, _, output| Box::pin(async { run(line, output) }),
);

fn run(line: &CommandLine, output: &mut Output<'_>) -> Result<(), Failure> {
    let Some(name) = line.words.first() else {
        for command in COMMANDS {
            output.line(&help::of(command));
        }
        return Ok(());
    };
    let command = find(name).ok_or_else(|| Failure::of(format!("{name} is an unknown command.")))?;
    output.bytes(help::of(command).as_bytes());
    Ok(())
}
