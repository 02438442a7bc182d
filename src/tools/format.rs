//! `alluxio format`: begins a new history in a journal folder. A takeover, not a deletion: it waits for the lease of
//! whoever led, claims the next epoch, and only then writes a segment that begins anew; what was before is deleted
//! afterwards. A crash before the new segment is flushed leaves the old journal, after it the new one.

use super::takeover::{self, TakeoverError, Tool};
use crate::conf::Conf;
use crate::election::{EpochNode, Latch, new_incarnation};
use crate::journal::chain::SegmentHeader;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{Format, JournalStore, Listing, Recovery, SegmentId, StoreError};
use crate::journal::folder_identity::{self, IdentityError};
use crate::master::outside::{self, Folder, OutsideError};
use crate::types::SequenceNumber;
use log::{info, warn};
use std::time::Duration;

/// How often it is looked whether the last writer is cut off, which HDFS does in the background.
const RECOVERIES: usize = 20;
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

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
    /// Its masters may run, with another ZooKeeper.
    #[error(
        "the journal folder {folder} is in use by the cluster {cluster_id}, of which this ZooKeeper knows nothing: its masters may \
         run with another one (alluxio.zookeeper.address). If they do not, delete the folder, then run bin/alluxio format"
    )]
    Unknown {
        /// As configured.
        folder: String,
        /// As FORMAT names it.
        cluster_id: String,
    },
    /// The journal is in use, or the election cannot be used.
    #[error(transparent)]
    Takeover(#[from] TakeoverError),
}

/// Whether [`run`] would begin: what is deleted elsewhere before it must not be deleted in vain. Changes nothing but for
/// a local folder, which it makes; that the folder can be written, an empty file shows, which is deleted again.
///
/// # Errors
/// As [`run`].
pub async fn check(conf: &Conf) -> Result<(), FormatError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Make)?;
    let failed = failed(store.as_ref());
    // Without an id nobody has ever used it.
    let Some(cluster_id) = cluster_of(store.as_ref()).await? else { return Ok(()) };
    let incarnation = new_incarnation();
    let latch = outside::latch(conf, &cluster_id, &Tool::Format.address(conf), &incarnation)?;
    let free = takeover::check(latch.as_ref()).await;
    let known = refuse_unknown(latch.as_ref(), store.as_ref(), &cluster_id).await;
    latch.leave().await;
    store.probe(&incarnation).await.map_err(failed)?;
    free?;
    known
}

/// Formats the journal that the properties name. Returns its folder.
///
/// # Errors
/// A master uses it, or the folder or the election cannot be used.
pub async fn run(conf: &Conf) -> Result<String, FormatError> {
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Make)?;
    let folder = store.describe();
    // The id names the election: who formats anew must meet those who still use the folder.
    let existing = cluster_of(store.as_ref()).await?;
    let format = folder_identity::format_of(existing.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()));
    let incarnation = new_incarnation();
    let latch = outside::latch(conf, &format.cluster_id, &Tool::Format.address(conf), &incarnation)?;
    let outcome = match refuse_unknown(latch.as_ref(), store.as_ref(), &format.cluster_id).await {
        Ok(()) => take_over(conf, latch.as_ref(), store.as_ref(), &format, &incarnation).await,
        Err(unknown) => Err(unknown),
    };
    latch.leave().await;
    let before = outcome?;
    info!("formatted folder={folder} cluster={}", format.cluster_id);
    if let Err(error) = delete(store.as_ref(), &before).await {
        // The new history stands; what is left of the old one is passed over.
        warn!("formatted, but cannot delete what was there before folder={folder} reason={error}");
    }
    Ok(folder)
}

/// A ZooKeeper that knows nothing of a cluster whose journal is in use may be another one than that of its masters.
async fn refuse_unknown(latch: &dyn Latch, store: &dyn JournalStore, cluster_id: &str) -> Result<(), FormatError> {
    let listing = store.list().await.map_err(failed(store))?;
    let is_used = !listing.checkpoints.is_empty() || listing.segments.len() > 1;
    if is_used && latch.read_epoch().await.map_err(TakeoverError::from)?.is_none() {
        let (folder, cluster_id) = (store.describe(), cluster_id.to_owned());
        return Err(FormatError::Unknown { folder, cluster_id });
    }
    Ok(())
}

/// The cluster that the folder is of; none if it was never formatted.
async fn cluster_of(store: &dyn JournalStore) -> Result<Option<String>, FormatError> {
    match folder_identity::identify(store).await {
        Ok(Format { cluster_id, .. }) | Err(IdentityError::FormatLost { cluster_id, .. }) => Ok(Some(cluster_id)),
        Err(IdentityError::Store { folder, source }) => Err(FormatError::Store { folder, source }),
        Err(_) => Ok(None),
    }
}

