//! The next epoch for one who is no master: `format`, `repair` and `copy` claim it as a master would (F1, F2), so whoever
//! led has come to an end, and masters that start wait until it is released.

use std::time::Duration;

use crate::conf::{Conf, keys};
use crate::election::{EpochNode, Latch, LatchError, OwnNode, Versioned};
use crate::journal::chain::SegmentHeader;
use crate::journal::codec;
use crate::journal::folder::{JournalStore, Listing, StoreError};
use crate::master::outside;
use crate::types::time::boot_now;

/// How often the election is looked at while waiting.
const LOOK: Duration = Duration::from_millis(100);

/// Who claims. Stands before its address in the election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `alluxio format`.
    Format,
    /// `alluxio journal repair`.
    Repair,
    /// `alluxio journal copy`.
    Copy,
}

impl Tool {
    const ALL: [Tool; 3] = [Tool::Format, Tool::Repair, Tool::Copy];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Format => "format",
            Tool::Repair => "repair",
            Tool::Copy => "copy",
        }
    }

    /// The address under which it takes part in the election.
    pub fn address(self, conf: &Conf) -> String {
        format!("{}:{}", self.name(), outside::address(conf))
    }
}

/// Why the epoch was not claimed.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// The folder cannot be used.
    #[error("cannot use the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The election cannot be used.
    #[error("cannot take part in the election")]
    Latch(#[from] LatchError),
    /// Another one does such a thing.
    #[error("another {tool} is running on {host}; wait for its end")]
    OtherTool {
        /// What.
        tool: &'static str,
        /// Its address.
        host: String,
    },
    /// Masters are running.
    #[error("the journal is in use by {masters}; stop them on each host with: bin/alluxio-stop.sh master")]
    InUse {
        /// Addresses of those who contend.
        masters: String,
    },
}

/// An epoch that is ours.
#[derive(Debug)]
pub struct Claimed {
    /// Of the epoch node.
    pub version: i32,
    /// As we wrote it: what it says of the journal is what it said before.
    pub node: EpochNode,
    /// What was in the folder then.
    pub before: Listing,
}

impl Claimed {
    /// The node that says that we have ended, and `durable` of the journal: what it says of segments and records.
    pub fn released(&self, durable: &EpochNode) -> EpochNode {
        let EpochNode { epoch, owner, latch, .. } = self.node.clone();
        EpochNode { epoch, owner, latch, released: true, ..durable.clone() }
    }
}

/// Waits until nobody leads, and claims the next epoch.
///
/// # Errors
/// Somebody else is in the election, or it or the folder cannot be used.
pub async fn claim(
    conf: &Conf,
    latch: &dyn Latch,
    store: &dyn JournalStore,
    incarnation: &str,
) -> Result<Claimed, TakeoverError> {
    let failed = |source| TakeoverError::Store { folder: store.describe(), source };
    let highest_epoch = |listing: &Listing| listing.segments.last().map_or(0, |segment| segment.epoch);
    let own = latch.join().await?;
    let listing = store.list().await.map_err(failed)?;
    let seen = stands_still(conf, latch, &own, highest_epoch(&listing)).await?;
    let before = store.list().await.map_err(failed)?;
    let node = EpochNode {
        epoch: seen.value.epoch.max(highest_epoch(&before)) + 1,
        owner: incarnation.to_owned(),
        latch: own.0.clone(),
        segments: seen.value.segments,
        segments_epoch: seen.value.segments_of(),
        genesis: seen.value.genesis,
        durable_sequence: seen.value.durable_sequence,
        durable_hash: seen.value.durable_hash,
        ..EpochNode::default()
    };
    let version = latch.claim(&own, &[], seen.version, &node).await?;
    Ok(Claimed { version, node, before })
}

/// What an epoch node tells of the journal, or that it tells nothing: one that was only just made does not.
///
/// # Errors
/// A text that says so.
pub fn told(node: &EpochNode) -> Result<EpochNode, String> {
    let tells = node.segments > 0 || node.genesis != 0 || node.durable_sequence > 0;
    if tells { Ok(node.clone()) } else { Err("there is no epoch node of this cluster".to_owned()) }
}

/// Writes a segment that has no records yet, the first of an epoch that is ours.
///
/// # Errors
/// The folder.
pub async fn begin(store: &dyn JournalStore, header: &SegmentHeader) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    codec::encode_header(&mut bytes, header);
    let mut writer = store.create(header.segment).await?;
    writer.append(bytes.into()).await?;
    writer.close().await
}

/// Whether nobody is in the election now. Takes no part in it.
///
/// # Errors
/// Somebody is, or it cannot be used.
pub async fn check(latch: &dyn Latch) -> Result<(), TakeoverError> {
    refuse_if_used(latch.participants().await?.into_iter().map(|participant| participant.address).collect())
}

/// Waits until nobody renews the epoch node any more (F2). One that is older than the journal, `highest_epoch`, was
/// restored from a copy: what it says of a release does not count.
async fn stands_still(
    conf: &Conf,
    latch: &dyn Latch,
    own: &OwnNode,
    highest_epoch: u64,
) -> Result<Versioned<EpochNode>, TakeoverError> {
    let mut seen: Option<Versioned<EpochNode>> = None;
    let mut since = boot_now();
    loop {
        let others = latch.participants().await?.into_iter().filter(|participant| participant.node != own.0);
        refuse_if_used(others.map(|participant| participant.address).collect())?;
        let node = latch.read_epoch().await?;
        if node.is_none() {
            latch.create_epoch(&EpochNode::default()).await?;
            continue;
        }
        if node != seen {
            since = boot_now();
            seen = node;
        }
        if let Some(node) = &seen {
            let theirs = Duration::from_millis(node.value.lease_ms);
            let lease = conf.get(&keys::JOURNAL_FENCING_LEASE).max(theirs);
            let is_released = node.value.released && node.value.epoch >= highest_epoch;
            if is_released || boot_now().since(since) >= lease + lease / 10 {
                return Ok(node.clone());
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn refuse_if_used(others: Vec<String>) -> Result<(), TakeoverError> {
    for tool in Tool::ALL.map(Tool::name) {
        let host = |address: &String| address.strip_prefix(tool)?.strip_prefix(':').map(str::to_owned);
        if let Some(host) = others.iter().find_map(host) {
            return Err(TakeoverError::OtherTool { tool, host });
        }
    }
    if others.is_empty() { Ok(()) } else { Err(TakeoverError::InUse { masters: others.join(", ") }) }
}
