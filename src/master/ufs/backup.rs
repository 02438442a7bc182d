//! Backups, in the form of 2.9: a gzip of `JournalEntry` messages that any metastore and any later version can read.
//!
//! What is backed up is a snapshot of the state, which is told once all of it is acknowledged; nothing waits for it, and no
//! writer is held up. One backup is made at a time; the last one's outcome is kept.

use super::UfsNamespace;
use crate::journal::entry::Entry;
use crate::journal::portable_codec;
use crate::master::state::MasterState;
use crate::rpc::peer::Peer;
use crate::types::time::{Millis, boot_now, wall_now};
use crate::types::{ErrorKind, FsError, SequenceNumber};
use crate::ufs::{Ufs, UfsDeletion, UfsError, UfsErrorKind, UfsOwnership, UfsUri};
use bytes::Bytes;
use chrono::DateTime;
use flate2::Compression;
use flate2::write::GzEncoder;
use log::warn;
use std::io::Write;
use std::time::Duration;
use tokio::sync::mpsc;

/// Compressed bytes that are written at a time, and how many such pieces may wait.
const PIECE_BYTES: usize = 1 << 20;
const PIECES_WAIT: usize = 4;

/// The name of a backup is this, the date, a dash, the time in ms, and the ending, as in 2.9.
pub(in crate::master) const BACKUP_PREFIX: &str = "alluxio-backup-";
/// See there.
pub(in crate::master) const BACKUP_SUFFIX: &str = ".gz";

/// What the name of a backup ends in until it is whole.
pub(in crate::master) const UNFINISHED: &str = ".unfinished";

/// How often it is looked how far this master is.
const LOOK: Duration = Duration::from_millis(100);
/// How long a master that is asked for a backup may take to apply what must be in it.
const FOLLOW_LIMIT: Duration = Duration::from_secs(30);

/// What to back up to.
#[derive(Debug, Clone)]
pub struct BackupRequest {
    /// A folder: a path, or a URI of a UFS.
    pub directory: String,
    /// Where a path is.
    pub place: BackupPlace,
    /// Whether the answer comes at the end.
    pub wait: BackupWait,
    /// Other masters, the first of which that can makes it; if none can, this one does.
    pub by: Vec<Peer>,
}

/// Where the path of a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupPlace {
    /// On the disk of the master.
    LocalDisk,
    /// In the UFS of the root.
    RootUfs,
}

/// When a request for a backup is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupWait {
    /// Once it has begun.
    Begun,
    /// Once it has ended.
    Ended,
}

/// How far a backup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupStatus {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub stage: BackupStage,
}

/// See [`BackupStatus`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupStage {
    /// Entries are written.
    Running,
    /// It is whole.
    Completed {
        /// The master that made it, if it was another one.
        host: Option<String>,
        /// Where it is, as 2.9 shows it.
        uri: String,
        /// How many entries.
        entries: u64,
    },
    /// There is none.
    Failed(FsError),
}

impl UfsNamespace {
    /// Makes a backup.
    ///
    /// # Errors
    /// Another one is made already; it failed, if that was waited for.
    pub(super) async fn make_backup(&self, request: BackupRequest) -> Result<BackupStatus, FsError> {
        let id = uuid::Uuid::new_v4().to_string();
        let begun = BackupStatus { id: id.clone(), stage: BackupStage::Running };
        {
            let mut last = self.inner.backup.lock();
            if last.as_ref().is_some_and(|last| last.stage == BackupStage::Running) {
                // Compatible: 2.9 ExceptionMessage.BACKUP_IN_PROGRESS.
                return Err(FsError::new(ErrorKind::FailedPrecondition, "Backup in progress"));
            }
            *last = Some(begun.clone());
        }
        let (ended, end) = tokio::sync::oneshot::channel();
        let this = self.clone();
        let (wait, directory) = (request.wait, request);
        self.spawn(async move {
            let stage = match this.back_up(&directory).await {
                Ok(completed) => completed,
                Err(error) => BackupStage::Failed(error),
            };
            log::info!("backup id={id} {stage:?}");
            let status = BackupStatus { id, stage };
            *this.inner.backup.lock() = Some(status.clone());
            // Who does not wait has gone.
            let _ = ended.send(status);
        });
        match wait {
            BackupWait::Begun => Ok(begun),
            BackupWait::Ended => {
                let status = end.await.map_err(|_| FsError::new(ErrorKind::Unavailable, "The master stops."))?;
                match status.stage {
                    BackupStage::Failed(error) => Err(error),
                    _ => Ok(status),
                }
            }
        }
    }

