//! Pure. Where a block goes, and which blocks go for it.
//!
//! Directories are numbered from the top tier down. Free room is taken before anything is evicted, even when it is in
//! a lower tier: a block that was read may be read again. What is evicted is the least recently used.

use crate::types::BlockId;

/// How full a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Number of its tier, 0 at the top.
    pub tier: usize,
    /// Bytes that may lie in it.
    pub capacity: u64,
    /// Bytes that lie in it or are promised to blocks that are being written.
    pub used: u64,
}

/// A block that may be evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The block.
    pub block: BlockId,
    /// Its length.
    pub bytes: u64,
    /// When it was used last; a larger number is later.
    pub used_at: u64,
}

/// What to do for a new block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Number of the directory that it goes to.
    pub directory: usize,
    /// Blocks of that directory to evict first.
    pub evict: Vec<BlockId>,
}

impl Fill {
    fn free(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }
}

/// A place for `bytes`. `candidates` tells what may be evicted from a directory, least recently used first.
pub fn place<C: Iterator<Item = Candidate>>(
    directories: &[Fill],
    bytes: u64,
    candidates: impl Fn(usize) -> C,
) -> Option<Placement> {
    let tiers = directories.iter().map(|fill| fill.tier).max()? + 1;
    let of_tier = |tier: usize| directories.iter().enumerate().filter(move |(_, fill)| fill.tier == tier);
    for tier in 0..tiers {
        // Of several with room the emptiest; of equal ones the first.
        let roomy = of_tier(tier).filter(|(_, fill)| fill.free() >= bytes);
        if let Some((directory, _)) = roomy.rev().max_by_key(|(_, fill)| fill.free()) {
            return Some(Placement { directory, evict: Vec::new() });
        }
    }
    (0..tiers).find_map(|tier| {
        let plans = of_tier(tier).filter_map(|(directory, fill)| {
            let (evict, newest) = eviction(fill, bytes, candidates(directory))?;
            Some((newest, Placement { directory, evict }))
        });
        plans.min_by_key(|(newest, _)| *newest).map(|(_, placement)| placement)
    })
}

/// What to evict from a directory so that `bytes` more fit in; nothing if they fit already.
pub fn make_room(fill: &Fill, bytes: u64, candidates: impl Iterator<Item = Candidate>) -> Option<Vec<BlockId>> {
    eviction(fill, bytes, candidates).map(|(evict, _)| evict)
}

/// The blocks, and when the last of them was used.
fn eviction(fill: &Fill, bytes: u64, candidates: impl Iterator<Item = Candidate>) -> Option<(Vec<BlockId>, u64)> {
    if bytes > fill.capacity {
        return None;
    }
    // More may be used than there is room for: a local writer is not kept from writing more than it asked for.
    let mut missing = fill.used.saturating_add(bytes).saturating_sub(fill.capacity);
    let (mut evict, mut newest) = (Vec::new(), 0);
    for candidate in candidates {
        if missing == 0 {
            break;
        }
        missing = missing.saturating_sub(candidate.bytes);
        evict.push(candidate.block);
        newest = newest.max(candidate.used_at);
    }
    (missing == 0).then_some((evict, newest))
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Fill, Placement, make_room, place};
    use crate::types::BlockId;

    fn fill(tier: usize, capacity: u64, used: u64) -> Fill {
        Fill { tier, capacity, used }
    }

    /// Blocks of 10 bytes, used at these times; the id is the time.
    fn blocks(times: &[u64]) -> std::vec::IntoIter<Candidate> {
        let candidate = |time: &u64| Candidate { block: BlockId(*time as i64), bytes: 10, used_at: *time };
        times.iter().map(candidate).collect::<Vec<_>>().into_iter()
    }

    fn placed(directory: usize, evict: &[i64]) -> Option<Placement> {
        Some(Placement { directory, evict: evict.iter().map(|id| BlockId(*id)).collect() })
    }

    #[test]
    fn the_emptiest_directory_of_the_highest_tier_with_room_is_taken() {
        let directories = [fill(0, 100, 95), fill(0, 100, 50), fill(0, 100, 20), fill(1, 1000, 0)];
        assert_eq!(place(&directories, 60, |_| blocks(&[])), placed(2, &[]));
        assert_eq!(place(&directories, 90, |_| blocks(&[])), placed(3, &[]));
        assert_eq!(place(&directories[..1], 5, |_| blocks(&[])), placed(0, &[]));
    }

    #[test]
    fn room_below_is_taken_before_anything_is_evicted() {
        let directories = [fill(0, 100, 100), fill(1, 100, 0)];
        assert_eq!(place(&directories, 10, |_| blocks(&[1, 2])), placed(1, &[]));
    }

    #[test]
    fn the_least_recently_used_go_and_no_more_than_must() {
        let directories = [fill(0, 100, 100)];
        assert_eq!(place(&directories, 15, |_| blocks(&[3, 5, 8])), placed(0, &[3, 5]));
        assert_eq!(place(&directories, 31, |_| blocks(&[3, 5, 8])), None);
        assert_eq!(place(&directories, 101, |_| blocks(&[1; 20])), None);
    }

    #[test]
    fn of_two_directories_the_one_with_the_older_blocks_gives_way() {
        let directories = [fill(0, 100, 100), fill(0, 100, 100)];
        let candidates = |directory| if directory == 0 { blocks(&[1, 9]) } else { blocks(&[4, 5]) };
        assert_eq!(place(&directories, 20, candidates), placed(1, &[4, 5]));
        assert_eq!(place(&directories, 10, candidates), placed(0, &[1]));
    }

    #[test]
    fn a_block_grows_where_it_is() {
        assert_eq!(make_room(&fill(0, 100, 60), 40, blocks(&[1])), Some(Vec::new()));
        assert_eq!(make_room(&fill(0, 100, 60), 41, blocks(&[1])), Some(vec![BlockId(1)]));
        assert_eq!(make_room(&fill(0, 100, 60), 60, blocks(&[1])), None);
    }

    #[test]
    fn what_is_too_full_is_emptied_first() {
        assert_eq!(make_room(&fill(0, 100, 115), 5, blocks(&[1, 2, 3])), Some(vec![BlockId(1), BlockId(2)]));
    }
}
