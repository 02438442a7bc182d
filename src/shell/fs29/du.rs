//! `du [-h|-s|-g|-m] <path>`

use std::collections::BTreeMap;

use super::options::Opt;
use super::{Command, CommandLine, Words, values};
use crate::client::{ListOptions, LoadMetadata};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};
use crate::types::FileStatus;

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("g", "", "display information for In-Alluxio data size under the path, grouped by worker."),
        Opt::flag("m", "memory", "display the in memory size and in memory percentage"),
        Opt::flag("h", "", "print sizes in human readable format (e.g., 1KB 234MB 2GB)"),
        Opt::flag("s", "", "display the aggregate summary of file lengths being displayed"),
    ],
    ..Command::new(
        "du",
        "du [-h|-s|-g|-m] <path>",
        "Displays the total size and the in Alluxio size of the specified file or directory.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// What is shown of something.
#[derive(Debug, Default)]
struct Usage {
    bytes: i64,
    in_alluxio: i64,
    in_memory: i64,
    /// By host.
    at_workers: BTreeMap<String, i64>,
}

impl Usage {
    fn add(&mut self, file: &FileStatus) {
        let part = |percentage: i32| file.length * i64::from(percentage) / 100;
        self.bytes += file.length;
        self.in_alluxio += part(file.in_alluxio_percentage);
        self.in_memory += part(file.in_memory_percentage);
        for block in &file.blocks {
            for location in &block.locations {
                *self.at_workers.entry(location.address.host.clone()).or_default() += block.length;
            }
        }
    }
}

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uris = paths::meant(line.word(0), session, output).await?;
    let columns = Columns { memory: line.has("m"), workers: line.has("g"), human: line.has("h") };
    output.line(&columns.row("File Size", "In Alluxio", "In Memory", "Worker Host Name", "Path"));
    paths::each(&uris, output, async |uri, output| {
        let how = ListOptions { recursive: true, load: LoadMetadata::Once };
        let mut files = session.files.list_status(uri.path()?, &how).await?;
        files.retain(|status| !status.folder);
        files.sort_by(|a, b| a.path.as_str().cmp(b.path.as_str()));
        if line.has("s") {
            let mut usage = Usage::default();
            files.iter().for_each(|file| usage.add(file));
            columns.show(&usage, &uri.to_string(), output);
            return Ok(());
        }
        for file in files {
            let mut usage = Usage::default();
            usage.add(&file);
            columns.show(&usage, file.path.as_str(), output);
        }
        Ok(())
    })
    .await
}

/// What is shown beside sizes.
struct Columns {
    memory: bool,
    workers: bool,
    human: bool,
}

impl Columns {
    fn show(&self, usage: &Usage, path: &str, output: &mut Output<'_>) {
        let part = |bytes: i64| {
            let percentage = if usage.bytes == 0 { 0 } else { bytes * 100 / usage.bytes };
            format!("{} ({percentage}%)", self.size(bytes))
        };
        let (in_alluxio, in_memory) = (part(usage.in_alluxio), part(usage.in_memory));
        output.line(&self.row(&self.size(usage.bytes), &in_alluxio, &in_memory, "total", path));
        if self.workers {
            for (host, bytes) in &usage.at_workers {
                output.line(&self.row("", &self.size(*bytes), "", host, ""));
            }
        }
    }

    fn size(&self, bytes: i64) -> String {
        if self.human { values::size(bytes) } else { bytes.to_string() }
    }

    // Compatible: 2.9 DuCommand; tests/shell, fs-05-stat-du-count-test of 2.9.6.
    fn row(&self, bytes: &str, in_alluxio: &str, in_memory: &str, worker: &str, path: &str) -> String {
        let mut row = format!("{bytes:<13} {in_alluxio:<16} ");
        if self.memory {
            row += &format!("{in_memory:<16} ");
        }
        if self.workers {
            row += &format!("{worker:<25} ");
        }
        row + path
    }
}
