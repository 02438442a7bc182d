//! Whether the journal folder is still the one that this master began with.

use super::event::Event;
use super::feature_level;
use super::handle::Handle;
use super::masters::Masters;
use super::runtime::Ticket;
use crate::election::Latch;
use crate::journal::folder::{FEATURE_LEVEL, Format, JournalStore, SegmentId, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// How often a master looks whether the folder is still the one that it began with.
const CHECK: Duration = Duration::from_secs(1);

/// How long a checkpoint may take that is to save what was in a deleted segment.
const SAVE_LIMIT: Duration = Duration::from_secs(60);

/// Returns never; ends the master when its folder was deleted, replaced or damaged, or is one of a newer version now.
/// Follows the feature level, and raises it.
pub(super) async fn watch_folder(
    store: Arc<dyn JournalStore>,
    latch: Arc<dyn Latch>,
    cluster_id: String,
    masters: Masters,
    handle: Handle,
) {
    let (mut told, mut newest) = (Vec::new(), None);
    loop {
        tokio::time::sleep(CHECK).await;
        watch_segments(store.as_ref(), latch.as_ref(), &handle, &mut newest).await;
        let format = store.read_format().await;
        if let Some(reason) = unusable(&format, &cluster_id) {
            handle.folder_is_gone(format!("the journal folder {}: {reason}", store.describe())).await;
        } else if let Ok(Some(format)) = format {
            feature_level::follow(store.as_ref(), &format, &masters, &handle, &mut told).await;
        }
    }
}

/// Ends a primary when somebody else writes to the folder, or has deleted what it writes to: an election of its own, or a
/// hand, that no fencing knows of. `newest`: of its segments that were seen.
async fn watch_segments(store: &dyn JournalStore, latch: &dyn Latch, handle: &Handle, newest: &mut Option<SegmentId>) {
    let leads = || handle.is_primary().then(|| handle.standing().epoch);
    let Some(epoch) = leads() else { return *newest = None };
    let Ok(listing) = store.list().await else { return };
    if leads() != Some(epoch) {
        return;
    }
    let folder = store.describe();
    match misplaced(&listing.segments, epoch, newest) {
        None => {}
        Some(Misplaced::Later(segment)) => {
            handle.end(overtaken(latch, segment, epoch, &folder).await).await;
        }
        Some(Misplaced::Gone(segment)) => {
            // What it held is in memory only.
            let saved = match tokio::time::timeout(SAVE_LIMIT, handle.checkpoint()).await {
                Ok(Ok(())) => "a checkpoint of all was written".to_owned(),
                Ok(Err(error)) => format!("no checkpoint could be written: {error}"),
                Err(_) => format!("no checkpoint was written within {SAVE_LIMIT:?}"),
            };
            handle
                .folder_is_gone(format!(
                    "{segment}, to which this master wrote, was deleted from the journal folder {folder}; {saved}. Stop all \
                     masters, then run bin/alluxio journal repair"
                ))
                .await;
        }
    }
}

/// How a primary of that epoch ends that finds a segment of a later one. Its election tells whether it was deposed, and
/// comes back as a standby, or whether the other one is of another election: two of them would take the journal from each
/// other for ever, so this one does not come back.
pub(super) async fn overtaken(latch: &dyn Latch, later: SegmentId, epoch: u64, folder: &str) -> Event<Ticket> {
    let text = format!("{later} is in the journal folder {folder}, of a later epoch than ours, {epoch}");
    match latch.read_epoch().await {
        Ok(Some(node)) if node.value.epoch < later.epoch => Event::FolderGone(format!(
            "{text}, and our election does not know of that: masters with another ZooKeeper, or a format with another one, \
             write to the same journal. What was acknowledged here in the last moment may be lost. Let \
             alluxio.zookeeper.address name the same servers and folder everywhere, then start this master again"
        )),
        _ => Event::Overtaken(text),
    }
}

/// What a primary finds, or misses, among the segments.
#[derive(Debug, PartialEq, Eq)]
enum Misplaced {
    /// One of a later epoch.
    Later(SegmentId),
    /// The newest of its own is not there any more.
    Gone(SegmentId),
}

/// `newest` is that of `epoch` which was seen last, and is now.
fn misplaced(segments: &[SegmentId], epoch: u64, newest: &mut Option<SegmentId>) -> Option<Misplaced> {
    if let Some(later) = segments.iter().find(|segment| segment.epoch > epoch) {
        return Some(Misplaced::Later(*later));
    }
    let before = newest.filter(|before| before.epoch == epoch);
    *newest = segments.iter().rfind(|segment| segment.epoch == epoch).copied();
    before.filter(|before| newest.is_none_or(|newest| newest < *before)).map(Misplaced::Gone)
}

/// Why a folder is not, or no longer, that of this cluster and version, as FORMAT tells.
fn unusable(format: &Result<Option<Format>, StoreError>, cluster_id: &str) -> Option<String> {
    match format {
        Ok(Some(format)) if format.cluster_id == cluster_id => (format.feature_level > FEATURE_LEVEL).then(|| {
            format!(
                "it has feature level {} now, this version knows up to {FEATURE_LEVEL}: upgrade this master, too",
                format.feature_level
            )
        }),
        Ok(Some(format)) => Some(format!(
            "it was replaced by hand: FORMAT names the cluster {}, this master is of {cluster_id}",
            format.cluster_id
        )),
        Ok(None) => Some("it was deleted by hand, or FORMAT in it".to_owned()),
        Err(damaged @ StoreError::Damaged { .. }) => {
            Some(format!("{damaged}; bin/alluxio journal repair writes it again"))
        }
        // Away for a while: the writer sees to that.
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_sees_a_later_epoch_and_misses_its_newest_segment() {
        let segment = |epoch, index| SegmentId { epoch, index };
        let mut newest = None;
        let mut look = |segments: &[SegmentId], epoch| misplaced(segments, epoch, &mut newest);
        assert_eq!(look(&[segment(2, 0)], 3), None, "its first one is not made yet");
        assert_eq!(look(&[segment(2, 0), segment(3, 0)], 3), None);
        assert_eq!(look(&[segment(3, 0), segment(3, 1)], 3), None, "older ones are collected");
        assert_eq!(look(&[segment(3, 0)], 3), Some(Misplaced::Gone(segment(3, 1))));
        assert_eq!(look(&[segment(5, 0)], 5), None, "it leads again");
        assert_eq!(look(&[], 5), Some(Misplaced::Gone(segment(5, 0))));
        assert_eq!(look(&[segment(5, 0), segment(6, 0)], 5), Some(Misplaced::Later(segment(6, 0))));
    }

    #[test]
    fn a_folder_that_is_gone_replaced_or_damaged_is_told_from_one_that_is_away() {
        let format = |cluster_id: &str| Format { layout: 1, feature_level: 1, cluster_id: cluster_id.into() };
        let damaged = StoreError::Damaged { object: "j/FORMAT".into(), offset: 0, reason: "it is not text".into() };
        let away = StoreError::Unavailable { operation: "read", object: "j/FORMAT".into(), reason: "away".into() };
        assert_eq!(unusable(&Ok(Some(format("c"))), "c"), None);
        assert_eq!(unusable(&Err(away), "c"), None);
        let newer = Format { feature_level: FEATURE_LEVEL + 1, ..format("c") };
        for (read, expected) in [
            (Ok(Some(format("d"))), "names the cluster d"),
            (Ok(Some(newer)), "upgrade this master, too"),
            (Ok(None), "deleted by hand"),
            (Err(damaged), "j/FORMAT is damaged at byte 0: it is not text; bin/alluxio journal repair"),
        ] {
            let reason = unusable(&read, "c");
            assert!(reason.as_ref().is_some_and(|reason| reason.contains(expected)), "{reason:?}");
        }
    }
}
