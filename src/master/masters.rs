//! Which masters there are, who leads in which epoch, and how far each of them is with the journal.

use super::handle::Handle;
use super::journal_room::JournalRoom;
use crate::election::{EpochNode, Latch, LatchError, Participant};
use crate::journal::folder::FEATURE_LEVEL;
use crate::rpc::channel::ChannelSettings;
use crate::rpc::peer::{self, Peer, Standing};
use crate::types::SequenceNumber;
use log::debug;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long another master may take to tell how far it is: who asks is not to wait for one that hangs.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// How long the election may take to tell who is in it: half of what Prometheus gives a scrape.
const ELECTION_LIMIT: Duration = Duration::from_secs(5);

/// Tells of all masters, as one of them sees them.
#[derive(Clone)]
pub struct Masters {
    latch: Arc<dyn Latch>,
    handle: Handle,
    address: String,
    channel: ChannelSettings,
}

/// What was seen at once.
#[derive(Debug)]
pub struct Seen {
    /// The newest epoch that was claimed, and who claimed it; none when there was none, or the election does not answer.
    pub epoch: Option<EpochNode>,
    /// Why the election says nothing, if it does not.
    pub problem: Option<LatchError>,
    /// The newest record that the master which looked takes for permanent.
    pub position: SequenceNumber,
    /// All that are in the election, in its order.
    pub masters: Vec<SeenMaster>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenMaster {
    /// `host:port`
    pub address: String,
    /// Its node in the latch.
    pub node: String,
    /// Whether it leads.
    pub is_primary: bool,
    /// Whether it is the one that looked.
    pub is_here: bool,
    /// The last record that it has applied; none when it does not tell.
    pub position: Option<u64>,
    /// Records behind the primary.
    pub lag: Option<u64>,
    /// The highest feature level of a journal that it knows; none when it does not tell.
    pub feature_level: Option<u32>,
}

impl fmt::Debug for Masters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masters").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Masters {
    /// Those in this election, as the master of `handle` at `address` sees them; others are asked through `channel`.
    pub fn new(latch: Arc<dyn Latch>, handle: Handle, address: String, channel: ChannelSettings) -> Masters {
        Masters { latch, handle, address, channel }
    }

    /// How much room their journal takes and has.
    pub fn room(&self) -> &JournalRoom {
        self.handle.room()
    }

    /// The others that follow the journal, the first in the election first.
    pub async fn standbys(&self) -> Vec<Peer> {
        let others =
            self.look().await.masters.into_iter().filter(|master| !master.is_here && master.position.is_some());
        others.map(|master| Peer { address: master.address, channel: self.channel.clone() }).collect()
    }

    /// Asks the election and all masters in it. Takes a second more than the election, which has 5 s, when one of them
    /// hangs.
    pub async fn look(&self) -> Seen {
        let asking = async { (self.latch.read_epoch().await, self.latch.participants().await) };
        let late = |_| {
            let reason = format!("it does not answer within {ELECTION_LIMIT:?}");
            (Err(LatchError::Unknown { operation: "a look at the election", reason }), Ok(Vec::new()))
        };
        let (epoch, participants, problem) = match timeout(ELECTION_LIMIT, asking).await.unwrap_or_else(late) {
            (Ok(epoch), Ok(participants)) => (epoch.map(|node| node.value), participants, None),
            (Err(error), participants) => (None, participants.unwrap_or_default(), Some(error)),
            (Ok(epoch), Err(error)) => (epoch.map(|node| node.value), Vec::new(), Some(error)),
        };
        if let Some(error) = &problem {
            debug!("the election cannot be asked for the masters reason={error}");
        }
        let mut standings = self.standings(&participants).await;
        // Read after what the others tell, so that a lag is none that was made up for meanwhile.
        let position = self.handle.standing().settled();
        let here = Standing { position, incarnation: None, feature_level: Some(FEATURE_LEVEL) };
        standings.insert(self.address.clone(), here);
        let masters = self.rows(epoch.as_ref(), participants, &standings);
        Seen { epoch, problem, position, masters }
    }

    /// What the others tell of themselves, by their addresses; without those that do not.
    async fn standings(&self, participants: &[Participant]) -> BTreeMap<String, Standing> {
        let mut asking = JoinSet::new();
        for address in participants.iter().map(|participant| participant.address.clone()) {
            if address != self.address {
                asking.spawn(async move {
                    let standing = peer::standing(&address, ANSWER_LIMIT).await;
                    (address, standing)
                });
            }
        }
        let told = asking.join_all().await.into_iter();
        told.filter_map(|(address, standing)| Some((address, standing.ok()?))).collect()
    }

    fn rows(
        &self,
        epoch: Option<&EpochNode>,
        participants: Vec<Participant>,
        standings: &BTreeMap<String, Standing>,
    ) -> Vec<SeenMaster> {
        let is_here = |participant: &Participant| participant.address == self.address;
        let is_primary = |participant: &Participant| match is_here(participant) {
            true => self.handle.is_primary(),
            false => epoch.is_some_and(|node| !node.released && node.latch == participant.node),
        };
        let standing = |participant: &Participant| standings.get(&participant.address);
        let position = |participant: &Participant| standing(participant).map(|standing| standing.position.0);
        // What a primary tells is newer than what it has told the election.
        let primary = participants.iter().find(|participant| is_primary(participant)).and_then(position);
        let durable = primary.max(epoch.map(|node| node.durable_sequence));
        let row = |participant: Participant| SeenMaster {
            is_primary: is_primary(&participant),
            is_here: is_here(&participant),
            position: position(&participant),
            feature_level: standing(&participant).and_then(|standing| standing.feature_level),
            lag: position(&participant).zip(durable).map(|(position, durable)| durable.saturating_sub(position)),
            address: participant.address,
            node: participant.node,
        };
        participants.into_iter().map(row).collect()
    }
}
