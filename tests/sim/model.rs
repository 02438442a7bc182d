//! What clients must see: a namespace that executes one operation at a time, and the search for an order of the
//! history in which it would have answered the same (linearizability).

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// An operation as a client asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Mkdir(&'static str),
    Create(&'static str),
    Delete { path: &'static str, recursive: bool },
    Rename { from: &'static str, to: &'static str },
    Stat(&'static str),
    List(&'static str),
}

/// The class of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Done,
    Directory,
    File,
    Names(Vec<String>),
    NotFound,
    Exists,
    Invalid,
    NotEmpty,
    /// The UFS refused: nothing has happened.
    Failed,
}

/// An operation with its answer, between the moments of asking and hearing.
#[derive(Debug, Clone)]
pub struct Call {
    pub op: Op,
    pub asked: u64,
    pub heard: u64,
    pub seen: Seen,
}

/// The namespace that answers at once: path → is a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Model(BTreeMap<String, bool>);

impl Model {
    fn kind(&self, path: &str) -> Option<bool> {
        if path == "/" { Some(true) } else { self.0.get(path).copied() }
    }

    /// What stands in the way to `path`, if anything does: a file, or nothing.
    fn way(&self, path: &str) -> Option<Seen> {
        let parents = path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at]);
        parents.into_iter().find_map(|parent| match self.kind(parent) {
            Some(true) => None,
            Some(false) => Some(Seen::Invalid),
            None => Some(Seen::NotFound),
        })
    }

    fn below<'a>(&'a self, path: &str) -> impl Iterator<Item = (&'a String, &'a bool)> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        self.0.iter().filter(move |(name, _)| name.starts_with(&prefix))
    }

    /// Executes an operation.
    pub fn execute(&mut self, op: &Op) -> Seen {
        match op {
            Op::Mkdir(path) => self.make(path, true),
            Op::Create(path) => self.make(path, false),
            Op::Stat(path) => self.way(path).unwrap_or_else(|| match self.kind(path) {
                Some(true) => Seen::Directory,
                Some(false) => Seen::File,
                None => Seen::NotFound,
            }),
            Op::List(path) => self.way(path).unwrap_or_else(|| match self.kind(path) {
                Some(true) => {
                    let depth = if *path == "/" { 1 } else { path.matches('/').count() + 1 };
                    let names = self.below(path).filter(|(name, _)| name.matches('/').count() == depth);
                    Seen::Names(names.map(|(name, _)| name.clone()).collect())
                }
                Some(false) => Seen::Names(vec![(*path).to_owned()]),
                None => Seen::NotFound,
            }),
            Op::Delete { path, recursive } => self.delete(path, *recursive),
            Op::Rename { from, to } => self.rename(from, to),
        }
    }

    fn make(&mut self, path: &str, directory: bool) -> Seen {
        if let Some(seen) = self.way(path) {
            return seen;
        }
        if self.kind(path).is_some() {
            return Seen::Exists;
        }
        self.0.insert(path.to_owned(), directory);
        Seen::Done
    }

    fn delete(&mut self, path: &str, recursive: bool) -> Seen {
        if let Some(seen) = self.way(path) {
            return seen;
        }
        if self.kind(path).is_none() {
            return Seen::NotFound;
        }
        let below: Vec<String> = self.below(path).map(|(name, _)| name.clone()).collect();
        if !below.is_empty() && !recursive {
            return Seen::NotEmpty;
        }
        self.0.retain(|name, _| !below.contains(name));
        self.0.remove(path);
        Seen::Done
    }

    fn rename(&mut self, from: &str, to: &str) -> Seen {
        // Both ways are walked before anything is asked of what stands there.
        if let Some(seen) = [from, to].iter().filter_map(|path| self.way(path)).find(|seen| *seen == Seen::Invalid) {
            return seen;
        }
        if let Some(seen) = self.way(from) {
            return seen;
        }
        if self.kind(from).is_none() {
            return Seen::NotFound;
        }
        if from == to {
            return Seen::Done;
        }
        if to.starts_with(&format!("{from}/")) {
            return Seen::Invalid;
        }
        if let Some(seen) = self.way(to) {
            return seen;
        }
        if self.kind(to).is_some() {
            return Seen::Exists;
        }
        let mut moved: Vec<(String, bool)> = self.below(from).map(|(name, kind)| (name.clone(), *kind)).collect();
        moved.extend(self.kind(from).map(|kind| (from.to_owned(), kind)));
        for (name, kind) in moved {
            self.0.remove(&name);
            self.0.insert(format!("{to}{}", &name[from.len()..]), kind);
        }
        Seen::Done
    }
}