/// Claims an epoch, begins the new history in it, releases it. Returns what was in the folder before.
async fn take_over(
    conf: &Conf,
    latch: &dyn Latch,
    store: &dyn JournalStore,
    format: &Format,
    incarnation: &str,
) -> Result<Listing, FormatError> {
    let claimed = takeover::claim(conf, latch, store, incarnation).await?;
    let (failed, genesis) = (failed(store), rand::random());
    // Not before: what masters use, of a later version perhaps, stays as it is.
    store.write_format(format).await.map_err(&failed)?;
    let segment = SegmentId { epoch: claimed.node.epoch, index: 0 };
    let (cluster_id, through) = (format.cluster_id.clone(), SequenceNumber(0));
    let header = SegmentHeader { cluster_id, genesis, segment, base: None, through };
    takeover::begin(store, &header).await.map_err(&failed)?;
    // What was told of the old history is over with it. Refused, if somebody has claimed since: nothing is deleted then.
    let released = claimed.released(&EpochNode { segments: 1, genesis, ..EpochNode::default() });
    latch.release(claimed.version, &released).await.map_err(TakeoverError::from)?;
    Ok(claimed.before)
}

fn failed(store: &dyn JournalStore) -> impl Fn(StoreError) -> FormatError {
    let folder = store.describe();
    move |source| FormatError::Store { folder: folder.clone(), source }
}

/// What was before the new history. Whoever still writes to it, in an election that is not ours, is cut off first: it fails,
/// and sees the new one.
pub(super) async fn delete(store: &dyn JournalStore, before: &Listing) -> Result<(), StoreError> {
    if let Some(newest) = before.segments.last() {
        for _ in 0..RECOVERIES {
            match store.recover(*newest).await {
                Ok(Recovery::Done) | Err(_) => break,
                Ok(_) => tokio::time::sleep(RECOVERY_PAUSE).await,
            }
        }
    }
    for checkpoint in &before.checkpoints {
        store.delete_checkpoint(*checkpoint).await?;
    }
    for segment in &before.segments {
        store.delete_segment(*segment).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::{Role, Sources};
    use crate::election::{Contender, SharedElection};
    use crate::journal::folder::{MemoryFolder, MemoryStore};
    use parking_lot::Mutex;
    use std::sync::Arc;

    const CLUSTER: &str = "0c6f5d4e-7b1a-4c3d-9e2f-8a7b6c5d4e3f";

    fn format(layout: u32) -> Format {
        Format { layout, feature_level: 1, cluster_id: CLUSTER.into() }
    }

    /// A folder of a later version, with one segment, and the epoch node of who wrote that.
    async fn used(election: &SharedElection) -> (MemoryStore, impl Latch) {
        let mut folder = MemoryFolder::new(1);
        folder.write_format(&format(2)).unwrap();
        folder.create(SegmentId { epoch: 1, index: 0 }).unwrap();
        let master = election.contender(Contender::new(CLUSTER, "aaaaaaaaaaaa").unwrap(), "a:1");
        master.join().await.unwrap();
        let node = EpochNode {
            epoch: 1,
            segments: 1,
            genesis: 7,
            durable_sequence: 5,
            released: true,
            ..EpochNode::default()
        };
        master.create_epoch(&node).await.unwrap();
        (MemoryStore::new(Arc::new(Mutex::new(folder))), master)
    }

    fn formatter(election: &SharedElection) -> impl Latch {
        election.contender(Contender::new(CLUSTER, "bbbbbbbbbbbb").unwrap(), "format:b:1")
    }

    fn conf() -> Conf {
        Conf::load(&Sources { role: Role::User, environment: Default::default(), command_line: Vec::new() }).unwrap()
    }

    #[tokio::test]
    async fn a_folder_that_is_used_stays_as_it_is() {
        let election = SharedElection::default();
        let (store, _master) = used(&election).await;
        let latch = formatter(&election);
        let refused = take_over(&conf(), &latch, &store, &format(1), "bbbbbbbbbbbb").await;
        assert!(
            matches!(&refused, Err(FormatError::Takeover(TakeoverError::InUse { masters })) if masters == "a:1"),
            "{refused:?}"
        );
        assert_eq!(store.read_format().await.unwrap(), Some(format(2)));
    }

    #[tokio::test]
    async fn the_epoch_node_tells_of_the_old_history_until_the_new_one_has_begun() {
        let election = SharedElection::default();
        let (store, master) = used(&election).await;
        master.leave().await;
        let latch = formatter(&election);
        let node = || async { latch.read_epoch().await.unwrap().unwrap().value };
        let before = takeover::claim(&conf(), &latch, &store, "bbbbbbbbbbbb").await.unwrap().before;
        assert_eq!(before, store.list().await.unwrap());
        let claimed = node().await;
        assert_eq!((claimed.epoch, claimed.segments, claimed.segments_of()), (2, 1, 1));
        assert_eq!((claimed.genesis, claimed.durable_sequence), (7, 5));
        // One that died there is followed by another one.
        latch.leave().await;
        take_over(&conf(), &latch, &store, &format(1), "bbbbbbbbbbbb").await.unwrap();
        let begun = node().await;
        assert_eq!((begun.epoch, begun.segments, begun.segments_of(), begun.released), (3, 1, 3, true));
        assert!(begun.genesis != 7 && begun.durable_sequence == 0, "{begun:?}");
        assert_eq!(store.read_format().await.unwrap(), Some(format(1)));
    }
}
