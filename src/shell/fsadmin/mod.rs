//! `alluxio fsadmin …`: what operators ask of a cluster, as 2.9.6 has it. 1.2.0 has none of it, so there is one dialect.
//!
//! A command is a file here that holds its row, as in `fs29/`, which reads and runs it; one with commands of its own is a
//! [`Group`]. What is reported in categories is in `report.rs` (which), `summary.rs`, `capacity.rs`, `metrics.rs`,
//! `masters.rs` (ours alone).
// Compatible: 2.9 alluxio.cli.fsadmin, texts and exit codes; tests/shell, fsadmin of 2.9.6.

mod backup;
mod block_info;
mod capacity;
mod decommission;
mod doctor;
mod enable;
mod journal;
mod masters;
mod metrics;
mod metrics_clear;
mod path_conf;
mod report;
mod state_lock;
mod summary;
mod ufs_mode;
mod update_conf;
mod worker_places;

use super::fs29::{self, Command, help};
use super::{FAILED, Output, Session};

/// What a name stands for.
enum Entry {
    /// A command.
    One(&'static Command),
    /// Several.
    Several(&'static Group),
}

/// Commands below one name.
struct Group {
    name: &'static str,
    usage: &'static str,
    description: &'static str,
    entries: &'static [Entry],
}

/// By name.
const ENTRIES: &[Entry] = &[
    Entry::One(&backup::COMMAND),
    Entry::One(&decommission::COMMAND),
    Entry::One(&doctor::COMMAND),
    Entry::One(&enable::COMMAND),
    Entry::One(&block_info::COMMAND),
    Entry::Several(&journal::GROUP),
    Entry::Several(&metrics_clear::GROUP),
    Entry::Several(&path_conf::GROUP),
    Entry::One(&report::COMMAND),
    Entry::One(&state_lock::COMMAND),
    Entry::One(&ufs_mode::COMMAND),
    Entry::One(&update_conf::COMMAND),
];

impl Entry {
    fn name(&self) -> &'static str {
        match self {
            Entry::One(command) => command.name,
            Entry::Several(group) => group.name,
        }
    }

    fn usage(&self) -> &'static str {
        match self {
            Entry::One(command) => command.usage,
            Entry::Several(group) => group.usage,
        }
    }
}

/// Runs the command and gives the exit code.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some((name, mut words)) = words.split_first() else { return usage(output) };
    let Some(mut entry) = find(ENTRIES, name) else {
        output.complain(&format!("{name} is an unknown command."));
        return usage(output);
    };
    loop {
        let group = match entry {
            Entry::One(command) => return fs29::perform(command, words, session, output).await,
            Entry::Several(group) => group,
        };
        let Some((name, rest)) = words.split_first() else {
            return refuse(group, "No sub-command is specified", output);
        };
        let Some(next) = find(group.entries, name) else {
            return refuse(group, &format!("{name} is an unknown sub-command"), output);
        };
        (entry, words) = (next, rest);
    }
}

fn find(entries: &'static [Entry], name: &str) -> Option<&'static Entry> {
    entries.iter().find(|entry| entry.name() == name)
}

fn refuse(group: &Group, wrong: &str, output: &mut Output<'_>) -> i32 {
    for text in [wrong, &format!("Usage: {}", group.usage), group.description] {
        output.line(text);
    }
    FAILED
}

fn usage(output: &mut Output<'_>) -> i32 {
    output.bytes(help::usage("fsadmin", ENTRIES.iter().map(Entry::usage)).as_bytes());
    FAILED
}
