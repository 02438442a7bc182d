//! Pure. A delete or rename of something persisted, a new directory in the UFS, or the last step of a persist, step by
//! step: intent, call to the UFS, commit; or, when it is unknown what a call did, looks at the UFS until namespace and UFS agree.
//!
//! A master that dies between two steps leaves an open intent. A later one begins with the looks.

use crate::journal::entry::{MakeInUfs, UfsIntent};
use crate::master::ops::{self, Answer, Operation, Settings, UfsOperation, place_of};
use crate::master::state::MasterState;
use crate::types::mutant::{self, Mutant};
use crate::types::ufs_names::is_nobodys;
use crate::types::{AlluxioPath, ErrorKind, FsError, InodeId, PersistenceState};

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Submit this.
    Submit(UfsOperation),
    /// Call the UFS; one that changes it only with enough of the lease left.
    Call(UfsCall),
    /// The same after a pause: the UFS did not say what became of it.
    Again(UfsCall),
    /// It is over.
    Done(Result<(), FsError>),
}

/// A call to a UFS. The texts are URIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UfsCall {
    /// Make a directory, if it is not there.
    Make {
        /// Where.
        uri: String,
        /// User.
        owner: String,
        /// Group.
        group: String,
        /// Permission bits.
        mode: u16,
    },
    /// Move.
    Rename {
        /// From here.
        from: String,
        /// To there.
        to: String,
    },
    /// Go on with a move that was cut short, where that can be; refused elsewhere.
    Resume {
        /// From here.
        from: String,
        /// To there.
        to: String,
    },
    /// Delete a file.
    DeleteFile(String),
    /// Delete a directory with all below it.
    DeleteTree(String),
    /// Is something there?
    Look(String),
    /// What is in a directory?
    List(String),
}

impl UfsCall {
    /// Whether it changes the UFS.
    pub fn is_change(&self) -> bool {
        !matches!(self, UfsCall::Look(_) | UfsCall::List(_))
    }

    /// Where, or from where.
    pub fn uri(&self) -> &str {
        match self {
            UfsCall::Make { uri, .. } | UfsCall::DeleteFile(uri) | UfsCall::DeleteTree(uri) => uri,
            UfsCall::Look(uri) | UfsCall::List(uri) => uri,
            UfsCall::Rename { from, .. } | UfsCall::Resume { from, .. } => from,
        }
    }
}

/// Paths that are told to be gone by one submission: a hundred thousand would be too much for one record.
const GONE_AT_ONCE: usize = if cfg!(test) { 1 } else { 1000 };

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The answer to what was submitted.
    Answer(Result<Answer, FsError>),
    /// The change was made, or what was looked for is there.
    Done,
    /// Nothing is there.
    Absent,
    /// These names are in the directory.
    Names(Vec<String>),
    /// The UFS refused, without any effect on what the path names or with a part of it.
    Refused(String),
    /// It is open whether the call had an effect.
    Unknown(String),
}

/// See the module text.
#[derive(Debug)]
pub struct UfsTask {
    inode: Option<InodeId>,
    phase: Phase,
    /// Whether this master made the intent: then it may go on with the change. Otherwise it only looks.
    is_mine: bool,
    /// Whether a directory is still to be compared with the UFS before it is deleted.
    checks: bool,
    last: Option<UfsCall>,
    failure: Option<FsError>,
}

#[derive(Debug)]
enum Phase {
    Beginning,
    /// The directories that are still to be compared before all of them are deleted, the last of them now.
    Checking {
        directories: Vec<AlluxioPath>,
    },
    /// What may lie in the place of a file that is persisted is taken away: it is nobody's.
    Clearing,
    Changing,
    LookingAtSource,
    LookingAtTarget {
        source_is_there: bool,
    },
    Comparing {
        directories: Vec<AlluxioPath>,
        gone: Vec<AlluxioPath>,
    },
    /// What is gone and not yet taken out of the namespace.
    Ending {
        gone: Vec<AlluxioPath>,
    },
}