    /// How far that backup is.
    ///
    /// # Errors
    /// It is not the last one of this master.
    pub(super) fn last_backup(&self, id: &str) -> Result<BackupStatus, FsError> {
        let last = self.inner.backup.lock().clone().filter(|last| last.id == id);
        last.ok_or_else(|| FsError::new(ErrorKind::NotFound, format!("Backup not found. Id: {id}")))
    }

    async fn back_up(&self, request: &BackupRequest) -> Result<BackupStage, FsError> {
        let handle = &self.inner.handle;
        // All that was answered before is in it, whoever makes it.
        handle.durable(|_| ()).await?;
        let after = handle.standing().durable;
        let root = handle.with_core(|_, settings| settings.root_ufs.clone());
        // A new name for each try: who failed may be writing yet.
        let folder = match request.directory.trim_end_matches('/') {
            "" if request.directory.starts_with('/') => "/",
            folder => folder,
        };
        let target = || place(&root, folder, request.place, wall_now());
        for peer in &request.by {
            let (uri, shown) = target()?;
            match peer.back_up(&uri, after).await {
                Ok(entries) => {
                    let host = peer.address.rsplit_once(':').map(|(host, _)| host.to_owned());
                    return Ok(BackupStage::Completed { host, uri: shown, entries });
                }
                Err(error) => warn!("another master makes no backup address={} reason={error}", peer.address),
            }
        }
        let (uri, shown) = target()?;
        let entries = self.back_up_to(&uri, after).await?;
        Ok(BackupStage::Completed { host: None, uri: shown, entries })
    }

    /// Writes the state, once all up to `after` is in it.
    ///
    /// # Errors
    /// That takes too long; the file cannot be written.
    pub(super) async fn back_up_to(&self, uri: &str, after: SequenceNumber) -> Result<u64, FsError> {
        let handle = &self.inner.handle;
        let began = boot_now();
        while handle.standing().settled() < after {
            if boot_now().since(began) > FOLLOW_LIMIT {
                let text = format!("This master has not applied record {after} in {FOLLOW_LIMIT:?}.");
                return Err(FsError::new(ErrorKind::Unavailable, text));
            }
            tokio::time::sleep(LOOK).await;
        }
        let state = handle.durable(|core| core.state.clone()).await?;
        let ufs = self.inner.clients.of(uri).map_err(|error| unwritten(uri, &error))?;
        // Who dies in between leaves none that looks whole.
        let unfinished = format!("{uri}{UNFINISHED}");
        let written = write_backup(ufs.as_ref(), &unfinished, state).await;
        let named = match written {
            Ok(entries) => ufs.rename(&unfinished, uri).await.map(|()| entries).map_err(|error| unwritten(uri, &error)),
            Err(error) => Err(error),
        };
        if named.is_err()
            && let Err(error) = ufs.delete(&unfinished, UfsDeletion::File).await
            && error.kind != UfsErrorKind::NotFound
        {
            warn!("cannot delete a backup that is not whole uri={unfinished} reason={error}");
        }
        named
    }
}

fn unwritten(uri: &str, error: &UfsError) -> FsError {
    FsError::new(ErrorKind::Internal, format!("Cannot write {uri}: {error}"))
}

