//! Directories that are made in a UFS so that something can lie in them.

use super::create::Creation;
use super::request_ufs::UfsDirectory;
use super::resolve::{Resolved, resolve};
use super::{Answer, Context, Decision, errors};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::Footprint;
use crate::types::{AlluxioPath, FsError, PersistenceState, TtlAction};

/// The directories above a path that are not in the UFS, those that are missing here too; parents first.
pub(super) fn parents_to_persist(at: &Context<'_>, resolved: &Resolved<'_>) -> Vec<UfsDirectory> {
    let mut path = AlluxioPath::root();
    let mut names = resolved.path.components();
    let mut directories = Vec::new();
    let inodes = at.state.inodes();
    for inode in resolved.above() {
        if inode.persistence != PersistenceState::Persisted {
            directories.push(UfsDirectory {
                id: Some(inode.id),
                path: path.clone(),
                ufs_path: at.place(&path).ufs_path,
                owner: inodes.owner(inode).to_owned(),
                group: inodes.group(inode).to_owned(),
                mode: inode.mode,
            });
        }
        if let Some(name) = names.next() {
            path = path.join(name);
        }
    }
    let Some((_, missing)) = resolved.missing.split_last() else { return directories };
    let (owner, group) = at.owner_of_new(resolved.last());
    // The loop has gone one name too far.
    let mut path = path.parent().unwrap_or_else(AlluxioPath::root);
    for name in missing {
        path = path.join(name);
        let ufs_path = at.place(&path).ufs_path;
        let mode = 0o777 & !at.settings.umask;
        directories.push(UfsDirectory {
            id: None,
            path: path.clone(),
            ufs_path,
            owner: owner.clone(),
            group: group.clone(),
            mode,
        });
    }
    directories
}

/// They were made in the UFS: the namespace follows.
pub(super) fn decide(at: &Context<'_>, directories: &[UfsDirectory]) -> Result<Decision, FsError> {
    let Some(last) = directories.last() else { return Ok(Decision { entries: Vec::new(), answer: Answer::Done }) };
    let changed = || errors::not_yet(&last.path);
    let resolved = resolve(at, &last.path, &mut Footprint::off())?;
    let mut entries = Vec::new();
    for (depth, inode) in resolved.found.iter().enumerate() {
        let path = prefix(&last.path, depth);
        let made = directories.iter().find(|directory| directory.path == path);
        let is_persisted = inode.persistence == PersistenceState::Persisted;
        match made {
            _ if !inode.is_directory() => return Err(changed()),
            Some(made) if at.place(&path).ufs_path != made.ufs_path => return Err(changed()),
            Some(made) if made.id.is_some_and(|id| id != inode.id) => return Err(changed()),
            Some(_) if !is_persisted => {
                let persistence = Some(PersistenceState::Persisted);
                entries.push(Entry::UpdateInode(UpdateInode { persistence, ..UpdateInode::of(inode.id) }));
            }
            None if !is_persisted => return Err(changed()),
            Some(_) | None => {}
        }
    }
    if resolved.missing.is_empty() {
        return Ok(Decision { entries, answer: Answer::Done });
    }
    let persisted = PersistenceState::Persisted;
    let mut creation = Creation::below(at, resolved.last(), persisted, -1, TtlAction::Free);
    creation.entries = entries;
    creation.touch_parent();
    for depth in resolved.found.len()..resolved.found.len() + resolved.missing.len() {
        let path = prefix(&last.path, depth);
        let made = directories.iter().find(|directory| directory.path == path).ok_or_else(changed)?;
        if made.id.is_some() || at.place(&path).ufs_path != made.ufs_path {
            return Err(changed());
        }
        (creation.owner, creation.group) = (made.owner.clone(), made.group.clone());
        creation.add_directory(&path, made.mode);
    }
    Ok(Decision { entries: creation.entries, answer: Answer::Done })
}

/// The first `depth` components of a path.
fn prefix(path: &AlluxioPath, depth: usize) -> AlluxioPath {
    path.components().take(depth).fold(AlluxioPath::root(), |path, name| path.join(name))
}
