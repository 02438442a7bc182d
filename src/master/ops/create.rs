//! What createDirectory and createFile have in common.

use super::resolve::Resolved;
use super::{Context, NewXattrs, WriteType, errors};
use crate::journal::entry::{Entry, InodeDirectory, UpdateInode};
use crate::master::state::{IdGenerators, Inode, NAME_BYTES_MAX};
use crate::types::{
    AlluxioPath, ContentHash, DefaultAcl, ErrorKind, FsError, InodeExtras, InodeId, InodeType, PersistenceState,
    TtlAction, Xattrs,
};
use std::collections::BTreeSet;

/// Levels of a new path: bounds what one request makes in one record.
const PATH_LEVELS_MAX: usize = 1_000;

/// Refuses a new path that cannot be kept. The limits are ours; 2.9 knows none.
pub(super) fn check_name(path: &AlluxioPath) -> Result<(), FsError> {
    let mut levels = 0;
    for name in path.components() {
        levels += 1;
        if name.len() > NAME_BYTES_MAX {
            let message = format!(
                "Path component {levels} has {} bytes, the limit is {NAME_BYTES_MAX}: {}...",
                name.len(),
                name.chars().take(40).collect::<String>()
            );
            return Err(errors::invalid(message));
        }
    }
    if levels > PATH_LEVELS_MAX {
        return Err(errors::invalid(format!("Path with {levels} components, the limit is {PATH_LEVELS_MAX}")));
    }
    Ok(())
}

/// The entries of a creation as they grow: the parent's times, missing parents, then what was asked for.
pub(super) struct Creation<'a> {
    at: &'a Context<'a>,
    ids: IdGenerators,
    pub(super) entries: Vec<Entry>,
    /// Owner and group of all that is made.
    pub(super) owner: String,
    pub(super) group: String,
    /// What was made goes in here.
    pub(super) parent: InodeId,
    pub(super) pinned: bool,
    pub(super) persistence: PersistenceState,
    /// What all that is made inherits.
    default_acl: Option<DefaultAcl>,
    media: BTreeSet<String>,
    ttl_ms: i64,
    ttl_action: TtlAction,
}

impl<'a> Creation<'a> {
    /// Begins below `above`, the lowest directory that exists.
    pub(super) fn below(
        at: &'a Context<'a>,
        above: &Inode,
        persistence: PersistenceState,
        ttl_ms: i64,
        ttl_action: TtlAction,
    ) -> Creation<'a> {
        let InodeExtras { default_acl, media, .. } = at.state.inodes().extras(above);
        // Compatible: 2.9.6 InodeTree.createPath: the list of a child is made of the default list, whose owners are those of
        // the directory, and is its owners' only place.
        let (owner, group) = match default_acl {
            Some(_) => (at.state.inodes().owner(above).to_owned(), at.state.inodes().group(above).to_owned()),
            None => at.owner_of_new(above),
        };
        let (parent, pinned, ids, entries) = (above.id, above.pinned, at.state.ids(), Vec::new());
        let media = if pinned { media } else { BTreeSet::new() };
        Creation { at, ids, entries, owner, group, parent, pinned, persistence, default_acl, media, ttl_ms, ttl_action }
    }

    /// The parent that exists learns that it has a new child.
    pub(super) fn touch_parent(&mut self) {
        self.entries.push(touched(self.at, self.parent));
    }

    /// Mode and extras of something that is made with this mode.
    // Compatible: 2.9.6 InodeTree.createPath: children of a pinned directory stay on its media.
    pub(super) fn inherited(&self, mode: u16, of: InodeType, xattr: &Xattrs) -> (u16, Option<Box<InodeExtras>>) {
        let (mode, acl) = self.default_acl.as_ref().map_or((mode, None), |acl| acl.of_child(mode));
        let extras = InodeExtras {
            acl,
            default_acl: self.default_acl.clone().filter(|_| of == InodeType::Directory),
            xattr: xattr.clone(),
            media: self.media.clone(),
            content_hash: ContentHash::Unknown,
        };
        (mode, extras.boxed())
    }

    /// The parents that are missing, with the mode of a directory that nobody named.
    pub(super) fn add_missing_parents(&mut self, resolved: &Resolved<'_>, xattr: &NewXattrs) {
        let none = Xattrs::new();
        let xattr = if xattr.parents_too { &xattr.values } else { &none };
        let Some((_, parents)) = resolved.missing.split_last() else { return };
        let existing = resolved.path.components().take(resolved.found.len() - 1);
        let mut path = existing.fold(AlluxioPath::root(), |path, name| path.join(name));
        for name in parents {
            path = path.join(name);
            self.add_directory(&path, 0o777 & !self.at.settings.umask, xattr);
        }
    }

    /// A directory; what comes next goes below it.
    pub(super) fn add_directory(&mut self, path: &AlluxioPath, mode: u16, xattr: &Xattrs) -> InodeId {
        let (mode, extras) = self.inherited(mode, InodeType::Directory, xattr);
        let id = self.ids.take_directory(&mut self.entries);
        // Compatible: a directory does not wait to be persisted; it follows its files. One that is made in the UFS
        // has nothing in it.
        let (persistence, direct_children_loaded) = match self.persistence {
            PersistenceState::Persisted => (PersistenceState::Persisted, true),
            _ => (PersistenceState::NotPersisted, false),
        };
        self.entries.push(Entry::InodeDirectory(InodeDirectory {
            id,
            parent: self.parent,
            name: path.name().to_owned(),
            path: path.clone(),
            creation_time_ms: self.at.now.0,
            modification_time_ms: self.at.now.0,
            access_time_ms: self.at.now.0,
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode,
            persistence,
            pinned: self.pinned,
            mount_point: false,
            direct_children_loaded,
            ttl_ms: self.ttl_ms,
            ttl_action: self.ttl_action,
            extras,
        }));
        self.parent = id;
        id
    }

    /// An id for a directory.
    pub(super) fn take_directory_id(&mut self) -> InodeId {
        self.ids.take_directory(&mut self.entries)
    }

    /// An id for a file.
    pub(super) fn take_file_id(&mut self) -> InodeId {
        self.ids.take_file(&mut self.entries)
    }
}

