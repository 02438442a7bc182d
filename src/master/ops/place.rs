//! Where a path lies: its mount and its URI.

use super::{Context, Settings};
use crate::master::state::{MasterState, ROOT_MOUNT_ID, ufs_path};
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// The mount of a path and the URI that it has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Id of the mount; 1 is that of the root.
    pub mount_id: i64,
    /// Where the mount begins.
    pub mount_point: AlluxioPath,
    /// Whether nothing may be written there.
    pub read_only: bool,
    /// URI of the path in the UFS.
    pub ufs_path: String,
}

/// Where a path lies, whether it exists or not.
pub fn place_of(state: &MasterState, settings: &Settings, path: &AlluxioPath) -> Place {
    match state.mounts().resolve(path) {
        Some(mount) => Place {
            mount_id: mount.mount_id,
            mount_point: mount.path.clone(),
            read_only: mount.read_only,
            ufs_path: ufs_path(&mount.ufs_path, &mount.path, path),
        },
        None => {
            let mount_point = AlluxioPath::root();
            let ufs_path = ufs_path(&settings.root_ufs, &mount_point, path);
            Place { mount_id: ROOT_MOUNT_ID, mount_point, read_only: false, ufs_path }
        }
    }
}

impl Context<'_> {
    pub(super) fn place(&self, path: &AlluxioPath) -> Place {
        place_of(self.state, self.settings, path)
    }

    /// Refuses what would write below a mount that allows none.
    pub(super) fn check_writable(&self, path: &AlluxioPath) -> Result<(), FsError> {
        match self.state.mounts().resolve(path) {
            Some(mount) if mount.read_only => {
                let message =
                    format!("A write operation on {path} under a readonly mount point {} is not allowed", mount.path);
                Err(FsError::new(ErrorKind::PermissionDenied, message))
            }
            _ => Ok(()),
        }
    }
}
