//! A UFS within the process, for tests and the simulator. Passes the suite of the real ones.
//!
//! Its clock is a counter, so that equal calls lead to equal storages. A clone is the same storage. A test that
//! wants a call to fail says so with [`MemoryUfs::fail_next`].

use super::error::{UfsError, UfsErrorKind};
use super::storage::{Ufs, UfsAttributes, UfsDeletion, UfsOwnership, UfsReader, UfsStatus, UfsWriter};
use super::uri::UfsUri;
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

type Result<T> = std::result::Result<T, UfsError>;

/// See the module text.
#[derive(Debug, Clone, Default)]
pub struct MemoryUfs {
    storage: Arc<Mutex<Storage>>,
}

#[derive(Debug, Default)]
struct Storage {
    /// By normal URI. The root of an authority is always there and has no entry.
    nodes: BTreeMap<String, Node>,
    ticks: i64,
    /// Errors of the calls to come, first the next one's.
    failures: VecDeque<UfsErrorKind>,
}

#[derive(Debug, Clone)]
struct Node {
    /// None for a directory.
    content: Option<Vec<u8>>,
    owner: String,
    group: String,
    mode: u16,
    modification_time_ms: i64,
    /// Tells a file from one that replaced it.
    made: i64,
}

impl MemoryUfs {
    /// An empty storage.
    pub fn new() -> MemoryUfs {
        MemoryUfs::default()
    }

    /// The next call that is not failed yet will fail so, without effect.
    pub fn fail_next(&self, kind: UfsErrorKind) {
        self.storage.lock().failures.push_back(kind);
    }

    /// All that is there, in order: the URIs, those of directories with a slash at the end.
    pub fn paths(&self) -> Vec<String> {
        let storage = self.storage.lock();
        let shown = |(path, node): (&String, &Node)| match node.content {
            Some(_) => path.clone(),
            None => format!("{path}/"),
        };
        storage.nodes.iter().map(shown).collect()
    }

    fn call<T>(
        &self,
        operation: &'static str,
        path: &str,
        work: impl FnOnce(&mut Storage, &str) -> Result<T>,
    ) -> Result<T> {
        let uri = UfsUri::parse(path)?.to_string();
        let mut storage = self.storage.lock();
        if let Some(kind) = storage.failures.pop_front() {
            return Err(UfsError::new(kind, operation, uri, "the test wants it"));
        }
        storage.ticks += 1;
        work(&mut storage, &uri)
    }
}

#[async_trait]
impl Ufs for MemoryUfs {
    async fn status(&self, path: &str) -> Result<Option<UfsStatus>> {
        self.call("look at", path, |storage, path| Ok(storage.find(path).map(|node| status(path, &node))))
    }

    async fn list(&self, path: &str) -> Result<Vec<UfsStatus>> {
        self.call("list", path, |storage, path| {
            storage.directory("list", path)?;
            Ok(storage.children(path).map(|(path, node)| status(path, node)).collect())
        })
    }

    async fn mkdir(&self, path: &str, ownership: &UfsOwnership) -> Result<()> {
        self.call("make the directory", path, |storage, path| storage.mkdir("make the directory", path, ownership))
    }

    async fn create(&self, path: &str, ownership: &UfsOwnership) -> Result<Box<dyn UfsWriter>> {
        let made = self.call("create", path, |storage, path| {
            if let Some(parent) = parent(path) {
                storage.mkdir("create", parent, ownership)?;
            }
            if storage.find(path).is_some_and(|node| node.content.is_none()) {
                return Err(UfsError::new(UfsErrorKind::WrongType, "create", path, "it is a directory"));
            }
            storage.add(path, Some(Vec::new()), ownership);
            Ok(storage.ticks)
        })?;
        let path = UfsUri::parse(path)?.to_string();
        Ok(Box::new(MemoryWriter { ufs: self.clone(), path, made, closed: false }))
    }

