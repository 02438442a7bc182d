//! S3 as UFS: a bucket whose keys are taken for paths, as 2.9 does it.
//!
//! A directory is an empty object whose key ends in a slash, or whatever has a key below it. What was a directory stays
//! one: who takes the last thing out of it leaves such an object. There are no owners, and one mode for all. A file is
//! there when it is closed, not before.
//!
//! Renames copy and delete object by object, from many short requests; the source is gone when the last one is copied. So
//! one that was cut short goes on when it is made again (`resume_rename`), in whatever process: what is still at the old
//! path has not arrived. A deletion of a tree goes on in the same way. Who waits for such a call may stop polling it, and
//! no more than the requests under way are sent (`master/ufs/change.rs` does so when its lease may end).

use super::clients::UfsSettings;
use super::error::{UfsError, UfsErrorKind};
use super::s3_connection::Failure;
use super::s3_moves;
use super::s3_requests::{Depth, Object, Page, S3Requests};
use super::s3_settings::{S3Settings, without_effect};
use super::s3_streams::{S3Reader, S3Writer, copy, in_lanes};
use super::storage::{Ufs, UfsAttributes, UfsDeletion, UfsOwnership, UfsReader, UfsStatus, UfsWriter};
use super::uri::UfsUri;
use crate::types::Properties;
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

type Result<T> = std::result::Result<T, UfsError>;

/// Most keys in one answer.
const PAGE: usize = 1000;

/// See the module text.
#[derive(Clone)]
pub struct S3Ufs {
    requests: S3Requests,
    /// `s3://bucket`, as it was named.
    root: String,
    mode: u16,
}

/// Without its keys and where it is.
impl fmt::Debug for S3Ufs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Ufs({})", self.root)
    }
}

/// What is at a path.
enum Found {
    File(Object),
    Directory,
}

impl S3Ufs {
    /// A client of the bucket in this URI, as the mount says, else as the site does. Connects to nothing yet.
    ///
    /// # Errors
    /// A property that cannot be used.
    pub fn new(uri: &UfsUri, mount: &Properties, settings: &UfsSettings) -> Result<S3Ufs> {
        let unused = without_effect(mount);
        if !unused.is_empty() {
            log::warn!("options of a mount of S3 have no effect bucket={} options={}", uri.authority, unused.join(","));
        }
        let root = UfsUri { path: "/".into(), ..uri.clone() }.to_string().trim_end_matches('/').to_owned();
        let own = S3Settings::of(uri, mount, &settings.site)?;
        let mode = own.mode;
        let requests = S3Requests::new(own, settings.deadline);
        let requests = requests.map_err(|reason| UfsError::new(UfsErrorKind::Refused, "use", &root, reason))?;
        Ok(S3Ufs { requests, root, mode })
    }

    /// The key of a path; empty for the root of the bucket.
    fn key(&self, uri: &str) -> Result<String> {
        let parsed = UfsUri::parse(uri)?;
        let root = UfsUri { path: "/".into(), ..parsed.clone() }.to_string();
        if root.trim_end_matches('/') != self.root {
            let reason = format!("it does not lie in {}", self.root);
            return Err(UfsError::new(UfsErrorKind::Invalid, "use", uri, reason));
        }
        Ok(parsed.path[1..].to_owned())
    }

