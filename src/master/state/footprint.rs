//! What an answer depends on, and what an entry changes: an answer may leave when no change that it depends on is
//! still to be flushed.

use crate::types::InodeId;

/// What a query looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    is_on: bool,
    inodes: Vec<InodeId>,
    edges: Vec<(InodeId, Box<str>)>,
    directories: Vec<InodeId>,
    mounts: bool,
}

/// Something that an entry changes and a query may have looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// What this inode says of itself.
    Inode(InodeId),
    /// Whether, and to what, this name leads in this directory.
    Edge(InodeId, Box<str>),
    /// The mount table, or what administrators set.
    Mounts,
}

impl Footprint {
    /// Collects nothing: when nothing is waiting for a flush, nothing has to be compared.
    pub fn off() -> Footprint {
        Footprint::default()
    }

    /// Collects.
    pub fn on() -> Footprint {
        Footprint { is_on: true, ..Footprint::default() }
    }

    /// Inodes of which something was read.
    pub fn inodes(&self) -> &[InodeId] {
        &self.inodes
    }

    /// Names that were looked up in a directory, whether they were there or not.
    pub fn edges(&self) -> &[(InodeId, Box<str>)] {
        &self.edges
    }

    /// Directories of which all names, or their number, were read: each edge below counts.
    pub fn directories(&self) -> &[InodeId] {
        &self.directories
    }

    /// Whether the mount table, or what administrators set, was read.
    pub fn mounts(&self) -> bool {
        self.mounts
    }

    /// Whether the answer depends on this change.
    pub fn depends_on(&self, change: &Change) -> bool {
        match change {
            Change::Inode(id) => self.inodes.contains(id),
            Change::Mounts => self.mounts,
            Change::Edge(parent, name) => {
                self.directories.contains(parent) || self.edges.iter().any(|(p, n)| p == parent && n == name)
            }
        }
    }

    /// Something of this inode was read.
    pub(in crate::master) fn read_inode(&mut self, id: InodeId) {
        if self.is_on {
            self.inodes.push(id);
        }
    }

    /// This name was looked up in this directory.
    pub(in crate::master) fn looked_up(&mut self, parent: InodeId, name: &str) {
        if self.is_on {
            self.edges.push((parent, name.into()));
        }
    }

    /// The mount table, or what administrators set, was read.
    pub(in crate::master) fn read_mounts(&mut self) {
        self.mounts = self.is_on;
    }

    /// All names of this directory, or their number, were read.
    pub(in crate::master) fn listed(&mut self, directory: InodeId) {
        if self.is_on {
            self.directories.push(directory);
        }
    }
}
