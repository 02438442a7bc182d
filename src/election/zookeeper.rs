//! The latch on ZooKeeper, in line with Curator's `LeaderSelector` and with the clients of Alluxio 1.x and 2.x.
//!
//! ```text
//! <election path>/_c_<uuid>-lock-<sequence>   ours and every master's, ephemeral; data: host:port
//! <leader path>/<host:port>                   the leader's, ephemeral; clients take the newest
//! /alluxio-rs/<cluster id>/epoch              ours, persistent: the epoch node, whose version is the lease
//! ```
//!
//! With credentials all of them, and the folders that are made for them, belong to who has these; others may read. The
//! folders and the epoch node are closed again at each entry, so those made before by others are ours then, too. While
//! a folder holds a closed node, nobody else can delete it and put another in its place.
//!
//! Every write that matters is one conditional `multi`. Reads may come from a follower that lags, so those of the
//! epoch node and of the participants first `sync`; even then they prove nothing, only the writes do. The watches are
//! the one-shot ones that 3.4 knows; a task per session sets them again before it tells of a change, so that whoever
//! reads after a return of `changed` misses nothing.

use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::epoch_codec;
use super::latch::{EpochNode, Latch, LatchError, OwnNode, Participant, Versioned};
use super::latch_node::{Contender, order};
use super::zookeeper_session::{Fault, MultiFault, NodeFacts, SessionStates, Step, ZookeeperSession, child};
use super::zookeeper_settings::{Paths, ZookeeperSettings};
use super::zookeeper_watch;

/// How often the making of a node whose outcome is not known is looked at and tried again.
const ATTEMPTS_MAX: u32 = 5;

/// A master in an election on ZooKeeper.
pub struct ZookeeperLatch {
    settings: ZookeeperSettings,
    paths: Paths,
    contender: Contender,
    /// Held while a session is opened, so that there is one.
    session: tokio::sync::Mutex<Session>,
    /// Held during `join`, so that there is one node.
    joining: tokio::sync::Mutex<()>,
    /// Counts what the watches saw; `seen` is the receiver that has seen those up to the last return of `changed`.
    changes: watch::Sender<u64>,
    seen: Mutex<watch::Receiver<u64>>,
}

enum Session {
    /// Never joined: reads open a session.
    None,
    Open {
        live: Arc<Live>,
        watching: JoinHandle<()>,
    },
    /// Left: only `join` opens a session.
    Left,
}

/// What belongs to one session.
pub(super) struct Live {
    pub session: ZookeeperSession,
    own: Mutex<Option<String>>,
    /// Has seen the states of the session up to the last `was_interrupted`; none before the first.
    states: tokio::sync::Mutex<Option<SessionStates>>,
}

impl ZookeeperLatch {
    /// A contender of this process incarnation (see `new_incarnation`); connects when it is first used.
    ///
    /// # Errors
    /// `Denied` for settings that cannot be used.
    pub fn new(settings: ZookeeperSettings, incarnation: &str) -> Result<ZookeeperLatch, LatchError> {
        let paths = Paths::new(&settings)?;
        let contender = Contender::new(&settings.cluster_id, incarnation)
            .map_err(|reason| LatchError::Denied { operation: "the use of the incarnation", reason })?;
        let changes = watch::Sender::new(0);
        Ok(ZookeeperLatch {
            settings,
            paths,
            contender,
            session: tokio::sync::Mutex::new(Session::None),
            joining: tokio::sync::Mutex::new(()),
            seen: Mutex::new(changes.subscribe()),
            changes,
        })
    }

    /// The session of now; opened when there was none yet.
    async fn live(&self, operation: &'static str) -> Result<Arc<Live>, LatchError> {
        let mut session = self.session.lock().await;
        match &*session {
            Session::Open { live, .. } if !live.session.is_over() => Ok(live.clone()),
            Session::Open { .. } | Session::Left => Err(LatchError::SessionExpired),
            Session::None => self.open(operation, &mut session).await,
        }
    }

    /// The session of now, or a new one after its end.
    async fn live_or_new(&self, operation: &'static str) -> Result<Arc<Live>, LatchError> {
        let mut session = self.session.lock().await;
        match &*session {
            Session::Open { live, .. } if !live.session.is_over() => return Ok(live.clone()),
            _ => {}
        }
        if let Session::Open { watching, .. } = std::mem::replace(&mut *session, Session::Left) {
            // The watches of a session that is over have fired, and the task ends by itself.
            drop(timeout(self.settings.call_timeout, watching).await);
        }
        self.open(operation, &mut session).await
    }

