//! `setTtl [--action delete|free] <path> <time to live>`

use super::change;
use super::options::{ARG, Opt};
use super::values;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::proto::convert::ttl_action_to_proto;
use crate::shell::fs::Failure;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::TtlAction;

pub(super) const COMMAND: Command = Command {
    options: &[Opt::with("", "action", ARG, "Action to take after TTL expiry. Delete (default) or free the target")],
    check: |line| action(line).map(drop),
    ..Command::new(
        "setTtl",
        "setTtl [--action delete|free] <path> <time to live>",
        "Sets a new TTL value for the file at path, performing an action, delete(default)/free after TTL expiry. The TTL to set can be in one of the unit: ms, millisecond, s, second, m, min, minute, h, hour, d, day, default to ms",
        Words::Exactly(2),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let typed = line.word(1).trim_matches(['"', '\'']);
    let ttl = values::time(typed).map_err(|_| Failure::of(format!("{typed} is not valid time")))?;
    let action = action(line).map_err(Failure::of)?;
    let change = SetAttributeOptions { ttl: Some((ttl, action)), ..SetAttributeOptions::default() };
    let name = ttl_action_to_proto(action).as_str_name();
    let done = |uri: &Uri| {
        format!("TTL of path '{uri}' was successfully set to {ttl} milliseconds, with expiry action set to {name}")
    };
    change::each(line.word(0), &change, session, output, done).await
}

fn action(line: &CommandLine) -> Result<TtlAction, String> {
    match line.value("action") {
        None => Ok(TtlAction::Delete),
        Some(typed) => match typed.to_uppercase().as_str() {
            "DELETE" => Ok(TtlAction::Delete),
            "FREE" => Ok(TtlAction::Free),
            "DELETE_ALLUXIO" => Ok(TtlAction::DeleteAlluxio),
            _ => Err(format!("TTL action should be DELETE OR FREE, not {typed}")),
        },
    }
}