    async fn open(&self, path: &str, offset: u64) -> Result<Box<dyn UfsReader>> {
        self.call("open", path, |storage, path| match storage.find(path).map(|node| node.content) {
            Some(Some(content)) => {
                let start = usize::try_from(offset).map_or(content.len(), |offset| offset.min(content.len()));
                let reader: Box<dyn UfsReader> = Box::new(MemoryReader { rest: Bytes::from(content).slice(start..) });
                Ok(reader)
            }
            Some(None) => Err(UfsError::new(UfsErrorKind::WrongType, "open", path, "it is a directory")),
            None => Err(UfsError::not_found("open", path)),
        })
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let to = UfsUri::parse(to)?.to_string();
        self.call("rename", from, |storage, from| storage.rename(from, &to))
    }

    async fn delete(&self, path: &str, what: UfsDeletion) -> Result<()> {
        self.call("delete", path, |storage, path| storage.delete(path, what))
    }

    async fn set_attributes(&self, path: &str, attributes: &UfsAttributes) -> Result<()> {
        let operation = "change the attributes of";
        self.call(operation, path, |storage, path| {
            let node = storage.nodes.get_mut(path).ok_or_else(|| UfsError::not_found(operation, path))?;
            node.owner = attributes.owner.clone().unwrap_or_else(|| node.owner.clone());
            node.group = attributes.group.clone().unwrap_or_else(|| node.group.clone());
            node.mode = attributes.mode.unwrap_or(node.mode);
            Ok(())
        })
    }

    fn user(&self) -> Option<String> {
        Some("memory".into())
    }
}

impl Storage {
    fn find(&self, path: &str) -> Option<Node> {
        let root = || Node {
            content: None,
            owner: String::new(),
            group: String::new(),
            mode: 0o755,
            modification_time_ms: 0,
            made: 0,
        };
        self.nodes.get(path).cloned().or_else(|| parent(path).is_none().then(root))
    }

    fn add(&mut self, path: &str, content: Option<Vec<u8>>, ownership: &UfsOwnership) {
        let node = Node {
            content,
            owner: ownership.owner.clone(),
            group: ownership.group.clone(),
            mode: ownership.mode,
            modification_time_ms: self.ticks,
            made: self.ticks,
        };
        self.nodes.insert(path.to_owned(), node);
    }

    /// The descendants, nearest to the top first within each branch.
    fn below<'a>(&'a self, path: &str) -> impl Iterator<Item = (&'a String, &'a Node)> + use<'a> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let range = self.nodes.range::<String, _>((Excluded(prefix.clone()), Unbounded));
        range.take_while(move |(path, _)| path.starts_with(&prefix))
    }

    fn children<'a>(&'a self, path: &str) -> impl Iterator<Item = (&'a String, &'a Node)> + use<'a> {
        let length = path.trim_end_matches('/').len() + 1;
        self.below(path).filter(move |(path, _)| !path[length..].contains('/'))
    }

    fn directory(&self, operation: &'static str, path: &str) -> Result<()> {
        match self.find(path) {
            None => Err(UfsError::not_found(operation, path)),
            Some(node) if node.content.is_some() => {
                Err(UfsError::new(UfsErrorKind::WrongType, operation, path, "it is a file"))
            }
            Some(_) => Ok(()),
        }
    }

    fn mkdir(&mut self, operation: &'static str, path: &str, ownership: &UfsOwnership) -> Result<()> {
        match self.find(path) {
            Some(node) if node.content.is_some() => {
                Err(UfsError::new(UfsErrorKind::AlreadyExists, operation, path, "a file is there"))
            }
            Some(_) => Ok(()),
            None => {
                let above = parent(path).expect("a root is always there");
                if self.find(above).is_some_and(|node| node.content.is_some()) {
                    return Err(UfsError::new(UfsErrorKind::WrongType, operation, path, format!("{above} is a file")));
                }
                self.mkdir(operation, above, ownership)?;
                self.add(path, None, ownership);
                Ok(())
            }
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let node = self.nodes.get(from).cloned().ok_or_else(|| UfsError::not_found("rename", from))?;
        if self.find(to).is_some() {
            return Err(UfsError::new(UfsErrorKind::AlreadyExists, "rename", from, format!("{to} is there")));
        }
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(UfsError::new(UfsErrorKind::Invalid, "rename", from, format!("{to} lies below it")));
        }
        self.directory("rename", parent(to).expect("a root is always there"))?;
        let moved: Vec<(String, Node)> = self.below(from).map(|(path, node)| (path.clone(), node.clone())).collect();
        for (path, node) in moved {
            self.nodes.remove(&path);
            self.nodes.insert(format!("{to}{}", &path[from.len()..]), node);
        }
        self.nodes.remove(from);
        self.nodes.insert(to.to_owned(), node);
        Ok(())
    }

    fn delete(&mut self, path: &str, what: UfsDeletion) -> Result<()> {
        let wrong = |kind, reason| Err(UfsError::new(kind, "delete", path, reason));
        let node = self.nodes.get(path).ok_or_else(|| UfsError::not_found("delete", path))?;
        if node.content.is_none() == (what == UfsDeletion::File) {
            return wrong(UfsErrorKind::WrongType, "it is not of the type that was to be deleted");
        }
        let below: Vec<String> = self.below(path).map(|(path, _)| path.clone()).collect();
        if what == UfsDeletion::EmptyDirectory && !below.is_empty() {
            return wrong(UfsErrorKind::NotEmpty, "the directory is not empty");
        }
        for path in below {
            self.nodes.remove(&path);
        }
        self.nodes.remove(path);
        Ok(())
    }
}

