//! `alluxio journal export <folder>`: what our journal says, as a journal of Alluxio 2.9 (layout v1) that a Java master
//! starts on: one finished log from the first entry for each master, no checkpoint, so that any metastore takes it.
//!
//! The journal is read as a new master would; masters may go on (not with a local journal, which is locked). The logs are
//! written first, and the marker files without which no master starts last.

use super::journal_replay::{self, Replay, ReplayError, Writers};
use super::journal_verify;
use crate::conf::Conf;
use crate::journal::chain::Position;
use crate::journal::entry::Entry;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder_identity::{self, IdentityError};
use crate::journal::portable_codec::{self, Owner};
use crate::journal::witness::Witness;
use crate::master::outside::{self, Folder, OutsideError};
use crate::master::state::MasterState;
use crate::types::time::wall_now;
use crate::ufs::{Ufs, UfsClients, UfsError, UfsOwnership, UfsWriter};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

/// All masters of 2.9 that look for a marker.
const MASTERS: [&str; 6] =
    ["BlockMaster", "FileSystemMaster", "JournalMaster", "MetaMaster", "MetricsMaster", "ThrottleMaster"];
/// Written at a time.
const WRITE_BYTES: usize = 1 << 20;

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The properties.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// Our own folder does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Our own journal.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Nothing to export.
    #[error("the journal holds no namespace yet")]
    Empty,
    /// The target.
    #[error("cannot write {file}")]
    Ufs {
        /// Which file.
        file: String,
        /// Why not.
        #[source]
        source: UfsError,
    },
    /// Somebody else has written into the target meanwhile.
    #[error(
        "{file} was written into the folder meanwhile, by another export perhaps: empty the folder, then export again"
    )]
    Overtaken {
        /// What is there and not ours.
        file: String,
    },
    /// The target holds something.
    #[error("{folder} is not empty: give a folder that is, or does not exist")]
    Occupied {
        /// As given.
        folder: String,
    },
}

/// What was exported.
#[derive(Debug)]
pub struct Report {
    folder: String,
    end: Position,
    /// Entries of each master.
    entries: BTreeMap<Owner, i64>,
    dropped: Vec<(usize, &'static str)>,
}

/// See the module text.
///
/// # Errors
/// Our journal cannot be read, or the folder is not empty or cannot be written.
pub async fn run(conf: &Conf, folder: &str) -> Result<Report, ExportError> {
    let failed = |source| ExportError::Ufs { file: folder.to_owned(), source };
    let ufs = UfsClients::of_root(conf, outside::ufs(conf)?).of(folder).map_err(failed)?;
    let root = folder.trim_end_matches('/').to_owned();
    if ufs.status(&root).await.map_err(failed)?.is_some() && !ufs.list(&root).await.map_err(failed)?.is_empty() {
        return Err(ExportError::Occupied { folder: folder.to_owned() });
    }
    let (state, end) = read(conf).await?;
    let target = Target { ufs, root };
    let entries = target.write_all(&state).await?;
    Ok(Report { folder: folder.to_owned(), end, entries, dropped: dropped(&state) })
}

/// The state at the acknowledged end of our journal.
async fn read(conf: &Conf) -> Result<(MasterState, Position), ExportError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Refuse)?;
    let format = folder_identity::identify_readable(store.as_ref()).await?;
    let node = journal_verify::epoch_node(conf, &format).await?;
    let witness = node.as_ref().map(Witness::of).unwrap_or_default();
    let (mut replay, beginning) = Replay::begin(store.as_ref(), &format.cluster_id, witness, Writers::MayLive).await?;
    let (mut state, mut end) = (beginning.state, beginning.position);
    loop {
        let records = replay.next().await?;
        if records.is_empty() {
            break;
        }
        for placed in &records {
            journal_replay::apply(&mut state, &placed.record)?;
            end = placed.record.position;
        }
    }
    replay.finish()?;
    if state.inodes().count() == 0 { Err(ExportError::Empty) } else { Ok((state, end)) }
}

/// What a state holds that 2.9 has no entry for.
fn dropped(state: &MasterState) -> Vec<(usize, &'static str)> {
    let found = [
        (state.intents().len(), "changes of an under-store that were begun and not settled: look at these paths"),
        (state.unlinked().len(), "deleted trees that were not cleared away yet"),
    ];
    found.into_iter().filter(|(count, _)| *count > 0).collect()
}

struct Target {
    ufs: Arc<dyn Ufs>,
    root: String,
}

impl Target {
    async fn write_all(&self, state: &MasterState) -> Result<BTreeMap<Owner, i64>, ExportError> {
        let mut logs = BTreeMap::new();
        for owner in [Owner::BlockMaster, Owner::FileSystemMaster, Owner::MetaMaster] {
            logs.insert(owner, self.begin(owner).await?);
        }
        let mut entries = state.portable_entries(state.ids()).peekable();
        while let Some(entry) = entries.next() {
            let time = match (&entry, entries.peek()) {
                (Entry::InodeFile(_), Some(Entry::PersistTime { time_ms, .. })) => Some(*time_ms),
                _ => None,
            };
            let log = logs.get_mut(&Owner::of(&entry)).expect("each owner has a log");
            log.add(&entry, time).await?;
        }
        let mut written = BTreeMap::new();
        for (owner, log) in logs {
            written.insert(owner, self.end(owner, log).await?);
        }
        for (owner, entries) in &written {
            self.refuse_others(*owner, *entries).await?;
        }
        let now = wall_now().0;
        for master in MASTERS {
            let marker = format!("{}/{master}/v1/_format_{now}", self.root);
            self.create(&marker).await?.close().await.map_err(failed(&marker))?;
        }
        Ok(written)
    }

