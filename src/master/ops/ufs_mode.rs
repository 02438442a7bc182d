//! What administrators permit to be done with a whole UFS, and who is refused for it; and that nobody changes the journal
//! through a mount that has it, which the root has in many a cluster.

use super::create::persistence_of;
use super::resolve::inode_at;
use super::{Context, Decision, Operation, errors};
use crate::journal::entry::{Entry, UpdateInode, UpdateUfsMode};
use crate::types::ufs_names::lies_in;
use crate::types::{AlluxioPath, ErrorKind, FsError, PersistenceState, UfsMode};

/// The scheme and authority of a URI, with a slash behind them; `/` for a path of the local disk.
// Compatible: 2.9.6 AlluxioURI.getRootPath.
pub(super) fn root_of(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}/", rest.split('/').next().unwrap_or_default()),
        None => "/".to_owned(),
    }
}

/// The entry that sets the mode of a UFS of which something is mounted; none if it has that mode.
// Compatible: 2.9.6 MasterUfsManager.setUfsMode.
pub(super) fn set(at: &Context<'_>, ufs_path: &str, mode: UfsMode) -> Result<Option<Entry>, FsError> {
    let root = root_of(ufs_path);
    let mounted = at.state.mounts().iter().map(|mount| mount.ufs_path.as_str());
    if !mounted.chain([at.settings.root_ufs.as_str()]).any(|uri| root_of(uri) == root) {
        return Err(errors::invalid(format!("Unknown Ufs path {root}")));
    }
    let is_so = at.state.admin().ufs_mode(&root) == mode;
    Ok((!is_so).then_some(Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: root, mode })))
}

impl Context<'_> {
    /// Refuses what would change a UFS that may not be changed.
    // Compatible: 2.9.6 DefaultFileSystemMaster.checkUfsMode, which is asked about changes only.
    pub(super) fn check_ufs_mode(&self, path: &AlluxioPath) -> Result<(), FsError> {
        if self.state.admin().ufs_modes().is_empty() {
            return Ok(());
        }
        let uri = self.place(path).ufs_path;
        let mode = match self.state.admin().ufs_mode(&root_of(&uri)) {
            UfsMode::ReadWrite => return Ok(()),
            UfsMode::ReadOnly => "READ_ONLY",
            UfsMode::NoAccess => "NO_ACCESS",
        };
        let text = format!("Operation WRITE not allowed on ufs path {uri} under maintenance mode {mode}");
        Err(FsError::new(ErrorKind::PermissionDenied, text))
    }
}

impl Context<'_> {
    /// Whether the journal is in what is mounted.
    fn has_journal(&self) -> bool {
        let mounted = self.state.mounts().iter().map(|mount| mount.ufs_path.as_str());
        mounted.chain([self.settings.root_ufs.as_str()]).any(|uri| lies_in(&self.settings.journal, uri))
    }

    /// Refuses what would change the journal, or take it away with a folder that it is in.
    fn check_journal(&self, operation: &Operation, path: &AlluxioPath) -> Result<(), FsError> {
        let (uri, journal) = (self.place(path).ufs_path, &self.settings.journal);
        let takes_away = matches!(operation, Operation::Delete(_) | Operation::Rename(_) | Operation::Expire(_));
        let is_changed = lies_in(&uri, journal) || (takes_away && lies_in(journal, &uri));
        if !is_changed {
            return Ok(());
        }
        let text = format!("{path} is not changed: the journal of the masters is in {journal}");
        Err(FsError::new(ErrorKind::PermissionDenied, text))
    }
}

