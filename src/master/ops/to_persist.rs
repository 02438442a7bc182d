//! scheduleAsyncPersistence, and which files are to be written to the UFS by the master.

use super::resolve::resolve;
use super::status::status_of;
use super::{Answer, Context, Decision, PutInPlace, SchedulePersist, ToPersist, errors};
use crate::journal::entry::{AT_ONCE, Entry, UpdateInode, WHEN_ASKED};
use crate::master::state::{Footprint, Inode, InodeKind};
use crate::types::ufs_names::PERSISTENCE_FOLDER;
use crate::types::{AlluxioPath, ErrorKind, FsError, InodeId, PersistenceState};

// Compatible: 2.9 scheduleAsyncPersistence, but what is in the UFS already is not written again.
pub(super) fn schedule(at: &Context<'_>, op: &SchedulePersist) -> Result<Decision, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    at.permissions(&mut footprint).check_way(&resolved, &mut footprint)?;
    let inode = resolved.existing()?;
    let InodeKind::File { completed, .. } = inode.kind else {
        return Err(FsError::new(ErrorKind::NotFound, format!("Path \"{path}\" must be a file.")));
    };
    if !completed && !op.even_incomplete {
        return Err(errors::invalid(format!("Cannot persist an incomplete Alluxio file: {path}")));
    }
    if !at.is_ever_persisted(path) {
        return Ok(Decision::done());
    }
    let is_new = !matches!(inode.persistence, PersistenceState::Persisted | PersistenceState::ToBePersisted);
    let persistence = Some(PersistenceState::ToBePersisted);
    let entry = is_new.then(|| Entry::UpdateInode(UpdateInode { persistence, ..UpdateInode::of(inode.id) }));
    let mut entries = Vec::from_iter(entry);
    if inode.persistence != PersistenceState::Persisted {
        entries.extend(time_after(at, inode.id, op.wait_ms));
    }
    Ok(Decision { entries, answer: Answer::Done })
}

impl Context<'_> {
    /// Whether the master writes what is at that path to the UFS.
    // Compatible: 2.9.6 DefaultFileSystemMaster.shouldPersistPath.
    pub(super) fn is_ever_persisted(&self, path: &AlluxioPath) -> bool {
        !self.settings.never_persisted.iter().any(|part| path.as_str().contains(part.as_str()))
    }
}

/// The entry by which a file is persisted so much later, if it needs one. Who asks without a wish wants it at once.
pub(super) fn time_after(at: &Context<'_>, id: InodeId, wait_ms: i64) -> Option<Entry> {
    let time_ms = if wait_ms > 0 { at.now.0.saturating_add(wait_ms) } else { AT_ONCE };
    let is_so = time_ms == AT_ONCE && at.state.persist_time(id).is_none();
    (!is_so).then_some(Entry::PersistTime { inode: id, time_ms })
}

/// So many files are looked at by one question, those that wait included.
const LOOKED_AT_MAX: usize = 10_000;

/// Files that are complete and not yet in the UFS as they should be, by id, after `after`.
pub(super) fn to_persist(
    at: &Context<'_>,
    after: InodeId,
    now_ms: i64,
    limit: usize,
    footprint: &mut Footprint,
) -> Answer {
    let (mut files, mut last) = (Vec::new(), None);
    for (number, id) in at.state.inodes().to_persist(after).enumerate() {
        if files.len() >= limit || number >= LOOKED_AT_MAX {
            return Answer::ToPersist { files, last };
        }
        last = Some(id);
        if at.state.persist_time(id).is_some_and(|time| time == WHEN_ASKED || time > now_ms) {
            continue;
        }
        let Some((inode, path)) = at.state.inodes().get(id).zip(at.state.path_of(id)) else { continue };
        // Compatible: 2.9.6 PersistenceScheduler: it waits until the UFS may be changed.
        if matches!(inode.kind, InodeKind::File { completed: true, .. }) && at.check_ufs_mode(&path).is_ok() {
            let status = status_of(at, &path, &inode, footprint);
            let mount = at.place(&at.place(&path).mount_point).ufs_path;
            let temporary_folder = format!("{}/{PERSISTENCE_FOLDER}", mount.trim_end_matches('/'));
            files.push(ToPersist { status, temporary_folder });
        }
    }
    Answer::ToPersist { files, last: None }
}

/// What was written is put in its place under an intent only: the UFS changes with it.
pub(super) fn decide(at: &Context<'_>, op: &PutInPlace) -> Result<Decision, FsError> {
    check(at, op)?;
    Err(errors::not_yet(&op.path))
}

/// The file, if it is still what was written.
pub(super) fn check(at: &Context<'_>, op: &PutInPlace) -> Result<Inode, FsError> {
    let resolved = resolve(at, &op.path, &mut Footprint::off())?;
    let waits = |inode: &&Inode| {
        let InodeKind::File { length, completed, .. } = inode.kind else { return false };
        let is_same = inode.id == op.id && completed && length == op.length;
        is_same && inode.persistence == PersistenceState::ToBePersisted
    };
    let Some(inode) = resolved.target().filter(waits) else {
        let message = format!("{} is not what was written to the under file system any more", op.path);
        return Err(FsError::new(ErrorKind::FailedPrecondition, message));
    };
    at.check_writable(&op.path)?;
    if resolved.above().last().is_some_and(|parent| parent.persistence != PersistenceState::Persisted) {
        return Err(errors::not_yet(&op.path));
    }
    Ok(*inode)
}

/// It is in the UFS from now on.
pub(super) fn persisted(id: InodeId) -> Entry {
    Entry::UpdateInode(UpdateInode { persistence: Some(PersistenceState::Persisted), ..UpdateInode::of(id) })
}
