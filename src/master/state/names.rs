//! The names of inodes, each once, in slots of the next larger size.

use super::pages::Pages;
use super::slots::{Slots, SlotsHeader};

/// Longest name of a file or directory. Longer than any file system below allows, and far within a page.
pub const NAME_BYTES_MAX: usize = 4096;

/// The sizes of slots. The size of a name's slot follows from its length, so a reference is slot and length.
const SLOT_BYTES: [usize; 14] = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, NAME_BYTES_MAX];

/// Where a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameRef {
    pub(super) slot: u32,
    pub(super) length: u16,
}

#[derive(Debug, Clone)]
pub(super) struct Names {
    by_size: Vec<Slots>,
}

impl Names {
    pub(super) fn new() -> Names {
        Names { by_size: SLOT_BYTES.into_iter().map(Slots::new).collect() }
    }

    /// The names of a checkpoint, from one header and pages per size; none when they do not fit.
    pub(super) fn restore(parts: Vec<(SlotsHeader, Pages)>) -> Option<Names> {
        if parts.len() != SLOT_BYTES.len() {
            return None;
        }
        let slots =
            SLOT_BYTES.into_iter().zip(parts).map(|(bytes, (header, pages))| Slots::restore(bytes, header, pages));
        Some(Names { by_size: slots.collect::<Option<_>>()? })
    }

    /// Headers and pages, for a checkpoint.
    pub(super) fn parts(&self) -> impl Iterator<Item = (SlotsHeader, &Pages)> {
        self.by_size.iter().map(Slots::parts)
    }

    /// Keeps a name, which is no longer than `NAME_BYTES_MAX`.
    pub(super) fn add(&mut self, name: &str) -> NameRef {
        let slots = &mut self.by_size[size_of(name.len())];
        let slot = slots.take();
        slots.get_mut(slot)[..name.len()].copy_from_slice(name.as_bytes());
        NameRef { slot, length: name.len() as u16 }
    }

    pub(super) fn remove(&mut self, name: NameRef) {
        self.by_size[size_of(usize::from(name.length))].give_back(name.slot);
    }

    pub(super) fn get(&self, name: NameRef) -> &[u8] {
        let length = usize::from(name.length);
        &self.by_size[size_of(length)].get(name.slot)[..length]
    }

    /// Whether the reference can be followed, and leads to text.
    pub(super) fn is_sound(&self, name: NameRef) -> bool {
        let length = usize::from(name.length);
        length <= NAME_BYTES_MAX
            && self.by_size[size_of(length)].is_known(name.slot)
            && std::str::from_utf8(self.get(name)).is_ok()
    }

    /// How many names there are.
    pub(super) fn live(&self) -> u64 {
        self.by_size.iter().map(|slots| u64::from(slots.live())).sum()
    }

    /// Whether all free lists are sound.
    pub(super) fn free_lists_are_sound(&self) -> bool {
        self.by_size.iter().all(|slots| {
            let end = slots.parts().0.end;
            slots.free_count().is_some_and(|free| free + slots.live() == end)
        })
    }
}

fn size_of(length: usize) -> usize {
    SLOT_BYTES.partition_point(|bytes| *bytes < length)
}
