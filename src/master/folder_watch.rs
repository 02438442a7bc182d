//! Whether the journal folder is still the one that this master began with.

use super::feature_level;
use super::handle::Handle;
use super::masters::Masters;
use crate::journal::folder::{FEATURE_LEVEL, Format, JournalStore, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// How often a master looks whether the folder is still the one that it began with.
const CHECK: Duration = Duration::from_secs(1);

/// Returns never; ends the master when its folder was deleted, replaced or damaged, or is one of a newer version now.
/// Follows the feature level, and raises it.
pub(super) async fn watch_folder(store: Arc<dyn JournalStore>, cluster_id: String, masters: Masters, handle: Handle) {
    let mut told = Vec::new();
    loop {
        tokio::time::sleep(CHECK).await;
        let format = store.read_format().await;
        if let Some(reason) = unusable(&format, &cluster_id) {
            handle.folder_is_gone(format!("the journal folder {}: {reason}", store.describe())).await;
        } else if let Ok(Some(format)) = format {
            feature_level::follow(store.as_ref(), &format, &masters, &handle, &mut told).await;
        }
    }
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
