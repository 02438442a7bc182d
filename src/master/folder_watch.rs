//! Whether the journal folder is still the one that this master began with.

use super::handle::Handle;
use crate::journal::folder::{Format, JournalStore, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// How often a master looks whether the folder is still the one that it began with.
const CHECK: Duration = Duration::from_secs(1);

/// Returns never; ends the master when its folder was deleted, replaced or damaged.
pub(super) async fn watch_folder(store: Arc<dyn JournalStore>, cluster_id: String, handle: Handle) {
    loop {
        tokio::time::sleep(CHECK).await;
        if let Some(reason) = unusable(store.read_format().await, &cluster_id) {
            handle.folder_is_gone(format!("the journal folder {}: {reason}", store.describe())).await;
        }
    }
}

/// Why a folder is not, or no longer, that of this cluster, as FORMAT tells.
fn unusable(format: Result<Option<Format>, StoreError>, cluster_id: &str) -> Option<String> {
    match format {
        Ok(Some(format)) if format.cluster_id == cluster_id => None,
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
    fn a_folder_that_is_gone_replaced_or_damaged_is_told_from_one_that_is_away() {
        let format = |cluster_id: &str| Format { layout: 1, feature_level: 1, cluster_id: cluster_id.into() };
        let damaged = StoreError::Damaged { object: "j/FORMAT".into(), offset: 0, reason: "it is not text".into() };
        let away = StoreError::Unavailable { operation: "read", object: "j/FORMAT".into(), reason: "away".into() };
        assert_eq!(unusable(Ok(Some(format("c"))), "c"), None);
        assert_eq!(unusable(Err(away), "c"), None);
        for (read, expected) in [
            (Ok(Some(format("d"))), "names the cluster d"),
            (Ok(None), "deleted by hand"),
            (Err(damaged), "j/FORMAT is damaged at byte 0: it is not text; bin/alluxio journal repair"),
        ] {
            let reason = unusable(read, "c");
            assert!(reason.as_ref().is_some_and(|reason| reason.contains(expected)), "{reason:?}");
        }
    }
}
