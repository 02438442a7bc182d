//! Pure. What a client may ask of the namespace, one file per operation.
//!
//! `decide` reads the state and changes nothing: entries to journal and the answer, or a refusal. `query` reads.
//! A new operation is one file here, one variant in `request.rs` or `question.rs`, one arm below, and one line in `master/server.rs`.
//! Read `request.rs` (what may be asked), `resolve.rs` and `permissions.rs` (what most operations begin with), then
//! an operation.

mod accessed;
mod admin;
mod block_info;
mod bootstrap;
mod collect;
mod commit_block;
mod compare;
mod complete_file;
mod create;
mod create_directory;
mod create_file;
mod delete;
mod errors;
mod expire;
mod free;
mod get_status;
mod in_alluxio;
mod intents;
mod leftovers;
mod list_status;
mod load;
mod mount;
mod new_block;
mod parts;
mod permissions;
mod persist;
mod place;
mod prepare;
mod question;
mod rename;
mod request;
mod request_attributes;
mod request_tasks;
mod request_tree;
mod request_ufs;
mod resolve;
mod retry;
mod rights_below;
mod set_acl;
mod set_attribute;
mod status;
mod to_persist;
mod too_few_copies;
mod ufs_mode;
mod walk;

pub use admin::AdminOperation;
pub use bootstrap::{bootstrap, first_container};
pub use collect::collect;
pub use compare::is_consistent;
pub use errors::is_not_yet;
pub use list_status::{Part, Start, Walk};
pub use load::{Freshness, LoadMetadata, Lookup};
pub use parts::{changes_of_part, parts_of};
pub use place::{Place, place_of};
pub use prepare::{Attempt, Preparation, UfsChange, prepare, prepare_query};
pub use question::Query;
pub use request::{Answer, Caller, Decision, Extent, Operation, Request};
pub use request_attributes::{SetAcl, SetAttribute};
pub use request_tasks::{Expire, Expired, Leftover, PutInPlace, SchedulePersist, ToPersist, TooFewCopies};
pub use request_tree::{
    CommitBlock, CompleteFile, CreateDirectory, CreateFile, Delete, Free, NewBlock, NewCopy, NewXattrs, Rename,
    RightsBelow, WriteType,
};
pub use request_ufs::{Load, Mount, Seen, UfsDirectory, UfsFacts, UfsOperation, UpdateMount};
pub use resolve::inode_at;
pub use rights_below::check_rights_below;

use std::sync::LazyLock;

use crate::master::state::{Footprint, MasterState};
use crate::master::workers::Workers;
use crate::types::mutant::{self, Mutant};
use crate::types::time::Millis;
use crate::types::{FsError, Properties};
use permissions::Permissions;
use walk::Which;

/// A directory with no more children is listed in a fraction of a millisecond.
const CHILDREN_SHORT: u64 = 500;

/// What operations need to know of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `alluxio.security.authorization.permission.enabled`
    pub permission_checking: bool,
    /// `alluxio.security.authorization.permission.supergroup`
    pub super_group: String,
    /// `alluxio.security.authorization.permission.umask`, for directories that nobody named.
    pub umask: u16,
    /// `alluxio.master.mount.table.root.ufs`
    pub root_ufs: String,
    /// `alluxio.master.mount.table.root.option.*`
    pub root_options: Properties,
    /// `alluxio.master.persistence.blacklist`: what is in the paths of files that the master does not write to the UFS.
    pub never_persisted: Vec<String>,
    /// `alluxio.master.journal.folder`, which nobody changes through a mount that has it; empty if there is none.
    pub journal: String,
}

/// What one decision or query goes by.
#[derive(Clone, Copy)]
struct Context<'a> {
    state: &'a MasterState,
    workers: &'a Workers,
    caller: &'a Caller,
    settings: &'a Settings,
    /// Not before any time in the journal.
    now: Millis,
}

/// Of a master without workers.
static NO_WORKERS: LazyLock<Workers> = LazyLock::new(Workers::default);