/// What was decided, or a refusal if that would change a UFS that may not be changed.
pub(super) fn guard(
    at: &Context<'_>,
    operation: &Operation,
    decided: Result<Decision, FsError>,
) -> Result<Decision, FsError> {
    let entries = match &decided {
        _ if at.state.admin().ufs_modes().is_empty() && !at.has_journal() => return decided,
        Err(error) if !errors::is_not_yet(error) => return decided,
        Ok(decision) => decision.entries.as_slice(),
        Err(_) => &[],
    };
    let check = |path: &AlluxioPath| at.check_ufs_mode(path).and_then(|()| at.check_journal(operation, path));
    let checked = written(at, operation, entries).iter().try_for_each(check);
    match (operation, checked) {
        (_, Ok(())) => decided,
        // Compatible: 2.9.6 DefaultFileSystemMaster.deleteInternal, which goes on with what may be deleted.
        (Operation::Delete(op), Err(refusal)) => {
            let text =
                format!("Failed to delete 1 paths from the under file system: {} ({})", op.path, refusal.message);
            Err(FsError::new(ErrorKind::FailedPrecondition, text))
        }
        (_, Err(refusal)) => Err(refusal),
    }
}

/// The paths at which the operation changes a UFS. `entries` is what was decided, if the UFS is not to be changed first.
fn written(at: &Context<'_>, operation: &Operation, entries: &[Entry]) -> Vec<AlluxioPath> {
    let persisted = |path: &AlluxioPath| {
        inode_at(at.state, path).is_some_and(|inode| inode.persistence == PersistenceState::Persisted)
    };
    match operation {
        Operation::CreateDirectory(op) if persistence_of(op.write_type) == PersistenceState::Persisted => {
            vec![op.path.clone()]
        }
        Operation::CreateFile(op) if persistence_of(op.write_type) == PersistenceState::Persisted => {
            vec![op.path.clone()]
        }
        Operation::Rename(op) if op.source != op.target && persisted(&op.source) => {
            vec![op.source.clone(), op.target.clone()]
        }
        Operation::Delete(op) if !op.alluxio_only && persisted(&op.path) && !is_mount_point(at, &op.path) => {
            vec![op.path.clone()]
        }
        Operation::SetAcl(op) if persisted(&op.path) => vec![op.path.clone()],
        Operation::PutInPlace(op) => vec![op.path.clone()],
        // Its refusal says that the UFS is to be changed first.
        Operation::Expire(op) if entries.is_empty() => at.state.path_of(op.id).into_iter().collect(),
        Operation::SetAttribute(_) => entries.iter().filter_map(|entry| attributes_changed(at, entry)).collect(),
        _ => Vec::new(),
    }
}

fn is_mount_point(at: &Context<'_>, path: &AlluxioPath) -> bool {
    at.state.mounts().at(path).is_some()
}