    fn failed<'a>(&'a self, operation: &'static str, uri: &'a str) -> impl Fn(Failure) -> UfsError + 'a {
        move |failure| self.requests.connection.failed(operation, uri, &failure)
    }

    async fn find(&self, key: &str) -> std::result::Result<Option<Found>, Failure> {
        if key.is_empty() {
            // Asked all the same: an absent bucket must not look like an empty one.
            return self.requests.list("", Depth::Tree, 1, None).await.map(|_| Some(Found::Directory));
        }
        // The answer to a head has no reason in it, which a listing tells.
        let head = match self.requests.head(key).await {
            Ok(Some(object)) => return Ok(Some(Found::File(object))),
            other => other,
        };
        let page = self.requests.list(&folder(key), Depth::Tree, 1, None).await?;
        head?;
        Ok((!page.objects.is_empty()).then_some(Found::Directory))
    }

    /// What is there; an error if nothing is.
    async fn need(&self, operation: &'static str, uri: &str) -> Result<(String, Found)> {
        let key = self.key(uri)?;
        match self.find(&key).await.map_err(self.failed(operation, uri))? {
            Some(found) => Ok((key, found)),
            None => Err(UfsError::not_found(operation, uri)),
        }
    }

    fn status_of(&self, key: &str, found: Found) -> UfsStatus {
        let (length, modification_time_ms, etag, directory) = match found {
            Found::File(object) => (object.length, object.modification_time_ms, Some(object.etag), false),
            Found::Directory => (0, 0, None, true),
        };
        UfsStatus {
            name: key.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned(),
            directory,
            length,
            block_size_bytes: None,
            owner: String::new(),
            group: String::new(),
            mode: self.mode,
            modification_time_ms,
            etag: etag.filter(|etag| !etag.is_empty()),
        }
    }

    async fn make_directories(&self, operation: &'static str, uri: &str, key: &str) -> Result<()> {
        let mut missing = Vec::new();
        let mut at = key;
        while !at.is_empty() {
            match self.find(at).await.map_err(self.failed(operation, uri))? {
                Some(Found::Directory) => break,
                Some(Found::File(_)) if at == key => {
                    return Err(UfsError::new(UfsErrorKind::AlreadyExists, operation, uri, "a file is there"));
                }
                Some(Found::File(_)) => {
                    return Err(UfsError::new(UfsErrorKind::WrongType, operation, uri, format!("/{at} is a file")));
                }
                None => missing.push(at),
            }
            at = above(at);
        }
        for key in missing.into_iter().rev() {
            self.requests.put(&folder(key), Bytes::new()).await.map_err(self.failed(operation, uri))?;
        }
        Ok(())
    }

    /// Sees to it that what was a directory is one still.
    async fn keep_directory(&self, key: &str) -> std::result::Result<(), Failure> {
        if key.is_empty() || !self.requests.list(&folder(key), Depth::Tree, 1, None).await?.objects.is_empty() {
            return Ok(());
        }
        self.requests.put(&folder(key), Bytes::new()).await
    }

    /// Moves what is at `from`, a part of which may have been moved before. A refusal is one only as long as nothing is
    /// gone from there.
    async fn move_all(&self, from: &str, to: &str, found: Found) -> std::result::Result<(), Failure> {
        match found {
            Found::File(object) => {
                copy(&self.requests, &object, to).await?;
                self.requests.delete(from).await?;
            }
            Found::Directory => {
                let (old, new) = (folder(from), folder(to));
                let has_begun = AtomicBool::new(false);
                let moved = self.each_page(&old, |objects| async {
                    let keys: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
                    let copied = in_lanes(objects, |object| {
                        let target = format!("{new}{}", &object.key[old.len()..]);
                        async move { copy(&self.requests, &object, &target).await }
                    });
                    copied.await?;
                    let deleted = self.requests.delete_all(keys.clone()).await;
                    if deleted.is_ok() || !self.has_all(&old, &keys).await? {
                        has_begun.store(true, Ordering::Relaxed);
                    }
                    deleted
                });
                moved.await.map_err(|failure| match has_begun.load(Ordering::Relaxed) {
                    true => failure.unfinished(),
                    false => failure,
                })?;
            }
        }
        self.keep_directory(above(from)).await.map_err(Failure::unfinished)
    }

    /// Whether the keys of the first page are these.
    async fn has_all(&self, prefix: &str, keys: &[String]) -> std::result::Result<bool, Failure> {
        let page = self.requests.list(prefix, Depth::Tree, PAGE, None).await?;
        Ok(keys.iter().all(|key| page.objects.iter().any(|object| object.key == *key)))
    }

    /// Does something with all keys of a prefix, part by part, each of which is taken away by it.
    async fn each_page<F>(
        &self,
        prefix: &str,
        work: impl Fn(Vec<Object>) -> F + Sync,
    ) -> std::result::Result<(), Failure>
    where
        F: Future<Output = std::result::Result<(), Failure>> + Send,
    {
        loop {
            // From the start: what was before is gone.
            let page = self.requests.list(prefix, Depth::Tree, PAGE, None).await?;
            if page.objects.is_empty() {
                return Ok(());
            }
            work(page.objects).await?;
        }
    }
}

