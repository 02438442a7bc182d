//! Deletes from UFSes what nobody needs any more: what was written of a file by a persist that was cut short, because
//! its master or worker died, and blocks that no worker could keep, once their file is in the UFS or gone.
//!
//! What is being written now is known by name, and what is about to be put in its place by its intent. What is younger
//! than an hour is left alone besides: a master that was deposed and does not know it yet may look on a state that
//! others have left behind, and is asked for its lease before each delete.

use crate::master::ops::{Answer, Leftover, Query};
use crate::master::server::Namespace;
use crate::types::time::{Millis, wall_now};
use crate::types::ufs_names::{BLOCKS_FOLDER, PERSISTENCE_FOLDER};
use crate::types::{BlockId, Caller, FsError};
use crate::ufs::{UfsClients, UfsErrorKind, UfsStatus};
use log::{debug, info, warn};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is younger stays.
const AGE_MIN_MS: i64 = 60 * 60 * 1000;
/// So many are asked about at a time.
const ASKED_MAX: usize = 1_000;

/// URIs of what is being written.
#[derive(Debug, Clone, Default)]
pub(super) struct InUse(Arc<Mutex<BTreeSet<String>>>);

/// A URI among those in use, until it is dropped.
#[derive(Debug)]
pub(super) struct Used {
    all: InUse,
    uri: String,
}

impl InUse {
    /// From now on it is in use.
    pub(super) fn enter(&self, uri: &str) -> Used {
        self.0.lock().insert(uri.to_owned());
        Used { all: self.clone(), uri: uri.to_owned() }
    }

    fn contains(&self, uri: &str) -> bool {
        self.0.lock().contains(uri)
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.uri);
    }
}

/// Goes on for ever.
pub(super) async fn run<N: Namespace>(namespace: Arc<N>, ufs: Arc<UfsClients>, in_use: InUse, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        if namespace.is_primary()
            && let Err(error) = sweep(namespace.as_ref(), &ufs, &in_use, wall_now()).await
        {
            debug!("not all that is left in UFSes could be looked at reason={error}");
        }
    }
}

async fn sweep<N: Namespace>(namespace: &N, ufs: &UfsClients, in_use: &InUse, now: Millis) -> Result<(), FsError> {
    let Answer::Mounts(mounts) = namespace.query(&Caller::default(), &Query::MountTable).await? else { return Ok(()) };
    for mount in mounts.into_iter().filter(|mount| !mount.read_only) {
        let root = mount.ufs_path.trim_end_matches('/');
        let persisting = format!("{root}/{PERSISTENCE_FOLDER}");
        let temporary = |status: &UfsStatus| {
            let is_ours = status.name.contains(".alluxio.") && status.name.ends_with(".tmp");
            is_ours.then(|| Leftover::Temporary(format!("{persisting}/{}", status.name)))
        };
        let mut found = old_files(ufs, &persisting, now, temporary).await;
        let blocks = format!("{root}/{BLOCKS_FOLDER}");
        let block = |status: &UfsStatus| {
            let id = BlockId(status.name.parse().ok()?);
            Some(Leftover::Block { id, uri: format!("{blocks}/{}", status.name) })
        };
        found.extend(old_files(ufs, &blocks, now, block).await);
        // In this order: who uses it no longer has told by now what is to become of it.
        found.retain(|leftover| !in_use.contains(leftover.uri()));
        for some in found.chunks(ASKED_MAX) {
            let query = Query::Leftovers(some.to_vec());
            let Answer::Leftovers(of_no_use) = namespace.query(&Caller::default(), &query).await? else { continue };
            for leftover in of_no_use {
                namespace.delete_leftover(leftover.uri()).await?;
                info!("deleted what nobody needs uri={}", leftover.uri());
            }
        }
    }
    Ok(())
}

/// What is in a folder of a UFS, and old enough; nothing if there is no such folder, or the UFS is away.
async fn old_files(
    ufs: &UfsClients,
    folder: &str,
    now: Millis,
    leftover: impl Fn(&UfsStatus) -> Option<Leftover>,
) -> Vec<Leftover> {
    let listed = match ufs.of(folder) {
        Ok(client) => client.list(folder).await,
        Err(error) => Err(error),
    };
    let is_old = |status: &UfsStatus| status.modification_time_ms.saturating_add(AGE_MIN_MS) <= now.0;
    match listed {
        Ok(listed) => listed.iter().filter(|s| !s.directory && is_old(s)).filter_map(leftover).collect(),
        Err(error) => {
            if error.kind != UfsErrorKind::NotFound {
                warn!("cannot look for what is left in a UFS folder={folder} reason={error}");
            }
            Vec::new()
        }
    }
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
pub(in crate::master::tasks) mod tests;
