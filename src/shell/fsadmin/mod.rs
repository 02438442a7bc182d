//! `alluxio fsadmin …`: what operators ask of a cluster.
// Compatible: 2.9 alluxio.cli.fsadmin, texts and exit codes.

mod backup;
mod journal;
mod path_conf;
mod report;
mod update_conf;

use crate::client::ClientError;

use super::{FAILED, Output, Session};

/// A command: its name, how it is called, what it does.
struct Command {
    name: &'static str,
    usage: &'static str,
}

const COMMANDS: &[Command] = &[
    Command { name: "backup", usage: "[backup [directory] [--local] [--allow-leader] [--bypass-delegation]]" },
    Command { name: "journal", usage: "[journal [checkpoint]]" },
    Command { name: "pathConf", usage: "[pathConf [add] [show] [list] [remove]]" },
    Command { name: "report", usage: "[report [category]]" },
    Command { name: "updateConf", usage: "[updateConf key1=val1 [key2=val2 ...]]" },
];

/// Runs the command and gives the exit code.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    match words {
        ["backup", words @ ..] => backup::run(words, session, output).await,
        ["journal", words @ ..] => journal::run(words, session, output).await,
        ["pathConf", words @ ..] => path_conf::run(words, session, output).await,
        ["updateConf", words @ ..] => update_conf::run(words, session, output).await,
        ["report", words @ ..] => report::run(words, session, output).await,
        [] => usage(output),
        [name, ..] => {
            output.complain(&format!("{name} is an unknown command."));
            usage(output)
        }
    }
}

/// Says why a call failed.
fn failed(error: ClientError, output: &mut Output<'_>) -> i32 {
    output.complain(&match error {
        ClientError::Refused(refusal) => refusal.message,
        ClientError::Unreachable { last, .. } => format!("no master answers: {last}"),
    });
    FAILED
}

fn usage(output: &mut Output<'_>) -> i32 {
    output.line("Usage: alluxio fsadmin [generic options]");
    let mut commands: Vec<&Command> = COMMANDS.iter().collect();
    commands.sort_by_key(|command| command.name);
    commands.iter().for_each(|command| output.line(&format!("\t {}", command.usage)));
    FAILED
}
