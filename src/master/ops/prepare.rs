//! What has to be done in a UFS before an operation or a query can be decided. Asked of the state as it is; what is
//! decided afterwards is decided on the state as it is then, and may ask for more.

use super::create::persistence_of;
use super::intents::check_free;
use super::load::{LoadMetadata, Lookup, missing, missing_of, not_listed};
use super::persist::parents_to_persist;
use super::request_ufs::UfsDirectory;
use super::resolve::{Resolved, resolve};
use super::{Caller, Context, Operation, Query, Request, Settings, decide_one, errors, parts, rights_below};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::{Footprint, Inode, InodeKind, MasterState};
use crate::types::time::Millis;
use crate::types::{AlluxioPath, PersistenceState, TtlAction};

/// See the module text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preparation {
    /// Nothing: submit it, and ask again if it is refused as not yet possible.
    Submit,
    /// Look at these.
    Look(Vec<Lookup>),
    /// Wait: an open intent touches it.
    Wait,
    /// Make these directories, parents first.
    Persist {
        /// Above what is asked for.
        parents: Vec<UfsDirectory>,
    },
    /// Delete the persisted file that is to be replaced.
    Replace(AlluxioPath),
    /// Change a tree that is too large to be changed at once.
    InParts,
    /// Check the rights of the caller in all of the tree that is to be deleted.
    CheckRights(AlluxioPath),
    /// Change the UFS under an intent.
    Begin,
    /// Set these attributes.
    Set(Vec<UfsChange>),
}

/// New attributes of something in a UFS. None leaves one as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsChange {
    /// Its URI.
    pub ufs_path: String,
    /// User.
    pub owner: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: Option<u16>,
}

/// Where an operation stands with the coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It was not submitted yet.
    First,
    /// It was refused as not yet possible.
    Refused,
}

/// What an operation needs. `known` tells what was looked at already, or is known to be absent.
pub fn prepare(
    state: &MasterState,
    settings: &Settings,
    request: &Request,
    now: Millis,
    attempt: Attempt,
    known: &dyn Fn(&Lookup) -> bool,
) -> Preparation {
    // A repetition gets its first answer, whatever a UFS shows, or does not show, by now.
    if request.operation_id.is_some_and(|id| state.answered(id).is_some()) {
        return Preparation::Submit;
    }
    let at = Context::without_workers(state, &request.caller, settings, now);
    let mut lookups = lookups_of(&at, &request.operation, known);
    lookups.retain(|lookup| !known(lookup));
    if !lookups.is_empty() {
        return Preparation::Look(lookups);
    }
    // What ends in the UFS anyway, or changes it before the namespace, is not submitted in vain.
    let looks_first = match &request.operation {
        Operation::CreateDirectory(op) => persistence_of(op.write_type) == PersistenceState::Persisted,
        Operation::SetAttribute(_) => true,
        _ => false,
    };
    if attempt == Attempt::First && !looks_first {
        return Preparation::Submit;
    }
    if check_free(&at, &request.operation).is_err() {
        return Preparation::Wait;
    }
    match decide_one(&at, request) {
        Err(error) if errors::is_not_yet(&error) => after_refusal(&at, &request.operation),
        Err(_) => Preparation::Submit,
        Ok(decision) if decision.entries.is_empty() => Preparation::Submit,
        Ok(decision) => match &request.operation {
            Operation::SetAttribute(_) => match changes_of(&at, &decision.entries) {
                changes if changes.is_empty() => Preparation::Submit,
                changes => Preparation::Set(changes),
            },
            _ => Preparation::Submit,
        },
    }
}

/// What a query needs.
pub fn prepare_query(
    state: &MasterState,
    settings: &Settings,
    query: &Query,
    load: LoadMetadata,
    known: &dyn Fn(&Lookup) -> bool,
) -> Vec<Lookup> {
    if load == LoadMetadata::Never {
        return Vec::new();
    }
    let caller = Caller::default();
    let at = Context::without_workers(state, &caller, settings, state.last_time());
    let itself = |path| {
        let resolved = resolve(&at, path, &mut Footprint::off()).ok()?;
        missing_of(&resolved).or_else(|| again(&resolved, load).filter(|lookup| !known(lookup)))
    };
    let below = |path, recursive| match itself(path) {
        Some(lookup) => vec![lookup],
        None => not_listed(&at, path, recursive, load, known),
    };
    let mut lookups = match query {
        Query::GetStatus { path } | Query::Exists { path } | Query::CheckAccess { path, .. } => {
            Vec::from_iter(itself(path))
        }
        Query::ListStatus { path, recursive } => below(path, *recursive),
        Query::ListPart { path, .. } => below(path, false),
        _ => Vec::new(),
    };
    lookups.retain(|lookup| !known(lookup));
    lookups
}

