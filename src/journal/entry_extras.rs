//! Pure. What few inodes have beside what all have, in entries.

use crate::types::{AclEntry, ContentHash, DefaultAcl, ExtendedAcl, InodeId, SetAclAction, Xattrs};
use std::collections::BTreeSet;

/// What few inodes have.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct InodeExtras {
    /// Who may do what beyond owner, group and others. Somebody is named in it.
    pub acl: Option<ExtendedAcl>,
    /// What new children inherit; of directories only.
    pub default_acl: Option<DefaultAcl>,
    /// Extended attributes.
    pub xattr: Xattrs,
    /// Media that its blocks must stay on, by their names.
    pub media: BTreeSet<String>,
    /// Tells whether the UFS has the content that was loaded; of files only.
    pub content_hash: ContentHash,
}

impl InodeExtras {
    /// As an entry has them: none when there is nothing.
    pub fn boxed(self) -> Option<Box<InodeExtras>> {
        (self != InodeExtras::default()).then(|| Box::new(self))
    }
}

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
