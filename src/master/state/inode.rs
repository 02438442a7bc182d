//! The record of an inode: 88 bytes, little-endian.

use super::names::NameRef;
use super::pages::{NONE, array, read_i64, read_u32, write};
use crate::journal::entry::Replication;
use crate::types::{InodeId, PersistenceState, TtlAction};

/// Bytes of a record.
pub(super) const INODE_BYTES: usize = 88;

/// A file or a directory. Its name, owner and group are told by `InodeTree`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inode {
    /// Its id.
    pub id: InodeId,
    /// The directory that holds it, `InodeId::NONE` for the root.
    pub parent: InodeId,
    /// What it is.
    pub kind: InodeKind,
    /// When it was created.
    pub creation_time_ms: i64,
    /// When its content, or its set of children, changed last.
    pub modification_time_ms: i64,
    /// When it was read last.
    pub access_time_ms: i64,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// Permission bits.
    pub mode: u16,
    /// Whether it is in the UFS.
    pub persistence: PersistenceState,
    /// Whether its blocks must stay.
    pub pinned: bool,
    /// Which content of the UFS was loaded, when length and time tell; of files only.
    pub(super) content: Option<Content>,
    /// Whether there is something of it in `Extras`.
    pub(super) has_extras: bool,
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) name: NameRef,
    /// Where its record is.
    pub(super) slot: u32,
}

/// A content that length and time tell from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// Bytes.
    pub(super) length: i64,
    /// Milliseconds since 1970 UTC.
    pub(super) modification_time_ms: i64,
}

/// What files and directories do not have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InodeKind {
    /// A directory.
    Directory {
        /// How many children it has.
        children: u64,
        /// Whether another UFS begins here.
        mount_point: bool,
        /// Whether all its children in the UFS are known.
        direct_children_loaded: bool,
    },
    /// A file.
    File {
        /// Bytes.
        length: i64,
        /// Bytes of every block but the last.
        block_size_bytes: i64,
        /// How many blocks it has: the first of its container.
        blocks: u32,
        /// False while it is being written.
        completed: bool,
        /// Whether reads may leave copies in Alluxio.
        cacheable: bool,
        /// Copies wished.
        replication: Replication,
    },
}

impl Inode {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, InodeKind::Directory { .. })
    }

    /// How many children it has; none when it is a file.
    pub fn children(&self) -> u64 {
        match self.kind {
            InodeKind::Directory { children, .. } => children,
            InodeKind::File { .. } => 0,
        }
    }

    /// Whether it has more than `InodeTree::get` tells: see `InodeTree::extras`. False for nearly all.
    pub fn has_extras(&self) -> bool {
        self.has_extras
    }

    /// The content that its own length and modification time tell: most often that which was loaded.
    pub(super) fn own_content(&self) -> Option<Content> {
        let InodeKind::File { length, .. } = self.kind else { return None };
        Some(Content { length, modification_time_ms: self.modification_time_ms })
    }

    /// The name of an inode that has not been inserted.
    pub(super) const NO_NAME: NameRef = NameRef { slot: NONE, length: 0 };

    /// The slot of an inode that has not been inserted.
    pub(super) const NO_SLOT: u32 = NONE;

    /// Whether it is a directory all of whose children in the UFS are known.
    pub fn has_children_loaded(&self) -> bool {
        matches!(self.kind, InodeKind::Directory { direct_children_loaded: true, .. })
    }

    /// Counts children that came or went.
    pub(super) fn count_children(&mut self, more: i64) {
        if let InodeKind::Directory { children, .. } = &mut self.kind {
            *children = children.checked_add_signed(more).expect("no more children go than came");
        }
    }

    /// Lets modification and access time rise to this time.
    pub(super) fn raise_times(&mut self, time_ms: i64) {
        self.modification_time_ms = self.modification_time_ms.max(time_ms);
        self.access_time_ms = self.access_time_ms.max(time_ms);
    }

    // Compatible: 2.9 replay of update_inode: a pinned file has at least one copy, one that is let go none.
    pub(super) fn pin(&mut self, pinned: bool) {
        self.pinned = pinned;
        if let InodeKind::File { replication, .. } = &mut self.kind {
            if !pinned {
                replication.min = 0;
            } else {
                replication.min = replication.min.max(1);
                if replication.max == 0 {
                    replication.max = -1;
                }
            }
        }
    }
}

/// A record as it lies in its slot: the replication of few files is not the usual one, and stands elsewhere.
pub(super) struct Record {
    pub(super) inode: Inode,
    pub(super) replication_elsewhere: bool,
    /// The content that was loaded is not that which length and time of the inode tell, and stands elsewhere, too.
    pub(super) content_elsewhere: bool,
}

const DIRECTORY: u16 = 1;
const PINNED: u16 = 1 << 1;
const MOUNT_POINT: u16 = 1 << 2;
const CHILDREN_LOADED: u16 = 1 << 3;
const COMPLETED: u16 = 1 << 4;
const CACHEABLE: u16 = 1 << 5;
const REPLICATION_ELSEWHERE: u16 = 1 << 6;
const HAS_EXTRAS: u16 = 1 << 7;
const PERSISTENCE_SHIFT: u16 = 8;
const TTL_ACTION_SHIFT: u16 = 10;
const CONTENT_IS_OWN: u16 = 1 << 12;
const CONTENT_ELSEWHERE: u16 = 1 << 13;

const PERSISTENCE: [PersistenceState; 4] = [
    PersistenceState::NotPersisted,
    PersistenceState::ToBePersisted,
    PersistenceState::Persisted,
    PersistenceState::Lost,
];
const TTL_ACTIONS: [TtlAction; 3] = [TtlAction::Delete, TtlAction::Free, TtlAction::DeleteAlluxio];