/// The path whose owner, group or mode the UFS is to have, too.
fn attributes_changed(at: &Context<'_>, entry: &Entry) -> Option<AlluxioPath> {
    let Entry::UpdateInode(UpdateInode { id, owner, group, mode, .. }) = entry else { return None };
    let inode = at.state.inodes().get(*id)?;
    let is_changed = inode.persistence == PersistenceState::Persisted && (owner, group, mode) != (&None, &None, &None);
    is_changed.then(|| at.state.path_of(*id)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entries_of, mkdir, mv, new_file, path, refusal, refusal_to, rm, run, started, user};
    use super::super::{AdminOperation, CreateFile, Load, UfsFacts, UfsOperation, WriteType};
    use super::*;
    use crate::master::state::MasterState;

    const ROOT: &str = "hdfs://nn:9000/alluxio";

    fn set_mode(ufs: &str, mode: UfsMode) -> Operation {
        Operation::Admin(AdminOperation::SetUfsMode { ufs_path: ufs.into(), mode })
    }

    fn facts() -> UfsFacts {
        UfsFacts {
            directory: false,
            length: 1,
            block_size_bytes: 100,
            owner: "ann".into(),
            group: "users".into(),
            mode: 0o640,
            modification_time_ms: 77,
            etag: None,
        }
    }

    /// A namespace with a persisted file `/f`.
    fn loaded() -> MasterState {
        let mut state = started();
        let load = Load::of(vec![(path("/f"), facts())], (path("/f"), format!("{ROOT}/f")));
        run(&mut state, Operation::Ufs(UfsOperation::Load(load))).unwrap();
        state
    }

    #[test]
    fn a_ufs_is_named_by_its_root() {
        let roots = ["/a/b", "hdfs://nn:1/a", "hdfs://nn:1", "file:///a"].map(root_of);
        assert_eq!(roots, ["/", "hdfs://nn:1/", "hdfs://nn:1/", "file:///"]);
    }

    #[test]
    fn what_would_change_a_ufs_that_may_not_be_changed_is_refused() {
        let mut state = loaded();
        for mode in [UfsMode::ReadOnly, UfsMode::NoAccess] {
            run(&mut state, set_mode("hdfs://nn:9000", mode)).unwrap();
            let name = if mode == UfsMode::ReadOnly { "READ_ONLY" } else { "NO_ACCESS" };
            let text = |path: &str| {
                format!("Operation WRITE not allowed on ufs path {ROOT}{path} under maintenance mode {name}")
            };
            let through = CreateFile { write_type: WriteType::Through, ..new_file("/g") };
            let denied = ErrorKind::PermissionDenied;
            assert_eq!(refusal(&state, Operation::CreateFile(through)), (denied, text("/g")));
            assert_eq!(refusal(&state, mv("/f", "/g")), (denied, text("/f")));
            let (kind, told) = refusal(&state, rm("/f", false));
            assert_eq!(kind, ErrorKind::FailedPrecondition);
            assert_eq!(told, format!("Failed to delete 1 paths from the under file system: /f ({})", text("/f")));
            // What is in Alluxio alone is made and moved.
            run(&mut state.clone(), mkdir("/d")).unwrap();
        }
        run(&mut state, set_mode("hdfs://nn:9000/", UfsMode::ReadWrite)).unwrap();
        assert!(state.admin().ufs_modes().is_empty());
        assert!(errors::is_not_yet(&FsError::new(ErrorKind::Unavailable, refusal(&state, rm("/f", false)).1)));
    }

    #[test]
    fn nobody_changes_the_journal_through_the_namespace() {
        let mut state = loaded();
        let folder = |text: &str| (path(text), UfsFacts { directory: true, ..facts() });
        let found = vec![folder("/kept"), folder("/kept/journal"), (path("/kept/journal/FORMAT"), facts())];
        let load = Load::of(found, (path("/kept"), format!("{ROOT}/kept")));
        run(&mut state, Operation::Ufs(UfsOperation::Load(load))).unwrap();
        let text = |path: &str| format!("{path} is not changed: the journal of the masters is in {ROOT}/kept/journal");
        for there in ["/kept", "/kept/journal", "/kept/journal/FORMAT"] {
            let told = format!("Failed to delete 1 paths from the under file system: {there} ({})", text(there));
            assert_eq!(refusal(&state, rm(there, true)), (ErrorKind::FailedPrecondition, told));
            assert_eq!(refusal(&state, mv(there, "/other")), (ErrorKind::PermissionDenied, text(there)));
        }
        let through = CreateFile { write_type: WriteType::Through, ..new_file("/kept/journal/f") };
        let denied = (ErrorKind::PermissionDenied, text("/kept/journal/f"));
        assert_eq!(refusal(&state, Operation::CreateFile(through)), denied);
        // What lies beside it is anybody's.
        let beside = CreateFile { write_type: WriteType::Through, ..new_file("/kept/f") };
        run(&mut state, Operation::CreateFile(beside)).unwrap();
        assert!(errors::is_not_yet(&FsError::new(ErrorKind::Unavailable, refusal(&state, rm("/f", false)).1)));
    }

    #[test]
    fn only_a_ufs_that_is_mounted_has_a_mode() {
        let state = started();
        let invalid = |ufs: &str| refusal(&state, set_mode(ufs, UfsMode::ReadOnly));
        assert_eq!(invalid("hdfs://other/"), (ErrorKind::InvalidArgument, "Unknown Ufs path hdfs://other/".into()));
        assert_eq!(entries_of(&state, set_mode(ROOT, UfsMode::ReadWrite)), []);
        let (kind, _) = refusal_to(&state, user("bob", &[]), set_mode(ROOT, UfsMode::ReadOnly));
        assert_eq!(kind, ErrorKind::PermissionDenied);
    }
}
