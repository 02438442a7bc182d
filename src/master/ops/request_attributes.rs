//! What a client may ask of the attributes of files and directories.

use crate::types::{AclEntry, AlluxioPath, SetAclAction, TtlAction, XattrUpdate};
use std::collections::BTreeSet;

/// setAttribute
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAttribute {
    /// The file or directory.
    pub path: AlluxioPath,
    /// With all below it.
    pub recursive: bool,
    /// New permission bits.
    pub mode: Option<u16>,
    /// New owner.
    pub owner: Option<String>,
    /// New group.
    pub group: Option<String>,
    /// Groups of the new owner, looked up before the request reaches the driver. None: not to be compared, because
    /// not both owner and group are set, or because users are not mapped to groups.
    pub owner_groups: Option<Vec<String>>,
    /// Whether copies must stay.
    pub pinned: Option<bool>,
    /// New time to live, -1 for none.
    pub ttl_ms: Option<i64>,
    /// What happens then.
    pub ttl_action: Option<TtlAction>,
    /// Fewest copies.
    pub replication_min: Option<i32>,
    /// Most copies, -1 without limit.
    pub replication_max: Option<i32>,
    /// The file is in the UFS now.
    pub persisted: bool,
    /// Media that copies must stay on; counts with `pinned`, which without any says that they may be on all.
    pub media: BTreeSet<String>,
    /// How extended attributes change.
    pub xattr: Option<XattrUpdate>,
    /// Whether all children of a directory in the UFS are known.
    pub direct_children_loaded: Option<bool>,
}

impl SetAttribute {
    /// A request that changes nothing of this path yet.
    pub fn of(path: AlluxioPath) -> SetAttribute {
        SetAttribute {
            path,
            recursive: false,
            mode: None,
            owner: None,
            group: None,
            owner_groups: None,
            pinned: None,
            ttl_ms: None,
            ttl_action: None,
            replication_min: None,
            replication_max: None,
            persisted: false,
            media: BTreeSet::new(),
            xattr: None,
            direct_children_loaded: None,
        }
    }

    /// Fewest and most copies, when one of them changes.
    pub(super) fn replication(&self) -> Option<(Option<i32>, Option<i32>)> {
        let both = (self.replication_min, self.replication_max);
        (both != (None, None)).then_some(both)
    }
}

/// setAcl
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAcl {
    /// The file or directory.
    pub path: AlluxioPath,
    /// What is done with the entries.
    pub action: SetAclAction,
    /// The entries.
    pub entries: Vec<AclEntry>,
    /// With all below it.
    pub recursive: bool,
}
