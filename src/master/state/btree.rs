//! Entries of one size in order, on copy-on-write pages.
//!
//! A page is a node: level (1 byte, 0 for a leaf), an unused byte, count (2), four unused bytes (the next free page
//! when the node is free), then the entries. In an inner node each entry is followed by the number of a child.
//!
//! Invariant: an inner entry repeats exactly the first entry of its child. So every entry that a search compares with
//! is one that is in the tree, and an order may look at what an entry refers to (a name in a slot) without fear.
//!
//! The order is given with every call, as a function that tells how an entry stands to what is sought.

use super::pages::{NONE, PAGE_BYTES, Pages, read_u32, write};
use std::cmp::Ordering;

const HEADER_BYTES: usize = 8;
/// Room for the longest entry and a child.
const ROW_BYTES_MAX: usize = 72;
/// More levels than 2^64 entries need.
const LEVELS_MAX: usize = 12;

/// What a checkpoint keeps of a tree beside its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TreeHeader {
    /// Page of the uppermost node; none when the tree is empty.
    pub(super) root: u32,
    /// First of the list of free pages.
    pub(super) free: u32,
    /// How many entries there are.
    pub(super) len: u64,
}

/// A tree of entries of `E` bytes.
#[derive(Debug, Clone)]
pub(super) struct Tree<const E: usize> {
    pages: Pages,
    header: TreeHeader,
}

/// The way from the root to an entry: page and index at every level, the leaf last.
struct Way {
    steps: [(u32, usize); LEVELS_MAX],
    depth: usize,
}

impl<const E: usize> Tree<E> {
    /// An empty tree.
    pub(super) fn new() -> Tree<E> {
        const { assert!(E + 4 <= ROW_BYTES_MAX) };
        Tree { pages: Pages::default(), header: TreeHeader { root: NONE, free: NONE, len: 0 } }
    }

    /// The tree of a checkpoint; `verify` tells whether it is one.
    pub(super) fn restore(header: TreeHeader, pages: Pages) -> Tree<E> {
        Tree { pages, header }
    }

    /// Its header and pages, for a checkpoint.
    pub(super) fn parts(&self) -> (TreeHeader, &Pages) {
        (self.header, &self.pages)
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> u64 {
        self.header.len
    }

    /// The entry that `order` finds equal.
    pub(super) fn find(&self, order: impl Fn(&[u8; E]) -> Ordering) -> Option<&[u8; E]> {
        let way = self.way_to(&order)?;
        let (page, index) = way.leaf();
        let node = self.node(page);
        (index < node.count()).then(|| node.entry(index)).filter(|entry| order(entry).is_eq())
    }

    /// The entries that `order` finds equal or greater, in order.
    pub(super) fn iter_from(&self, order: impl Fn(&[u8; E]) -> Ordering) -> Iter<'_, E> {
        Iter { tree: self, way: self.way_to(&order) }
    }

