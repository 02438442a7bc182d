//! createFile

use super::create::{Creation, check_name, check_parents, check_persisted, persistence_of};
use super::delete::delete_blocks;
use super::resolve::resolve;
use super::to_persist::time_after;
use super::{Answer, Context, CreateFile, Decision, errors};
use crate::journal::entry::{DeleteFile, Entry, InodeFile, Replication, WHEN_ASKED};
use crate::master::state::Footprint;
use crate::types::{ErrorKind, FileStatus, FsError, InodeExtras, InodeId, InodeType, PersistenceState};

pub(super) fn decide(at: &Context<'_>, op: &CreateFile) -> Result<Decision, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    at.permissions(&mut footprint).check_parent(&resolved)?;
    at.check_writable(path)?;
    if op.block_size_bytes < 1 {
        return Err(errors::invalid(format!("Invalid block size {}", op.block_size_bytes)));
    }
    let persistence = persistence_of(op.write_type);
    if let Some(inode) = resolved.target() {
        if !op.overwrite {
            let message = format!(
                "{path} already exists. If you want to overwrite the file, you need to specify the overwrite option."
            );
            return Err(errors::exists(message));
        }
        if inode.is_directory() {
            let message = format!("{path} already exists. Directories cannot be overwritten with create");
            return Err(errors::exists(message));
        }
    }
    check_replication(op)?;
    check_parents(&resolved, op.recursive)?;
    check_name(path)?;
    // Compatible: 2.9.6 createFileInternal: what does not go to the UFS by itself replaces nothing there.
    let old_is_persisted = resolved.target().is_some_and(|old| old.persistence == PersistenceState::Persisted);
    if old_is_persisted && persistence == PersistenceState::Persisted {
        return Err(errors::not_yet(path));
    }
    check_persisted(&resolved, persistence)?;

    let parent = resolved.above().last().expect("only the root has nothing above it, and it is no file");
    let mut creation = Creation::below(at, parent, persistence, op.ttl_ms, op.ttl_action);
    if let Some(old) = resolved.target() {
        let path = path.clone();
        creation.entries.extend(delete_blocks(at, old));
        creation.entries.push(Entry::DeleteFile(DeleteFile {
            id: old.id,
            op_time_ms: at.now.0,
            alluxio_only: old_is_persisted,
            path,
        }));
    }
    creation.touch_parent();
    creation.add_missing_parents(&resolved, &op.xattr);
    let file = file_of(at, op, &mut creation);
    let answer = Answer::Status(Box::new(status_of_new(at, &file)));
    let id = file.id;
    creation.entries.push(Entry::InodeFile(file));
    if persistence == PersistenceState::ToBePersisted {
        creation.entries.extend(persist_time(at, op, id));
    }
    Ok(Decision { entries: creation.entries, answer })
}

// Compatible: 2.9 MutableInodeFile, should_persist_time.
fn persist_time(at: &Context<'_>, op: &CreateFile, id: InodeId) -> Option<Entry> {
    match op.persistence_wait_ms {
        WHEN_ASKED => Some(Entry::PersistTime { inode: id, time_ms: WHEN_ASKED }),
        wait_ms => time_after(at, id, wait_ms),
    }
}

fn file_of(at: &Context<'_>, op: &CreateFile, creation: &mut Creation<'_>) -> InodeFile {
    // Compatible: 2.9 createPath: below a pinned directory a file is pinned and has at least one copy.
    let min = if creation.pinned { op.replication_min.max(1) } else { op.replication_min };
    let (mode, extras) = creation.inherited(op.mode & 0o777, InodeType::File, &op.xattr.values);
    let parent = Parentage {
        mode,
        extras,
        id: creation.take_file_id(),
        parent: creation.parent,
        owner: creation.owner.clone(),
        group: creation.group.clone(),
        persistence: creation.persistence,
        pinned: creation.pinned,
    };
    new_file(op, parent, at.now.0, min)
}

/// What a file does not have from its request.
struct Parentage {
    id: InodeId,
    parent: InodeId,
    owner: String,
    group: String,
    persistence: PersistenceState,
    pinned: bool,
    mode: u16,
    extras: Option<Box<InodeExtras>>,
}

fn new_file(op: &CreateFile, from: Parentage, now_ms: i64, replication_min: i32) -> InodeFile {
    InodeFile {
        id: from.id,
        parent: from.parent,
        name: op.path.name().to_owned(),
        path: op.path.clone(),
        creation_time_ms: now_ms,
        modification_time_ms: now_ms,
        access_time_ms: now_ms,
        owner: from.owner,
        group: from.group,
        mode: from.mode,
        persistence: from.persistence,
        // Compatible: 2.9.6 InodeTree.createPath.
        pinned: from.pinned || replication_min > 0,
        ttl_ms: op.ttl_ms,
        ttl_action: op.ttl_action,
        length: 0,
        block_size_bytes: op.block_size_bytes,
        completed: false,
        cacheable: true,
        blocks: Vec::new(),
        replication: Replication { min: replication_min, max: op.replication_max, durable: op.replication_durable },
        extras: from.extras,
    }
}

fn check_replication(op: &CreateFile) -> Result<(), FsError> {
    let (min, max) = (op.replication_min, op.replication_max);
    if min < 0 || max < -1 || (max >= 0 && min > max) {
        let message = format!(
            "Cannot set min and max replication to be {min} and {max}: min replication must be smaller or equal than \
             max replication"
        );
        return Err(FsError::new(ErrorKind::Internal, message));
    }
    Ok(())
}

/// What the first answer to a create showed, when the file has since been deleted: all of it follows from the
/// request but for what the file inherited from its parent.
pub(super) fn first_status(at: &Context<'_>, op: &CreateFile, id: InodeId, op_time_ms: i64) -> FileStatus {
    let parent = Parentage {
        id,
        parent: InodeId::NONE,
        owner: at.caller.user.clone(),
        group: at.caller.groups.first().cloned().unwrap_or_default(),
        persistence: persistence_of(op.write_type),
        pinned: false,
        mode: op.mode & 0o777,
        extras: InodeExtras { xattr: op.xattr.values.clone(), ..InodeExtras::default() }.boxed(),
    };
    status_of_new(at, &new_file(op, parent, op_time_ms, op.replication_min))
}

/// What a file looks like that is about to be made.
fn status_of_new(at: &Context<'_>, file: &InodeFile) -> FileStatus {
    let place = at.place(&file.path);
    FileStatus {
        id: file.id,
        path: file.path.clone(),
        ufs_path: place.ufs_path,
        length: file.length,
        block_size_bytes: file.block_size_bytes,
        creation_time_ms: file.creation_time_ms,
        modification_time_ms: file.modification_time_ms,
        access_time_ms: file.access_time_ms,
        folder: false,
        completed: file.completed,
        cacheable: file.cacheable,
        pinned: file.pinned,
        mount_point: false,
        mount_id: place.mount_id,
        owner: file.owner.clone(),
        group: file.group.clone(),
        mode: file.mode,
        persistence: file.persistence,
        ttl_ms: file.ttl_ms,
        ttl_action: file.ttl_action,
        replication_min: file.replication.min,
        replication_max: file.replication.max,
        blocks: Vec::new(),
        in_alluxio_percentage: 100,
        in_memory_percentage: 100,
        extras: file.extras.clone(),
    }
}
