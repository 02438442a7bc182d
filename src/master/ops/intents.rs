//! What changes a UFS and the namespace: begun by a journaled intent, ended by a commit or by what was really done.
//!
//! While an intent is open nothing else changes what it touches, so its commit fits whenever it comes.

use super::create::touched;
use super::request::Extent;
use super::resolve::resolve;
use super::{
    Answer, Context, CreateDirectory, Decision, Operation, Request, UfsOperation, create_directory, delete, errors,
    expire, persist, rename, retry, to_persist,
};
use crate::journal::entry::{self, Answered, DeleteFile, Entry, MakeInUfs, UfsIntent, UnlinkTree};
use crate::master::state::{Footprint, Inode};
use crate::types::mutant::{self, Mutant};
use crate::types::{AlluxioPath, FsError, InodeId, PersistenceState};

/// Intents that may be open at a time: each is a call to a UFS under way.
const INTENTS_MAX: usize = 10_000;
/// Entries of one record with what is gone; those of one file are never parted.
const SETTLED_AT_ONCE_MAX: usize = 1000;

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
    let may_pass = |intent: &UfsIntent| match operation {
        Operation::Delete(op) => is_made_while_deleted(intent) && op.path == intent.path,
        _ => false,
    };
    let intents = at.state.intents().values().filter(|intent| !may_pass(intent));
    let mut taken = intents.flat_map(|intent| std::iter::once(&intent.path).chain(&intent.new_path));
    match taken.find(|path| touches(path)) {
        Some(path) => Err(errors::not_yet(path)),
        None => Ok(()),
    }
}

/// Broken on purpose: nothing keeps a directory that is made in the UFS, for something below it, from being deleted.
fn is_made_while_deleted(intent: &UfsIntent) -> bool {
    mutant::is(Mutant::DeleteWhileMade) && matches!(intent.make, Some(MakeInUfs::Existing))
}

/// All checks of the operation, and the intent instead of its entries.
pub(super) fn begin(at: &Context<'_>, request: &Request) -> Result<Decision, FsError> {
    if at.state.intents().len() >= INTENTS_MAX {
        return Err(errors::not_yet(&AlluxioPath::root()));
    }
    let (path, new_path, inode) = match &request.operation {
        Operation::CreateDirectory(op) => return begin_new(at, request, op),
        Operation::Ufs(UfsOperation::Persist(directory)) => {
            return Ok(match persist::to_make(at, directory)? {
                Some((id, make, entries)) => begin_make(at, &directory.path, id, make, entries, None),
                None => Decision::done(),
            });
        }
        Operation::Delete(op) => (op.path.clone(), None, delete::check(at, op)?.id),
        Operation::Expire(op) => match expire::check(at, op) {
            Some((path, inode)) => (path, None, inode.id),
            None => return Ok(Decision::done()),
        },
        Operation::Rename(op) => match rename::check(at, op)? {
            Some((_, parent)) if parent.persistence != PersistenceState::Persisted => {
                return Err(errors::not_yet(&op.target));
            }
            Some((inode, _)) => (op.source.clone(), Some(op.target.clone()), inode.id),
            None => return Ok(Decision::done()),
        },
        Operation::PutInPlace(op) => (op.path.clone(), None, to_persist::check(at, op)?.id),
        _ => return Err(errors::invalid("this operation does not begin with an intent")),
    };
    let answer = retry::to_keep(request, at.now, &Answer::Done);
    let temporary = match &request.operation {
        Operation::PutInPlace(op) => Some(op.temporary.clone()),
        _ => None,
    };
    let intent = UfsIntent { inode, path, new_path, temporary, make: None, op_time_ms: at.now.0, answer };
    Ok(Decision { entries: vec![Entry::UfsIntent(intent)], answer: Answer::Begun(inode) })
}

