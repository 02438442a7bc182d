//! rename

use super::resolve::resolve;
use super::{Answer, Context, Decision, Rename, create, errors};
use crate::journal::entry::{self, Entry};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, ErrorKind, FsError, PersistenceState};

pub(super) fn decide(at: &Context<'_>, op: &Rename) -> Result<Decision, FsError> {
    let Some((inode, parent)) = check(at, op)? else {
        return Ok(Decision::done());
    };
    if inode.persistence == PersistenceState::Persisted {
        return Err(errors::not_yet(&op.source));
    }
    let rename = entry::Rename {
        id: inode.id,
        new_parent: parent.id,
        new_name: op.target.name().to_owned(),
        op_time_ms: at.now.0,
        path: op.source.clone(),
        new_path: op.target.clone(),
    };
    Ok(Decision { entries: vec![Entry::Rename(rename)], answer: Answer::Done })
}

/// All checks: what is moved and the directory that it goes to; nothing, if it stays where it is.
pub(super) fn check(at: &Context<'_>, op: &Rename) -> Result<Option<(Inode, Inode)>, FsError> {
    let (source, target) = (&op.source, &op.target);
    let mut footprint = Footprint::off();
    // Compatible: 2.9.6 InodeTree.lockInodePathPair: of two paths that cannot be walked the first by name is told.
    let early = if source > target { Some(resolve(at, target, &mut footprint)?) } else { None };
    let from = resolve(at, source, &mut footprint)?;
    let to = early.map_or_else(|| resolve(at, target, &mut footprint), Ok)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_parent(&from)?;
    permissions.check_parent(&to)?;
    at.check_writable(source)?;
    at.check_writable(target)?;
    let inode = from.existing()?;
    if source == target {
        return Ok(None);
    }
    if source.is_root() {
        return Err(errors::invalid("The root directory cannot be renamed"));
    }
    let Some(target_parent) = target.parent() else {
        return Err(errors::invalid("Cannot rename a path to the root directory"));
    };
    check_mounts(at, source, target)?;
    if source.is_prefix_of(target) {
        return Err(errors::invalid(format!("Cannot rename because {source} is a prefix of {target}")));
    }
    if to.missing.len() > 1 {
        return Err(errors::path_does_not_exist(&target_parent));
    }
    if to.target().is_some() {
        let message = format!("Cannot rename because destination already exists. src: {source} dst: {target}");
        return Err(FsError::new(ErrorKind::AlreadyExists, message));
    }
    check_mounts_below(at, source)?;
    create::check_name(target)?;
    Ok(Some((*inode, *to.last())))
}

/// A tree stays within its mount.
fn check_mounts(at: &Context<'_>, source: &AlluxioPath, target: &AlluxioPath) -> Result<(), FsError> {
    let mounts = at.state.mounts();
    if at.place(source).mount_id != at.place(target).mount_id {
        return Err(errors::invalid(format!("Renaming {source} to {target} is a cross mount operation")));
    }
    if mounts.at(target).is_some() {
        return Err(errors::invalid(format!("{target} is a mount point and cannot be renamed onto")));
    }
    Ok(())
}

/// Mount points stay where they are.
// Different: 2.9.6 moves the directory alone: its table of mounts keeps the old path, so nothing is found below the new one.
fn check_mounts_below(at: &Context<'_>, source: &AlluxioPath) -> Result<(), FsError> {
    match at.state.mounts().below(source).next() {
        Some(mount) => Err(errors::invalid(format!("Renaming {source} would move the mount point {}", mount.path))),
        None => Ok(()),
    }
}
