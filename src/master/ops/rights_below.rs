//! Whether the caller may delete all that is below a directory.
//!
//! Of a large tree that is not asked under the lock over the state, where everybody would wait for it: it is asked before,
//! of a snapshot. Rights that are changed in the moment between count for the next deletion.
// Compatible: 2.9.6 DefaultFileSystemMaster.deleteInternal: everything below must be writable for the caller, files too, and
// the way to it open. There, the rest is deleted all the same; here all of it stays.

use super::permissions::{Access, Permissions};
use super::resolve::{Resolved, resolve};
use super::{Caller, Context, Delete, RightsBelow, Settings, errors};
use crate::master::state::{Footprint, Inode, InodeTree, MasterState};
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// So many are checked with the decision.
const FEW: usize = 1_000;
/// So many that may not be deleted are named, as in 2.9.6.
const SHOWN: usize = 20;

/// As part of a decision.
///
/// # Errors
/// The refusal; not yet, when there are too many for that.
pub(super) fn check_few(at: &Context<'_>, top: &Resolved<'_>) -> Result<(), FsError> {
    check(at, top, FEW)
}

/// Whether a deletion of that tree has to be preceded by [`check_rights_below`].
pub(super) fn are_many(at: &Context<'_>, op: &Delete) -> bool {
    let Ok(top) = resolve(at, &op.path, &mut Footprint::off()) else { return false };
    let is_checked = top.target().is_some_and(|inode| op.rights_below == RightsBelow::Checked(inode.id));
    op.recursive && !is_checked && check(at, &top, FEW).is_err_and(|error| errors::is_not_yet(&error))
}

/// Before the decision, of a snapshot of the state: what is known then.
///
/// # Errors
/// The refusal, in the words of 2.9.6.
pub fn check_rights_below(
    state: &MasterState,
    caller: &Caller,
    settings: &Settings,
    path: &AlluxioPath,
) -> Result<RightsBelow, FsError> {
    let at = Context::without_workers(state, caller, settings, state.last_time());
    let top = resolve(&at, path, &mut Footprint::off())?;
    check(&at, &top, usize::MAX)?;
    Ok(top.target().map_or(RightsBelow::ToCheck, |inode| RightsBelow::Checked(inode.id)))
}

fn check(at: &Context<'_>, top: &Resolved<'_>, most: usize) -> Result<(), FsError> {
    let permissions = at.permissions(&mut Footprint::off());
    let Some(inode) = top.target().filter(|inode| inode.children() > 0 && !permissions.is_free()) else {
        return Ok(());
    };
    let mut way = top.above().iter().chain([inode]);
    let closed = way.find(|directory| !permissions.allow(directory, Access::EXECUTE)).copied();
    let inodes = at.state.inodes();
    let mut walk =
        Walk { inodes, permissions, way: Vec::new(), seen: 0, refused: Vec::new(), refusals: 0, kept: Vec::new() };
    walk.enter(top.path.clone(), inode, closed);
    while let Some(directory) = walk.way.last_mut() {
        match directory.children.next() {
            Some(_) if walk.seen == most => return Err(errors::not_yet(top.path)),
            Some(child) => walk.visit(&child),
            None => walk.leave(),
        }
    }
    walk.outcome()
}

/// A directory whose children are visited.
struct Directory<'a> {
    path: AlluxioPath,
    children: Box<dyn Iterator<Item = Inode> + 'a>,
    /// The directory on the way to them that the caller may not walk through.
    closed: Option<Inode>,
    /// How many were seen before it.
    place: usize,
    /// Something below it stays.
    is_kept: bool,
}

struct Walk<'a> {
    inodes: &'a InodeTree,
    permissions: Permissions<'a>,
    way: Vec<Directory<'a>>,
    seen: usize,
    /// The first of those that may not be deleted.
    refused: Vec<(AlluxioPath, String)>,
    refusals: usize,
    /// Directories in which something stays, and their places.
    kept: Vec<(usize, AlluxioPath)>,
}

impl Walk<'_> {
    fn enter(&mut self, path: AlluxioPath, inode: &Inode, closed: Option<Inode>) {
        let children = Box::new(self.inodes.children(inode.id));
        self.way.push(Directory { path, children, closed, place: self.seen, is_kept: false });
    }

    fn visit(&mut self, child: &Inode) {
        self.seen += 1;
        let directory = self.way.last_mut().expect("a child is in a directory");
        let closed = directory.closed;
        let may_go = closed.is_none() && self.permissions.allow(child, Access::WRITE);
        let path = || directory.path.join(self.inodes.name(child));
        if may_go && child.children() > 0 {
            let (path, is_closed) = (path(), !self.permissions.allow(child, Access::EXECUTE));
            self.enter(path, child, is_closed.then_some(*child));
            return;
        }
        if may_go {
            return;
        }
        if self.refused.len() < SHOWN {
            let (path, off) = (path(), &mut Footprint::off());
            let outcome = match closed {
                Some(closed) => self.permissions.check(&closed, Access::EXECUTE, &path, off),
                None => self.permissions.check(child, Access::WRITE, &path, off),
            };
            self.refused.extend(outcome.err().map(|error| (path, error.message)));
        }
        directory.is_kept = true;
        self.refusals += 1;
    }

    fn leave(&mut self) {
        let Some(directory) = self.way.pop().filter(|directory| directory.is_kept) else { return };
        self.kept.push((directory.place, directory.path));
        if let Some(above) = self.way.last_mut() {
            above.is_kept = true;
        }
    }

    fn outcome(mut self) -> Result<(), FsError> {
        if self.refusals == 0 {
            return Ok(());
        }
        let failed = self.refusals + self.kept.len();
        self.kept.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
        let refused = self.refused.iter().map(|(path, reason)| format!("{path} ({reason})"));
        let kept = self.kept.iter().map(|(_, path)| format!("{path} (Directory not empty)"));
        let shown: Vec<String> = refused.chain(kept).take(SHOWN).collect();
        let rest = if failed > SHOWN { "...(only 20 errors shown)" } else { "" };
        let shown = shown.join(", ");
        let message = format!("Failed to delete {failed} paths from the under file system: {shown}{rest}");
        Err(FsError::new(ErrorKind::FailedPrecondition, message))
    }
}