impl UfsTask {
    /// Begins a change; the first step.
    pub fn begin(operation: Operation) -> (UfsTask, Step) {
        let checks = match &operation {
            Operation::Delete(delete) => !delete.unchecked,
            other => matches!(other, Operation::Expire(_)),
        };
        let task = UfsTask { inode: None, phase: Phase::Beginning, is_mine: true, checks, last: None, failure: None };
        (task, Step::Submit(UfsOperation::Begin(Box::new(operation))))
    }

    /// Settles an intent that another master left; the first step. All but a new directory is looked at, not done again.
    pub fn settle(inode: InodeId, state: &MasterState, settings: &Settings) -> (UfsTask, Step) {
        let phase = Phase::LookingAtSource;
        let mut task = UfsTask { inode: Some(inode), phase, is_mine: false, checks: false, last: None, failure: None };
        let step = match task.uris(state, settings) {
            Some(_) if task.makes(state) => task.change(state, settings),
            Some((from, _)) => task.call(UfsCall::Look(from)),
            None => Step::Done(Ok(())),
        };
        (task, step)
    }

    /// The step after the last one, of which this came.
    pub fn step(&mut self, told: Told, state: &MasterState, settings: &Settings) -> Step {
        if let Phase::Beginning = self.phase {
            match told {
                Told::Answer(Ok(Answer::Begun(inode))) => self.inode = Some(inode),
                Told::Answer(answer) => return Step::Done(answer.map(|_| ())),
                other => unreachable!("an operation was submitted, not {other:?}"),
            }
            return self.change(state, settings);
        }
        if let Phase::Ending { .. } = self.phase {
            return self.ended(told);
        }
        // Settled by another task, which cannot be while this one has the lock on its paths.
        let Some((from, to)) = self.uris(state, settings) else { return Step::Done(Ok(())) };
        let makes = self.makes(state);
        if let Some(last) = self.last.as_ref().filter(|_| self.looks_again(&told, makes)) {
            return Step::Again(last.clone());
        }
        match (&mut self.phase, to) {
            (Phase::Checking { .. }, _) => self.check(told, state, settings),
            (Phase::Clearing, Some(to)) if matches!(told, Told::Done | Told::Absent) => {
                self.phase = Phase::Changing;
                self.call(UfsCall::Rename { from, to })
            }
            (Phase::Changing, _) if told == Told::Done => self.commit(),
            // A directory may be made again and again. One that is refused may be there: of an earlier call nobody heard.
            (Phase::Changing, _) if makes => match told {
                Told::Refused(reason) => {
                    self.failure = Some(failure_of(state, self.inode, &from, None, &reason));
                    self.phase = Phase::LookingAtSource;
                    self.call(UfsCall::List(from))
                }
                _ => self.again(state, settings),
            },
            (Phase::LookingAtSource, _) if makes => match told {
                Told::Names(_) if !mutant::is(Mutant::RefusedIsAbsent) => self.commit(),
                _ => self.end(Vec::new(), |task, state| failure_of(state, task.inode, &from, None, ""), state),
            },
            (Phase::Changing, None) if told == Told::Absent => self.commit(),
            (Phase::Clearing | Phase::Changing, to) => {
                if let Told::Refused(reason) = told {
                    self.failure = Some(failure_of(state, self.inode, &from, to.as_deref(), &reason));
                }
                self.phase = Phase::LookingAtSource;
                self.call(UfsCall::Look(from))
            }
            (Phase::LookingAtSource, None) if told == Told::Absent => self.commit(),
            (Phase::LookingAtSource, None) => self.delete_is_open(state, settings),
            (Phase::LookingAtSource, Some(to)) => {
                self.phase = Phase::LookingAtTarget { source_is_there: told == Told::Done };
                self.call(UfsCall::Look(to))
            }
            (Phase::LookingAtTarget { source_is_there }, to) => match (*source_is_there, told == Told::Done) {
                (false, true) => self.commit(),
                (true, false) if self.is_mine && self.failure.is_none() => self.again(state, settings),
                // Whoever began it, it is half done, or refused: then another has put something there.
                (true, true) if self.failure.is_none() => {
                    self.phase = Phase::Changing;
                    let call = UfsCall::Resume { from, to: to.unwrap_or_default() };
                    self.last = Some(call.clone());
                    Step::Again(call)
                }
                _ => self.end(Vec::new(), |task, state| failure_of(state, task.inode, &from, None, ""), state),
            },
            (Phase::Comparing { .. }, _) => self.compare(told, state, settings),
            (Phase::Beginning | Phase::Ending { .. }, _) => unreachable!("handled above"),
        }
    }

