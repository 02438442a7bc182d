//! `alluxio fsadmin journal checkpoint`, `alluxio fsadmin journal quorum info|elect|remove`

use super::{Entry, Group};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{ARG, CommandLine, Opt};
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};

// Compatible: 2.9.6 alluxio.cli.fsadmin.journal, the texts to the letter.
pub(super) const GROUP: Group = Group {
    name: "journal",
    usage: "journal [checkpoint] [quorum]",
    description: "Provide operations for the journal. See sub-commands' descriptions for more details.",
    entries: &[Entry::One(&CHECKPOINT), Entry::Several(&QUORUM)],
};

const CHECKPOINT: Command = Command::new(
    "checkpoint",
    "checkpoint",
    "creates a checkpoint in the primary master journal system. This command is mainly used for debugging and to avoid \
     master journal logs from growing unbounded.",
    Words::Exactly(0),
    |line, session, output| Box::pin(checkpoint(line, session, output)),
);

const QUORUM: Group = Group {
    name: "quorum",
    usage: "quorum [remove] [elect] [info]",
    description: "Manage embedded journal quorum configuration. See sub-commands' descriptions for more details.",
    entries: &[Entry::One(&REMOVE), Entry::One(&ELECT), Entry::One(&INFO)],
};

const ADDRESS: Opt = Opt::with("address", "", ARG, "Server address");
const DOMAIN: Opt = Opt::with("domain", "", ARG, "Journal domain");

const INFO: Command = Command {
    options: &[DOMAIN],
    check: |line| takes(line, &["domain"]),
    ..Command::new(
        "info",
        "info -domain <[MASTER, JOB_MASTER]>\n",
        "Shows quorum information for embedded journal.",
        Words::AtLeast(0),
        |line, _, _| Box::pin(info(line)),
    )
};

const REMOVE: Command = Command {
    options: &[DOMAIN, ADDRESS],
    check: |line| takes(line, &["domain", "address"]),
    ..Command::new(
        "remove",
        "remove -domain <MASTER|JOB_MASTER>\n -address <HostName:Port>",
        "Removes a server from embedded journal quorum.",
        Words::AtLeast(0),
        |line, _, _| Box::pin(info(line)),
    )
};

const ELECT: Command = Command {
    options: &[ADDRESS],
    check: |line| match line.has("address") {
        true => Ok(()),
        false => Err(lacking(&["address"])),
    },
    ..Command::new(
        "elect",
        "elect -address <HOSTNAME:PORT>",
        "Transfers leadership of the quorum to the master located at <hostname>:<port>",
        Words::AtLeast(0),
        |line, _, output| Box::pin(elect(line, output)),
    )
};

/// What masters of 2.9.6 answer whose journal is in a folder, as that of all of ours is.
const NOT_EMBEDDED: &str = "Quorum operations are supported for journal type: EMBEDDED";

fn takes(line: &CommandLine, names: &[&str]) -> Result<(), String> {
    match line.options() {
        given if given != names.len() => {
            Err(format!("Invalid option count. Expected: {}, Found: {given}", names.len()))
        }
        _ if names.iter().all(|name| line.has(name)) => Ok(()),
        _ => Err(lacking(names)),
    }
}

fn lacking(names: &[&str]) -> String {
    format!("Invalid option provided. Supported options: [{}]", names.join(", "))
}

async fn checkpoint(_: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let host = session.files.checkpoint().await?;
    output.line(&format!("Successfully took a checkpoint on master {host}"));
    Ok(())
}

async fn info(line: &CommandLine) -> Result<(), Failure> {
    if !matches!(line.value("domain"), Some("MASTER" | "JOB_MASTER")) {
        return Err(Failure::of("Invalid value provided for option: domain. Supported values: [MASTER, JOB_MASTER]"));
    }
    if let Some(address) = line.value("address") {
        check_address(address)?;
    }
    Err(Failure::of(NOT_EMBEDDED))
}

async fn elect(line: &CommandLine, output: &mut Output<'_>) -> Result<(), Failure> {
    let address = line.value("address").unwrap_or_default();
    check_address(address)?;
    output.line(&format!("Initiating transfer of leadership to {address}"));
    output.line(&format!("Failed to elect {address} as the new leader: {NOT_EMBEDDED}"));
    output.line("Resetting priorities of masters after failed transfer of leadership");
    Err(Failure::of(format!(
        "Quorum priorities failed to be reset: alluxio.exception.status.InternalException: {NOT_EMBEDDED}"
    )))
}

fn check_address(address: &str) -> Result<(), Failure> {
    let port = address.split_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(drop).ok_or_else(|| Failure::of("Invalid address provided."))
}