    async fn open(&self, operation: &'static str, place: &mut Session) -> Result<Arc<Live>, LatchError> {
        let opened = ZookeeperSession::open(&self.settings.session()).await;
        let session = opened.map_err(|fault| failed(operation, &self.settings.address, fault))?;
        let live = Arc::new(Live { session, own: Mutex::new(None), states: tokio::sync::Mutex::new(None) });
        let watched = (self.paths.epoch.clone(), self.paths.election.clone());
        let watching = tokio::spawn(zookeeper_watch::run(Arc::downgrade(&live), watched, self.changes.clone()));
        *place = Session::Open { live: live.clone(), watching };
        Ok(live)
    }

    /// Finds the node of this session, or makes it; both again when the outcome was not known.
    async fn enter(&self, live: &Live) -> Result<String, LatchError> {
        let operation = "join";
        let data = self.settings.rpc_address.as_bytes();
        let mut lost = String::new();
        for _ in 0..ATTEMPTS_MAX {
            let own = self.look_around(live).await?;
            // Before our node is made: who has other credentials stands in nobody's way. And after: a folder that was
            // empty may have been replaced meanwhile by whoever may write above it.
            self.close(live, operation, self.paths.owned()).await?;
            if let Some(own) = own {
                return Ok(own);
            }
            let prefix = child(&self.paths.election, &self.contender.node_prefix());
            match live.session.create_next(&prefix, data).await {
                // The look after the making finds the node, and who came at the same time.
                Ok(_) => {}
                Err(Fault::Lost(reason)) => lost = reason,
                Err(fault) => return Err(failed(operation, &prefix, fault)),
            }
        }
        Err(LatchError::Unknown { operation, reason: lost })
    }

    /// Another node with our address is one of an earlier session, or of a master that is told to call itself as we do.
    async fn warn_of_twins(&self, live: &Live, own: &str) -> Result<(), LatchError> {
        let found = contenders(&live.session, "join", &self.paths.election).await?;
        let is_twin = |who: &Participant| who.address == self.settings.rpc_address && who.node != own;
        if found.iter().any(|(who, _)| is_twin(who)) {
            log::warn!(
                "another participant of the election has our address: if that is not an earlier run of this master, \
                 whose session ends within {} ms, then another master has the same alluxio.master.hostname, and \
                 clients will not find one of the two address={}",
                self.settings.session_timeout.as_millis(),
                self.settings.rpc_address
            );
        }
        Ok(())
    }

    /// Looks through all folders where masters contend: refuses foreign ones, removes what is left of an earlier
    /// session or attempt of ours. Returns the node of this session if it is there.
    async fn look_around(&self, live: &Live) -> Result<Option<String>, LatchError> {
        let session = &live.session;
        let mut own: Option<String> = None;
        let mut foreign: Option<LatchError> = None;
        for folder in &self.paths.contended {
            let found = contenders(session, "join", folder).await?;
            let others: Vec<Participant> = found
                .iter()
                .map(|(who, _)| who)
                .filter(|who| !self.contender.is_of_cluster(&who.node))
                .cloned()
                .collect();
            if !others.is_empty() {
                foreign = Some(LatchError::foreign(folder, &others));
            }
            if *folder != self.paths.election {
                continue;
            }
            for (who, facts) in found.into_iter().filter(|(who, _)| self.contender.owns(&who.node)) {
                if facts.owner == session.id() && own.is_none() {
                    own = Some(who.node);
                } else {
                    remove(session, "join", &child(folder, &who.node)).await?;
                }
            }
        }
        let Some(foreign) = foreign else { return Ok(own) };
        if let Some(own) = own {
            remove(session, "join", &child(&self.paths.election, &own)).await?;
        }
        Err(foreign)
    }

    /// Closes nodes to who has not our credentials, if we have any; those that are not there will be made closed.
    async fn close<'a>(
        &self,
        live: &Live,
        operation: &'static str,
        paths: impl Iterator<Item = &'a str>,
    ) -> Result<(), LatchError> {
        for path in paths {
            live.session.close(path).await.map_err(|fault| failed(operation, path, fault))?;
        }
        Ok(())
    }

    /// One conditional write of the epoch node, together with checks and deletions of latch nodes.
    async fn write(
        &self,
        operation: &'static str,
        own: Option<&OwnNode>,
        deleted: &[String],
        version: i32,
        node: &EpochNode,
    ) -> Result<i32, LatchError> {
        let live = self.live(operation).await?;
        write_epoch(&live.session, &self.paths, operation, own, deleted, version, node).await
    }

    async fn place(&self, session: &ZookeeperSession, path: &str, address: &str) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS_MAX {
            match session.delete(path).await {
                Ok(()) | Err(Fault::NoNode) => {}
                Err(fault) => return Err(fault),
            }
            match session.create_ephemeral(path, address.as_bytes()).await {
                Err(Fault::Exists) => {} // somebody with our name was as quick
                answer => return answer,
            }
        }
        Err(Fault::Lost("another process publishes the same address again and again".into()))
    }
}

