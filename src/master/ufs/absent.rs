//! Pure. What was looked for in a UFS and was not there, a short time ago.

use crate::types::AlluxioPath;
use crate::types::time::Boot;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Paths that are kept.
const PATHS_MAX: usize = 100_000;
/// So long is a path that was absent not looked for again.
const ABSENT_FOR: Duration = Duration::from_secs(1);

/// See the module text.
#[derive(Debug, Default)]
pub struct AbsentPaths {
    until: BTreeMap<AlluxioPath, Boot>,
    order: VecDeque<(AlluxioPath, Boot)>,
}

impl AbsentPaths {
    /// This path was not there.
    pub fn add(&mut self, path: AlluxioPath, now: Boot) {
        while let Some((oldest, until)) = self.order.front() {
            if self.order.len() < PATHS_MAX && *until > now {
                break;
            }
            if self.until.get(oldest) == Some(until) {
                self.until.remove(oldest);
            }
            self.order.pop_front();
        }
        self.order.push_back((path.clone(), now + ABSENT_FOR));
        self.until.insert(path, now + ABSENT_FOR);
    }

    /// Whether the path, or one above it, was not there. Its first `found` components are in the namespace by now,
    /// so what was known of them is void.
    pub fn contains(&self, path: &AlluxioPath, found: usize, now: Boot) -> bool {
        let unknown = path.components().count().saturating_sub(found);
        path.upwards().take(unknown).any(|at| self.until.get(at).is_some_and(|until| *until > now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AlluxioPath {
        AlluxioPath::parse(text).unwrap()
    }

    fn at(ms: u64) -> Boot {
        Boot::from_start(Duration::from_millis(ms))
    }

    #[test]
    fn what_was_absent_is_absent_for_a_second_with_all_below() {
        let mut absent = AbsentPaths::default();
        absent.add(path("/a"), at(0));
        absent.add(path("/b"), at(500));
        assert!(absent.contains(&path("/a/x"), 0, at(999)) && !absent.contains(&path("/ab"), 0, at(0)));
        assert!(!absent.contains(&path("/a"), 0, at(1000)) && absent.contains(&path("/b"), 0, at(1000)));
        absent.add(path("/a"), at(1000));
        assert!(absent.contains(&path("/a"), 0, at(1999)));
        assert!(!absent.contains(&path("/a/x"), 1, at(1999)), "it has come into being");
    }
}