async fn write_backup(ufs: &dyn Ufs, uri: &str, state: MasterState) -> Result<u64, FsError> {
    let failed = |error: UfsError| unwritten(uri, &error);
    let own = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o600 };
    let mut writer = ufs.create(uri, &own).await.map_err(failed)?;
    let (pieces, mut made) = mpsc::channel(PIECES_WAIT);
    let packing = tokio::task::spawn_blocking(move || pack(&state, |piece| pieces.blocking_send(piece).is_ok()));
    while let Some(piece) = made.recv().await {
        writer.write(piece).await.map_err(failed)?;
    }
    let entries = packing.await.map_err(|error| FsError::new(ErrorKind::Internal, error.to_string()))?;
    writer.close().await.map_err(failed)?;
    Ok(entries)
}

/// URI of the file, and how 2.9 shows it.
fn place(root: &str, folder: &str, place: BackupPlace, now: Millis) -> Result<(String, String), FsError> {
    let date = DateTime::from_timestamp_millis(now.0).unwrap_or_default().format("%Y-%m-%d");
    let name = format!("{BACKUP_PREFIX}{date}-{}{BACKUP_SUFFIX}", now.0);
    let uri = format!("{}/{name}", folder_uri(root, folder, place)?.trim_end_matches('/'));
    let is_path = !folder.contains("://") && place == BackupPlace::RootUfs;
    let shown = if is_path { format!("{}/{name}", folder.trim_end_matches('/')) } else { uri.clone() };
    Ok((uri, shown))
}

/// URI of the folder of backups, which is a path at that place, or a URI; `root` is the UFS of the root.
///
/// # Errors
/// It is neither.
pub(in crate::master) fn folder_uri(root: &str, folder: &str, place: BackupPlace) -> Result<String, FsError> {
    let folder = folder.trim_end_matches('/');
    if folder.contains("://") {
        return Ok(folder.to_owned());
    }
    if !folder.starts_with('/') {
        let text = format!("The backup folder has to be absolute: {folder}");
        return Err(FsError::new(ErrorKind::InvalidArgument, text));
    }
    if place == BackupPlace::LocalDisk {
        return Ok(format!("file://{folder}"));
    }
    let parsed = UfsUri::parse(root).map_err(|error| FsError::new(ErrorKind::Internal, error.to_string()))?;
    Ok(UfsUri { path: folder.to_owned(), ..parsed }.to_string())
}

/// Packs the entries of a state and gives the pieces to `send`, until that says that nobody wants them. How many entries.
fn pack(state: &MasterState, send: impl Fn(Bytes) -> bool) -> u64 {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let (mut count, mut bytes) = (0, Vec::new());
    let mut entries = state.portable_entries(state.ids()).peekable();
    while let Some(entry) = entries.next() {
        let time = match (&entry, entries.peek()) {
            (Entry::InodeFile(_), Some(Entry::PersistTime { time_ms, .. })) => Some(*time_ms),
            _ => None,
        };
        bytes.clear();
        count += u64::from(portable_codec::encode(&mut bytes, &entry, time, None));
        packer.write_all(&bytes).expect("a vector takes all");
        if packer.get_ref().len() >= PIECE_BYTES && !send(std::mem::take(packer.get_mut()).into()) {
            return count;
        }
    }
    let rest = packer.finish().expect("a vector takes all");
    send(rest.into());
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_has_the_name_of_2_9_where_it_was_asked_for() {
        let now = Millis(1_795_293_804_022);
        let name = "alluxio-backup-2026-11-21-1795293804022.gz";
        let at = |folder, where_to| place("hdfs://nn:9000/root", folder, where_to, now).unwrap();
        assert_eq!(at("/b", BackupPlace::RootUfs), (format!("hdfs://nn:9000/b/{name}"), format!("/b/{name}")));
        let local = format!("file:///b/{name}");
        assert_eq!(at("/b", BackupPlace::LocalDisk), (local.clone(), local));
        assert!(place("/ufs", "b", BackupPlace::LocalDisk, now).is_err());
    }
}
