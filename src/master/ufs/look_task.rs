//! Pure. A look at what a UFS holds and the namespace may lack, step by step: what is there, then the load of it.

use crate::master::ops::{Load, Lookup, Settings, UfsFacts, inode_at, place_of};
use crate::master::state::MasterState;
use crate::types::time::Millis;
use crate::types::ufs_names::is_nobodys;
use crate::types::{AlluxioPath, ErrorKind, FsError};
use std::collections::{BTreeSet, VecDeque};

/// Inodes that one record makes at most.
const LOAD_INODES_MAX: usize = 5_000;
/// A directory with more entries than this is refused.
const LISTING_MAX: usize = 5_000_000;

/// What is to be done next. The texts are URIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookStep {
    /// Is this path there?
    Status {
        /// Which one, in the namespace.
        path: AlluxioPath,
        /// Where it would be in the UFS.
        uri: String,
    },
    /// What is in this directory?
    List(String),
    /// Submit this. Refused as not yet possible it counts as done: whoever needs it looks again.
    Load(Load),
    /// It is over.
    Done,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// What is there; nothing, if it is absent.
    Status(Option<UfsFacts>),
    /// What a directory holds, by name.
    Names(Vec<(String, UfsFacts)>),
    /// What was seen was submitted.
    Loaded,
}

/// See the module text.
#[derive(Debug)]
pub struct LookTask {
    /// Of a path, the last component that was asked for.
    at: AlluxioPath,
    /// Of a path, the names that are still to be asked for.
    rest: VecDeque<String>,
    /// What is still to be loaded.
    seen: VecDeque<(AlluxioPath, UfsFacts)>,
    /// What is still to be taken away.
    gone: VecDeque<AlluxioPath>,
    /// What was there at this time is compared.
    compared: Option<Millis>,
    /// URI of the listed directory.
    listed_at: String,
    is_loaded: bool,
}

impl LookTask {
    /// Begins a look at this time; the first step.
    pub fn begin(lookup: &Lookup, state: &MasterState, settings: &Settings, wall: Millis) -> (LookTask, LookStep) {
        let found = match lookup {
            Lookup::Path { found, .. } => *found,
            Lookup::Children(path) | Lookup::ChildrenAgain(path) | Lookup::Again(path) => path.components().count(),
        };
        let is_compared = matches!(lookup, Lookup::Again(_) | Lookup::ChildrenAgain(_));
        let at = lookup.path().components().take(found).fold(AlluxioPath::root(), |path, name| path.join(name));
        let rest = lookup.path().components().skip(found).map(str::to_owned).collect();
        let listed_at = place_of(state, settings, &at).ufs_path;
        let (seen, gone, is_loaded) = (VecDeque::new(), VecDeque::new(), false);
        let compared = is_compared.then(|| wall.max(state.last_time()));
        let mut task = LookTask { at, rest, seen, gone, compared, listed_at, is_loaded };
        let step = match lookup {
            Lookup::Children(_) | Lookup::ChildrenAgain(_) => LookStep::List(task.listed_at.clone()),
            Lookup::Again(path) => LookStep::Status { path: path.clone(), uri: task.listed_at.clone() },
            Lookup::Path { .. } => task.next(state, settings),
        };
        (task, step)
    }

    /// The step after the last one, of which this came.
    ///
    /// # Errors
    /// A directory with more in it than a master can keep.
    pub fn step(&mut self, shown: Shown, state: &MasterState, settings: &Settings) -> Result<LookStep, FsError> {
        Ok(match shown {
            Shown::Status(None) => {
                self.gone.extend(self.compared.map(|_| self.at.clone()));
                self.load(state, settings)
            }
            Shown::Status(Some(facts)) => {
                let goes_on = facts.directory;
                self.seen.push_back((self.at.clone(), facts));
                if goes_on { self.next(state, settings) } else { self.load(state, settings) }
            }
            Shown::Names(listed) if listed.len() > LISTING_MAX => {
                let text = format!("{} has {} entries, the limit is {LISTING_MAX}", self.listed_at, listed.len());
                return Err(FsError::new(ErrorKind::ResourceExhausted, text));
            }
            Shown::Names(listed) => {
                let listed = listed.into_iter().filter(|(name, _)| !is_nobodys(name));
                self.seen = listed.map(|(name, facts)| (self.at.join(&name), facts)).collect();
                if self.compared.is_some() {
                    self.gone = self.not_listed(state);
                }
                self.load_listed()
            }
            Shown::Loaded if self.is_loaded => LookStep::Done,
            Shown::Loaded => self.load_listed(),
        })
    }

    /// From the first component that is missing down, as far as the UFS has them.
    fn next(&mut self, state: &MasterState, settings: &Settings) -> LookStep {
        match self.rest.pop_front().filter(|name| !is_nobodys(name)) {
            Some(name) => {
                self.at = self.at.join(&name);
                LookStep::Status { path: self.at.clone(), uri: place_of(state, settings, &self.at).ufs_path }
            }
            None => self.load(state, settings),
        }
    }

