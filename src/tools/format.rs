//! `alluxio format`: begins a new history in a journal folder. A takeover, not a deletion: it waits for the lease of
//! whoever led, claims the next epoch, and only then writes a segment that begins anew; what was before is deleted
//! afterwards. A crash before the new segment is flushed leaves the old journal, after it the new one.

use crate::conf::{Conf, keys};
use crate::election::{EpochNode, Latch, LatchError, OwnNode, Versioned, new_incarnation};
use crate::journal::chain::SegmentHeader;
use crate::journal::codec;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{Format, JournalStore, Listing, SegmentId, StoreError};
use crate::master::outside::{self, Folder, OutsideError};
use crate::types::SequenceNumber;
use crate::types::time::boot_now;
use log::{info, warn};
use std::time::Duration;

/// What stands before the address of one who formats.
const FORMAT: &str = "format:";
/// How often the election is looked at while waiting.
const LOOK: Duration = Duration::from_millis(100);

/// Why a journal was not formatted. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The properties name no journal or no election.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The folder cannot be used.
    #[error("cannot format the journal folder {folder}")]
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
    /// Another one does the same.
    #[error("another format is running on {host}; wait for its end")]
    OtherFormat {
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

/// Whether [`run`] would begin: what is deleted elsewhere before it must not be deleted in vain. Changes nothing but for
/// a local folder, which it makes; that the folder can be written, an empty file shows, which is deleted again.
///
/// # Errors
/// As [`run`].
pub async fn check(conf: &Conf) -> Result<(), FormatError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Make)?;
    let failed = |source| FormatError::Store { folder: store.describe(), source };
    // Without an id nobody has ever used it.
    let Some(format) = store.read_format().await.map_err(failed)? else { return Ok(()) };
    let address = format!("{FORMAT}{}", outside::address(conf));
    let incarnation = new_incarnation();
    let latch = outside::latch(conf, &format.cluster_id, &address, &incarnation)?;
    let participants = latch.participants().await;
    latch.leave().await;
    store.probe(&incarnation).await.map_err(failed)?;
    refuse_if_used(participants?.into_iter().map(|participant| participant.address).collect())
}

/// Formats the journal that the properties name. Returns its folder.
///
/// # Errors
/// A master uses it, or the folder or the election cannot be used.
pub async fn run(conf: &Conf) -> Result<String, FormatError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Make)?;
    let folder = store.describe();
    let failed = |source| FormatError::Store { folder: folder.clone(), source };
    let existing = store.read_format().await.map_err(failed)?;
    let format = match existing {
        // The id names the election: who formats anew must meet those who still use the folder.
        Some(format) => Format { layout: 1, feature_level: 1, ..format },
        None => Format { layout: 1, feature_level: 1, cluster_id: uuid::Uuid::new_v4().to_string() },
    };
    store.write_format(&format).await.map_err(failed)?;
    let incarnation = new_incarnation();
    let address = format!("{FORMAT}{}", outside::address(conf));
    let latch = outside::latch(conf, &format.cluster_id, &address, &incarnation)?;
    let outcome = take_over(conf, latch.as_ref(), store.as_ref(), &format, &incarnation).await;
    latch.leave().await;
    let before = outcome?.map_err(failed)?;
    info!("formatted folder={folder} cluster={}", format.cluster_id);
    if let Err(error) = delete(store.as_ref(), &before).await {
        // The new history stands; what is left of the old one is passed over.
        warn!("formatted, but cannot delete what was there before folder={folder} reason={error}");
    }
    Ok(folder)
}

/// Claims an epoch, begins the new history in it, releases it. Returns what was in the folder before.
async fn take_over(
    conf: &Conf,
    latch: &dyn Latch,
    store: &dyn JournalStore,
    format: &Format,
    incarnation: &str,
) -> Result<Result<Listing, StoreError>, FormatError> {
    let own = latch.join().await?;
    let highest_epoch = |listing: &Listing| listing.segments.last().map_or(0, |segment| segment.epoch);
    let before = match store.list().await {
        Ok(listing) => highest_epoch(&listing),
        Err(error) => return Ok(Err(error)),
    };
    let seen = stands_still(conf, latch, &own, before).await?;
    let listing = match store.list().await {
        Ok(listing) => listing,
        Err(error) => return Ok(Err(error)),
    };
    let highest = highest_epoch(&listing);
    let formatter = EpochNode {
        epoch: seen.value.epoch.max(highest) + 1,
        owner: incarnation.to_owned(),
        latch: own.0.clone(),
        ..EpochNode::default()
    };
    // Until the new history has begun, the next leader must know what the old one had.
    let claim = EpochNode {
        segments: seen.value.segments,
        segments_epoch: seen.value.segments_of(),
        genesis: seen.value.genesis,
        durable_sequence: seen.value.durable_sequence,
        durable_hash: seen.value.durable_hash,
        ..formatter.clone()
    };
    let version = latch.claim(&own, &[], seen.version, &claim).await?;
    let genesis = rand::random();
    if let Err(error) = begin(store, format, genesis, formatter.epoch).await {
        return Ok(Err(error));
    }
    latch.release(version, &EpochNode { released: true, segments: 1, genesis, ..formatter }).await?;
    Ok(Ok(listing))
}

/// Waits until nobody renews the epoch node any more (F2). One that is older than the journal, `highest_epoch`, was
/// restored from a copy: what it says of a release does not count.
async fn stands_still(
    conf: &Conf,
    latch: &dyn Latch,
    own: &OwnNode,
    highest_epoch: u64,
) -> Result<Versioned<EpochNode>, FormatError> {
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

fn refuse_if_used(others: Vec<String>) -> Result<(), FormatError> {
    if let Some(other) = others.iter().find_map(|address| address.strip_prefix(FORMAT)) {
        return Err(FormatError::OtherFormat { host: other.to_owned() });
    }
    if others.is_empty() { Ok(()) } else { Err(FormatError::InUse { masters: others.join(", ") }) }
}

/// The first segment of a history without a past.
async fn begin(store: &dyn JournalStore, format: &Format, genesis: u64, epoch: u64) -> Result<(), StoreError> {
    let segment = SegmentId { epoch, index: 0 };
    let header = SegmentHeader {
        cluster_id: format.cluster_id.clone(),
        genesis,
        segment,
        base: None,
        through: SequenceNumber(0),
    };
    let mut bytes = Vec::new();
    codec::encode_header(&mut bytes, &header);
    let mut writer = store.create(segment).await?;
    writer.append(bytes.into()).await?;
    writer.close().await
}

/// What was before the new history.
async fn delete(store: &dyn JournalStore, before: &Listing) -> Result<(), StoreError> {
    for checkpoint in &before.checkpoints {
        store.delete_checkpoint(*checkpoint).await?;
    }
    for segment in &before.segments {
        store.delete_segment(*segment).await?;
    }
    Ok(())
}
