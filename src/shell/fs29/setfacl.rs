//! `setfacl [-d] [-R] [--set | -m | -x <acl_entries> <path>] | [-b | -k <path>]`

use super::acl::{self, Kind};
use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words};
use crate::proto::alluxio::grpc::file::{PAclEntry, SetAclAction};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("R", "", "Apply to all files and directories recursively"),
        Opt::with(
            "",
            "set",
            ARG,
            "Fully replace the ACL while discarding existing entries. New ACL must be a comma separated list of entries, and must include user, group, and other for compatibility with permission bits.",
        ),
        Opt::with("m", "", ARG, "Modify the ACL by adding/overwriting new entries."),
        Opt::with("x", "", ARG, "Removes specified ACL entries."),
        Opt::flag("b", "", "Removes all of the ACL entries, except for the base entries."),
        Opt::flag("d", "", "Operations apply to the default ACL"),
        Opt::flag("k", "", "Remove the default acl. If no default acl exists, no warnings are given."),
    ],
    ..Command::new(
        "setfacl",
        "setfacl [-d] [-R] [--set | -m | -x <acl_entries> <path>] | [-b | -k <path>]",
        "Sets the access control list (ACL) for a path.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let (action, entries) = change(line).map_err(Failure::of)?;
    paths::for_each(line.word(0), session, output, async |uri, _| {
        Ok(session.files.set_acl(uri.path()?, action, entries.clone(), line.has("R")).await?)
    })
    .await
}

fn change(line: &CommandLine) -> Result<(SetAclAction, Vec<PAclEntry>), String> {
    let mut found = Vec::new();
    for (name, action, kind) in [
        ("set", SetAclAction::Replace, Some(Kind::Whole)),
        ("m", SetAclAction::Modify, Some(Kind::Whole)),
        ("x", SetAclAction::Remove, Some(Kind::Subject)),
        ("b", SetAclAction::RemoveAll, None),
        ("k", SetAclAction::RemoveDefault, None),
    ] {
        if !line.has(name) {
            continue;
        }
        let entries = match (kind, line.value(name)) {
            (Some(kind), Some(list)) => acl::read(list, kind, line.has("d"))?,
            _ => Vec::new(),
        };
        found.push((name, action, entries));
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|(name, _, _)| *name).collect();
        return Err(format!("Only 1 action can be specified: {}", names.join(", ")));
    }
    let (_, action, entries) = found.pop().ok_or("No actions specified.")?;
    Ok((action, entries))
}
