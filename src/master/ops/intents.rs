//! Deletes and renames that change a UFS: begun by a journaled intent, ended by a commit or by what was really done.
//!
//! While an intent is open nothing else changes what it touches, so its commit fits whenever it comes.

use super::request::Extent;
use super::resolve::resolve;
use super::{Answer, Context, Decision, Operation, Request, delete, errors, expire, rename, retry, to_persist};
use crate::journal::entry::{self, DeleteFile, Entry, UfsIntent, UnlinkTree};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, FsError, InodeId, PersistenceState};

/// Intents that may be open at a time: each is a call to a UFS under way.
const INTENTS_MAX: usize = 10_000;

/// Refuses an operation on something that an open intent touches; it is to be tried again when that is settled.
pub(super) fn check_free(at: &Context<'_>, operation: &Operation) -> Result<(), FsError> {
    if at.state.intents().is_empty() {
        return Ok(());
    }
    let reached = operation.touches(at.state);
    let touches = |taken: &AlluxioPath| {
        let above = |extent| extent == Extent::Tree;
        reached.iter().any(|(path, extent)| taken.is_prefix_of(path) || above(*extent) && path.is_prefix_of(taken))
    };
    let mut taken =
        at.state.intents().values().flat_map(|intent| std::iter::once(&intent.path).chain(&intent.new_path));
    match taken.find(|path| touches(path)) {
        Some(path) => Err(errors::not_yet(path)),
        None => Ok(()),
    }
}

/// All checks of the operation, and the intent instead of its entries.
pub(super) fn begin(at: &Context<'_>, request: &Request) -> Result<Decision, FsError> {
    if at.state.intents().len() >= INTENTS_MAX {
        return Err(errors::not_yet(&AlluxioPath::root()));
    }
    let (path, new_path, inode) = match &request.operation {
        Operation::Delete(op) => (op.path.clone(), None, delete::check(at, op)?),
        Operation::Expire(op) => match expire::check(at, op) {
            Some((path, inode)) => (path, None, inode),
            None => return Ok(Decision { entries: Vec::new(), answer: Answer::Done }),
        },
        Operation::Rename(op) => match rename::check(at, op)? {
            Some((_, parent)) if parent.persistence != PersistenceState::Persisted => {
                return Err(errors::not_yet(&op.target));
            }
            Some((inode, _)) => (op.source.clone(), Some(op.target.clone()), inode),
            None => return Ok(Decision { entries: Vec::new(), answer: Answer::Done }),
        },
        Operation::PutInPlace(op) => (op.path.clone(), None, to_persist::check(at, op)?),
        _ => return Err(errors::invalid("only deletes, renames and persists begin with an intent")),
    };
    let answer = retry::to_keep(request, at.now, &Answer::Done);
    let temporary = match &request.operation {
        Operation::PutInPlace(op) => Some(op.temporary.clone()),
        _ => None,
    };
    let intent = UfsIntent { inode: inode.id, path, new_path, temporary, op_time_ms: at.now.0, answer };
    Ok(Decision { entries: vec![Entry::UfsIntent(intent)], answer: Answer::Begun(inode.id) })
}

/// What the intent announced has happened in the UFS.
pub(super) fn commit(at: &Context<'_>, inode: InodeId) -> Result<Decision, FsError> {
    let Some(intent) = at.state.intents().get(&inode) else {
        // Committed before: who asks did not hear of it.
        return Ok(Decision { entries: Vec::new(), answer: Answer::Done });
    };
    let mut entries = vec![Entry::UfsIntentSettled { inode }];
    match &intent.new_path {
        None if intent.temporary.is_some() => entries.push(to_persist::persisted(inode)),
        None => remove(at, &intent.path, &mut entries)?,
        Some(new_path) => {
            let to = resolve(at, new_path, &mut Footprint::off())?;
            entries.push(Entry::Rename(entry::Rename {
                id: inode,
                new_parent: to.last().id,
                new_name: new_path.name().to_owned(),
                op_time_ms: at.now.0,
                path: intent.path.clone(),
                new_path: new_path.clone(),
            }));
        }
    }
    entries.extend(intent.answer.map(Entry::Answered));
    Ok(Decision { entries, answer: Answer::Done })
}

/// The intent ends; of what it was to delete, this is gone.
pub(super) fn settle(at: &Context<'_>, inode: InodeId, gone: &[AlluxioPath]) -> Result<Decision, FsError> {
    let Some(intent) = at.state.intents().get(&inode) else {
        return Ok(Decision { entries: Vec::new(), answer: Answer::Done });
    };
    let mut entries = vec![Entry::UfsIntentSettled { inode }];
    for path in gone.iter().filter(|path| intent.path.is_prefix_of(path)) {
        remove(at, path, &mut entries)?;
    }
    Ok(Decision { entries, answer: Answer::Done })
}

fn remove(at: &Context<'_>, path: &AlluxioPath, entries: &mut Vec<Entry>) -> Result<(), FsError> {
    let resolved = resolve(at, path, &mut Footprint::off())?;
    entries.extend(removal(at, path, resolved.existing()?, at.now.0, false));
    Ok(())
}

/// The entries that take an inode, all below it, and the mounts there out of the namespace.
pub(super) fn removal(
    at: &Context<'_>,
    path: &AlluxioPath,
    inode: &Inode,
    op_time_ms: i64,
    alluxio_only: bool,
) -> Vec<Entry> {
    let mounts = at.state.mounts().below(path).map(|mount| Entry::DeleteMountPoint { path: mount.path.clone() });
    let mut entries: Vec<Entry> = mounts.collect();
    entries.extend(delete::delete_blocks(at, inode));
    entries.push(if inode.children() > 0 {
        Entry::UnlinkTree(UnlinkTree { id: inode.id, op_time_ms, path: path.clone() })
    } else {
        Entry::DeleteFile(DeleteFile { id: inode.id, op_time_ms, alluxio_only, path: path.clone() })
    });
    entries
}
