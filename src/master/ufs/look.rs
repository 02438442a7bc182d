//! What is in a UFS and not in the namespace: looked at once however many ask, and journaled.

use super::locks::Mode;
use super::look_task::{LookStep, LookTask, Shown};
use super::{Looked, Turn, UfsNamespace, nobody, patiently, refusal};
use crate::master::event::Core;
use crate::master::ops::{self, Load, Lookup, Mount, Operation, Request, Seen, UfsFacts, UfsOperation};
use crate::master::state::MasterState;
use crate::types::time::{boot_now, wall_now};
use crate::types::{AlluxioPath, ErrorKind, FsError, InodeId, Properties};
use crate::ufs::{UfsError, UfsErrorKind, UfsStatus, UfsUri};
use std::sync::{Arc, Weak};
use std::time::Duration;

fn silent(uri: &str, limit: Duration) -> UfsError {
    let reason = format!("no answer within {} ms", limit.as_millis());
    UfsError::new(UfsErrorKind::Unavailable, "look at", uri, reason)
}

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
                Ok(mut turn) => {
                    looked.insert(lookup.clone());
                    let seen = self.look_once(lookup).await;
                    *turn = seen.clone().err();
                    seen?;
                }
                // Who comes while another looks waits, and then sees whether that one found it.
                Err(_) => {
                    if let Some(error) = turn.lock().await.clone() {
                        looked.insert(lookup.clone());
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    async fn look_once(&self, lookup: &Lookup) -> Result<(), FsError> {
        let path = lookup.path();
        // A change there may wait for a UFS.
        let until = Some(boot_now() + self.inner.settings.patience);
        let _lock = patiently(until, self.inner.locks.lock(vec![path.clone()], Mode::Shared)).await?;
        self.look_at(lookup).await.inspect_err(|error| log::debug!("cannot look at a UFS path={path} reason={error}"))
    }

    fn turn(&self, lookup: &Lookup) -> Arc<Turn> {
        let mut looking = self.inner.looking.lock();
        looking.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = looking.get(lookup).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        looking.insert(lookup.clone(), Arc::downgrade(&turn));
        turn
    }

    async fn look_at(&self, lookup: &Lookup) -> Result<(), FsError> {
        let begin = |core: &Core, settings: &ops::Settings| LookTask::begin(lookup, &core.state, settings, wall_now());
        let (mut task, mut step) = self.inner.handle.with_core(begin);
        loop {
            let shown = match step {
                LookStep::Done => return Ok(()),
                LookStep::Load(load) => {
                    self.load(load).await?;
                    Shown::Loaded
                }
                LookStep::Status { path, uri } => {
                    let ufs = self.inner.clients.of(&uri).map_err(refusal)?;
                    let limit = self.inner.settings.patience;
                    let status = tokio::time::timeout(limit, ufs.status(&uri)).await;
                    let status = status.unwrap_or_else(|_| Err(silent(&uri, limit)));
                    let status = match (status, lookup) {
                        // What is there already is a path.
                        (Err(error), Lookup::Again(_)) if error.kind == UfsErrorKind::Invalid => Err(refusal(error)),
                        (status, _) => status.or_else(absent_if_impossible),
                    }?;
                    if status.is_none() {
                        self.inner.absent.lock().add(path, boot_now());
                    }
                    Shown::Status(status.map(|status| self.facts(status)))
                }
                LookStep::List(uri) => {
                    let ufs = self.inner.clients.of(&uri).map_err(refusal)?;
                    match ufs.list(&uri).await {
                        Err(UfsError { kind: UfsErrorKind::NotFound, .. }) => Shown::Status(None),
                        listed => Shown::Names(named(listed.map_err(refusal)?, |status| self.facts(status))),
                    }
                }
            };
            step = self.inner.handle.with_core(|core, settings| task.step(shown, &core.state, settings))?;
        }
    }

    /// Notes which content a file has that was just put in its place, while that is locked.
    pub(super) async fn note_content(&self, file: InodeId, path: &AlluxioPath) {
        let uri = self.uri(path);
        let noted = async {
            let status = self.inner.clients.of(&uri)?.status(&uri).await?;
            let found = status.map(|status| (path.clone(), self.facts(status)));
            let load = Load::of(Vec::from_iter(found), (path.clone(), uri.clone()));
            Ok(self.load(Load { own: Some(file), ..load }).await)
        };
        let failed = |error: &dyn std::fmt::Display| {
            log::debug!("the content of a file is not noted path={path} reason={error}")
        };
        match noted.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed(&error),
            Err::<_, UfsError>(error) => failed(&error),
        }
    }

    async fn load(&self, load: Load) -> Result<(), FsError> {
        let keeps_content = self.inner.handle.feature_level().keeps_content();
        let ufs_user = self.inner.clients.of(&load.seen_at.1).map_err(refusal)?.user();
        let load = Load { keeps_content, ufs_user, ..load };
        let is_compared = load.compared.is_some();
        let operation = Operation::Ufs(UfsOperation::Load(load));
        match self.inner.handle.submit(Request { operation, ..nobody() }).await {
            // Something else is happening there; whoever needs it looks again.
            Err(error) if ops::is_not_yet(&error) && !is_compared => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    pub(super) fn uri(&self, path: &AlluxioPath) -> String {
        self.inner.handle.with_core(|core, settings| ops::place_of(&core.state, settings, path).ufs_path)
    }

    pub(super) fn facts(&self, status: UfsStatus) -> UfsFacts {
        facts_of(status, self.inner.settings.block_size_bytes)
    }

    /// What is to be mounted, and what is where the mount point would lie.
    pub(super) async fn look_before_mount(&self, mount: &mut Mount) -> Result<Seen, FsError> {
        let unknown = |error: UfsError| FsError::new(ErrorKind::Unknown, error.to_string());
        mount.ufs_path = UfsUri::parse(&mount.ufs_path).map_err(unknown)?.to_string();
        let properties = mount.properties.iter().cloned().collect();
        let ufs = self.inner.clients.of_mount(&mount.ufs_path, &properties).map_err(unknown)?;
        let root = ufs.status(&mount.ufs_path).await.map_err(unknown)?.map(|status| self.facts(status));
        let above = self.uri(&mount.path);
        let parent = self.inner.clients.of(&above).map_err(unknown)?;
        // A parent UFS that is away shows nothing that could be shadowed.
        let there = parent.status(&above).await.ok().flatten();
        let path = UfsUri::parse(&above).map_err(unknown)?.path;
        Ok(Seen { root, shadowed: there.map(|_| path) })
    }
}

/// What a directory holds, by name.
pub fn named(listed: Vec<UfsStatus>, facts: impl Fn(UfsStatus) -> UfsFacts) -> Vec<(String, UfsFacts)> {
    listed.into_iter().map(|status| (status.name.clone(), facts(status))).collect()
}

/// What a UFS says of a file or directory, with the size of the blocks of a file that it says nothing about.
pub fn facts_of(status: UfsStatus, block_size_bytes: u64) -> UfsFacts {
    let block_size = status.block_size_bytes.filter(|bytes| *bytes > 0);
    UfsFacts {
        directory: status.directory,
        length: status.length.cast_signed(),
        block_size_bytes: block_size.unwrap_or(block_size_bytes).cast_signed(),
        owner: status.owner,
        group: status.group,
        mode: status.mode,
        modification_time_ms: status.modification_time_ms,
        etag: status.etag,
    }
}

/// The properties of the mount that this URI lies in; none if no mount has it.
pub fn properties_of(state: &MasterState, settings: &ops::Settings, uri: &UfsUri) -> Properties {
    let has = |root: &str| UfsUri::parse(root).is_ok_and(|root| root.is_prefix_of(uri));
    // No mount lies in another one's storage, so at most one has it.
    match state.mounts().iter().find(|mount| has(&mount.ufs_path)) {
        Some(mount) => mount.properties.iter().cloned().collect(),
        // Backups may lie beside the root.
        None if UfsUri::parse(&settings.root_ufs).is_ok_and(|root| root.is_same_storage(uri)) => {
            settings.root_options.clone()
        }
        None => Properties::default(),
    }
}