    fn load(&mut self, state: &MasterState, settings: &Settings) -> LookStep {
        self.is_loaded = true;
        let found: Vec<_> = std::mem::take(&mut self.seen).into();
        let gone: Vec<_> = std::mem::take(&mut self.gone).into();
        let first = found.first().map(|(path, _)| path).or(gone.first());
        match first.map(|first| (first.clone(), place_of(state, settings, first).ufs_path)) {
            Some(seen_at) => LookStep::Load(Load { gone, compared: self.compared, ..Load::of(found, seen_at) }),
            None => LookStep::Done,
        }
    }

    /// Children that the namespace has and the listing has not.
    fn not_listed(&self, state: &MasterState) -> VecDeque<AlluxioPath> {
        let listed: BTreeSet<&str> = self.seen.iter().map(|(path, _)| path.name()).collect();
        let Some(directory) = inode_at(state, &self.at) else { return VecDeque::new() };
        let names = state.inodes().children(directory.id).map(|child| state.inodes().name(&child).to_owned());
        names.filter(|name| !listed.contains(name.as_str())).map(|name| self.at.join(&name)).collect()
    }

    /// The next part of a directory, with the word that it is the last one.
    fn load_listed(&mut self) -> LookStep {
        let found: Vec<_> = self.seen.drain(..self.seen.len().min(LOAD_INODES_MAX)).collect();
        let gone: Vec<_> = self.gone.drain(..self.gone.len().min(LOAD_INODES_MAX - found.len())).collect();
        self.is_loaded = found.len() + gone.len() < LOAD_INODES_MAX;
        let listed = self.is_loaded.then(|| self.at.clone());
        let seen_at = (self.at.clone(), self.listed_at.clone());
        LookStep::Load(Load { gone, listed, compared: self.compared, ..Load::of(found, seen_at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AlluxioPath {
        AlluxioPath::parse(text).unwrap()
    }

    fn settings() -> Settings {
        Settings {
            permission_checking: false,
            super_group: "g".into(),
            umask: 0,
            root_ufs: "memory://m/top".into(),
            root_options: Default::default(),
            never_persisted: Vec::new(),
            journal: String::new(),
        }
    }

    fn shown(directory: bool) -> UfsFacts {
        let (owner, group) = (String::new(), String::new());
        UfsFacts {
            directory,
            length: 7,
            block_size_bytes: 64,
            owner,
            group,
            mode: 0o755,
            modification_time_ms: 0,
            etag: None,
        }
    }

    fn begin(lookup: &Lookup) -> (LookTask, LookStep) {
        LookTask::begin(lookup, &MasterState::new(), &settings(), Millis(0))
    }

    fn next(task: &mut LookTask, shown: Shown) -> LookStep {
        task.step(shown, &MasterState::new(), &settings()).unwrap()
    }

    fn asks_for(step: &LookStep, text: &str) -> bool {
        let uri = format!("memory://m/top{text}");
        matches!(step, LookStep::Status { path: asked, uri: at } if *asked == path(text) && *at == uri)
    }

    #[test]
    fn a_path_is_walked_from_what_is_missing_as_far_as_it_goes() {
        let (mut task, step) = begin(&Lookup::Path { path: path("/a/b/c/d"), found: 1 });
        assert!(asks_for(&step, "/a/b"), "{step:?}");
        let step = next(&mut task, Shown::Status(Some(shown(true))));
        assert!(asks_for(&step, "/a/b/c"), "{step:?}");
        let step = next(&mut task, Shown::Status(Some(shown(false))));
        let LookStep::Load(load) = step else { panic!("nothing lies below a file: {step:?}") };
        let found: Vec<_> = load.found.iter().map(|(path, facts)| (path.as_str(), facts.directory)).collect();
        assert_eq!(found, [("/a/b", true), ("/a/b/c", false)]);
        assert_eq!((load.listed, load.seen_at), (None, (path("/a/b"), "memory://m/top/a/b".into())));
        assert_eq!(next(&mut task, Shown::Loaded), LookStep::Done);
    }

    #[test]
    fn what_is_absent_or_nobodys_is_not_loaded() {
        let (mut task, _) = begin(&Lookup::Path { path: path("/a"), found: 0 });
        assert_eq!(next(&mut task, Shown::Status(None)), LookStep::Done);
        let (_, step) = begin(&Lookup::Path { path: path("/.alluxio_ufs_persistence/x"), found: 0 });
        assert_eq!(step, LookStep::Done);
    }

    #[test]
    fn a_large_directory_is_loaded_in_parts_and_is_known_with_the_last() {
        let (mut task, step) = begin(&Lookup::Children(path("/a")));
        assert_eq!(step, LookStep::List("memory://m/top/a".into()));
        let names = (0..LOAD_INODES_MAX + 1).map(|number| (number.to_string(), shown(false))).collect();
        let mut parts = Vec::new();
        let mut step = next(&mut task, Shown::Names(names));
        while let LookStep::Load(load) = step {
            parts.push((load.found.len(), load.listed));
            step = next(&mut task, Shown::Loaded);
        }
        assert_eq!(parts, [(LOAD_INODES_MAX, None), (1, Some(path("/a")))]);
    }
}
