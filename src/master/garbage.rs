//! What a journal folder says of itself, and the deletion of what nobody needs of it (`journal/collector.rs`).

use super::state::CheckpointOrigin;
use crate::journal::chain::{Position, SegmentHeader};
use crate::journal::codec::{self, Decoded, Frame};
use crate::journal::collector::{Collector, Garbage, Want};
use crate::journal::folder::{CheckpointId, JournalStore, Length, SegmentId, StoreError};

/// More than a segment header has.
const HEADER_BYTES_MAX: u64 = 4096;
/// More than the beginning of a checkpoint has, up to where it says of which history it is.
const ORIGIN_BYTES_MAX: u64 = 4096;

/// The header of a segment; none if it is torn, gone, that of another segment, or of a length that nobody tells yet.
///
/// # Errors
/// The folder does not answer.
pub(super) async fn header_of(
    store: &dyn JournalStore,
    segment: SegmentId,
) -> Result<Option<SegmentHeader>, StoreError> {
    let bytes = match store.length(segment).await {
        Ok(Length::Open(bytes) | Length::Closed(bytes)) => bytes.min(HEADER_BYTES_MAX),
        Ok(Length::Unknown) | Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let begin = match store.read(segment, 0, bytes).await {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        begin => begin?,
    };
    Ok(match codec::decode(&begin, Position::START) {
        Decoded::Frame(Frame::Header(header), _) if header.segment == segment => Some(header),
        _ => None,
    })
}

/// The history that a checkpoint says it is of; none if it says nothing, or is one of those that could not be loaded.
pub(super) async fn genesis_of(
    store: &dyn JournalStore,
    id: CheckpointId,
    refused: &[CheckpointId],
) -> Result<Option<u64>, StoreError> {
    if refused.contains(&id) {
        return Ok(None);
    }
    match store.read_checkpoint_start(id, ORIGIN_BYTES_MAX).await {
        Ok(start) => Ok(CheckpointOrigin::read(&start).map(|origin| origin.genesis)),
        Err(StoreError::NotFound { .. } | StoreError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The checkpoints of the history `genesis`, in order, without the `refused` ones.
///
/// # Errors
/// The folder does not answer.
pub(super) async fn checkpoints_of(
    store: &dyn JournalStore,
    genesis: u64,
    refused: &[CheckpointId],
) -> Result<Vec<CheckpointId>, StoreError> {
    let mut ours = Vec::new();
    for id in store.list().await?.checkpoints {
        if genesis_of(store, id, refused).await? == Some(genesis) {
            ours.push(id);
        }
    }
    Ok(ours)
}

/// Deletes what nobody needs of the history `genesis`, the oldest first, and gives what that was. The `refused` checkpoints
/// hold nothing for anybody.
///
/// # Errors
/// The folder does not answer: what is left is for the next time.
pub(super) async fn collect(
    store: &dyn JournalStore,
    genesis: u64,
    refused: &[CheckpointId],
) -> Result<Garbage, StoreError> {
    let mut collector = Collector::new(genesis, store.list().await?);
    while let Some(want) = collector.want() {
        match want {
            Want::Genesis(id) => collector.genesis(id, genesis_of(store, id, refused).await?),
            Want::Header(segment) => collector.header(segment, header_of(store, segment).await?.as_ref()),
        }
    }
    let garbage = collector.garbage();
    for id in &garbage.checkpoints {
        store.delete_checkpoint(*id).await?;
    }
    for segment in &garbage.segments {
        store.delete_segment(*segment).await?;
    }
    if let Some(kept) = collector.twice_kept() {
        // Of masters that died while they wrote one.
        store.delete_unfinished(kept).await?;
    }
    Ok(garbage)
}
