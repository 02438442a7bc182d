//! What clients must see: a namespace that executes one operation at a time, and the search for an order of the
//! history in which it would have answered the same (linearizability).

use crate::rng::Rng;
use alluxio::types::InodeId;
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

impl Op {
    /// One by chance: to take away or look at `some` path, to make one of `names`, or to list one of `directories`.
    pub fn choose(rng: &mut Rng, some: &'static str, names: &[&'static str], directories: &[&'static str]) -> Op {
        match rng.range(0, 20) {
            0..6 => Op::Mkdir(rng.pick(names)),
            6..8 => Op::Create(rng.pick(names)),
            8..11 => Op::Delete { path: some, recursive: rng.chance(1, 2) },
            11..14 => Op::Rename { from: some, to: rng.pick(names) },
            14..18 => Op::Stat(some),
            _ => Op::List(rng.pick(directories)),
        }
    }

    /// Whether the UFS may be the reason why it was refused. Directories that are made at one of `through` are made in
    /// the UFS, too, and may be moved anywhere.
    pub fn can_need_ufs(&self, through: &[&str]) -> bool {
        match self {
            Op::Mkdir(path) => through.contains(path),
            Op::Delete { .. } | Op::Rename { .. } => true,
            Op::Create(_) | Op::Stat(_) | Op::List(_) => false,
        }
    }
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
    /// The UFS refused: nothing has happened. Only of what [`Op::can_need_ufs`].
    Failed,
    /// No answer came, and none was waited for any more: it may take effect at any time after it was asked, or never.
    Unknown,
}

/// An operation with its answer, between the moments of asking and hearing.
#[derive(Debug, Clone)]
pub struct Call {
    pub op: Op,
    pub asked: u64,
    pub heard: u64,
    pub seen: Seen,
    /// The inode that was made or shown, if the answer told it.
    pub inode: Option<InodeId>,
}

/// What is at a path: whether it is a directory, and which one, if whoever made it was told.
type Entry = (bool, Option<InodeId>);

/// The namespace that answers at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Model(BTreeMap<String, Entry>);

impl Model {
    fn kind(&self, path: &str) -> Option<bool> {
        if path == "/" { Some(true) } else { self.0.get(path).map(|(directory, _)| *directory) }
    }

    /// Whether this may be what is there.
    fn is(&self, path: &str, inode: Option<InodeId>) -> bool {
        let there = self.0.get(path).and_then(|(_, inode)| *inode);
        there.is_none() || inode.is_none() || there == inode
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

    fn below<'a>(&'a self, path: &str) -> impl Iterator<Item = (&'a String, &'a Entry)> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        self.0.iter().filter(move |(name, _)| name.starts_with(&prefix))
    }

    /// Executes an operation; what it makes is `inode`.
    fn execute(&mut self, op: &Op, inode: Option<InodeId>) -> Seen {
        match op {
            Op::Mkdir(path) => self.make(path, (true, inode)),
            Op::Create(path) => self.make(path, (false, inode)),
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

    fn make(&mut self, path: &str, entry: Entry) -> Seen {
        if let Some(seen) = self.way(path) {
            return seen;
        }
        if self.kind(path).is_some() {
            return Seen::Exists;
        }
        self.0.insert(path.to_owned(), entry);
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
        let mut moved: Vec<(String, Entry)> = self.below(from).map(|(name, entry)| (name.clone(), *entry)).collect();
        moved.extend(self.0.get(from).map(|entry| (from.to_owned(), *entry)));
        for (name, entry) in moved {
            self.0.remove(&name);
            self.0.insert(format!("{to}{}", &name[from.len()..]), entry);
        }
        Seen::Done
    }
}

/// Searches an order of the calls that the model answers as they were answered, and that never puts a call before one
/// that was heard before it was asked. Calls without an answer may be anywhere after they were asked, or nowhere.
///
/// # Errors
/// The longest order that was found, and the calls that could not follow it.
pub fn linearize(calls: &[Call]) -> Result<(), String> {
    let by_asking = |answered: bool| {
        let mut calls: Vec<&Call> = calls.iter().filter(|call| (call.seen != Seen::Unknown) == answered).collect();
        calls.sort_by_key(|call| call.asked);
        calls
    };
    let (order, unanswered) = (by_asking(true), by_asking(false));
    let mut search = Search { order, unanswered, visited: HashSet::new(), deepest: 0, stuck: String::new() };
    if search.from(Node::default()) { Ok(()) } else { Err(search.stuck) }
}

/// How far an order has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Node {
    model: Model,
    /// All calls before it are done.
    first: usize,
    /// Those after it that are done too.
    done: BTreeSet<usize>,
    /// Calls without an answer that have taken effect.
    effects: BTreeSet<usize>,
}

impl Node {
    fn with(&self, call: usize, model: Model) -> Node {
        let mut node = Node { model, ..self.clone() };
        node.done.insert(call);
        while node.done.remove(&node.first) {
            node.first += 1;
        }
        node
    }
}

struct Search<'a> {
    /// By the moment of asking.
    order: Vec<&'a Call>,
    unanswered: Vec<&'a Call>,
    visited: HashSet<Node>,
    deepest: usize,
    stuck: String,
}