/// A new directory: its id is taken at once, its inode made with the commit. Without an intent, what a dead master made
/// would be loaded as if somebody else had, and whoever asked for it be told that it exists.
fn begin_new(at: &Context<'_>, request: &Request, op: &CreateDirectory) -> Result<Decision, FsError> {
    let mut decision = create_directory::plan(at, op)?;
    let Some(Entry::InodeDirectory(new)) = decision.entries.pop() else { return Ok(decision) };
    let mut entries = decision.entries;
    let is_new = |entry: &Entry| matches!(entry, Entry::InodeDirectory(_));
    if entries.iter().any(is_new) || new.persistence != PersistenceState::Persisted {
        return Err(errors::not_yet(&op.path));
    }
    // The parent's times change with the commit.
    entries.retain(|entry| !matches!(entry, Entry::UpdateInode(_)));
    let id = new.id;
    Ok(begin_make(
        at,
        &op.path,
        id,
        MakeInUfs::New(Box::new(new)),
        entries,
        retry::to_keep(request, at.now, &Answer::Done),
    ))
}

fn begin_make(
    at: &Context<'_>,
    path: &AlluxioPath,
    inode: InodeId,
    make: MakeInUfs,
    mut entries: Vec<Entry>,
    answer: Option<Answered>,
) -> Decision {
    let (path, op_time_ms) = (path.clone(), at.now.0);
    let intent = UfsIntent { inode, path, new_path: None, temporary: None, make: Some(make), op_time_ms, answer };
    entries.push(Entry::UfsIntent(intent));
    Decision { entries, answer: Answer::Begun(inode) }
}

/// What the intent announced has happened in the UFS.
pub(super) fn commit(at: &Context<'_>, inode: InodeId) -> Result<Decision, FsError> {
    let Some(intent) = at.state.intents().get(&inode) else {
        // Committed before: who asks did not hear of it.
        return Ok(Decision::done());
    };
    let mut entries = vec![Entry::UfsIntentSettled { inode }];
    match intent {
        UfsIntent { make: Some(MakeInUfs::New(new)), .. } => {
            entries.push(touched(at, new.parent));
            entries.push(Entry::InodeDirectory((**new).clone()));
        }
        UfsIntent { make: Some(MakeInUfs::Existing), .. } | UfsIntent { temporary: Some(_), .. } => {
            entries.push(to_persist::persisted(inode));
        }
        UfsIntent { new_path: Some(new_path), path, .. } => {
            let to = resolve(at, new_path, &mut Footprint::off())?;
            entries.push(Entry::Rename(entry::Rename {
                id: inode,
                new_parent: to.last().id,
                new_name: new_path.name().to_owned(),
                op_time_ms: at.now.0,
                path: path.clone(),
                new_path: new_path.clone(),
            }));
        }
        UfsIntent { path, .. } => remove(at, path, &mut entries)?,
    }
    entries.extend(intent.answer.map(Entry::Answered));
    Ok(Decision { entries, answer: Answer::Done })
}

/// Of what the intent was to delete, this is gone. Once all is told it ends. What does not fit into one record is told again.
pub(super) fn settle(at: &Context<'_>, inode: InodeId, gone: &[AlluxioPath], more: bool) -> Result<Decision, FsError> {
    let Some(intent) = at.state.intents().get(&inode) else {
        return Ok(Decision::done());
    };
    let mut entries = Vec::new();
    for (done, path) in gone.iter().enumerate() {
        if entries.len() >= SETTLED_AT_ONCE_MAX {
            return Ok(Decision { entries, answer: Answer::Gone(done) });
        }
        if intent.path.is_prefix_of(path) {
            remove(at, path, &mut entries)?;
        }
    }
    if more {
        return Ok(Decision { entries, answer: Answer::Gone(gone.len()) });
    }
    entries.push(Entry::UfsIntentSettled { inode });
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
    let open = at.state.intents().get(&inode.id).filter(|intent| is_made_while_deleted(intent));
    entries.extend(open.map(|_| Entry::UfsIntentSettled { inode: inode.id }));
    entries.extend(delete::delete_blocks(at, inode));
    entries.push(if inode.children() > 0 {
        Entry::UnlinkTree(UnlinkTree { id: inode.id, op_time_ms, path: path.clone() })
    } else {
        Entry::DeleteFile(DeleteFile { id: inode.id, op_time_ms, alluxio_only, path: path.clone() })
    });
    entries
}
