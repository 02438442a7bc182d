//! mount, unmount, and the table of mounts.

use super::create::{Creation, check_name, check_parents};
use super::intents::removal;
use super::load::directory_of;
use super::request_ufs::{Mount, Seen, UpdateMount};
use super::resolve::resolve;
use super::{Answer, Context, Decision, errors};
use crate::journal::entry::{AddMountPoint, Entry, InodeDirectory, UpdateInode};
use crate::master::state::{Footprint, ROOT_MOUNT_ID};
use crate::types::ufs_names::lies_in;
use crate::types::{AlluxioPath, ErrorKind, FsError, PersistenceState, TtlAction};

/// Mounts beside that of the root.
const MOUNTS_MAX: usize = 10_000;

pub(super) fn mount(at: &Context<'_>, op: &Mount) -> Result<Decision, FsError> {
    // Compatible: all refusals of a mount but that of a permission have the code UNKNOWN.
    let refuse = |message: String| FsError::new(ErrorKind::Unknown, message);
    let path = &op.path;
    let resolved = resolve(at, path, &mut Footprint::off()).map_err(|error| refuse(error.message))?;
    at.permissions(&mut Footprint::off()).check_parent(&resolved)?;
    at.check_writable(path)?;
    if resolved.target().is_some() {
        let message = format!(
            "Mount point target path {path} already exists in Alluxio namespace. Try mounting to another path."
        );
        return Err(refuse(message));
    }
    check_disjoint(at, &op.ufs_path).map_err(refuse)?;
    if lies_in(&op.ufs_path, &at.settings.journal) {
        return Err(refuse(format!("Ufs path {} lies in the journal folder of the masters", op.ufs_path)));
    }
    let Seen { root, shadowed } = &op.seen;
    if let Some(shadowed) = shadowed {
        let message =
            format!("Mount path {path} shadows an existing path {shadowed} in the parent underlying filesystem");
        return Err(refuse(message));
    }
    let root = root.as_ref().filter(|facts| facts.directory);
    let root = root.ok_or_else(|| refuse(format!("Ufs path {} does not exist", op.ufs_path)))?;
    check_parents(&resolved, false).map_err(|error| refuse(error.message))?;
    check_name(path)?;
    if at.state.mounts().iter().count() >= MOUNTS_MAX || at.state.mounts().of_id(op.mount_id).is_some() {
        return Err(refuse(format!("{path} cannot be mounted: there are too many mounts, or its id is taken")));
    }
    let persisted = PersistenceState::Persisted;
    let mut creation = Creation::below(at, resolved.last(), persisted, -1, TtlAction::Free);
    let parent = resolved.last();
    let id = creation.take_directory_id();
    let directory = directory_of(id, creation.parent, path, root, at.now.0, creation.pinned);
    // Compatible: 2.9.6 InodeTree.createPath: the parent is as young as the folder that comes in it, if that is younger.
    if directory.modification_time_ms > parent.modification_time_ms {
        creation.entries.push(Entry::UpdateInode(UpdateInode {
            modification_time_ms: Some(directory.modification_time_ms),
            access_time_ms: Some(directory.modification_time_ms),
            ..UpdateInode::of(parent.id)
        }));
    }
    let mode = mode_of_mount(directory.mode, op.shared);
    creation.entries.push(Entry::InodeDirectory(InodeDirectory { mode, mount_point: true, ..directory }));
    creation.entries.push(Entry::AddMountPoint(AddMountPoint {
        path: path.clone(),
        ufs_path: op.ufs_path.clone(),
        read_only: op.read_only,
        shared: op.shared,
        properties: op.properties.clone(),
        mount_id: op.mount_id,
    }));
    Ok(Decision { entries: creation.entries, answer: Answer::Done })
}

/// The mode of a mount point whose directory in the UFS has that mode.
// Compatible: 2.9 InodeSyncStream.loadDirectoryMetadata: below a shared mount all may do what the owner may.
pub(super) fn mode_of_mount(mode: u16, shared: bool) -> u16 {
    if shared { mode | mode >> 6 } else { mode }
}

