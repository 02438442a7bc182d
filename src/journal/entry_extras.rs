//! Pure. What few inodes have beside what all have, in entries.

pub use crate::types::InodeExtras;
use crate::types::{AclEntry, DefaultAcl, InodeId, SetAclAction};

/// `set_acl` of 2.9, for one inode.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SetAcl {
    /// Which file or directory.
    pub id: InodeId,
    /// When.
    pub op_time_ms: i64,
    /// What is done with the entries.
    pub action: SetAclAction,
    /// The entries.
    pub entries: Vec<AclEntry>,
}

/// The new default list of a directory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum DefaultAclUpdate {
    /// This one.
    Replace(DefaultAcl),
    /// None.
    Remove,
}