    /// Whether the UFS has not shown what it was asked to show.
    fn looks_again(&self, told: &Told, makes: bool) -> bool {
        match (&self.phase, told) {
            (Phase::LookingAtSource | Phase::LookingAtTarget { .. } | Phase::Comparing { .. }, Told::Refused(_)) => {
                !makes
            }
            (Phase::LookingAtSource | Phase::LookingAtTarget { .. }, Told::Unknown(_)) => true,
            (Phase::Comparing { .. } | Phase::Checking { .. }, Told::Unknown(_)) => true,
            _ => false,
        }
    }

    /// What was to be deleted is still there, in whole or in part.
    fn delete_is_open(&mut self, state: &MasterState, settings: &Settings) -> Step {
        if self.is_mine && self.failure.is_none() {
            return self.again(state, settings);
        }
        let (path, is_directory) = self.path(state);
        let directories = Vec::from_iter(is_directory.then_some(path));
        self.phase = Phase::Comparing { directories, gone: Vec::new() };
        self.next_directory(state, settings)
    }

    /// Before a tree is deleted: compares one directory with what the UFS has in it. What the namespace does not know
    /// must not go with it.
    // Compatible: 2.9 UfsSyncChecker and SafeUfsDeleter; there, what is in sync goes all the same.
    fn check(&mut self, told: Told, state: &MasterState, settings: &Settings) -> Step {
        let Phase::Checking { directories } = &mut self.phase else { unreachable!("it checks") };
        let directory = directories.pop().expect("it was listed");
        let failed = |task: &mut UfsTask, reason: &str| {
            let failure = deletion_failed(&directory, reason);
            task.end(Vec::new(), |_, _| failure, state)
        };
        match told {
            Told::Names(names) => {
                let known = ops::inode_at(state, &directory);
                for name in names.iter().filter(|name| !is_nobodys(name)) {
                    let child = known.and_then(|known| state.inodes().child(known.id, name));
                    let path = directory.join(name);
                    match child.map(|child| child.is_directory()) {
                        None => return failed(self, "UFS dir not in sync. Sync UFS, or delete with unchecked flag."),
                        Some(true) if state.mounts().at(&path).is_none() => directories.push(path),
                        Some(_) => {}
                    }
                }
            }
            Told::Refused(reason) => return failed(self, &reason),
            // It is not there: nothing in it is unknown.
            _ => {}
        }
        self.check_next(state, settings)
    }

    fn check_next(&mut self, state: &MasterState, settings: &Settings) -> Step {
        let Phase::Checking { directories } = &self.phase else { unreachable!("it checks") };
        match directories.last() {
            Some(directory) => {
                let uri = place_of(state, settings, directory).ufs_path;
                self.call(UfsCall::List(uri))
            }
            None => self.change(state, settings),
        }
    }