/// No UFS path is mounted twice, nor one below another.
fn check_disjoint(at: &Context<'_>, ufs_path: &str) -> Result<(), String> {
    let mounted = at.state.mounts().iter().map(|mount| mount.ufs_path.as_str());
    for other in mounted.chain([at.settings.root_ufs.as_str()]) {
        if is_prefix(other, ufs_path) {
            return Err(format!("Mount point {other} is a prefix of {ufs_path}"));
        }
        if is_prefix(ufs_path, other) {
            return Err(format!("Mount point {ufs_path} is a prefix of {other}"));
        }
    }
    Ok(())
}

fn is_prefix(above: &str, below: &str) -> bool {
    let plain = |uri: &str| uri.strip_prefix("file:").map_or(uri, |rest| rest.trim_start_matches("//")).to_owned();
    let (above, below) = (plain(above), plain(below));
    below.strip_prefix(above.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn unmount(at: &Context<'_>, path: &AlluxioPath) -> Result<Decision, FsError> {
    let resolved = resolve(at, path, &mut Footprint::off())?;
    at.permissions(&mut Footprint::off()).check_parent(&resolved)?;
    let Some(inode) = resolved.target() else {
        return Err(FsError::new(ErrorKind::NotFound, format!("Failed to unmount: Path {path} does not exist")));
    };
    let mounts = at.state.mounts();
    let failed = format!("Failed to unmount {path}. Please ensure the path is an existing mount point");
    if mounts.at(path).is_none() && !path.is_root() {
        return Err(errors::invalid(format!("{failed}.")));
    }
    if path.is_root() || mounts.below(path).count() > 1 {
        return Err(errors::invalid(format!("{failed} and not root.")));
    }
    Ok(Decision { entries: removal(at, path, inode, at.now.0, true), answer: Answer::Done })
}

/// The same mount with other options, under a new id.
// Compatible: 2.9.6 DefaultFileSystemMaster.updateMount; who looks at the UFS with the new options first is that one only.
pub(super) fn update(at: &Context<'_>, op: &UpdateMount) -> Result<Decision, FsError> {
    let UpdateMount { path, read_only, shared, properties, mount_id } = op;
    let resolved = resolve(at, path, &mut Footprint::off())?;
    at.permissions(&mut Footprint::off()).check_parent(&resolved)?;
    if path.is_root() {
        let text = "Failed to update mount point at /. Please ensure the path is an existing mount point and not root.";
        return Err(errors::invalid(text));
    }
    let Some(mount) = at.state.mounts().at(path) else {
        let text =
            format!("Failed to update mount properties for {path}. Please ensure the path is an existing mount point.");
        return Err(errors::invalid(text));
    };
    if at.state.mounts().of_id(*mount_id).is_some() {
        return Err(FsError::new(ErrorKind::Unavailable, "The id of the mount is taken. Try again."));
    }
    let updated = AddMountPoint {
        path: path.clone(),
        ufs_path: mount.ufs_path.clone(),
        read_only: *read_only,
        shared: *shared,
        properties: properties.clone(),
        mount_id: *mount_id,
    };
    let entries = vec![Entry::DeleteMountPoint { path: path.clone() }, Entry::AddMountPoint(updated)];
    Ok(Decision { entries, answer: Answer::Done })
}

/// All mounts by path, that of the root first.
pub(super) fn table(at: &Context<'_>, footprint: &mut Footprint) -> Answer {
    footprint.read_mounts();
    Answer::Mounts(mounts(at).collect())
}

/// All mounts by path, that of the root first.
pub(super) fn mounts(at: &Context<'_>) -> impl Iterator<Item = AddMountPoint> {
    let root = AddMountPoint {
        path: AlluxioPath::root(),
        ufs_path: at.settings.root_ufs.clone(),
        read_only: false,
        shared: false,
        properties: at.settings.root_options.pairs(),
        mount_id: ROOT_MOUNT_ID,
    };
    std::iter::once(root).chain(at.state.mounts().iter().cloned())
}
