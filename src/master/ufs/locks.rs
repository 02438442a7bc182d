//! Who may work on which part of the namespace, for operations that also touch a UFS.
//!
//! A lock is on a path and all below it. First come, first served: who waits keeps out those that come later.

use crate::types::AlluxioPath;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Whether others may work on the same part at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// With others that share.
    Shared,
    /// Alone.
    Alone,
}

/// See the module text.
#[derive(Debug, Clone, Default)]
pub(super) struct PathLocks {
    tickets: Arc<Mutex<Tickets>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Tickets {
    next: u64,
    /// Held or waited for, in the order in which they came.
    taken: BTreeMap<u64, (Vec<AlluxioPath>, Mode)>,
}

/// The lock, until it is dropped.
#[derive(Debug)]
pub(super) struct PathLock {
    locks: PathLocks,
    number: u64,
}

impl PathLocks {
    /// Waits for the lock on these paths.
    pub(super) async fn lock(&self, paths: Vec<AlluxioPath>, mode: Mode) -> PathLock {
        let lock = self.take(paths, mode);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before the look, so that no change is missed between the two.
            changed.as_mut().enable();
            if self.tickets.lock().is_free(lock.number) {
                return lock;
            }
            changed.await;
        }
    }

    /// A place in the queue; given up when it is dropped, also by one who waits no longer.
    fn take(&self, paths: Vec<AlluxioPath>, mode: Mode) -> PathLock {
        let mut tickets = self.tickets.lock();
        let number = tickets.next;
        tickets.next += 1;
        tickets.taken.insert(number, (paths, mode));
        PathLock { locks: self.clone(), number }
    }
}

impl Tickets {
    fn is_free(&self, number: u64) -> bool {
        let Some((paths, mode)) = self.taken.get(&number) else { return false };
        let conflicts = |(others, other): &(Vec<AlluxioPath>, Mode)| {
            let meet = |a: &AlluxioPath, b: &AlluxioPath| a.is_prefix_of(b) || b.is_prefix_of(a);
            (*mode == Mode::Alone || *other == Mode::Alone)
                && others.iter().any(|other| paths.iter().any(|path| meet(path, other)))
        };
        !self.taken.range(..number).any(|(_, other)| conflicts(other))
    }
}

impl Drop for PathLock {
    fn drop(&mut self) {
        self.locks.tickets.lock().taken.remove(&self.number);
        self.locks.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<AlluxioPath> {
        vec![AlluxioPath::parse(text).unwrap()]
    }

    fn is_free(locks: &PathLocks, lock: &PathLock) -> bool {
        locks.tickets.lock().is_free(lock.number)
    }

    #[test]
    fn what_lies_above_or_below_is_kept_out() {
        let locks = PathLocks::default();
        let first = locks.take(path("/a/b"), Mode::Alone);
        assert!(is_free(&locks, &first));
        let others = ["/a", "/", "/a/b", "/a/b/c"].map(|text| locks.take(path(text), Mode::Shared));
        assert!(others.iter().all(|lock| !is_free(&locks, lock)));
        assert!(is_free(&locks, &locks.take(path("/a-b"), Mode::Shared)));
        drop(first);
        assert!(others.iter().all(|lock| is_free(&locks, lock)));
    }

    #[test]
    fn who_waits_is_not_overtaken() {
        let locks = PathLocks::default();
        let reader = locks.take(path("/a"), Mode::Shared);
        let writer = locks.take(path("/a"), Mode::Alone);
        let late = locks.take(path("/a/x"), Mode::Shared);
        assert!(is_free(&locks, &reader) && !is_free(&locks, &writer) && !is_free(&locks, &late));
        drop(reader);
        assert!(is_free(&locks, &writer) && !is_free(&locks, &late));
    }

    #[tokio::test]
    async fn one_who_gives_up_leaves_the_queue() {
        let locks = PathLocks::default();
        let held = locks.lock(path("/a"), Mode::Alone).await;
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(1), locks.lock(path("/a"), Mode::Alone));
        assert!(waiting.await.is_err());
        drop(held);
        locks.lock(path("/a"), Mode::Alone).await;
    }
}