#[async_trait]
impl Ufs for S3Ufs {
    async fn status(&self, path: &str) -> Result<Option<UfsStatus>> {
        let key = self.key(path)?;
        let found = self.find(&key).await.map_err(self.failed("look at", path))?;
        Ok(found.map(|found| self.status_of(&key, found)))
    }

    async fn list(&self, path: &str) -> Result<Vec<UfsStatus>> {
        let key = self.key(path)?;
        let prefix = if key.is_empty() { key.clone() } else { folder(&key) };
        let (mut children, mut is_there, mut next) = (BTreeMap::new(), key.is_empty(), None);
        loop {
            let page = self.requests.list(&prefix, Depth::OneLevel, PAGE, next.as_deref()).await;
            let Page { objects, folders, next: more } = page.map_err(self.failed("list", path))?;
            is_there |= !(objects.is_empty() && folders.is_empty());
            let files = objects.into_iter().map(|object| (object.key.clone(), Found::File(object)));
            for (key, found) in folders.into_iter().map(|folder| (folder, Found::Directory)).chain(files) {
                let status = self.status_of(&key, found);
                // `a//b`, and keys that no path can have.
                let is_name = !matches!(status.name.as_str(), "" | "." | "..") && key[prefix.len()..] != *"/";
                if is_name && key != prefix {
                    // The file is what a look shows, too.
                    children.insert(status.name.clone(), status);
                }
            }
            match more {
                Some(more) => next = Some(more),
                None => break,
            }
        }
        if !is_there {
            let error = match self.need("list", path).await?.1 {
                Found::File(_) => UfsError::new(UfsErrorKind::WrongType, "list", path, "it is a file"),
                Found::Directory => UfsError::new(UfsErrorKind::Unavailable, "list", path, "it was made meanwhile"),
            };
            return Err(error);
        }
        Ok(children.into_values().collect())
    }

    async fn mkdir(&self, path: &str, _: &UfsOwnership) -> Result<()> {
        self.make_directories("make the directory", path, &self.key(path)?).await
    }

    async fn create(&self, path: &str, _: &UfsOwnership) -> Result<Box<dyn UfsWriter>> {
        let key = self.key(path)?;
        if let Some(Found::Directory) = self.find(&key).await.map_err(self.failed("create", path))? {
            return Err(UfsError::new(UfsErrorKind::WrongType, "create", path, "it is a directory"));
        }
        self.make_directories("create", path, above(&key)).await?;
        Ok(Box::new(S3Writer::new(self.requests.clone(), path.to_owned(), key)))
    }

