//! Inodes for what was seen in a UFS, and what has to be looked at for that.

use super::compare::{Judgement, judge};
use super::complete_file::blocks_of;
use super::request_ufs::{Load, UfsFacts};
use super::resolve::{Resolved, resolve};
use super::{Answer, Context, Decision, errors};
use crate::journal::entry::{Entry, InodeDirectory, InodeFile, Replication, UpdateInodeDirectory};
use crate::master::state::{Footprint, IdGenerators, Inode, InodeKind};
use crate::types::{AlluxioPath, BlockId, FsError, InodeExtras, InodeId, PersistenceState, TtlAction};
use std::time::Duration;

/// What may be in a UFS and is not in the namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// What this path names; the first path is the nearest directory above that is there.
    Path {
        /// Where to look.
        path: AlluxioPath,
        /// So many of its components are in the namespace.
        found: usize,
    },
    /// The children of this directory.
    Children(AlluxioPath),
    /// Whether what this path names, which was loaded, is still so.
    Again(AlluxioPath),
    /// The children of this directory, and whether those that were loaded are still so.
    ChildrenAgain(AlluxioPath),
}

/// When what a UFS holds is looked at (2.9.6 LoadMetadataPType).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMetadata {
    /// Never.
    Never,
    /// When it was not looked at before.
    Once,
    /// Whenever a directory is listed.
    Always,
    /// Always, and what was loaded before is compared with it.
    Compared,
}

/// How fresh what a client is told has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// What is looked at when it was not compared.
    pub load: LoadMetadata,
    /// What was compared longer ago than this is compared again; none: it is not (2.9 syncIntervalMs).
    pub sync_interval: Option<Duration>,
}

impl From<LoadMetadata> for Freshness {
    fn from(load: LoadMetadata) -> Freshness {
        Freshness { load, sync_interval: None }
    }
}

/// Whether the path has to be looked at because it is not in the namespace, and may be in the UFS.
///
/// Below a directory that is not in the UFS nothing is looked for.
pub(super) fn missing(at: &Context<'_>, path: &AlluxioPath) -> Option<Lookup> {
    missing_of(&resolve(at, path, &mut Footprint::off()).ok()?)
}

/// The same of a path that was walked.
pub(super) fn missing_of(resolved: &Resolved<'_>) -> Option<Lookup> {
    let last = resolved.last();
    let is_open = !resolved.missing.is_empty() && last.is_directory();
    let looked_at = is_open && last.persistence == PersistenceState::Persisted;
    looked_at.then(|| Lookup::Path { path: resolved.path.clone(), found: resolved.found.len() - 1 })
}

/// The directories at and below the path whose children were not looked at: the first few of them that are not `known`.
pub(super) fn not_listed(
    at: &Context<'_>,
    path: &AlluxioPath,
    recursive: bool,
    load: LoadMetadata,
    known: &dyn Fn(&Lookup) -> bool,
) -> Vec<Lookup> {
    const LOOKUPS_MAX: usize = 64;
    let Ok(resolved) = resolve(at, path, &mut Footprint::off()) else { return Vec::new() };
    let Some(top) = resolved.target() else { return Vec::new() };
    let (mut lookups, mut directories) = (Vec::new(), vec![(path.clone(), *top)]);
    while let Some((path, inode)) = directories.pop() {
        let InodeKind::Directory { direct_children_loaded, .. } = inode.kind else { continue };
        if inode.persistence == PersistenceState::Persisted && (load != LoadMetadata::Once || !direct_children_loaded) {
            let lookup = match load {
                LoadMetadata::Compared => Lookup::ChildrenAgain(path.clone()),
                _ => Lookup::Children(path.clone()),
            };
            lookups.extend(Some(lookup).filter(|lookup| !known(lookup)));
        }
        if lookups.len() == LOOKUPS_MAX {
            break;
        }
        if recursive {
            let below = at.state.inodes().children(inode.id).filter(|child| child.is_directory());
            directories.extend(below.map(|child| (path.join(at.state.inodes().name(&child)), child)));
        }
    }
    lookups
}

/// The entries that make inodes of what was seen, unless they are there by now.
pub(super) fn decide(at: &Context<'_>, load: &Load) -> Result<Decision, FsError> {
    let (path, ufs_path) = &load.seen_at;
    if at.place(path).ufs_path != *ufs_path {
        return Err(errors::not_yet(path));
    }
    let mut loading = Loading { at, load, ids: at.state.ids(), entries: Vec::new(), new: Vec::new() };
    load.found.iter().for_each(|(path, facts)| loading.add(path, facts));
    load.gone.iter().for_each(|path| loading.take_away(path));
    if let Some(directory) = &load.listed {
        let resolved = resolve(at, directory, &mut Footprint::off())?;
        let listed = resolved.target().map(|inode| (inode.id, inode.kind));
        if let Some((id, InodeKind::Directory { direct_children_loaded: false, .. })) = listed {
            let direct_children_loaded = Some(true);
            let update = UpdateInodeDirectory { direct_children_loaded, ..UpdateInodeDirectory::of(id) };
            loading.entries.push(Entry::UpdateInodeDirectory(update));
        }
    }
    Ok(Decision { entries: loading.entries, answer: Answer::Done })
}