    /// Compares one directory with what the UFS has of it.
    fn compare(&mut self, told: Told, state: &MasterState, settings: &Settings) -> Step {
        let Phase::Comparing { directories, gone } = &mut self.phase else { unreachable!("it compares") };
        let directory = directories.pop().expect("it was listed");
        match told {
            Told::Names(names) => {
                let inodes = state.inodes();
                let persisted = children(state, &directory).filter(|child| {
                    child.persistence == PersistenceState::Persisted
                        && state.mounts().at(&directory.join(inodes.name(child))).is_none()
                });
                for child in persisted {
                    let name = inodes.name(&child);
                    match names.binary_search_by(|other| other.as_str().cmp(name)) {
                        Err(_) => gone.push(directory.join(name)),
                        Ok(_) if child.is_directory() => directories.push(directory.join(name)),
                        Ok(_) => {}
                    }
                }
            }
            _ => gone.push(directory),
        }
        self.next_directory(state, settings)
    }

    fn next_directory(&mut self, state: &MasterState, settings: &Settings) -> Step {
        let Phase::Comparing { directories, gone } = &mut self.phase else { unreachable!("it compares") };
        if let Some(directory) = directories.last() {
            let uri = place_of(state, settings, directory).ufs_path;
            return self.call(UfsCall::List(uri));
        }
        let gone = std::mem::take(gone);
        let (path, _) = self.path(state);
        if gone.contains(&path) {
            self.failure = None;
            return self.commit();
        }
        self.end(gone, |task, state| failure_of(state, task.inode, "", None, "it was not deleted"), state)
    }

    fn commit(&mut self) -> Step {
        self.failure = None;
        self.phase = Phase::Ending { gone: Vec::new() };
        Step::Submit(UfsOperation::Commit(self.inode.expect("it has begun")))
    }

    fn end(
        &mut self,
        gone: Vec<AlluxioPath>,
        failure: impl FnOnce(&UfsTask, &MasterState) -> FsError,
        state: &MasterState,
    ) -> Step {
        if self.failure.is_none() {
            self.failure = Some(failure(self, state));
        }
        self.phase = Phase::Ending { gone };
        self.settle_next()
    }

    fn ended(&mut self, told: Told) -> Step {
        if let (Phase::Ending { gone }, Told::Answer(Ok(Answer::Gone(done)))) = (&mut self.phase, &told) {
            gone.drain(..*done);
            return self.settle_next();
        }
        match (told, self.failure.take()) {
            (Told::Answer(Err(error)), _) | (_, Some(error)) => Step::Done(Err(error)),
            _ => Step::Done(Ok(())),
        }
    }

    /// Tells the namespace of what is gone, some of it at a time.
    fn settle_next(&self) -> Step {
        let Phase::Ending { gone } = &self.phase else { unreachable!("it ends") };
        let next = gone.iter().take(GONE_AT_ONCE).cloned().collect();
        let inode = self.inode.expect("it has begun");
        Step::Submit(UfsOperation::Settle { inode, gone: next, more: gone.len() > GONE_AT_ONCE })
    }

    fn change(&mut self, state: &MasterState, settings: &Settings) -> Step {
        let (path, is_directory) = self.path(state);
        if is_directory && std::mem::take(&mut self.checks) {
            self.phase = Phase::Checking { directories: vec![path] };
            return self.check_next(state, settings);
        }
        self.phase = Phase::Changing;
        match self.uris(state, settings) {
            None => Step::Done(Ok(())),
            Some((uri, None)) if let Some(call) = self.make(uri.clone(), state) => self.call(call),
            Some((_, Some(to))) if self.persists(state) => {
                self.phase = Phase::Clearing;
                self.call(UfsCall::DeleteFile(to))
            }
            Some((from, Some(to))) => self.call(UfsCall::Rename { from, to }),
            Some((from, None)) if is_directory => self.call(UfsCall::DeleteTree(from)),
            Some((from, None)) => self.call(UfsCall::DeleteFile(from)),
        }
    }

    fn again(&mut self, state: &MasterState, settings: &Settings) -> Step {
        match self.change(state, settings) {
            Step::Call(call) => Step::Again(call),
            step => step,
        }
    }

