//! A change of all of a large tree, part by part: each is a record of its own, others are served in between, and who asks
//! in between sees some of it done. All of it is checked before the first part.
// Compatible: 2.9.6 changes such a tree under one lock, in records of a thousand or so; a master that dies leaves a part of
// it done there, too.

use super::prepare::changes_of;
use super::resolve::resolve;
use super::walk::{AT_ONCE, Which, ids_of_tree};
use super::{
    Context, Decision, Operation, Request, Settings, UfsChange, errors, expire, free, set_acl, set_attribute, ufs_mode,
};
use crate::master::state::{Footprint, Inode, MasterState};
use crate::types::time::Millis;
use crate::types::{AlluxioPath, FsError, InodeId};

/// The parts of a change. Attributes and access lists are set from the top, so that what is made meanwhile inherits the new
/// ones; what is freed, from below.
///
/// # Errors
/// The refusal of one of them; not yet, when what the path names has just gone.
pub fn parts_of(
    state: &MasterState,
    settings: &Settings,
    request: &Request,
    now: Millis,
) -> Result<Vec<Vec<InodeId>>, FsError> {
    let at = Context::without_workers(state, &request.caller, settings, now);
    let mut ids = match (top_of(&at, &request.operation), path_of(&request.operation)) {
        (Some(top), _) => ids_of_tree(state.inodes(), &top),
        (None, Some(path)) => return Err(errors::not_yet(path)),
        (None, None) => Vec::new(),
    };
    if matches!(request.operation, Operation::Free(_) | Operation::Expire(_)) {
        ids.reverse();
    }
    let parts: Vec<Vec<InodeId>> = ids.chunks(AT_ONCE).map(<[InodeId]>::to_vec).collect();
    parts.iter().try_for_each(|part| decide(&at, &request.operation, part).map(drop))?;
    Ok(parts)
}

/// What the UFS is to have, too, before that part is changed here.
///
/// # Errors
/// The refusal.
pub fn changes_of_part(
    state: &MasterState,
    settings: &Settings,
    request: &Request,
    part: &[InodeId],
    now: Millis,
) -> Result<Vec<UfsChange>, FsError> {
    let at = Context::without_workers(state, &request.caller, settings, now);
    match &request.operation {
        Operation::SetAttribute(_) => Ok(changes_of(&at, &decide(&at, &request.operation, part)?.entries)),
        _ => Ok(Vec::new()),
    }
}

/// Whether that operation may be one of a large tree.
pub(super) fn may_be_many(at: &Context<'_>, operation: &Operation) -> bool {
    match operation {
        Operation::SetAttribute(_) | Operation::SetAcl(_) | Operation::Free(_) => true,
        Operation::Expire(op) => expire::frees(at, op),
        _ => false,
    }
}

pub(super) fn decide(at: &Context<'_>, whole: &Operation, part: &[InodeId]) -> Result<Decision, FsError> {
    let which = Which::Part(part);
    let decided = match whole {
        Operation::SetAttribute(op) => set_attribute::decide(at, op, which),
        Operation::SetAcl(op) => set_acl::decide(at, op, which),
        Operation::Free(op) => free::decide(at, op, which),
        Operation::Expire(op) => expire::decide(at, op, which),
        _ => Ok(Decision::done()),
    };
    ufs_mode::guard(at, whole, decided)
}

fn path_of(operation: &Operation) -> Option<&AlluxioPath> {
    match operation {
        Operation::SetAttribute(op) => Some(&op.path),
        Operation::SetAcl(op) => Some(&op.path),
        Operation::Free(op) => Some(&op.path),
        _ => None,
    }
}

fn top_of(at: &Context<'_>, operation: &Operation) -> Option<Inode> {
    match operation {
        Operation::Expire(op) => at.state.inodes().get(op.id),
        operation => resolve(at, path_of(operation)?, &mut Footprint::off()).ok()?.target().copied(),
    }
}
