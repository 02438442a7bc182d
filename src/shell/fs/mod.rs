//! `alluxio fs <command> …`: the table of commands, and what they share.
//!
//! A command is a file here and a row in the table. Texts and counts are those of 1.2.0. `paths.rs` turns what users type
//! into paths, `copy.rs` moves the content of one file, `failure.rs` says how a failure is told.

mod arguments;
pub(super) mod cat;
mod chgrp;
mod chmod;
mod chown;
pub(super) mod copy;
pub(super) mod copy_from_local;
pub(super) mod copy_to_local;
mod count;
pub(super) mod cp;
mod du;
pub(super) mod failure;
mod file_info;
mod free;
pub(super) mod get_bytes;
mod leader;
mod lineage;
pub(super) mod load;
mod load_metadata;
pub(super) mod location;
mod ls;
mod mkdir;
mod mount;
mod mv;
mod numbers;
pub(super) mod paths;
mod persist;
mod pin;
mod rm;
mod set_ttl;
mod table;
mod tail;
mod touch;
mod unmount;
mod unpin;
mod unset_ttl;

use super::{FAILED, Output, Session};
use arguments::Arguments;
pub(super) use failure::Failure;
use table::{ALIASES, Action, COMMANDS, Command, Count};

/// Runs the command that `words` name and gives its exit code.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some((name, rest)) = words.split_first() else {
        usage(output);
        return FAILED;
    };
    if let Some((_, replacement)) = ALIASES.iter().find(|(alias, _)| alias == name) {
        output.line(&format!("WARNING: {name} is deprecated. Please use {replacement} instead."));
        let words: Vec<&str> = replacement.split(' ').chain(rest.iter().copied()).collect();
        return run_command(words[0], &words[1..], session, output).await;
    }
    run_command(name, rest, session, output).await
}

async fn run_command(name: &str, words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        output.line(&format!("{name} is an unknown command.\n"));
        usage(output);
        return FAILED;
    };
    let arguments = match Arguments::split(words, command.options) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            output.complain(&format!("Unable to parse input args: {wrong}"));
            usage(output);
            return FAILED;
        }
    };
    if let Err(wrong) = check_count(command, arguments.words.len()) {
        output.line(&format!("{wrong}\n"));
        usage(output);
        return FAILED;
    }
    match perform(&command.action, &arguments, session, output).await {
        Ok(()) => 0,
        Err(failure) => failure.tell(output),
    }
}

async fn perform(
    action: &Action,
    arguments: &Arguments<'_>,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let words = &arguments.words;
    let recursive = arguments.has("R");
    match action {
        Action::Cat => cat::run(words[0], session, output).await,
        Action::Chgrp => chgrp::run(words[0], words[1], recursive, session, output).await,
        Action::Chmod => chmod::run(words[0], words[1], recursive, session, output).await,
        Action::Chown => chown::run(words[0], words[1], recursive, session, output).await,
        Action::CopyFromLocal => copy_from_local::run(words[0], words[1], session, output).await,
        Action::CopyToLocal => copy_to_local::run(words[0], words[1], session, output).await,
        Action::Count => count::run(words[0], session, output).await,
        Action::Cp => {
            let how = cp::How { recursive, preserve: false };
            cp::run(words[0], words[1], how, session, output).await
        }
        Action::Du => du::run(words[0], session, output).await,
        Action::FileInfo => file_info::run(words[0], session, output).await,
        Action::Free => free::run(words[0], session, output).await,
        Action::GetCapacityBytes => get_bytes::capacity(session, output).await,
        Action::GetUsedBytes => get_bytes::used(session, output).await,
        Action::Leader => leader::run(session, output).await,
        Action::Lineage => lineage::is_off(),
        Action::Load => load::run(words[0], session, output).await,
        Action::LoadMetadata => load_metadata::run(output),
        Action::Location => location::run(words[0], session, output).await,
        Action::Ls => ls::run(words[0], ls::options(recursive, arguments.has("f")), session, output).await,
        Action::Mkdir => mkdir::run(words, session, output).await,
        Action::Mount => {
            let how = mount::options(arguments.has("readonly"));
            mount::run(words[0], words[1], how, arguments.value("P"), session, output).await
        }
        Action::Mv => mv::run(words[0], words[1], session, output).await,
        Action::Persist => persist::run(words, session, output).await,
        Action::Pin => pin::run(words[0], session, output).await,
        Action::Report => lineage::cannot_report(),
        Action::Rm => rm::run(words[0], recursive, session, output).await,
        Action::SetTtl => set_ttl::run(words[0], words[1], session, output).await,
        Action::Tail => tail::run(words[0], arguments.value("c"), session, output).await,
        Action::Touch => touch::run(words[0], session, output).await,
        Action::Unmount => unmount::run(words[0], session, output).await,
        Action::Unpin => unpin::run(words[0], session, output).await,
        Action::UnsetTtl => unset_ttl::run(words[0], session, output).await,
    }
}

/// What 1.2.0 prints when it does not understand.
fn usage(output: &mut Output<'_>) {
    output.line("Usage: java AlluxioShell");
    for command in COMMANDS {
        let usage = format!("       [{}]   ", command.usage);
        output.line(&format!("{usage:<60}{:<95}", command.description));
    }
}

// Compatible: 1.2.0, whose words differ from command to command; tests/shell, 01-usage, 02-mkdir, 18-lineage.
fn check_count(command: &Command, given: usize) -> Result<(), String> {
    let name = command.name;
    match command.count {
        Count::Exactly(count) if given != count => Err(format!("{name} takes {count} arguments,  not {given}")),
        Count::AtLeast(1) if given < 1 => Err(format!("{name} takes 1 argument at least")),
        Count::AtLeast(count) if given < count => Err(format!("{name} takes at least{count} arguments,  not {given}")),
        _ => Ok(()),
    }
}
