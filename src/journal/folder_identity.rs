//! Whose journal a folder holds: what its FORMAT says, and what its segments say when that is gone or damaged.

use super::codec::{self, Decoded, Frame};
use super::folder::{FEATURE_LEVEL, Format, JournalStore, LAYOUT, Length, StoreError};

/// More than a segment header has.
const HEADER_BYTES_MAX: u64 = 4096;

/// Why it is not known whose journal a folder holds.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Nobody ever formatted it.
    #[error("the journal folder {folder} is not formatted; run: bin/alluxio format")]
    NotFormatted {
        /// As configured.
        folder: String,
    },
    /// Only FORMAT is gone or damaged.
    #[error(
        "{folder}/FORMAT {reason}, but the segments there are of the cluster {cluster_id}: stop all masters and run \
         bin/alluxio journal repair, which writes it again (bin/alluxio format would begin an empty namespace)"
    )]
    FormatLost {
        /// As configured.
        folder: String,
        /// "is gone", or what is wrong with it.
        reason: String,
        /// As the newest segment has it.
        cluster_id: String,
    },
    /// FORMAT is gone, and no segment tells whose journal it is.
    #[error(
        "{folder}/FORMAT is gone, and no segment says whose journal this is, but {what} is there: put FORMAT back from a \
         copy; bin/alluxio format would delete what is there"
    )]
    Headless {
        /// As configured.
        folder: String,
        /// What is there.
        what: String,
    },
    /// What a `journal import` or `journal copy` has left.
    #[error(
        "the journal folder {folder} holds a part of an import or a copy that was not finished, for its FORMAT says layout=0: \
         of an import run bin/alluxio format, then import again; of a copy empty the folder, then copy again. If neither was \
         begun, FORMAT is damaged: put layout=1 back"
    )]
    HalfImported {
        /// As configured.
        folder: String,
    },
    /// The folder is of a newer version.
    #[error(
        "the journal folder {folder} has layout {layout} and feature level {feature_level}; this version knows layout \
         {LAYOUT} and feature levels up to {FEATURE_LEVEL}: use the version that wrote it, or a newer one"
    )]
    Newer {
        /// As configured.
        folder: String,
        /// Its layout.
        layout: u32,
        /// Its feature level.
        feature_level: u32,
    },
    /// The folder cannot be read.
    #[error("cannot read the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
}

/// What FORMAT says.
///
/// # Errors
/// There is none, it is damaged, or the folder cannot be read.
pub async fn identify(store: &dyn JournalStore) -> Result<Format, IdentityError> {
    let folder = store.describe();
    let failed = |source| IdentityError::Store { folder: folder.clone(), source };
    let (reason, damage) = match store.read_format().await {
        Ok(Some(format)) => return Ok(format),
        Ok(None) => ("is gone".to_owned(), None),
        Err(StoreError::Damaged { object, offset, reason }) => {
            let damage = StoreError::Damaged { object, offset, reason: reason.clone() };
            (format!("is damaged at byte {offset} ({reason})"), Some(damage))
        }
        Err(error) => return Err(failed(error)),
    };
    match (cluster_of_segments(store).await.map_err(&failed)?, damage) {
        (Some(cluster_id), _) => Err(IdentityError::FormatLost { folder, reason, cluster_id }),
        (None, Some(damage)) => Err(failed(damage)),
        (None, None) => match store.list().await.map_err(&failed)?.checkpoints.last() {
            Some(checkpoint) => Err(IdentityError::Headless { folder, what: checkpoint.to_string() }),
            None => Err(IdentityError::NotFormatted { folder }),
        },
    }
}

/// What FORMAT says of a folder that this version can read.
///
/// # Errors
/// As [`identify`]; it is of a newer version, or was not finished.
pub async fn identify_readable(store: &dyn JournalStore) -> Result<Format, IdentityError> {
    let format = identify(store).await?;
    let (folder, Format { layout, feature_level, .. }) = (store.describe(), &format);
    match *layout {
        Format::HALF_IMPORTED => Err(IdentityError::HalfImported { folder }),
        LAYOUT if *feature_level <= FEATURE_LEVEL => Ok(format),
        layout => Err(IdentityError::Newer { folder, layout, feature_level: *feature_level }),
    }
}

/// The FORMAT that this version writes for a cluster.
pub fn format_of(cluster_id: String) -> Format {
    Format { layout: LAYOUT, feature_level: FEATURE_LEVEL, cluster_id }
}

/// The cluster that the newest segment names whose header can be read.
async fn cluster_of_segments(store: &dyn JournalStore) -> Result<Option<String>, StoreError> {
    for segment in store.list().await?.segments.into_iter().rev() {
        let bytes = match store.length(segment).await? {
            Length::Open(bytes) | Length::Closed(bytes) => bytes.min(HEADER_BYTES_MAX),
            Length::Unknown => continue,
        };
        match store.read(segment, 0, bytes).await.map(|bytes| codec::decode_alone(&bytes)) {
            Ok(Decoded::Frame(Frame::Header(header), _)) => return Ok(Some(header.cluster_id)),
            Ok(_) | Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