impl<'a> Context<'a> {
    /// For what does not depend on workers.
    fn without_workers(state: &'a MasterState, caller: &'a Caller, settings: &'a Settings, now: Millis) -> Context<'a> {
        Context { state, workers: &NO_WORKERS, caller, settings, now: now.max(state.last_time()) }
    }
}

/// What is to be journaled for a request and then answered, or why not. The state is only read.
///
/// Both a refusal and a decision without entries tell what the state is, so they may leave only when all that is
/// applied is durable.
///
/// # Errors
/// The refusal, in the words of 2.9.6.
pub fn decide(
    state: &MasterState,
    workers: &Workers,
    request: &Request,
    now: Millis,
    settings: &Settings,
) -> Result<Decision, FsError> {
    let now = if mutant::is(Mutant::TimeRunsBack) { now } else { now.max(state.last_time()) };
    let at = Context { state, workers, caller: &request.caller, settings, now };
    intents::check_free(&at, &request.operation)?;
    decide_one(&at, request)
}

/// As `decide`, but for open intents.
fn decide_one(at: &Context<'_>, request: &Request) -> Result<Decision, FsError> {
    if let Some(first) = retry::first_answer(at, request)? {
        return Ok(first);
    }
    let decided = match &request.operation {
        Operation::Ufs(operation) => return decide_ufs(at, request, operation),
        Operation::CreateDirectory(create) => create_directory::decide(at, create),
        Operation::CreateFile(create) => create_file::decide(at, create),
        Operation::CompleteFile(complete) => complete_file::decide(at, complete),
        Operation::Rename(rename) => rename::decide(at, rename),
        Operation::Delete(delete) => delete::decide(at, delete),
        Operation::SetAttribute(set) => set_attribute::decide(at, set, Which::All),
        Operation::SetAcl(set) => set_acl::decide(at, set, Which::All),
        Operation::Free(free) => free::decide(at, free, Which::All),
        Operation::Expire(expire) => expire::decide(at, expire, Which::All),
        Operation::Accessed(inodes) => Ok(accessed::decide(at, inodes)),
        Operation::SchedulePersist(schedule) => to_persist::schedule(at, schedule),
        Operation::PutInPlace(put) => to_persist::decide(at, put),
        Operation::NewBlock(new) => new_block::decide(at, new),
        Operation::CommitBlock(commit) => commit_block::decide(at, commit),
        Operation::Admin(operation) => admin::decide(at, operation),
    };
    let mut decision = ufs_mode::guard(at, &request.operation, decided)?;
    retry::remember(request, at.now, &mut decision);
    Ok(decision)
}

fn decide_ufs(at: &Context<'_>, request: &Request, operation: &UfsOperation) -> Result<Decision, FsError> {
    match operation {
        UfsOperation::Load(load) => load::decide(at, load),
        UfsOperation::Persist(_) => Err(errors::invalid("a directory is persisted under an intent")),
        UfsOperation::Begin(operation) => {
            let request = Request { operation: (**operation).clone(), ..request.clone() };
            match retry::first_answer(at, &request)? {
                Some(first) => Ok(first),
                None => ufs_mode::guard(at, &request.operation, intents::begin(at, &request)),
            }
        }
        UfsOperation::Commit(inode) => intents::commit(at, *inode),
        UfsOperation::Settle { inode, gone, more } => intents::settle(at, *inode, gone, *more),
        UfsOperation::Mount(mount) => mount::mount(at, mount),
        UfsOperation::Unmount(path) => mount::unmount(at, path),
        UfsOperation::UpdateMount(update) => mount::update(at, update),
        UfsOperation::Part { whole, inodes } => parts::decide(at, whole, inodes),
    }
}

/// Whether the answer to a question may take milliseconds.
pub fn is_long(state: &MasterState, query: &Query) -> bool {
    match query {
        Query::ListStatus { recursive: true, .. } | Query::PinnedFiles => true,
        Query::ListStatus { path, .. } => {
            resolve::inode_at(state, path).is_some_and(|inode| inode.children() > CHILDREN_SHORT)
        }
        _ => false,
    }
}

/// Answers a question. `footprint` collects what the answer, or the refusal, depends on.
///
/// # Errors
/// The refusal, in the words of 2.9.6.
pub fn query(
    state: &MasterState,
    workers: &Workers,
    caller: &Caller,
    query: &Query,
    settings: &Settings,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    let at = Context { state, workers, caller, settings, now: state.last_time() };
    match query {
        Query::GetStatus { path } => get_status::get_status(&at, path, footprint),
        Query::CheckAccess { path, access } => get_status::check_access(&at, path, *access, footprint),
        Query::Exists { path } => get_status::exists(&at, path, footprint),
        Query::MountTable => Ok(mount::table(&at, footprint)),
        Query::PathProperties => Ok(admin::path_properties(&at, footprint)),
        Query::ListStatus { path, recursive } => list_status::list_status(&at, path, *recursive, footprint),
        Query::ListPart { path, offset, limit } => list_status::list_part(&at, path, *offset, *limit, footprint),
        Query::BlockInfo { block } => block_info::block_info(&at, *block, footprint),
        Query::Workers => block_info::workers(&at),
        Query::KnownWorkers => Ok(block_info::known_workers(&at)),
        Query::PinnedFiles => Ok(block_info::pinned_files(&at)),
        Query::ToPersist { after, now, limit } => Ok(to_persist::to_persist(&at, *after, now.0, *limit, footprint)),
        Query::TooFewCopies { after, limit } => too_few_copies::too_few_copies(&at, *after, *limit, footprint),
        Query::InAlluxio { after, limit } => Ok(in_alluxio::in_alluxio(&at, *after, *limit, footprint)),
        Query::Leftovers(found) => Ok(leftovers::of_no_use(&at, found, footprint)),
        Query::Expired { now, limit } => Ok(expire::expired(&at, now.0, *limit)),
        Query::StatusOf { id } => get_status::status_of_id(&at, *id, footprint),
        Query::Ufs { mount_id } => Ok(block_info::ufs(&at, *mount_id, footprint)),
    }
}

/// The next entries of a listing, `limit` at most.
///
/// # Errors
/// With the first ones: the refusal, in the words of 2.9.6.
pub fn list_on(
    state: &MasterState,
    workers: &Workers,
    caller: &Caller,
    settings: &Settings,
    walk: &mut Walk,
    limit: usize,
) -> Result<Part, FsError> {
    list_status::next_part(&Context { state, workers, caller, settings, now: state.last_time() }, walk, limit)
}

impl<'a> Context<'a> {
    fn permissions(&self, footprint: &mut Footprint) -> Permissions<'a> {
        Permissions::of(self, footprint)
    }
}

#[cfg(test)]
#[path = "ops_tests.rs"]
mod tests;

#[cfg(test)]
mod acl_tests;
#[cfg(test)]
mod attribute_tests;
#[cfg(test)]
mod block_tests;
#[cfg(test)]
mod compare_tests;
#[cfg(test)]
mod delete_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod parts_tests;
#[cfg(test)]
mod permissions_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod retry_tests;
#[cfg(test)]
mod ufs_tests;