    /// All entries in order.
    pub(super) fn iter(&self) -> Iter<'_, E> {
        self.iter_from(|_| Ordering::Greater)
    }

    /// Adds an entry at the place that `order` gives it. False when an equal one is there, which stays.
    pub(super) fn insert(&mut self, entry: &[u8; E], order: impl Fn(&[u8; E]) -> Ordering) -> bool {
        let Some(way) = self.way_to(&order) else {
            let root = self.take_page(0);
            self.header.root = root;
            self.insert_row(root, 0, entry);
            self.header.len = 1;
            return true;
        };
        let (leaf, index) = way.leaf();
        let node = self.node(leaf);
        if index < node.count() && order(node.entry(index)).is_eq() {
            return false;
        }
        self.insert_at(&way, entry);
        self.header.len += 1;
        true
    }

    /// Takes the entry away that `order` finds equal, and gives it.
    pub(super) fn remove(&mut self, order: impl Fn(&[u8; E]) -> Ordering) -> Option<[u8; E]> {
        let way = self.way_to(&order)?;
        let (leaf, index) = way.leaf();
        let node = self.node(leaf);
        if index >= node.count() || !order(node.entry(index)).is_eq() {
            return None;
        }
        let removed = *node.entry(index);
        self.remove_row(leaf, index);
        self.header.len -= 1;
        self.mend(&way);
        Some(removed)
    }

    /// Walks down to the first entry that is not less; in inner nodes to the last child that begins not greater.
    fn way_to(&self, order: &impl Fn(&[u8; E]) -> Ordering) -> Option<Way> {
        let mut page = self.header.root;
        if page == NONE {
            return None;
        }
        let mut way = Way { steps: [(NONE, 0); LEVELS_MAX], depth: 0 };
        loop {
            let node = self.node(page);
            if node.is_leaf() {
                way.push(page, node.partition_point(|entry| order(entry).is_lt()));
                return Some(way);
            }
            let index = node.partition_point(|entry| order(entry).is_le()).saturating_sub(1);
            way.push(page, index);
            page = node.child(index);
        }
    }

    /// Puts an entry where the way ends, and splits nodes that have no room, from the leaf up.
    fn insert_at(&mut self, way: &Way, entry: &[u8; E]) {
        let mut row = [0; ROW_BYTES_MAX];
        row[..E].copy_from_slice(entry);
        let mut level = way.depth - 1;
        let (mut page, mut index) = way.steps[level];
        loop {
            let row_bytes = self.node(page).row_bytes();
            let Some(right) = self.insert_or_split(page, index, &row[..row_bytes]) else {
                self.repeat_first(way, level);
                return;
            };
            row[..E].copy_from_slice(self.node(right).entry(0));
            write(&mut row, E, &right.to_le_bytes());
            if level == 0 {
                self.grow(page, &row[..E + 4]);
                return;
            }
            self.repeat_first(way, level);
            level -= 1;
            (page, index) = way.steps[level];
            index += 1;
        }
    }

    /// A new root above the old one and its new right neighbour.
    fn grow(&mut self, old_root: u32, right: &[u8]) {
        let mut left = [0; ROW_BYTES_MAX];
        let node = self.node(old_root);
        let above = node.level() + 1;
        left[..E].copy_from_slice(node.entry(0));
        write(&mut left, E, &old_root.to_le_bytes());
        let root = self.take_page(above);
        self.insert_row(root, 0, &left[..E + 4]);
        self.insert_row(root, 1, right);
        self.header.root = root;
    }

    /// Puts a row into a node; a full one is split and the new right neighbour given. At the end of a full node the
    /// row goes alone to the neighbour, so that what arrives in order fills its pages.
    fn insert_or_split(&mut self, page: u32, index: usize, row: &[u8]) -> Option<u32> {
        let node = self.node(page);
        let (count, level) = (node.count(), node.level());
        if count < node.capacity() {
            self.insert_row(page, index, row);
            return None;
        }
        let right = self.take_page(level);
        let middle = if index == count { count } else { count / 2 };
        self.move_rows(page, middle, right, 0);
        if index > middle || index == count {
            self.insert_row(right, index - middle, row);
        } else {
            self.insert_row(page, index, row);
        }
        Some(right)
    }

    /// After a removal: takes empty nodes away, merges small ones, repeats first entries, from the leaf up.
    fn mend(&mut self, way: &Way) {
        for level in (0..way.depth).rev() {
            let (page, _) = way.steps[level];
            let count = self.node(page).count();
            if level == 0 {
                self.shrink();
            } else if count == 0 {
                self.free_page(page);
                let (above, index) = way.steps[level - 1];
                self.remove_row(above, index);
            } else {
                self.repeat_first(way, level);
                if count < self.node(page).capacity() / 4 {
                    self.merge_with_neighbour(way.steps[level - 1]);
                }
            }
        }
    }

    /// Takes uppermost nodes away that do not divide anything.
    fn shrink(&mut self) {
        loop {
            let root = self.header.root;
            let node = self.node(root);
            match (node.count(), node.is_leaf()) {
                (0, _) => self.header.root = NONE,
                (1, false) => self.header.root = node.child(0),
                _ => return,
            }
            self.free_page(root);
            if self.header.root == NONE {
                return;
            }
        }
    }

    /// Merges a child with the one beside it when both fill no more than three quarters of a page.
    fn merge_with_neighbour(&mut self, (above, index): (u32, usize)) {
        let parent = self.node(above);
        for left in [Some(index), index.checked_sub(1)].into_iter().flatten() {
            if left + 1 >= parent.count() {
                continue;
            }
            let (a, b) = (parent.child(left), parent.child(left + 1));
            let together = self.node(a).count() + self.node(b).count();
            if together <= self.node(a).capacity() / 4 * 3 {
                let end = self.node(a).count();
                self.move_rows(b, 0, a, end);
                self.free_page(b);
                self.remove_row(above, left + 1);
                return;
            }
        }
    }

    /// Writes the first entry of the node at `level` of the way into the entries above that repeat it.
    fn repeat_first(&mut self, way: &Way, level: usize) {
        for level in (1..=level).rev() {
            let first = *self.node(way.steps[level].0).entry(0);
            let (above, index) = way.steps[level - 1];
            if *self.node(above).entry(index) == first {
                return;
            }
            let at = HEADER_BYTES + index * (E + 4);
            write(self.pages.get_mut(above), at, &first);
            if index > 0 {
                return;
            }
        }
    }

    fn insert_row(&mut self, page: u32, index: usize, row: &[u8]) {
        let count = self.node(page).count();
        let bytes = self.pages.get_mut(page);
        let (start, end) = (HEADER_BYTES + index * row.len(), HEADER_BYTES + count * row.len());
        bytes.copy_within(start..end, start + row.len());
        write(bytes, start, row);
        set_count(bytes, count + 1);
    }

    fn remove_row(&mut self, page: u32, index: usize) {
        let node = self.node(page);
        let (count, row_bytes) = (node.count(), node.row_bytes());
        let bytes = self.pages.get_mut(page);
        let (start, end) = (HEADER_BYTES + index * row_bytes, HEADER_BYTES + count * row_bytes);
        bytes.copy_within(start + row_bytes..end, start);
        set_count(bytes, count - 1);
    }

    /// Moves the rows of `from` that begin at `first` to `to`, where they begin at `at`, the end of what is there.
    fn move_rows(&mut self, from: u32, first: usize, to: u32, at: usize) {
        let node = self.node(from);
        let (count, row_bytes) = (node.count(), node.row_bytes());
        let mut moved = [0; PAGE_BYTES];
        let length = (count - first) * row_bytes;
        moved[..length].copy_from_slice(&node.0[HEADER_BYTES + first * row_bytes..][..length]);
        let bytes = self.pages.get_mut(to);
        write(bytes, HEADER_BYTES + at * row_bytes, &moved[..length]);
        set_count(bytes, at + count - first);
        set_count(self.pages.get_mut(from), first);
    }

    fn take_page(&mut self, level: u8) -> u32 {
        let page = if self.header.free == NONE {
            self.pages.push()
        } else {
            let page = self.header.free;
            self.header.free = read_u32(self.pages.get(page), 4);
            page
        };
        self.pages.get_mut(page)[..HEADER_BYTES].copy_from_slice(&[level, 0, 0, 0, 0, 0, 0, 0]);
        page
    }

    fn free_page(&mut self, page: u32) {
        let next = self.header.free.to_le_bytes();
        let bytes = self.pages.get_mut(page);
        set_count(bytes, 0);
        write(bytes, 4, &next);
        self.header.free = page;
    }

    fn node(&self, page: u32) -> Node<'_, E> {
        Node(self.pages.get(page))
    }
}

