//! Numbered slots of one size on pages; freed ones are given out again, the last freed first.

use super::pages::{NONE, PAGE_BYTES, Pages, read_u32, write};

/// What a checkpoint keeps of the slots beside their pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotsHeader {
    /// Slots from here on were never given out.
    pub(super) end: u32,
    /// First of the list of freed slots, which runs through their first four bytes.
    pub(super) free: u32,
    /// How many are in use.
    pub(super) live: u32,
}

/// Slots of `slot_bytes` bytes. A slot does not cross pages.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    pages: Pages,
    slot_bytes: u32,
    header: SlotsHeader,
}

impl Slots {
    /// No slots yet. A slot has at least the four bytes that link it when it is free.
    pub(super) fn new(slot_bytes: usize) -> Slots {
        assert!((4..=PAGE_BYTES).contains(&slot_bytes), "a slot fits in a page");
        let header = SlotsHeader { end: 0, free: NONE, live: 0 };
        Slots { pages: Pages::default(), slot_bytes: slot_bytes as u32, header }
    }

    /// The slots of a checkpoint; nothing when the header cannot be that of these pages.
    pub(super) fn restore(slot_bytes: usize, header: SlotsHeader, pages: Pages) -> Option<Slots> {
        let slots = Slots { pages, header, ..Slots::new(slot_bytes) };
        let per_page = slots.per_page();
        let fits = u64::from(header.end).div_ceil(u64::from(per_page)) == u64::from(slots.pages.count());
        let free_fits = header.free == NONE || header.free < header.end;
        (fits && free_fits && header.live <= header.end).then_some(slots)
    }

    /// Its header and pages, for a checkpoint.
    pub(super) fn parts(&self) -> (SlotsHeader, &Pages) {
        (self.header, &self.pages)
    }

    /// How many slots are in use.
    pub(super) fn live(&self) -> u32 {
        self.header.live
    }

    /// Whether that number was ever given out, and so may be read.
    pub(super) fn is_known(&self, slot: u32) -> bool {
        slot < self.header.end
    }

    /// Takes a slot; its bytes are what was there before.
    pub(super) fn take(&mut self) -> u32 {
        self.header.live += 1;
        if self.header.free != NONE {
            let slot = self.header.free;
            self.header.free = read_u32(self.get(slot), 0);
            return slot;
        }
        let slot = self.header.end;
        assert!(slot < NONE, "fewer than 2^32 slots of {} bytes", self.slot_bytes);
        if slot.is_multiple_of(self.per_page()) {
            self.pages.push();
        }
        self.header.end += 1;
        slot
    }

    /// Gives a slot back.
    pub(super) fn give_back(&mut self, slot: u32) {
        let next = self.header.free.to_le_bytes();
        write(self.get_mut(slot), 0, &next);
        self.header.free = slot;
        self.header.live -= 1;
    }

    /// The bytes of a slot.
    pub(super) fn get(&self, slot: u32) -> &[u8] {
        let (page, start) = self.place(slot);
        &self.pages.get(page)[start..start + self.slot_bytes as usize]
    }

    /// The bytes of a slot, to be written.
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut [u8] {
        let (page, start) = self.place(slot);
        &mut self.pages.get_mut(page)[start..start + self.slot_bytes as usize]
    }

    /// How many slots the free list has; nothing when it leaves the slots or runs in a circle.
    pub(super) fn free_count(&self) -> Option<u32> {
        let (mut count, mut slot) = (0, self.header.free);
        while slot != NONE {
            if slot >= self.header.end || count >= self.header.end {
                return None;
            }
            count += 1;
            slot = read_u32(self.get(slot), 0);
        }
        Some(count)
    }

    fn place(&self, slot: u32) -> (u32, usize) {
        let per_page = self.per_page();
        (slot / per_page, (slot % per_page * self.slot_bytes) as usize)
    }

    fn per_page(&self) -> u32 {
        PAGE_BYTES as u32 / self.slot_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn freed_slots_are_given_out_again() {
        let mut slots = Slots::new(24);
        let taken: Vec<u32> = (0..2_000).map(|_| slots.take()).collect();
        assert_eq!(taken, (0..2_000).collect::<Vec<u32>>());
        for slot in [5, 1_999, 700] {
            slots.give_back(slot);
        }
        assert_eq!((slots.live(), slots.free_count()), (1_997, Some(3)));
        assert_eq!([slots.take(), slots.take(), slots.take(), slots.take()], [700, 1_999, 5, 2_000]);
    }
}
