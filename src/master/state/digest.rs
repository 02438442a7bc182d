//! One number for the whole logical content, to compare masters. Pages, slots and numbers of users do not count.

use super::extras;
use super::{InodeKind, MasterState};
use crate::journal::entry::Replication;
use xxhash_rust::xxh3::Xxh3;

impl MasterState {
    /// Equal for equal states, however they came about; reads everything.
    pub fn digest(&self) -> u64 {
        let mut hash = Xxh3::new();
        self.add_inodes(&mut hash);
        for (id, length) in self.blocks.iter() {
            add_numbers(&mut hash, &[id.0, length]);
        }
        let (container, sequence) = self.ids.directories.unwrap_or((-1, -1));
        add_numbers(&mut hash, &[self.ids.next_container, self.ids.reserved_containers, container, sequence]);
        for answered in self.retries.iter() {
            add_numbers(&mut hash, &[answered.operation as i64, answered.inode.0, answered.op_time_ms]);
            for number in [answered.operation_id.high, answered.operation_id.low, answered.arguments] {
                hash.update(&number.to_le_bytes());
            }
        }
        for id in self.unlinked.iter() {
            add_numbers(&mut hash, &[id.0]);
        }
        hash.update(&self.small_entries());
        add_text(&mut hash, self.cluster_id.as_deref().unwrap_or(""));
        add_numbers(&mut hash, &[self.last_time.0]);
        hash.digest()
    }

    fn add_inodes(&self, hash: &mut Xxh3) {
        for inode in self.inodes.iter() {
            add_text(hash, self.inodes.name(&inode));
            add_text(hash, self.inodes.owner(&inode));
            add_text(hash, self.inodes.group(&inode));
            let common = [
                inode.id.0,
                inode.parent.0,
                inode.creation_time_ms,
                inode.modification_time_ms,
                inode.access_time_ms,
                inode.ttl_ms,
                inode.ttl_action as i64,
                i64::from(inode.mode),
                inode.persistence as i64,
                i64::from(inode.pinned),
            ];
            add_numbers(hash, &common);
            if inode.has_extras() || inode.content.is_some() {
                let extras = self.inodes.extras(&inode);
                add_text(hash, &extras.content_hash.text().unwrap_or_default());
                hash.update(&extras::encode(&extras));
            }
            match inode.kind {
                InodeKind::Directory { children, mount_point, direct_children_loaded } => {
                    let loaded = i64::from(direct_children_loaded);
                    add_numbers(hash, &[1, children.cast_signed(), i64::from(mount_point), loaded]);
                }
                InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication } => {
                    let Replication { min, max, durable } = replication;
                    let copies = [i64::from(min), i64::from(max), i64::from(durable)];
                    let flags = [i64::from(completed), i64::from(cacheable)];
                    add_numbers(hash, &[0, length, block_size_bytes, i64::from(blocks)]);
                    add_numbers(hash, &flags);
                    add_numbers(hash, &copies);
                }
            }
        }
    }
}

fn add_numbers(hash: &mut Xxh3, numbers: &[i64]) {
    for number in numbers {
        hash.update(&number.to_le_bytes());
    }
}

fn add_text(hash: &mut Xxh3, text: &str) {
    hash.update(&(text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}