/// The URI above a normal one; none for a root.
fn parent(path: &str) -> Option<&str> {
    let end = path.rfind('/')?;
    let top = path.find("://").map_or(0, |at| at + 3);
    let root = path[top..].find('/').map_or(path.len(), |at| top + at);
    match end {
        _ if path.len() == root + 1 => None,
        end if end == root => Some(&path[..=root]),
        end => Some(&path[..end]),
    }
}

fn status(path: &str, node: &Node) -> UfsStatus {
    UfsStatus {
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        directory: node.content.is_none(),
        length: node.content.as_ref().map_or(0, |content| content.len() as u64),
        block_size_bytes: None,
        owner: node.owner.clone(),
        group: node.group.clone(),
        mode: node.mode,
        modification_time_ms: node.modification_time_ms,
        etag: None,
    }
}

struct MemoryWriter {
    ufs: MemoryUfs,
    path: String,
    made: i64,
    closed: bool,
}

#[async_trait]
impl UfsWriter for MemoryWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let made = self.made;
        self.ufs.call("write", &self.path, |storage, path| {
            let ticks = storage.ticks;
            let node = storage.nodes.get_mut(path).filter(|node| node.made == made);
            let node = node.ok_or_else(|| UfsError::not_found("write", path))?;
            node.content.get_or_insert_default().extend_from_slice(&bytes);
            node.modification_time_ms = ticks;
            Ok(())
        })
    }

    async fn close(mut self: Box<Self>) -> Result<()> {
        self.ufs.call("close", &self.path, |_, _| Ok(()))?;
        self.closed = true;
        Ok(())
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        let mut storage = self.ufs.storage.lock();
        if !self.closed && storage.nodes.get(&self.path).is_some_and(|node| node.made == self.made) {
            storage.nodes.remove(&self.path);
        }
    }
}

struct MemoryReader {
    rest: Bytes,
}

#[async_trait]
impl UfsReader for MemoryReader {
    async fn read(&mut self, bytes_max: usize) -> Result<Bytes> {
        Ok(self.rest.split_to(self.rest.len().min(bytes_max)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite::{self, Place};
    use super::*;

    impl Place for MemoryUfs {
        fn client(&self) -> Arc<dyn Ufs> {
            Arc::new(self.clone())
        }

        fn root(&self) -> String {
            "memory://m/top".into()
        }
    }

    suite::every_behaviour!(async {
        let ufs = MemoryUfs::new();
        ufs.mkdir("memory://m/top", &suite::ownership(0o755)).await.unwrap();
        ufs
    });

    #[tokio::test]
    async fn a_wanted_failure_has_no_effect() {
        let ufs = MemoryUfs::new();
        ufs.fail_next(UfsErrorKind::Denied);
        let refused = ufs.mkdir("memory://m/a", &suite::ownership(0o755)).await.unwrap_err();
        assert_eq!(refused.to_string(), "cannot make the directory memory://m/a: the test wants it");
        ufs.mkdir("memory://m/b", &suite::ownership(0o755)).await.unwrap();
        assert_eq!(ufs.paths(), ["memory://m/b/"]);
    }
}
