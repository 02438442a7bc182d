//! The release of a master that died, by its guardian (F3): the process that started it, gave it its incarnation, and
//! has seen by `waitpid` that it is gone. Nobody else may know that, so nobody else does this.
//!
//! The connection is opened ahead, while the master lives, so that the release takes milliseconds.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::latch::{EpochNode, LatchError};
use super::latch_node::Contender;
use super::zookeeper::{contenders, failed, read_epoch, write_epoch};
use super::zookeeper_session::{Fault, ZookeeperSession, child};
use super::zookeeper_settings::{Paths, ZookeeperSettings};

const OPERATION: &str = "the release of a master that died";

/// How long to wait before the next attempt after one whose outcome is not known.
const PAUSE: Duration = Duration::from_millis(50);

/// What was done for a dead master.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Released {
    /// The epoch that it led and that is released now; none when it did not lead, or had released itself.
    pub epoch: Option<u64>,
    /// Its latch nodes that were deleted.
    pub latch_nodes: Vec<String>,
}

/// Releases what a dead master leaves, by a session opened for it: see [`Guardian::release_of_dead`].
///
/// # Errors
/// As there.
pub async fn release_of_dead(settings: ZookeeperSettings, incarnation: &str) -> Result<Released, LatchError> {
    Guardian::new(settings)?.release_of_dead(incarnation).await
}

/// The guardian's own connection to the election of its master.
pub struct Guardian {
    settings: ZookeeperSettings,
    paths: Paths,
    session: Option<ZookeeperSession>,
}

impl Guardian {
    /// A guardian of a master with these settings; not yet connected.
    ///
    /// # Errors
    /// `Denied` for settings that cannot be used.
    pub fn new(settings: ZookeeperSettings) -> Result<Guardian, LatchError> {
        let paths = Paths::new(&settings)?;
        Ok(Guardian { settings, paths, session: None })
    }

    /// Opens a session, so that a later release need not. Nothing when one is open.
    ///
    /// # Errors
    /// `Unknown` when no server answers within the connection timeout; a release then tries again.
    pub async fn connect(&mut self) -> Result<(), LatchError> {
        self.session().await.map(|_| ())
    }

    /// Releases what the dead child with this incarnation leaves: its epoch, if it led, and its place in the latch.
    /// To be called after `waitpid` only. Tries again, for a connection timeout at most, until that is done or another
    /// master has claimed.
    ///
    /// # Errors
    /// `Unknown` when it could not be done in that time: the others then wait for the lease and the session to end.
    /// `Denied` when trying again is of no use.
    pub async fn release_of_dead(&mut self, incarnation: &str) -> Result<Released, LatchError> {
        let limit = self.settings.connection_timeout;
        let contender = Contender::new(&self.settings.cluster_id, incarnation)
            .map_err(|reason| LatchError::Denied { operation: OPERATION, reason })?;
        let mut released = Released::default();
        let mut last = String::from("no answer");
        let done = timeout(limit, async {
            loop {
                match self.attempt(&contender, incarnation, &mut released).await {
                    Ok(Progress::Done) => return Ok(()),
                    Ok(Progress::Again) | Err(LatchError::Refused { .. }) => {}
                    Err(LatchError::SessionExpired) => self.session = None,
                    Err(LatchError::Unknown { reason, .. }) => {
                        last = reason;
                        sleep(PAUSE).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        });
        let done = done.await;
        match done {
            Ok(Ok(())) => Ok(released),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let reason = format!("not done within {limit:?}: {last}");
                Err(LatchError::Unknown { operation: OPERATION, reason })
            }
        }
    }

    /// One look and what follows from it. A claim that the dead master had sent may still come true between the look
    /// and the write: the write is conditional then, and a deletion of its latch node is followed by another look.
    async fn attempt(
        &mut self,
        contender: &Contender,
        incarnation: &str,
        released: &mut Released,
    ) -> Result<Progress, LatchError> {
        let paths = self.paths.clone();
        let session = self.session().await?;
        let standing = contenders(session, OPERATION, &paths.election).await?.into_iter().map(|(who, _)| who.node);
        let mut own: Vec<String> = standing.filter(|node| contender.owns(node)).collect();
        let found = read_epoch(session, &paths).await?;
        if let Some(found) = found.filter(|found| found.value.owner == incarnation && !found.value.released) {
            let node = EpochNode { released: true, ..found.value };
            write_epoch(session, &paths, OPERATION, None, &own, found.version, &node).await?;
            released.epoch = Some(node.epoch);
            released.latch_nodes.append(&mut own);
            return Ok(Progress::Done);
        }
        if own.is_empty() {
            return Ok(Progress::Done);
        }
        for node in own {
            let path = child(&paths.election, &node);
            match session.delete(&path).await {
                Ok(()) => released.latch_nodes.push(node),
                Err(Fault::NoNode) => {}
                Err(fault) => return Err(failed(OPERATION, &path, fault)),
            }
        }
        Ok(Progress::Again)
    }

    async fn session(&mut self) -> Result<&ZookeeperSession, LatchError> {
        let open = self.session.take().filter(|session| !session.is_over());
        let session = match open {
            Some(session) => session,
            None => {
                let opened = ZookeeperSession::open(&self.settings.session()).await;
                opened.map_err(|fault| failed(OPERATION, &self.settings.address, fault))?
            }
        };
        Ok(self.session.insert(session))
    }
}

enum Progress {
    Done,
    Again,
}