    fn logs(&self, owner: Owner) -> String {
        format!("{}/{}/v1/logs", self.root, owner.name())
    }

    /// Refuses a folder with other logs than what was written.
    async fn refuse_others(&self, owner: Owner, entries: i64) -> Result<(), ExportError> {
        let logs = self.logs(owner);
        let listed = self.ufs.list(&logs).await.map_err(failed(&logs))?;
        match listed.into_iter().find(|file| entries == 0 || file.name != log_name(entries)) {
            Some(other) => Err(ExportError::Overtaken { file: format!("{logs}/{}", other.name) }),
            None => Ok(()),
        }
    }

    async fn create(&self, file: &str) -> Result<Box<dyn UfsWriter>, ExportError> {
        // As whoever writes it.
        let own = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o644 };
        self.ufs.create(file, &own).await.map_err(failed(file))
    }

    async fn begin(&self, owner: Owner) -> Result<Log, ExportError> {
        // A name of its own: two exports into one folder are told apart at their end.
        let file = format!("{}/unfinished-{}", self.logs(owner), uuid::Uuid::new_v4());
        Ok(Log { writer: self.create(&file).await?, file, buffer: Vec::new(), next: 0 })
    }

    /// Closes a log, and gives it the name that says how many entries it has.
    async fn end(&self, owner: Owner, mut log: Log) -> Result<i64, ExportError> {
        log.flush().await?;
        let Log { writer, file, next, .. } = log;
        writer.close().await.map_err(failed(&file))?;
        if next == 0 {
            self.ufs.delete(&file, crate::ufs::UfsDeletion::File).await.map_err(failed(&file))?;
            return Ok(0);
        }
        let name = format!("{}/{}", self.logs(owner), log_name(next));
        self.ufs.rename(&file, &name).await.map_err(failed(&name))?;
        Ok(next)
    }
}

/// The name of a log of so many entries.
fn log_name(entries: i64) -> String {
    format!("0x0-0x{entries:x}")
}

struct Log {
    writer: Box<dyn UfsWriter>,
    file: String,
    buffer: Vec<u8>,
    /// Number of the next entry.
    next: i64,
}

impl Log {
    async fn add(&mut self, entry: &Entry, persist_time: Option<i64>) -> Result<(), ExportError> {
        self.next += i64::from(portable_codec::encode(&mut self.buffer, entry, persist_time, Some(self.next)));
        if self.buffer.len() >= WRITE_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), ExportError> {
        let bytes = std::mem::take(&mut self.buffer);
        if bytes.is_empty() { Ok(()) } else { self.writer.write(bytes.into()).await.map_err(failed(&self.file)) }
    }
}

fn failed(file: &str) -> impl FnOnce(UfsError) -> ExportError {
    move |source| ExportError::Ufs { file: file.to_owned(), source }
}

impl Report {
    /// Writes it for people, a line for each thing.
    ///
    /// # Errors
    /// The output.
    pub fn write(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "exported up to record {} into {}, layout v1 (Alluxio 2.9)", self.end, self.folder)?;
        for (owner, count) in &self.entries {
            writeln!(output, "  {count:>12} entries of {}", owner.name())?;
        }
        for (count, what) in &self.dropped {
            writeln!(output, "left out: {count} × {what}")?;
        }
        writeln!(output, "left out: answers that are kept for repeated operations")?;
        writeln!(output, "The mount of the root is not in a journal: give the Java masters the same root under-store.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ufs::MemoryUfs;

    /// Each is whole by itself, and both together are no journal.
    #[tokio::test]
    async fn two_exports_into_one_folder_are_told_apart() {
        let smaller = MasterState::default();
        let mut larger = smaller.clone();
        larger.apply(&Entry::ClusterInfo { cluster_id: "c".into() }).unwrap();
        let ufs = MemoryUfs::new();
        let target = || Target { ufs: Arc::new(ufs.clone()), root: "memory://m/export".to_owned() };
        assert_eq!(target().write_all(&larger).await.unwrap()[&Owner::MetaMaster], 1);
        let overtaken = target().refuse_others(Owner::MetaMaster, 0).await.unwrap_err();
        assert!(matches!(overtaken, ExportError::Overtaken { file } if file.ends_with("/MetaMaster/v1/logs/0x0-0x1")));
        let error = target().write_all(&smaller).await.unwrap_err().to_string();
        assert_eq!(error, "cannot write memory://m/export/BlockMaster/v1/logs/0x0-0x1");
    }
}
