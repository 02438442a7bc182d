//! What few files and directories have beside what all have.

use super::{ContentHash, DefaultAcl, ExtendedAcl, Xattrs};
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
    /// As entries and statuses have them: none when there is nothing.
    pub fn boxed(self) -> Option<Box<InodeExtras>> {
        (self != InodeExtras::default()).then(|| Box::new(self))
    }
}
