//! The release of a master that died, by its guardian (F3): the process that started it, gave it its incarnation, and
//! has seen by `waitpid` that it is gone. Nobody else may know that, so nobody else does this.

use std::time::Duration;

use tokio::time::sleep;

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

/// Releases what the dead child with this incarnation leaves: its epoch, if it led, and its place in the latch. To be
/// called after `waitpid` only. Tries again until that is done or another master has claimed: if the service is away, for
/// as long as the caller lets it.
///
/// # Errors
/// `Denied` when trying again is of no use.
pub async fn release_of_dead(settings: ZookeeperSettings, incarnation: &str) -> Result<Released, LatchError> {
    let contender = Contender::new(&settings.cluster_id, incarnation)
        .map_err(|reason| LatchError::Denied { operation: OPERATION, reason })?;
    let mut guardian = Guardian { paths: Paths::new(&settings)?, settings, session: None };
    let mut released = Released::default();
    let mut told = false;
    loop {
        match guardian.attempt(&contender, incarnation, &mut released).await {
            Ok(Progress::Done) => return Ok(released),
            Ok(Progress::Again) | Err(LatchError::Refused { .. }) => {}
            Err(LatchError::SessionExpired) => guardian.session = None,
            Err(error @ LatchError::Unknown { .. }) => {
                if !std::mem::replace(&mut told, true) {
                    log::warn!("cannot release what the master left, trying again incarnation={incarnation}: {error}");
                }
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The guardian's own connection to the election of its master.
struct Guardian {
    settings: ZookeeperSettings,
    paths: Paths,
    session: Option<ZookeeperSession>,
}

impl Guardian {
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