/// Searches an order of the calls that the model answers as they were answered, and that never puts a call before one
/// that was heard before it was asked.
///
/// # Errors
/// The longest order that was found, and the calls that could not follow it.
pub fn linearize(calls: &[Call]) -> Result<(), String> {
    let mut order: Vec<usize> = (0..calls.len()).collect();
    order.sort_by_key(|call| calls[*call].asked);
    let mut search = Search { calls, order, visited: HashSet::new(), deepest: 0, stuck: String::new() };
    if search.from(&Model::default(), &mut BTreeSet::new(), 0) { Ok(()) } else { Err(search.stuck) }
}

struct Search<'a> {
    calls: &'a [Call],
    /// By the moment of asking.
    order: Vec<usize>,
    visited: HashSet<(usize, Vec<usize>, Model)>,
    deepest: usize,
    stuck: String,
}

impl Search<'_> {
    /// `first`: all calls before it in `order` are done; `done`: those after it that are done too.
    fn from(&mut self, model: &Model, done: &mut BTreeSet<usize>, first: usize) -> bool {
        let mut first = first;
        while done.remove(&first) {
            first += 1;
        }
        if first == self.order.len() {
            return true;
        }
        if !self.visited.insert((first, done.iter().copied().collect(), model.clone())) {
            return false;
        }
        let open = (first..self.order.len()).filter(|at| !done.contains(at));
        let limit = open.clone().map(|at| self.calls[self.order[at]].heard).min().unwrap_or(u64::MAX);
        let candidates: Vec<usize> = open.take_while(|at| self.calls[self.order[*at]].asked <= limit).collect();
        for at in &candidates {
            let call = &self.calls[self.order[*at]];
            let mut next = model.clone();
            if call.seen == Seen::Failed || next.execute(&call.op) == call.seen {
                let mut now_done = done.clone();
                now_done.insert(*at);
                if self.from(&next, &mut now_done, first) {
                    return true;
                }
            }
        }
        if first + done.len() >= self.deepest {
            self.deepest = first + done.len();
            let calls: Vec<String> = candidates.iter().map(|at| format!("{:?}", self.calls[self.order[*at]])).collect();
            self.stuck = format!(
                "after {} calls the namespace is {model:?}, and none can follow:\n{}",
                self.deepest,
                calls.join("\n")
            );
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(op: Op, asked: u64, heard: u64, seen: Seen) -> Call {
        Call { op, asked, heard, seen }
    }

    #[test]
    fn overlapping_calls_may_have_any_order_and_others_may_not() {
        let made = call(Op::Mkdir("/a"), 0, 10, Seen::Done);
        let early = call(Op::Stat("/a"), 5, 6, Seen::NotFound);
        let late = call(Op::Stat("/a"), 11, 12, Seen::NotFound);
        assert!(linearize(&[made.clone(), early]).is_ok());
        assert!(linearize(&[made, late]).is_err());
    }

    #[test]
    fn what_two_clients_made_cannot_both_be_new() {
        let one = call(Op::Mkdir("/a"), 0, 10, Seen::Done);
        let two = call(Op::Mkdir("/a"), 0, 10, Seen::Done);
        assert!(linearize(&[one.clone(), two.clone()]).is_err());
        assert!(linearize(&[one, Call { seen: Seen::Exists, ..two }]).is_ok());
    }
}
