//! A change of all of a large tree, part by part: each is a record of its own, others are served in between, and who asks
//! in between sees some of it done. All of it is checked before the first part.
// Compatible: 2.9.6 changes such a tree under one lock, in records of a thousand or so; a master that dies leaves a part of
// it done there, too.

use super::prepare::changes_of;
use super::resolve::resolve;
use super::walk::{AT_ONCE, Which, ids_of_tree};
use super::{Context, Decision, Operation, Request, Settings, UfsChange, expire, free, set_acl, set_attribute};
use crate::master::state::{Footprint, Inode, MasterState};
use crate::master::workers::Workers;
use crate::types::time::Millis;
use crate::types::{FsError, InodeId};

/// The parts of a change, the last with what its path names.
///
/// # Errors
/// The refusal of one of them.
pub fn parts_of(
    state: &MasterState,
    settings: &Settings,
    request: &Request,
    now: Millis,
) -> Result<Vec<Vec<InodeId>>, FsError> {
    let workers = &Workers::default();
    let at = Context { state, workers, caller: &request.caller, settings, now: now.max(state.last_time()) };
    let ids = top_of(&at, &request.operation).map(|top| ids_of_tree(state.inodes(), &top)).unwrap_or_default();
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
    let workers = &Workers::default();
    let at = Context { state, workers, caller: &request.caller, settings, now: now.max(state.last_time()) };
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
    match whole {
        Operation::SetAttribute(op) => set_attribute::decide(at, op, which),
        Operation::SetAcl(op) => set_acl::decide(at, op, which),
        Operation::Free(op) => free::decide(at, op, which),
        Operation::Expire(op) => expire::decide(at, op, which),
        _ => Ok(Decision::done()),
    }
}

fn top_of(at: &Context<'_>, operation: &Operation) -> Option<Inode> {
    let path = match operation {
        Operation::SetAttribute(op) => &op.path,
        Operation::SetAcl(op) => &op.path,
        Operation::Free(op) => &op.path,
        Operation::Expire(op) => return at.state.inodes().get(op.id),
        _ => return None,
    };
    resolve(at, path, &mut Footprint::off()).ok()?.target().copied()
}