fn lookups_of(at: &Context<'_>, operation: &Operation, known: &dyn Fn(&Lookup) -> bool) -> Vec<Lookup> {
    let below = |path: &AlluxioPath, recursive| match missing(at, path) {
        Some(lookup) => vec![lookup],
        None => not_listed(at, path, recursive, LoadMetadata::Once, known),
    };
    match operation {
        Operation::CreateDirectory(op) => Vec::from_iter(missing_for_new(at, &op.path, persistence_of(op.write_type))),
        Operation::CreateFile(op) => Vec::from_iter(missing_for_new(at, &op.path, persistence_of(op.write_type))),
        Operation::Rename(op) => missing(at, &op.source).into_iter().chain(missing(at, &op.target)).collect(),
        Operation::Delete(op) if op.alluxio_only => Vec::from_iter(missing(at, &op.path)),
        Operation::Delete(op) => below(&op.path, op.recursive),
        Operation::SetAttribute(op) if op.recursive => below(&op.path, true),
        Operation::SetAcl(op) if op.recursive => below(&op.path, true),
        Operation::SetAcl(op) => Vec::from_iter(missing(at, &op.path)),
        Operation::Expire(op) => at.state.path_of(op.id).map_or_else(Vec::new, |path| below(&path, true)),
        Operation::SetAttribute(op) => Vec::from_iter(missing(at, &op.path)),
        _ => Vec::new(),
    }
}

/// A look at what is there already, where it is to be compared.
fn again(resolved: &Resolved<'_>, load: LoadMetadata) -> Option<Lookup> {
    let is_loaded = resolved.target()?.persistence == PersistenceState::Persisted;
    (load == LoadMetadata::Compared && is_loaded).then(|| Lookup::Again(resolved.path.clone()))
}

/// What is made in Alluxio alone need not be looked for in a directory whose children are known.
fn missing_for_new(at: &Context<'_>, path: &AlluxioPath, persistence: PersistenceState) -> Option<Lookup> {
    let resolved = resolve(at, path, &mut Footprint::off()).ok()?;
    if persistence != PersistenceState::Persisted && resolved.last().has_children_loaded() {
        return None;
    }
    missing_of(&resolved)
}

fn after_refusal(at: &Context<'_>, operation: &Operation) -> Preparation {
    match operation {
        Operation::CreateFile(op) => {
            let Ok(resolved) = resolve(at, &op.path, &mut Footprint::off()) else { return Preparation::Submit };
            match resolved.target() {
                Some(old) if old.persistence == PersistenceState::Persisted => Preparation::Replace(op.path.clone()),
                _ => Preparation::Persist { parents: parents_to_persist(at, &resolved, op.ttl_ms, op.ttl_action) },
            }
        }
        Operation::CreateDirectory(op) => begin_below_persisted(at, &op.path, op.ttl_ms, op.ttl_action),
        Operation::Rename(op) => begin_below_persisted(at, &op.target, -1, TtlAction::Free),
        Operation::PutInPlace(op) => begin_below_persisted(at, &op.path, -1, TtlAction::Free),
        Operation::Delete(op) if rights_below::are_many(at, op) => Preparation::CheckRights(op.path.clone()),
        operation if parts::may_be_many(at, operation) => Preparation::InParts,
        Operation::Delete(_) | Operation::Expire(_) => Preparation::Begin,
        _ => Preparation::Submit,
    }
}

/// An intent, once the directories above are in the UFS.
fn begin_below_persisted(at: &Context<'_>, path: &AlluxioPath, ttl_ms: i64, ttl_action: TtlAction) -> Preparation {
    let Ok(resolved) = resolve(at, path, &mut Footprint::off()) else { return Preparation::Submit };
    match parents_to_persist(at, &resolved, ttl_ms, ttl_action) {
        parents if parents.is_empty() => Preparation::Begin,
        parents => Preparation::Persist { parents },
    }
}

/// Owners, groups and modes that the UFS is to have, too.
pub(super) fn changes_of(at: &Context<'_>, entries: &[Entry]) -> Vec<UfsChange> {
    let inodes = at.state.inodes();
    let mut changes = Vec::new();
    for entry in entries {
        let Entry::UpdateInode(UpdateInode { id, owner, group, mode, .. }) = entry else { continue };
        // Compatible: 2.9.6 updateInode: nothing is told of a file whose content is still to be written.
        let is_whole = |inode: &Inode| !matches!(inode.kind, InodeKind::File { completed: false, .. });
        let is_there = |inode: &Inode| inode.persistence == PersistenceState::Persisted && is_whole(inode);
        if !inodes.get(*id).is_some_and(|inode| is_there(&inode)) || (owner, group, mode) == (&None, &None, &None) {
            continue;
        }
        let Some(path) = at.state.path_of(*id) else { continue };
        let ufs_path = at.place(&path).ufs_path;
        changes.push(UfsChange { ufs_path, owner: owner.clone(), group: group.clone(), mode: *mode });
    }
    changes
}
