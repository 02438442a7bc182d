//! Directories that are made in a UFS so that something can lie in them.

use super::create::Creation;
use super::request_ufs::UfsDirectory;
use super::resolve::{Resolved, resolve};
use super::{Context, errors};
use crate::journal::entry::{Entry, MakeInUfs};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, FsError, InodeId, PersistenceState, TtlAction, Xattrs};

/// The directories above a path that are not in the UFS, parents first; those that are missing here, too, which live as long
/// as what they are made for.
pub(super) fn parents_to_persist(
    at: &Context<'_>,
    resolved: &Resolved<'_>,
    ttl_ms: i64,
    ttl_action: TtlAction,
) -> Vec<UfsDirectory> {
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
                ttl_ms: inode.ttl_ms,
                ttl_action: inode.ttl_action,
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
            ttl_ms,
            ttl_action,
        });
    }
    directories
}

/// What is made in the UFS so that the directory is there, too: with its id, and the entries that take a new one. None if
/// it is there.
pub(super) fn to_make(
    at: &Context<'_>,
    directory: &UfsDirectory,
) -> Result<Option<(InodeId, MakeInUfs, Vec<Entry>)>, FsError> {
    let UfsDirectory { id, path, ufs_path, owner, group, mode, ttl_ms, ttl_action } = directory;
    let resolved = resolve(at, path, &mut Footprint::off())?;
    let is_where_it_was = at.place(path).ufs_path == *ufs_path;
    let is_persisted = |inode: &Inode| inode.persistence == PersistenceState::Persisted;
    let above = if resolved.target().is_some() { resolved.above().last() } else { Some(resolved.last()) };
    let has_parent =
        resolved.missing.len() < 2 && above.is_none_or(|above| above.is_directory() && is_persisted(above));
    match (resolved.target(), id) {
        _ if !is_where_it_was || !has_parent => Err(errors::not_yet(path)),
        (Some(inode), id) if !inode.is_directory() || id.is_some_and(|id| id != inode.id) => Err(errors::not_yet(path)),
        (Some(inode), _) if is_persisted(inode) => Ok(None),
        (Some(inode), _) => Ok(Some((inode.id, MakeInUfs::Existing, Vec::new()))),
        (None, Some(_)) => Err(errors::not_yet(path)),
        (None, None) => {
            let persisted = PersistenceState::Persisted;
            let mut creation = Creation::below(at, resolved.last(), persisted, *ttl_ms, *ttl_action);
            (creation.owner, creation.group) = (owner.clone(), group.clone());
            let id = creation.add_directory(path, *mode, &Xattrs::new());
            let Some(Entry::InodeDirectory(new)) = creation.entries.pop() else { unreachable!("it was added last") };
            Ok(Some((id, MakeInUfs::New(Box::new(new)), creation.entries)))
        }
    }
}