impl Search<'_> {
    fn from(&mut self, mut node: Node) -> bool {
        // What changes nothing and fits now need not be tried later: no other call is hindered by it.
        while let Some(call) = self.next(&node).into_iter().find(|call| self.fits(&node.model, *call) == Some(None)) {
            node = node.with(call, node.model.clone());
        }
        if node.first == self.order.len() {
            return true;
        }
        if !self.visited.insert(node.clone()) {
            return false;
        }
        for call in self.next(&node) {
            if let Some(Some(model)) = self.fits(&node.model, call)
                && self.from(node.with(call, model))
            {
                return true;
            }
        }
        let limit = self.limit(&node);
        for (at, call) in self.unanswered.clone().into_iter().enumerate() {
            let mut after = node.clone();
            if call.asked <= limit && after.effects.insert(at) {
                after.model.execute(&call.op, None);
                if after.model != node.model && self.from(after) {
                    return true;
                }
            }
        }
        self.note(&node);
        false
    }

    /// None: it was answered otherwise. Some(None): it fits and changes nothing.
    #[expect(clippy::option_option, reason = "whether it fits, and whether it changes something")]
    fn fits(&self, model: &Model, call: usize) -> Option<Option<Model>> {
        let call = self.order[call];
        if call.seen == Seen::Failed {
            return Some(None);
        }
        let shows = if let Op::Stat(path) = &call.op { model.is(path, call.inode) } else { true };
        let mut next = model.clone();
        (shows && next.execute(&call.op, call.inode) == call.seen).then(|| (next != *model).then_some(next))
    }

    fn open<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = usize> + 'a {
        (node.first..self.order.len()).filter(|call| !node.done.contains(call))
    }

    /// What is asked after this comes later.
    fn limit(&self, node: &Node) -> u64 {
        // By the moment of asking: who asked after the earliest answer so far is not heard before it.
        let mut limit = u64::MAX;
        for call in self.open(node).map(|call| self.order[call]) {
            if call.asked > limit {
                break;
            }
            limit = limit.min(call.heard);
        }
        limit
    }

    /// The calls that may be next.
    fn next(&self, node: &Node) -> Vec<usize> {
        let limit = self.limit(node);
        self.open(node).take_while(|call| self.order[*call].asked <= limit).collect()
    }

    fn note(&mut self, node: &Node) {
        let depth = node.first + node.done.len();
        if depth < self.deepest {
            return;
        }
        self.deepest = depth;
        let calls: Vec<String> = self.next(node).into_iter().map(|call| format!("{:?}", self.order[call])).collect();
        self.stuck = format!(
            "after {depth} calls the namespace is {:?}, and none can follow:\n{}",
            node.model,
            calls.join("\n")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(op: Op, asked: u64, heard: u64, seen: Seen) -> Call {
        Call { op, asked, heard, seen, inode: None }
    }

    #[test]
    fn what_is_shown_is_what_was_made() {
        let of = |inode, call| Call { inode: Some(InodeId(inode)), ..call };
        let made = of(1, call(Op::Mkdir("/a"), 0, 10, Seen::Done));
        let moved = call(Op::Rename { from: "/a", to: "/b" }, 11, 12, Seen::Done);
        let shown = call(Op::Stat("/b"), 13, 14, Seen::Directory);
        assert!(linearize(&[made.clone(), moved.clone(), of(1, shown.clone())]).is_ok());
        assert!(linearize(&[made.clone(), moved.clone(), of(2, shown.clone())]).is_err());
        let unknown = Call { seen: Seen::Unknown, ..made };
        assert!(linearize(&[unknown, moved, of(2, shown)]).is_ok(), "nobody was told which one was made");
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
    fn what_was_never_answered_may_have_happened_late_or_never() {
        let made = call(Op::Mkdir("/a"), 0, 1, Seen::Unknown);
        let early = call(Op::Stat("/a"), 5, 6, Seen::NotFound);
        let late = call(Op::Stat("/a"), 7, 8, Seen::Directory);
        let again = call(Op::Stat("/a"), 9, 10, Seen::NotFound);
        assert!(linearize(std::slice::from_ref(&made)).is_ok());
        assert!(linearize(&[made.clone(), early.clone(), late.clone()]).is_ok());
        assert!(linearize(&[early.clone(), late.clone()]).is_err(), "somebody has made it");
        assert!(linearize(&[made.clone(), early, late, again]).is_err(), "nobody has deleted it");
        let before = call(Op::Stat("/a"), 0, 1, Seen::Directory);
        assert!(linearize(&[Call { asked: 5, ..made }, before]).is_err(), "not before it was asked");
    }

    #[test]
    fn what_two_clients_made_cannot_both_be_new() {
        let one = call(Op::Mkdir("/a"), 0, 10, Seen::Done);
        let two = call(Op::Mkdir("/a"), 0, 10, Seen::Done);
        assert!(linearize(&[one.clone(), two.clone()]).is_err());
        assert!(linearize(&[one, Call { seen: Seen::Exists, ..two }]).is_ok());
    }
}