    fn call(&mut self, call: UfsCall) -> Step {
        self.last = Some(call.clone());
        Step::Call(call)
    }

    /// Where it is in the UFS, and of a rename where it is to be; none when the intent is settled.
    fn uris(&self, state: &MasterState, settings: &Settings) -> Option<(String, Option<String>)> {
        let intent = state.intents().get(&self.inode?)?;
        let uri = |path: &AlluxioPath| place_of(state, settings, path).ufs_path;
        match &intent.temporary {
            Some(temporary) => Some((temporary.clone(), Some(uri(&intent.path)))),
            None => Some((uri(&intent.path), intent.new_path.as_ref().map(uri))),
        }
    }

    /// The call that makes a directory in the UFS, if that is what is to be done.
    fn make(&self, uri: String, state: &MasterState) -> Option<UfsCall> {
        let (inode, inodes) = (self.inode?, state.inodes());
        let (owner, group, mode) = match state.intents().get(&inode)?.make.as_ref()? {
            MakeInUfs::New(new) => (new.owner.clone(), new.group.clone(), new.mode),
            MakeInUfs::Existing => {
                let inode = inodes.get(inode)?;
                (inodes.owner(&inode).to_owned(), inodes.group(&inode).to_owned(), inode.mode)
            }
        };
        Some(UfsCall::Make { uri, owner, group, mode })
    }

    /// Whether a directory is made.
    fn makes(&self, state: &MasterState) -> bool {
        self.inode.and_then(|inode| state.intents().get(&inode)).is_some_and(|intent| intent.make.is_some())
    }

    /// Whether a file is put in its place.
    fn persists(&self, state: &MasterState) -> bool {
        let intent = self.inode.and_then(|inode| state.intents().get(&inode));
        intent.is_some_and(|intent| intent.temporary.is_some())
    }

    fn path(&self, state: &MasterState) -> (AlluxioPath, bool) {
        let intent = self.inode.and_then(|inode| state.intents().get(&inode));
        let inode = self.inode.and_then(|inode| state.inodes().get(inode));
        let is_directory = inode.is_some_and(|inode| inode.is_directory());
        (intent.map_or_else(AlluxioPath::root, |intent| intent.path.clone()), is_directory)
    }
}

fn children<'a>(
    state: &'a MasterState,
    directory: &AlluxioPath,
) -> Box<dyn Iterator<Item = crate::master::state::Inode> + 'a> {
    match ops::inode_at(state, directory) {
        Some(inode) => Box::new(state.inodes().children(inode.id)),
        None => Box::new(std::iter::empty()),
    }
}

// Compatible: 2.9 DELETE_FAILED_UFS and FAILED_UFS_RENAME.
fn failure_of(state: &MasterState, inode: Option<InodeId>, from: &str, to: Option<&str>, reason: &str) -> FsError {
    let intent = inode.and_then(|inode| state.intents().get(&inode));
    let target = |intent: &UfsIntent| match &intent.temporary {
        Some(_) => Some(intent.path.clone()),
        None => intent.new_path.clone(),
    };
    match intent.map(|intent| (&intent.path, target(intent))) {
        Some((_, Some(target))) => {
            let to = to.map_or_else(|| target.to_string(), str::to_owned);
            let message = format!("Failed to rename {from} to {to} in the under file system");
            FsError::new(ErrorKind::Unknown, message)
        }
        Some((path, None)) if intent.is_some_and(|intent| intent.make.is_some()) => {
            FsError::new(ErrorKind::Unknown, format!("Failed to make {path} in the under file system ({reason})"))
        }
        Some((path, None)) => deletion_failed(path, reason),
        None => FsError::new(ErrorKind::Internal, "the intent is gone"),
    }
}

fn deletion_failed(path: &AlluxioPath, reason: &str) -> FsError {
    let message = format!("Failed to delete 1 paths from the under file system: {path} ({reason})");
    FsError::new(ErrorKind::FailedPrecondition, message)
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
