//! Pure. Entries of what administrators set beside the namespace.

use crate::types::{AlluxioPath, UfsMode};
use std::collections::BTreeMap;

/// `path_properties` of 2.9: what clients take as default for a path and all below it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PathProperties {
    /// Which path; it need not exist.
    pub path: AlluxioPath,
    /// All properties that are set for it, by name.
    pub properties: BTreeMap<String, String>,
}

/// `add_sync_point` and `remove_sync_point` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SyncPoint {
    /// The directory that is kept like the UFS below it.
    pub path: AlluxioPath,
    /// Id of the mount that it is in.
    pub mount_id: i64,
}

/// `update_ufs_mode` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateUfsMode {
    /// URI of the root of the UFS.
    pub ufs_path: String,
    /// What may be done with it from now on.
    pub mode: UfsMode,
}
