//! `masterInfo`

use super::{Command, CommandLine, Words};
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "masterInfo",
    "masterInfo",
    "Prints information regarding master fault tolerance such as leader address, list of master addresses, and the configured Zookeeper address.",
    Words::Exactly(0),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(_: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let Ok(primary) = session.files.primary().await else {
        output.line("Failed to find leader master\nFailed to find all master addresses");
        return Ok(());
    };
    output.line(&format!("Current leader master: {}", shown(&primary)));
    // A master of 2.9 does not know this question; where it is, the properties say who there is.
    let mut all: Vec<String> = match session.files.masters().await {
        Ok(answer) => answer.masters.iter().map(|master| master.address().to_owned()).collect(),
        Err(_) if session.places.contains(primary.as_str()) => session.places.split(", ").map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    };
    if all.is_empty() {
        all.push(primary);
    }
    let all: Vec<String> = all.iter().map(|address| shown(address)).collect();
    output.line(&format!("All masters: [{}]", all.join(", ")));
    Ok(())
}

/// An address as Java shows one whose name it has not looked up.
// Compatible: tests/shell, fs-05-stat-du-count-test of 2.9.6.
fn shown(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, port)) => format!("{host}/<unresolved>:{port}"),
        None => address.to_owned(),
    }
}