/// The id in a record, without reading the rest.
pub(super) fn id_in(record: &[u8]) -> InodeId {
    InodeId(read_i64(record, 0))
}

/// The place of the name in a record, without reading the rest.
pub(super) fn name_in(record: &[u8]) -> NameRef {
    NameRef { slot: read_u32(record, 76), length: u16::from_le_bytes(array(record, 80)) }
}

/// Whether the replication stands elsewhere, without reading the rest.
pub(super) fn replication_is_elsewhere_in(record: &[u8]) -> bool {
    u16::from_le_bytes(array(record, 74)) & REPLICATION_ELSEWHERE != 0
}

/// Whether the content that was loaded stands elsewhere, without reading the rest.
pub(super) fn content_is_elsewhere_in(record: &[u8]) -> bool {
    u16::from_le_bytes(array(record, 74)) & CONTENT_ELSEWHERE != 0
}

impl Record {
    /// The record in the bytes of that slot; none when a field cannot be.
    pub(super) fn decode(slot: u32, bytes: &[u8]) -> Option<Record> {
        let bytes: &[u8; INODE_BYTES] = bytes.first_chunk()?;
        let flags = u16::from_le_bytes(array(bytes, 74));
        let is = |flag: u16| flags & flag != 0;
        let (replication_elsewhere, content_elsewhere) = (is(REPLICATION_ELSEWHERE), is(CONTENT_ELSEWHERE));
        let kind = if is(DIRECTORY) {
            InodeKind::Directory {
                children: u64::from_le_bytes(array(bytes, 16)),
                mount_point: is(MOUNT_POINT),
                direct_children_loaded: is(CHILDREN_LOADED),
            }
        } else {
            InodeKind::File {
                length: read_i64(bytes, 16),
                block_size_bytes: read_i64(bytes, 56),
                blocks: read_u32(bytes, 84),
                completed: is(COMPLETED),
                cacheable: is(CACHEABLE),
                replication: Replication::USUAL,
            }
        };
        let mut inode = Inode {
            id: id_in(bytes),
            parent: InodeId(read_i64(bytes, 8)),
            kind,
            creation_time_ms: read_i64(bytes, 24),
            modification_time_ms: read_i64(bytes, 32),
            access_time_ms: read_i64(bytes, 40),
            ttl_ms: read_i64(bytes, 48),
            ttl_action: *TTL_ACTIONS.get(usize::from(flags >> TTL_ACTION_SHIFT & 3))?,
            mode: u16::from_le_bytes(array(bytes, 72)),
            persistence: PERSISTENCE[usize::from(flags >> PERSISTENCE_SHIFT & 3)],
            pinned: is(PINNED),
            content: None,
            has_extras: is(HAS_EXTRAS),
            owner: read_u32(bytes, 64),
            group: read_u32(bytes, 68),
            name: name_in(bytes),
            slot,
        };
        if is(CONTENT_IS_OWN) {
            inode.content = Some(inode.own_content()?);
        }
        if inode.is_directory() && content_elsewhere {
            return None;
        }
        Some(Record { inode, replication_elsewhere, content_elsewhere })
    }

    /// Writes the record.
    pub(super) fn encode(&self, bytes: &mut [u8]) {
        let inode = &self.inode;
        let position = |found: Option<usize>| found.expect("the table has every value") as u16;
        let mut flags = position(PERSISTENCE.iter().position(|s| *s == inode.persistence)) << PERSISTENCE_SHIFT
            | position(TTL_ACTIONS.iter().position(|a| *a == inode.ttl_action)) << TTL_ACTION_SHIFT;
        let mut set = |flag: u16, on: bool| flags |= if on { flag } else { 0 };
        set(PINNED, inode.pinned);
        set(REPLICATION_ELSEWHERE, self.replication_elsewhere);
        set(HAS_EXTRAS, inode.has_extras);
        set(CONTENT_ELSEWHERE, self.content_elsewhere);
        set(CONTENT_IS_OWN, inode.content.is_some() && !self.content_elsewhere);
        let (size, block_size, blocks) = match inode.kind {
            InodeKind::Directory { children, mount_point, direct_children_loaded } => {
                set(DIRECTORY, true);
                set(MOUNT_POINT, mount_point);
                set(CHILDREN_LOADED, direct_children_loaded);
                (children.to_le_bytes(), 0, 0)
            }
            InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication: _ } => {
                set(COMPLETED, completed);
                set(CACHEABLE, cacheable);
                (length.to_le_bytes(), block_size_bytes, blocks)
            }
        };
        write(bytes, 0, &inode.id.0.to_le_bytes());
        write(bytes, 8, &inode.parent.0.to_le_bytes());
        write(bytes, 16, &size);
        write(bytes, 24, &inode.creation_time_ms.to_le_bytes());
        write(bytes, 32, &inode.modification_time_ms.to_le_bytes());
        write(bytes, 40, &inode.access_time_ms.to_le_bytes());
        write(bytes, 48, &inode.ttl_ms.to_le_bytes());
        write(bytes, 56, &block_size.to_le_bytes());
        write(bytes, 64, &inode.owner.to_le_bytes());
        write(bytes, 68, &inode.group.to_le_bytes());
        write(bytes, 72, &inode.mode.to_le_bytes());
        write(bytes, 74, &flags.to_le_bytes());
        write(bytes, 76, &inode.name.slot.to_le_bytes());
        write(bytes, 80, &inode.name.length.to_le_bytes());
        write(bytes, 82, &[0, 0]);
        write(bytes, 84, &blocks.to_le_bytes());
    }
}
