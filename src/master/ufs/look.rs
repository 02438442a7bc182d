//! What is in a UFS and not in the namespace: looked at once however many ask, and journaled.

use super::{Looked, UfsNamespace, nobody, refusal};
use crate::master::ops::{self, Load, Lookup, Mount, Operation, Request, Seen, UfsFacts, UfsOperation};
use crate::master::ufs::locks::Mode;
use crate::types::time::boot_now;
use crate::types::ufs_names::is_nobodys;
use crate::types::{AlluxioPath, ErrorKind, FsError};
use crate::ufs::{UfsError, UfsErrorKind, UfsStatus, UfsUri};
use std::sync::{Arc, Weak};

/// Inodes that one record makes at most.
const LOAD_INODES_MAX: usize = 5_000;
/// A directory with more entries than this is refused.
const LISTING_MAX: usize = 5_000_000;

/// What cannot be a path in that UFS is not in it.
fn absent_if_impossible(error: UfsError) -> Result<Option<UfsStatus>, FsError> {
    match error.kind {
        UfsErrorKind::Invalid | UfsErrorKind::WrongType => Ok(None),
        _ => Err(refusal(error)),
    }
}

impl UfsNamespace {
    /// Looks at each of these. An error says which one could not be looked at; it counts as looked at all the same.
    pub(super) async fn look(&self, lookups: &[Lookup], looked: &mut Looked) -> Result<(), FsError> {
        for lookup in lookups {
            let turn = self.turn(lookup);
            match turn.try_lock() {
                Ok(_turn) => {
                    looked.insert(lookup.clone());
                    self.look_once(lookup).await?;
                }
                // Who comes while another looks waits, and then sees whether that one found it.
                Err(_) => drop(turn.lock().await),
            }
        }
        Ok(())
    }

    async fn look_once(&self, lookup: &Lookup) -> Result<(), FsError> {
        let path = lookup.path();
        let _lock = self.inner.locks.lock(vec![path.clone()], Mode::Shared).await;
        let looked = match lookup {
            Lookup::Path { path, found } => self.look_at_path(path, *found).await,
            Lookup::Children(path) => self.look_at_children(path).await,
        };
        looked.inspect_err(|error| log::debug!("cannot look at a UFS path={path} reason={error}"))
    }

    fn turn(&self, lookup: &Lookup) -> Arc<tokio::sync::Mutex<()>> {
        let mut looking = self.inner.looking.lock();
        looking.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = looking.get(lookup).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        looking.insert(lookup.clone(), Arc::downgrade(&turn));
        turn
    }

    /// From the first component that is missing down, as far as the UFS has them.
    async fn look_at_path(&self, path: &AlluxioPath, found: usize) -> Result<(), FsError> {
        let mut at = path.components().take(found).fold(AlluxioPath::root(), |path, name| path.join(name));
        let mut seen = Vec::new();
        for name in path.components().skip(found) {
            at = at.join(name);
            if is_nobodys(name) {
                break;
            }
            let ufs_path = self.uri(&at);
            let ufs = self.inner.clients.of(&ufs_path).map_err(refusal)?;
            let Some(status) = ufs.status(&ufs_path).await.or_else(absent_if_impossible)? else {
                self.inner.absent.lock().add(at, boot_now());
                break;
            };
            let is_directory = status.directory;
            seen.push((at.clone(), self.facts(status)));
            if !is_directory {
                break;
            }
        }
        let Some((first, _)) = seen.first() else { return Ok(()) };
        let seen_at = (first.clone(), self.uri(first));
        self.load(Load { found: seen, listed: None, seen_at }).await
    }

    async fn look_at_children(&self, path: &AlluxioPath) -> Result<(), FsError> {
        let ufs_path = self.uri(path);
        let ufs = self.inner.clients.of(&ufs_path).map_err(refusal)?;
        let listed = match ufs.list(&ufs_path).await {
            Ok(listed) => listed,
            Err(UfsError { kind: UfsErrorKind::NotFound, .. }) => return Ok(()),
            Err(error) => return Err(refusal(error)),
        };
        if listed.len() > LISTING_MAX {
            let message = format!("{ufs_path} has {} entries, the limit is {LISTING_MAX}", listed.len());
            return Err(FsError::new(ErrorKind::ResourceExhausted, message));
        }
        let listed = listed.into_iter().filter(|status| !is_nobodys(&status.name));
        let mut found = listed.map(|status| (path.join(&status.name), self.facts(status)));
        loop {
            let some: Vec<_> = found.by_ref().take(LOAD_INODES_MAX).collect();
            let is_last = some.len() < LOAD_INODES_MAX;
            let seen_at = (path.clone(), ufs_path.clone());
            self.load(Load { found: some, listed: is_last.then(|| path.clone()), seen_at }).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    async fn load(&self, load: Load) -> Result<(), FsError> {
        let operation = Operation::Ufs(UfsOperation::Load(load));
        match self.inner.handle.submit(Request { operation, ..nobody() }).await {
            // Something else is happening there; whoever needs it looks again.
            Err(error) if ops::is_not_yet(&error) => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    pub(super) fn uri(&self, path: &AlluxioPath) -> String {
        self.inner.handle.with_core(|core, settings| ops::place_of(&core.state, settings, path).ufs_path)
    }

    fn facts(&self, status: UfsStatus) -> UfsFacts {
        let block_size = status.block_size_bytes.filter(|bytes| *bytes > 0);
        UfsFacts {
            directory: status.directory,
            length: status.length.cast_signed(),
            block_size_bytes: block_size.unwrap_or(self.inner.settings.block_size_bytes).cast_signed(),
            owner: status.owner,
            group: status.group,
            mode: status.mode,
            modification_time_ms: status.modification_time_ms,
        }
    }

    /// What is to be mounted, and what is where the mount point would lie.
    pub(super) async fn look_before_mount(&self, mount: &mut Mount) -> Result<Seen, FsError> {
        let unknown = |error: UfsError| FsError::new(ErrorKind::Unknown, error.to_string());
        mount.ufs_path = UfsUri::parse(&mount.ufs_path).map_err(unknown)?.to_string();
        let ufs = self.inner.clients.of(&mount.ufs_path).map_err(unknown)?;
        let root = ufs.status(&mount.ufs_path).await.map_err(unknown)?.map(|status| self.facts(status));
        let above = self.uri(&mount.path);
        let parent = self.inner.clients.of(&above).map_err(unknown)?;
        // A parent UFS that is away shows nothing that could be shadowed.
        let there = parent.status(&above).await.ok().flatten();
        let path = UfsUri::parse(&above).map_err(unknown)?.path;
        Ok(Seen { root, shadowed: there.map(|_| path) })
    }
}