struct Loading<'a> {
    at: &'a Context<'a>,
    load: &'a Load,
    ids: IdGenerators,
    entries: Vec<Entry>,
    /// Directories that the entries make, which the next ones may need as a parent.
    new: Vec<(AlluxioPath, InodeId)>,
}

impl Lookup {
    /// Where to look.
    pub fn path(&self) -> &AlluxioPath {
        match self {
            Lookup::Path { path, .. } | Lookup::Children(path) | Lookup::Again(path) | Lookup::ChildrenAgain(path) => {
                path
            }
        }
    }
}

impl Loading<'_> {
    /// Nothing, if the path is there or has no parent: what is below an inode that is not in the UFS, or was moved
    /// away, is not what was seen.
    fn add(&mut self, path: &AlluxioPath, facts: &UfsFacts) {
        let Some(above) = path.parent() else { return };
        // A name that we cannot keep is not seen, and a length neither: a sparse file may be as long as its maker says.
        let is_short_enough = facts.directory || blocks_of(facts.length, facts.block_size_bytes.max(1)).is_some();
        if super::create::check_name(path).is_err() || !is_short_enough {
            return;
        }
        let Ok(resolved) = resolve(self.at, path, &mut Footprint::off()) else { return };
        let parent = match self.new.iter().rfind(|(new, _)| *new == above) {
            Some((_, id)) => Some(*id),
            None => persisted_parent(&resolved),
        };
        let parent = match resolved.target() {
            None => parent.filter(|_| self.load.own.is_none()),
            Some(inode) => self.replaced(path, inode, facts),
        };
        let Some(parent) = parent else { return };
        let pinned = resolved.last().pinned;
        let entry = if facts.directory {
            let id = self.ids.take_directory(&mut self.entries);
            self.new.push((path.clone(), id));
            Entry::InodeDirectory(directory_of(id, parent, path, facts, self.at.now.0, pinned))
        } else {
            let id = self.ids.take_file(&mut self.entries);
            let mut file = file_of(id, parent, path, facts, self.at.now.0, pinned);
            if self.load.keeps_content {
                file.extras = InodeExtras { content_hash: facts.content_hash(), ..InodeExtras::default() }.boxed();
            }
            Entry::InodeFile(file)
        };
        self.entries.push(entry);
    }

    /// Takes away what is there, or notes its content, if it is to be compared; its parent, if something else is to be loaded.
    fn replaced(&mut self, path: &AlluxioPath, inode: &Inode, facts: &UfsFacts) -> Option<InodeId> {
        match judge(self.at, self.load, path, inode, Some(facts)) {
            Judgement::Stays(changes) => {
                self.entries.extend(changes);
                None
            }
            Judgement::Goes(removal) => {
                self.entries.extend(removal);
                Some(inode.parent)
            }
        }
    }

    /// What the UFS has not.
    fn take_away(&mut self, path: &AlluxioPath) {
        let Ok(resolved) = resolve(self.at, path, &mut Footprint::off()) else { return };
        let judged = resolved.target().map(|inode| judge(self.at, self.load, path, inode, None));
        if let Some(Judgement::Goes(removal)) = judged {
            self.entries.extend(removal);
        }
    }
}

/// The directory that a path lacks only its last component in, if it is in the UFS.
fn persisted_parent(resolved: &Resolved<'_>) -> Option<InodeId> {
    let last = resolved.last();
    let fits = resolved.missing.len() == 1 && last.is_directory() && last.persistence == PersistenceState::Persisted;
    fits.then_some(last.id)
}

/// A directory as the UFS shows it.
pub(super) fn directory_of(
    id: InodeId,
    parent: InodeId,
    path: &AlluxioPath,
    facts: &UfsFacts,
    now_ms: i64,
    pinned: bool,
) -> InodeDirectory {
    // Compatible: 2.9 InodeSyncStream.loadDirectoryMetadata: a directory of an object store has no time of its own.
    let time_ms = if facts.modification_time_ms == 0 { now_ms } else { facts.modification_time_ms };
    InodeDirectory {
        id,
        parent,
        name: path.name().to_owned(),
        path: path.clone(),
        creation_time_ms: now_ms,
        modification_time_ms: time_ms,
        access_time_ms: time_ms,
        owner: facts.owner.clone(),
        group: facts.group.clone(),
        mode: facts.mode,
        persistence: PersistenceState::Persisted,
        pinned,
        mount_point: false,
        direct_children_loaded: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        extras: None,
    }
}

fn file_of(id: InodeId, parent: InodeId, path: &AlluxioPath, facts: &UfsFacts, now_ms: i64, pinned: bool) -> InodeFile {
    let block_size_bytes = facts.block_size_bytes.max(1);
    let blocks = facts.length.cast_unsigned().div_ceil(block_size_bytes.cast_unsigned()).cast_signed();
    InodeFile {
        id,
        parent,
        name: path.name().to_owned(),
        path: path.clone(),
        creation_time_ms: now_ms,
        modification_time_ms: facts.modification_time_ms,
        access_time_ms: facts.modification_time_ms,
        owner: facts.owner.clone(),
        group: facts.group.clone(),
        mode: facts.mode,
        persistence: PersistenceState::Persisted,
        pinned,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        length: facts.length,
        block_size_bytes,
        completed: true,
        cacheable: true,
        blocks: (0..blocks).map(|index| BlockId::of(id.container(), index)).collect(),
        replication: Replication { min: i32::from(pinned), ..Replication::USUAL },
        extras: None,
    }
}
