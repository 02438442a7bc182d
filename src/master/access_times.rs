//! When files were last opened and directories last listed: noted as that happens, and journaled a moment later, many at a
//! time (`tasks/access_times.rs`).

use crate::types::InodeId;
use crate::types::time::Millis;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::Duration;

/// Accesses that wait to be journaled; further ones are noted when they are repeated.
const NOTED_MAX: usize = 100_000;

/// What is noted and not journaled yet; of the default nothing.
// Compatible: 2.9.6 AccessTimeUpdater. Different: there a time is told at once, and is journaled within an hour.
#[derive(Debug, Default)]
pub struct AccessTimes {
    precision: Option<Duration>,
    noted: Mutex<BTreeMap<InodeId, Millis>>,
}

impl AccessTimes {
    /// Notes times that are later than those which are kept by more than `precision`; without one, none.
    pub fn new(precision: Option<Duration>) -> AccessTimes {
        AccessTimes { precision, noted: Mutex::default() }
    }

    /// The inode was read `now`; `last_ms` is the time that is kept, in milliseconds since 1970.
    pub fn note(&self, inode: InodeId, last_ms: i64, now: Millis) {
        let Some(precision) = self.precision else { return };
        let is_later = u128::try_from(now.0.saturating_sub(last_ms)).is_ok_and(|later| later > precision.as_millis());
        if !is_later {
            return;
        }
        let mut noted = self.noted.lock();
        if noted.len() < NOTED_MAX || noted.contains_key(&inode) {
            noted.insert(inode, now);
        }
    }

    /// Takes `most` of what was noted.
    pub fn take(&self, most: usize) -> Vec<(InodeId, Millis)> {
        let mut noted = self.noted.lock();
        std::iter::from_fn(|| noted.pop_first()).take(most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_much_later_is_noted_and_the_last_time_counts() {
        let times = AccessTimes::new(Some(Duration::from_millis(100)));
        for (inode, last_ms, now) in [(1, 0, 100), (2, 0, 101), (3, 200, 50), (4, 0, 150), (2, 0, 300)] {
            times.note(InodeId(inode), last_ms, Millis(now));
        }
        assert_eq!(times.take(1), [(InodeId(2), Millis(300))]);
        assert_eq!((times.take(9), times.take(9)), (vec![(InodeId(4), Millis(150))], vec![]));
        let off = AccessTimes::new(None);
        off.note(InodeId(1), 0, Millis(1_000));
        assert!(off.take(9).is_empty());
    }

    #[test]
    fn no_more_wait_than_may() {
        let times = AccessTimes::new(Some(Duration::ZERO));
        (0..=NOTED_MAX as i64).for_each(|inode| times.note(InodeId(inode), 0, Millis(1)));
        times.note(InodeId(0), 0, Millis(2));
        let noted = times.take(usize::MAX);
        assert_eq!((noted.len(), noted[0]), (NOTED_MAX, (InodeId(0), Millis(2))));
    }
}