#[async_trait]
impl Latch for ZookeeperLatch {
    async fn join(&self) -> Result<OwnNode, LatchError> {
        let _one = self.joining.lock().await;
        let live = self.live_or_new("join").await?;
        let own = live.own.lock().clone();
        if let Some(own) = own {
            let path = child(&self.paths.election, &own);
            let facts = live.session.facts(&path).await.map_err(|fault| failed("join", &path, fault))?;
            if facts.is_some() {
                return Ok(OwnNode(own));
            }
        }
        let own = self.enter(&live).await?;
        *live.own.lock() = Some(own.clone());
        self.warn_of_twins(&live, &own).await?;
        Ok(OwnNode(own))
    }

    async fn participants(&self) -> Result<Vec<Participant>, LatchError> {
        let live = self.live("participants").await?;
        let found = contenders(&live.session, "participants", &self.paths.election).await?;
        Ok(found.into_iter().map(|(who, _)| who).collect())
    }

    async fn read_epoch(&self) -> Result<Option<Versioned<EpochNode>>, LatchError> {
        let live = self.live("read_epoch").await?;
        read_epoch(&live.session, &self.paths).await
    }

    async fn was_interrupted(&self) -> bool {
        let Ok(live) = self.live("was_interrupted").await else { return true };
        let mut states = live.states.lock().await;
        match states.as_mut() {
            Some(states) => states.have_changed().await,
            None => {
                *states = Some(live.session.states());
                true
            }
        }
    }

    async fn create_epoch(&self, node: &EpochNode) -> Result<i32, LatchError> {
        let operation = "create_epoch";
        let path = &self.paths.epoch;
        let data = encoded(operation, path, node)?;
        let live = self.live(operation).await?;
        match live.session.create_persistent(path, &data).await {
            Ok(()) => {
                self.close(&live, operation, std::iter::once(self.paths.cluster.as_str())).await?;
                Ok(0) // the version of every new node; a 3.4 server does not tell it
            }
            Err(Fault::Exists) => Err(LatchError::refused(operation, format!("{path} exists"))),
            Err(fault) => Err(failed(operation, path, fault)),
        }
    }

    async fn renew(&self, own: &OwnNode, version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.write("renew", Some(own), &[], version, node).await
    }

    async fn claim(&self, own: &OwnNode, ahead: &[String], version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.write("claim", Some(own), ahead, version, node).await
    }

    async fn release(&self, version: i32, node: &EpochNode) -> Result<(), LatchError> {
        let deleted = Some(node.latch.clone()).filter(|latch| !latch.is_empty());
        self.write("release", None, deleted.as_slice(), version, node).await.map(|_| ())
    }

    async fn publish(&self, address: &str) -> Result<(), LatchError> {
        let live = self.live("publish").await?;
        for folder in &self.paths.leaders {
            let path = child(folder, address);
            // Called again and again: what stands stays, what was deleted by hand comes back.
            let facts = live.session.facts(&path).await.map_err(|fault| failed("publish", &path, fault))?;
            if facts.is_some_and(|facts| facts.owner == live.session.id()) {
                continue;
            }
            self.place(&live.session, &path, address).await.map_err(|fault| failed("publish", &path, fault))?;
            self.close(&live, "publish", std::iter::once(folder.as_str())).await?;
        }
        Ok(())
    }

    async fn changed(&self) {
        let mut seen = self.seen.lock().clone();
        // The sender lives in `self`, so there is no end to wait for.
        let _ = seen.changed().await;
        *self.seen.lock() = seen;
    }

    async fn leave(&self) {
        let limit = self.settings.call_timeout;
        let left = match timeout(limit, self.session.lock()).await {
            Ok(mut session) => std::mem::replace(&mut *session, Session::Left),
            Err(_) => return log::warn!("left no ZooKeeper session: one is being opened, and ends with this process"),
        };
        let Session::Open { live, watching } = left else { return };
        let mut states = live.session.states();
        // Without its last user the session is closed, which fires the watches and so ends the task.
        drop(live);
        if timeout(limit, states.over()).await.is_err() {
            log::warn!("the ZooKeeper session did not close within {limit:?}: our latch node goes when it expires");
            watching.abort();
        }
        drop(watching.await);
    }
}

