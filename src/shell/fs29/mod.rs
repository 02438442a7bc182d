//! `alluxio fs <command> …` as 2.9.6 has it: chosen by `alluxio.compatibility=2.9`.
//!
//! A command is a file here that holds its row, and a name in `table.rs`. The server speaks 2.9, so refusals are told as
//! they come. What both dialects share is in `fs/`: `paths.rs`, `copy.rs`, `failure.rs`. What is typed is read in
//! `options.rs`, explained by `help.rs`; `values.rs` knows sizes and times, `acl.rs` access control lists, `describe.rs`
//! all about a file (all pure).
//!
//! Read `table.rs`, `ls.rs`, `options.rs`.

mod acl;
mod cat;
mod change;
mod check_consistency;
mod checksum;
mod chgrp;
mod chmod;
mod chown;
mod copy_from_local;
mod copy_to_local;
mod count;
mod cp;
pub(super) mod describe;
mod distributed_cp;
mod du;
mod free;
mod free_worker;
mod get_bytes;
mod get_sync_path_list;
mod getfacl;
mod head;
pub(super) mod help;
mod help_command;
mod leader;
mod load;
mod load_metadata;
mod location;
mod ls;
mod master_info;
mod mkdir;
pub(super) mod mount;
mod mv;
mod needs_sync;
pub(super) mod options;
mod persist;
mod pin;
mod rm;
mod set_replication;
mod set_ttl;
mod setfacl;
mod start_sync;
mod stat;
mod stop_sync;
mod sync_dir_next_time;
mod table;
mod tail;
mod test;
mod touch;
mod unmount;
mod unpin;
mod unset_ttl;
mod update_mount;
pub(super) mod values;

use std::pin::Pin;

use super::fs::Failure;
use super::{FAILED, Output, Session};
use options::{CommandLine, Opt};
use table::COMMANDS;

/// A command of the shell.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    pub(super) description: &'static str,
    pub(super) options: &'static [Opt],
    pub(super) words: Words,
    /// What else must hold of the words, told if it does not.
    pub(super) check: Check,
    pub(super) run: Run,
}

impl Command {
    /// A command without options, of whose words the number says all.
    pub(super) const fn new(
        name: &'static str,
        usage: &'static str,
        description: &'static str,
        words: Words,
        run: Run,
    ) -> Command {
        Command { name, usage, description, options: &[], words, check: |_| Ok(()), run }
    }
}

/// How many words a command takes beside its options.
pub(super) enum Words {
    Exactly(usize),
    AtLeast(usize),
    AtMost(usize),
    /// Its check says.
    Checked,
}

pub(super) type Check = fn(&CommandLine) -> Result<(), String>;
pub(super) type Run = for<'a> fn(&'a CommandLine, &'a Session, &'a mut Output<'_>) -> Running<'a>;
pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// Runs the command that `words` name and gives its exit code.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some((name, words)) = words.split_first() else {
        output.bytes(usage().as_bytes());
        return FAILED;
    };
    // Compatible: 2.9 FileSystemShell has this one alias.
    let name = if *name == "umount" { "unmount" } else { name };
    let Some(command) = find(name) else {
        output.complain(&format!("{name} is an unknown command."));
        output.bytes(usage().as_bytes());
        return FAILED;
    };
    perform(command, words, session, output).await
}

/// Does what `words` say behind the name of the command and gives the exit code.
pub(super) async fn perform(command: &Command, words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let line = match read(command, words) {
        Ok(line) => line,
        Err(wrong) => {
            for text in [wrong.as_str(), &format!("Usage: {}", command.usage), command.description] {
                output.line(text);
            }
            return FAILED;
        }
    };
    match (command.run)(&line, session, output).await {
        Ok(()) => 0,
        Err(failure) => failure.tell(output),
    }
}

fn usage() -> String {
    help::usage("fs", COMMANDS.iter().map(|command| command.usage))
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().copied().find(|command| command.name == name)
}

// Compatible: 2.9 CommandUtils; tests/shell, fs-01-usage of 2.9.6.
fn read(command: &Command, words: &[&str]) -> Result<CommandLine, String> {
    let name = command.name;
    let line = CommandLine::read(words, command.options)
        .map_err(|wrong| format!("Failed to parse args for {name}: {wrong}"))?;
    let given = line.words.len();
    match command.words {
        Words::Exactly(count) => exactly(name, count, given)?,
        Words::AtLeast(count) if given < count => {
            return Err(format!("Command {name} requires at least {count} arguments ({given} provided)"));
        }
        Words::AtMost(count) if given > count => {
            return Err(format!("Command {name} requires at most {count} arguments ({given} provided)"));
        }
        Words::AtLeast(_) | Words::AtMost(_) | Words::Checked => {}
    }
    (command.check)(&line)?;
    Ok(line)
}

fn exactly(name: &str, count: usize, given: usize) -> Result<(), String> {
    if given == count { Ok(()) } else { Err(format!("Command {name} takes {count} arguments, not {given}")) }
}