impl Way {
    fn push(&mut self, page: u32, index: usize) {
        self.steps[self.depth] = (page, index);
        self.depth += 1;
    }

    fn leaf(&self) -> (u32, usize) {
        self.steps[self.depth - 1]
    }
}

fn set_count(bytes: &mut [u8; PAGE_BYTES], count: usize) {
    write(bytes, 2, &(count as u16).to_le_bytes());
}

#[derive(Clone, Copy)]
struct Node<'a, const E: usize>(&'a [u8; PAGE_BYTES]);

impl<'a, const E: usize> Node<'a, E> {
    fn level(self) -> u8 {
        self.0[0]
    }

    fn is_leaf(self) -> bool {
        self.level() == 0
    }

    fn count(self) -> usize {
        usize::from(u16::from_le_bytes([self.0[2], self.0[3]]))
    }

    fn row_bytes(self) -> usize {
        if self.is_leaf() { E } else { E + 4 }
    }

    fn capacity(self) -> usize {
        (PAGE_BYTES - HEADER_BYTES) / self.row_bytes()
    }

    fn entry(self, index: usize) -> &'a [u8; E] {
        self.0[HEADER_BYTES + index * self.row_bytes()..].first_chunk().expect("an entry lies within its page")
    }

    fn child(self, index: usize) -> u32 {
        read_u32(self.0, HEADER_BYTES + index * (E + 4) + E)
    }

    fn partition_point(self, before: impl Fn(&[u8; E]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = (low + high) / 2;
            if before(self.entry(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// Entries in order.
pub(super) struct Iter<'a, const E: usize> {
    tree: &'a Tree<E>,
    way: Option<Way>,
}

impl<'a, const E: usize> Iterator for Iter<'a, E> {
    type Item = &'a [u8; E];

    fn next(&mut self) -> Option<&'a [u8; E]> {
        let way = self.way.as_mut()?;
        // Up to the first node that has a further row, then down its first rows.
        while way.depth > 0 {
            let (page, index) = way.leaf();
            let node = self.tree.node(page);
            if index < node.count() {
                if node.is_leaf() {
                    way.steps[way.depth - 1].1 += 1;
                    return Some(node.entry(index));
                }
                way.push(node.child(index), 0);
            } else {
                way.depth -= 1;
                if way.depth > 0 {
                    way.steps[way.depth - 1].1 += 1;
                }
            }
        }
        self.way = None;
        None
    }
}

impl<const E: usize> Tree<E> {
    /// Checks that this is a tree in `order` and that every page is in it or free; says what does not fit.
    pub(super) fn verify(&self, order: impl Fn(&[u8; E], &[u8; E]) -> Ordering) -> Result<(), String> {
        let mut seen = vec![false; self.pages.count() as usize];
        let mut free = self.header.free;
        while free != NONE {
            mark(&mut seen, free)?;
            free = read_u32(self.pages.get(free), 4);
        }
        let mut entries = 0;
        if self.header.root != NONE {
            mark(&mut seen, self.header.root)?;
            let level = self.node(self.header.root).level();
            if usize::from(level) >= LEVELS_MAX {
                return Err(format!("{level} levels"));
            }
            entries = self.verify_node(self.header.root, &order, &mut seen)?;
        }
        if let Some(page) = seen.iter().position(|seen| !seen) {
            return Err(format!("page {page} is neither used nor free"));
        }
        if entries != self.header.len {
            return Err(format!("{entries} entries, {} are announced", self.header.len));
        }
        Ok(())
    }

    fn verify_node(
        &self,
        page: u32,
        order: &impl Fn(&[u8; E], &[u8; E]) -> Ordering,
        seen: &mut [bool],
    ) -> Result<u64, String> {
        let node = self.node(page);
        let count = node.count();
        if count == 0 || count > node.capacity() {
            return Err(format!("page {page} has {count} entries"));
        }
        if let Some(index) = (1..count).find(|i| !order(node.entry(i - 1), node.entry(*i)).is_lt()) {
            return Err(format!("page {page}: entry {index} is out of order"));
        }
        if node.is_leaf() {
            return Ok(count as u64);
        }
        let mut entries = 0;
        for index in 0..count {
            let child = node.child(index);
            mark(seen, child)?;
            if self.node(child).level() != node.level() - 1 {
                return Err(format!("page {child} is not one level below page {page}"));
            }
            entries += self.verify_node(child, order, seen)?;
            if self.node(child).entry(0) != node.entry(index) {
                return Err(format!("page {page}: entry {index} is not the first of its child"));
            }
            let last = self.node(child).entry(self.node(child).count() - 1);
            if index + 1 < count && !order(last, node.entry(index + 1)).is_lt() {
                return Err(format!("page {child} reaches into its right neighbour"));
            }
        }
        Ok(entries)
    }
}

fn mark(seen: &mut [bool], page: u32) -> Result<(), String> {
    match seen.get_mut(page as usize) {
        Some(seen) if !*seen => {
            *seen = true;
            Ok(())
        }
        Some(_) => Err(format!("page {page} is used twice")),
        None => Err(format!("there is no page {page}")),
    }
}

#[cfg(test)]
#[path = "btree_tests.rs"]
mod tests;