/// Deletes a node that may be gone already.
async fn remove(session: &ZookeeperSession, operation: &'static str, path: &str) -> Result<(), LatchError> {
    match session.delete(path).await {
        Ok(()) | Err(Fault::NoNode) => Ok(()),
        Err(fault) => Err(failed(operation, path, fault)),
    }
}

/// The live participants of a folder in their order, read after a `sync`.
pub(super) async fn contenders(
    session: &ZookeeperSession,
    operation: &'static str,
    folder: &str,
) -> Result<Vec<(Participant, NodeFacts)>, LatchError> {
    let listed = async {
        session.sync(folder).await?;
        session.children(folder).await
    };
    let listed = listed.await.map_err(|fault| failed(operation, folder, fault))?;
    let mut found: Vec<_> = listed
        .into_iter()
        // A persistent node belongs to no live participant.
        .filter(|(_, _, facts)| facts.owner != 0)
        .map(|(node, data, facts)| (Participant { node, address: String::from_utf8_lossy(&data).into() }, facts))
        .collect();
    found.sort_by(|(a, _), (b, _)| order(&a.node).cmp(order(&b.node)));
    Ok(found)
}

/// The epoch node, read after a `sync`.
pub(super) async fn read_epoch(
    session: &ZookeeperSession,
    paths: &Paths,
) -> Result<Option<Versioned<EpochNode>>, LatchError> {
    let operation = "read_epoch";
    let path = &paths.epoch;
    let read = async {
        session.sync(path).await?;
        session.get(path).await
    };
    match read.await {
        Err(Fault::NoNode) => Ok(None),
        Err(fault) => Err(failed(operation, path, fault)),
        Ok((data, facts)) => {
            let value =
                epoch_codec::decode(&data).map_err(|reason| LatchError::NotOurs { path: path.clone(), reason })?;
            Ok(Some(Versioned { value, version: facts.version }))
        }
    }
}

/// Writes the epoch node if its version is `version` and the latch node `own` exists, and deletes latch nodes in the
/// same step. One that is gone already is left out: what its deletion is for is done.
pub(super) async fn write_epoch(
    session: &ZookeeperSession,
    paths: &Paths,
    operation: &'static str,
    own: Option<&OwnNode>,
    deleted: &[String],
    version: i32,
    node: &EpochNode,
) -> Result<i32, LatchError> {
    let data = encoded(operation, &paths.epoch, node)?;
    let own = own.map(|own| child(&paths.election, &own.0));
    let mut deleted: Vec<String> = deleted.iter().map(|node| child(&paths.election, node)).collect();
    loop {
        let mut steps: Vec<Step<'_>> = own.iter().map(|own| Step::Exists(own)).collect();
        let set = steps.len();
        steps.push(Step::Set { path: &paths.epoch, data: &data, version });
        steps.extend(deleted.iter().map(|path| Step::Delete(path)));
        let MultiFault { step, fault } = match session.multi(&steps).await {
            Ok(version) => return Ok(version),
            Err(fault) => fault,
        };
        let reason = match (fault, step) {
            (Fault::NoNode, Some(step)) if step > set => {
                deleted.remove(step - set - 1);
                continue;
            }
            (Fault::NoNode, Some(step)) if step == set => format!("{} does not exist", paths.epoch),
            (Fault::NoNode, Some(_)) => format!("our latch node {} is gone", own.unwrap_or_default()),
            (fault @ Fault::Denied(_), Some(step)) if step > set => {
                return Err(failed(operation, &deleted[step - set - 1], fault));
            }
            (Fault::BadVersion, Some(_)) => format!("{} no longer has version {version}", paths.epoch),
            (fault, _) => return Err(failed(operation, &paths.epoch, fault)),
        };
        return Err(LatchError::refused(operation, reason));
    }
}

fn encoded(operation: &'static str, path: &str, node: &EpochNode) -> Result<Vec<u8>, LatchError> {
    epoch_codec::encode(node).map_err(|reason| LatchError::Denied { operation, reason: format!("{path}: {reason}") })
}

/// The error of a call for the node or address `object`.
pub(super) fn failed(operation: &'static str, object: &str, fault: Fault) -> LatchError {
    match fault {
        Fault::Expired => LatchError::SessionExpired,
        Fault::Lost(reason) => LatchError::Unknown { operation, reason: format!("{object}: {reason}") },
        Fault::Denied(reason) => LatchError::Denied { operation, reason: format!("{object}: {reason}") },
        Fault::NoNode => LatchError::refused(operation, format!("{object} does not exist")),
        Fault::Exists => LatchError::refused(operation, format!("{object} exists")),
        Fault::BadVersion => LatchError::refused(operation, format!("{object} has another version")),
    }
}