/// The directory has a new child.
pub(super) fn touched(at: &Context<'_>, directory: InodeId) -> Entry {
    Entry::UpdateInode(UpdateInode {
        modification_time_ms: Some(at.now.0),
        access_time_ms: Some(at.now.0),
        ..UpdateInode::of(directory)
    })
}

/// Refuses missing parents that nobody asked to make.
pub(super) fn check_parents(resolved: &Resolved<'_>, recursive: bool) -> Result<(), FsError> {
    if recursive || resolved.missing.len() < 2 {
        return Ok(());
    }
    let message = format!(
        "File {} creation failed. Component {}({}) does not exist",
        resolved.path,
        resolved.found.len(),
        resolved.missing[0]
    );
    Err(FsError::new(ErrorKind::NotFound, message))
}

/// Where a new file stands on its way to the UFS.
pub(super) fn persistence_of(write_type: WriteType) -> PersistenceState {
    match write_type {
        WriteType::MustCache | WriteType::TryCache | WriteType::None => PersistenceState::NotPersisted,
        WriteType::AsyncThrough => PersistenceState::ToBePersisted,
        WriteType::CacheThrough | WriteType::Through => PersistenceState::Persisted,
    }
}

/// What is made in the UFS must lie in a directory that is there.
pub(super) fn check_persisted(resolved: &Resolved<'_>, persistence: PersistenceState) -> Result<(), FsError> {
    let parent = resolved.above().last().filter(|_| resolved.missing.len() < 2);
    let is_there = parent.is_some_and(|parent| parent.persistence == PersistenceState::Persisted);
    if persistence != PersistenceState::Persisted || is_there {
        return Ok(());
    }
    Err(errors::not_yet(resolved.path))
}

impl Context<'_> {
    /// Whom belongs what is made below this directory.
    pub(super) fn owner_of_new(&self, above: &Inode) -> (String, String) {
        let inodes = self.state.inodes();
        // Compatible: 2.9 with authentication off, alluxio.master.metastore.inode.inherit.owner.and.group.
        if self.caller.user.is_empty() && self.caller.groups.is_empty() {
            return (inodes.owner(above).to_owned(), inodes.group(above).to_owned());
        }
        (self.caller.user.clone(), self.caller.groups.first().cloned().unwrap_or_default())
    }
}