    async fn open(&self, path: &str, offset: u64) -> Result<Box<dyn UfsReader>> {
        match self.need("open", path).await?.1 {
            Found::File(object) => Ok(Box::new(S3Reader::new(self.requests.clone(), path.to_owned(), object, offset))),
            Found::Directory => Err(UfsError::new(UfsErrorKind::WrongType, "open", path, "it is a directory")),
        }
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let refused = |kind, reason: &str| Err(UfsError::new(kind, "rename", format!("{from} to {to}"), reason));
        let (old, found) = self.need("rename", from).await?;
        let new = self.key(to)?;
        if old.is_empty() || new.strip_prefix(&old).is_some_and(|rest| rest.starts_with('/')) {
            return refused(UfsErrorKind::Invalid, "a directory cannot be moved into itself");
        }
        if self.find(&new).await.map_err(self.failed("rename", to))?.is_some() {
            return refused(UfsErrorKind::AlreadyExists, "something is there");
        }
        match self.find(above(&new)).await.map_err(self.failed("rename", to))? {
            Some(Found::Directory) => {}
            Some(Found::File(_)) => return refused(UfsErrorKind::WrongType, "what should be its parent is a file"),
            None => return refused(UfsErrorKind::NotFound, "its new parent is not there"),
        }
        if let Found::Directory = found
            && let Some((key, reason)) = s3_moves::unmovable(&self.requests, &folder(&old), &folder(&new))
                .await
                .map_err(self.failed("rename", from))?
        {
            return refused(UfsErrorKind::Invalid, &format!("the object {key} cannot be moved: {reason}"));
        }
        self.move_all(&old, &new, found).await.map_err(self.failed("rename", from))
    }

    async fn resume_rename(&self, from: &str, to: &str) -> Result<()> {
        let ((old, found), new) = (self.need("rename", from).await?, self.key(to)?);
        let conflict = match &found {
            Found::File(object) => {
                let there = self.requests.head(&new).await.map_err(self.failed("rename", to))?;
                there.filter(|there| !s3_moves::may_be_copy(object, there)).map(|there| there.key)
            }
            Found::Directory => s3_moves::conflict(&self.requests, &folder(&old), &folder(&new))
                .await
                .map_err(|failure| self.failed("rename", from)(failure.unfinished()))?,
        };
        if let Some(key) = conflict {
            let reason = format!("another object has come to {key} meanwhile: move what is left by hand");
            return Err(UfsError::new(UfsErrorKind::AlreadyExists, "rename", format!("{from} to {to}"), reason));
        }
        let moved = self.move_all(&old, &new, found).await;
        moved.map_err(|failure| self.failed("rename", from)(failure.unfinished()))
    }

    async fn delete(&self, path: &str, what: UfsDeletion) -> Result<()> {
        let wrong = |kind, reason| Err(UfsError::new(kind, "delete", path, reason));
        let (key, found) = self.need("delete", path).await?;
        let deleted = match (found, what) {
            (Found::File(_), UfsDeletion::File) => self.requests.delete(&key).await,
            (Found::File(_), _) => return wrong(UfsErrorKind::WrongType, "it is a file"),
            (Found::Directory, UfsDeletion::File) => return wrong(UfsErrorKind::WrongType, "it is a directory"),
            (Found::Directory, _) if key.is_empty() => {
                return wrong(UfsErrorKind::Refused, "it is the root of the bucket");
            }
            (Found::Directory, UfsDeletion::EmptyDirectory) => {
                let own = folder(&key);
                let page = self.requests.list(&own, Depth::Tree, 2, None).await.map_err(self.failed("delete", path))?;
                if page.objects.iter().any(|object| object.key != own) {
                    return wrong(UfsErrorKind::NotEmpty, "the directory is not empty");
                }
                self.requests.delete(&own).await
            }
            (Found::Directory, UfsDeletion::Tree) => {
                let delete = |objects: Vec<Object>| {
                    self.requests.delete_all(objects.into_iter().map(|object| object.key).collect())
                };
                self.each_page(&folder(&key), delete).await
            }
        };
        deleted.map_err(self.failed("delete", path))?;
        self.keep_directory(above(&key)).await.map_err(self.failed("delete", path))
    }

    // Compatible: 2.9 S3AUnderFileSystem.setOwner, setMode: without effect.
    async fn set_attributes(&self, _: &str, _: &UfsAttributes) -> Result<()> {
        Ok(())
    }

    fn is_object_storage(&self) -> bool {
        true
    }

    fn user(&self) -> Option<String> {
        None
    }
}

/// The key of the object that makes it a directory.
fn folder(key: &str) -> String {
    format!("{key}/")
}

/// The key of the directory above; empty for the root.
fn above(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(above, _)| above)
}
