//! Pure. Which paths were compared with their UFS, and when (2.9.6 UfsSyncPathCache).

use crate::types::AlluxioPath;
use crate::types::time::Boot;
use std::collections::BTreeMap;
use std::time::Duration;

/// Paths that are kept. With one more all are forgotten: each is compared once more.
// Compatible: 2.9 alluxio.master.ufs.path.cache.capacity.
const PATHS_MAX: usize = 100_000;

/// Paths that somebody said to have changed, kept until they were compared. With one more, all paths count as changed.
const CHANGED_MAX: usize = 1_000;

/// How much below a path was compared, or has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// Nothing.
    Itself,
    /// Its children.
    Children,
    /// All.
    Tree,
}

/// See the module text.
#[derive(Debug, Default)]
pub(super) struct ComparedPaths {
    /// When this was last compared: of [`Scope::Itself`], [`Scope::Children`], [`Scope::Tree`].
    times: BTreeMap<AlluxioPath, [Option<Boot>; 3]>,
    /// When somebody said that this, or something below it, has changed.
    changed: BTreeMap<AlluxioPath, Boot>,
}

impl ComparedPaths {
    /// This much was compared, as it was at this time or later.
    pub(super) fn add(&mut self, path: AlluxioPath, scope: Scope, began: Boot) {
        if self.times.len() >= PATHS_MAX && !self.times.contains_key(&path) {
            self.times.clear();
        }
        if scope == Scope::Tree {
            self.changed.retain(|changed, at| *at > began || !path.is_prefix_of(changed));
        }
        // Whoever compares more compares less, too.
        let times = self.times.entry(path).or_default();
        times[..=scope as usize].iter_mut().for_each(|time| *time = (*time).max(Some(began)));
    }

    /// This has changed in the UFS.
    pub(super) fn change(&mut self, path: AlluxioPath, now: Boot) {
        if self.changed.len() >= CHANGED_MAX {
            self.changed = BTreeMap::from([(AlluxioPath::root(), now)]);
        }
        self.changed.insert(path, now);
    }

    /// Whether this much is to be compared: it was not within so long (none: that does not matter), or was not since
    /// somebody said that it changed.
    pub(super) fn is_due(&self, path: &AlluxioPath, scope: Scope, interval: Option<Duration>, now: Boot) -> bool {
        if interval.is_none() && self.changed.is_empty() {
            return false;
        }
        let needed = |above: usize| match (above, scope) {
            (0, scope) => scope,
            (1, Scope::Itself) => Scope::Children,
            _ => Scope::Tree,
        };
        let times = path.upwards().enumerate();
        let last = times.filter_map(|(above, at)| self.times.get(at)?[needed(above) as usize]).max();
        let is_too_old = |interval: Duration| interval.is_zero() || last.is_none_or(|last| now.since(last) >= interval);
        let concerns = |changed: &AlluxioPath| match scope {
            Scope::Itself => changed.is_prefix_of(path),
            Scope::Children => changed.is_prefix_of(path) || changed.parent().as_ref() == Some(path),
            Scope::Tree => changed.is_prefix_of(path) || path.is_prefix_of(changed),
        };
        let mut changed = self.changed.iter().filter(|(changed, _)| concerns(changed));
        interval.is_some_and(is_too_old) || changed.any(|(_, at)| last.is_none_or(|last| last <= *at))
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
    fn what_is_above_counts_as_far_as_it_reached_down() {
        let mut compared = ComparedPaths::default();
        let second = Duration::from_secs(1);
        let due =
            |compared: &ComparedPaths, text: &str, scope, ms| compared.is_due(&path(text), scope, Some(second), at(ms));
        assert!(due(&compared, "/a", Scope::Itself, 0));
        compared.add(path("/a"), Scope::Children, at(0));
        assert!(!due(&compared, "/a", Scope::Itself, 999) && !due(&compared, "/a", Scope::Children, 999));
        assert!(due(&compared, "/a", Scope::Children, 1000), "it is too long ago");
        assert!(due(&compared, "/a", Scope::Tree, 1));
        assert!(!due(&compared, "/a/b", Scope::Itself, 1) && due(&compared, "/a/b", Scope::Children, 1));
        assert!(due(&compared, "/a/b/c", Scope::Itself, 1) && due(&compared, "/ab", Scope::Itself, 1));
        compared.add(path("/a"), Scope::Tree, at(500));
        assert!(!due(&compared, "/a/b/c", Scope::Tree, 1499) && due(&compared, "/a/b/c", Scope::Tree, 1500));
        compared.add(path("/a"), Scope::Tree, at(100));
        assert!(!due(&compared, "/a", Scope::Tree, 1499), "an earlier one that ended later changes nothing");
        assert!(compared.is_due(&path("/a"), Scope::Itself, Some(Duration::ZERO), at(500)), "always");
        assert!(!compared.is_due(&path("/x"), Scope::Itself, None, at(500)), "never");
    }

    #[test]
    fn what_somebody_said_to_have_changed_is_compared_once_more() {
        let mut compared = ComparedPaths::default();
        let due = |compared: &ComparedPaths, text: &str, scope| compared.is_due(&path(text), scope, None, at(1_000));
        compared.add(path("/"), Scope::Tree, at(0));
        compared.change(path("/a/b"), at(10));
        for (text, scope) in
            [("/a/b", Scope::Itself), ("/a/b/c", Scope::Itself), ("/a", Scope::Children), ("/", Scope::Tree)]
        {
            assert!(due(&compared, text, scope), "{text} {scope:?}");
        }
        for (text, scope) in [("/a", Scope::Itself), ("/", Scope::Children), ("/x", Scope::Tree)] {
            assert!(!due(&compared, text, scope), "{text} {scope:?}");
        }
        compared.add(path("/a/b"), Scope::Itself, at(20));
        assert!(!due(&compared, "/a/b", Scope::Itself) && due(&compared, "/a/b", Scope::Children));
        compared.add(path("/a"), Scope::Tree, at(5));
        assert!(due(&compared, "/a", Scope::Tree), "it was compared before");
        compared.add(path("/a"), Scope::Tree, at(30));
        assert!(!due(&compared, "/", Scope::Tree));
        (0..=CHANGED_MAX).for_each(|number| compared.change(path(&format!("/{number}")), at(40)));
        assert!(due(&compared, "/else", Scope::Itself), "too many are all");
    }
}
