//! The state that a master begins with: that of the newest checkpoint that is sound, or an empty one.

use super::event::Core;
use super::garbage;
use super::start_error::StartError;
use super::state::{CheckpointOrigin, MasterState};
use crate::journal::chain::Position;
use crate::journal::folder::{CheckpointId, JournalStore, Listing, StoreError};
use log::warn;

/// How often the folder is listed anew because a checkpoint that was listed is gone: others have written newer ones.
const LISTINGS_MAX: usize = 10;

/// What a master begins with.
pub(super) struct Loaded {
    pub(super) core: Core,
    /// The last record in it, and the history; none for an empty state.
    pub(super) position: Position,
    pub(super) genesis: Option<u64>,
    /// Checkpoints that are damaged: they do not count as kept.
    pub(super) refused: Vec<CheckpointId>,
}

/// See the module text.
///
/// # Errors
/// The folder does not answer, or no checkpoint is sound and the journal does not begin at its first record any more.
pub(super) async fn load(store: &dyn JournalStore) -> Result<Loaded, StartError> {
    let failed = |source| StartError::Store { folder: store.describe(), source };
    let mut refused = Vec::new();
    let mut newest_failure = None;
    for _ in 0..LISTINGS_MAX {
        let listing = store.list().await.map_err(failed)?;
        let genesis = newest_genesis(store, &listing).await.map_err(failed)?;
        let mut is_old = false;
        for id in listing.checkpoints.iter().rev() {
            match load_one(store, *id, genesis).await {
                Ok(Some((state, origin))) => {
                    let core = Core { state, ..Core::default() };
                    return Ok(Loaded { core, position: origin.position, genesis: Some(origin.genesis), refused });
                }
                Ok(None) => warn!("passing over a checkpoint of a history before the last format checkpoint={id}"),
                Err(NotLoaded::Gone) => is_old = true,
                Err(NotLoaded::Damaged(reason)) => {
                    warn!("cannot load a checkpoint, trying the one before checkpoint={id} reason={reason}");
                    newest_failure.get_or_insert(reason);
                    if !refused.contains(id) {
                        refused.push(*id);
                    }
                }
                Err(NotLoaded::Away(source)) => return Err(failed(source)),
            }
        }
        if is_old {
            continue;
        }
        if begins(store, &listing, genesis).await.map_err(failed)? {
            return Ok(Loaded { core: Core::default(), position: Position::START, genesis: None, refused });
        }
        break;
    }
    let reason = newest_failure.unwrap_or_else(|| "there is none, and its first segments were collected".into());
    Err(StartError::Checkpoint { folder: store.describe(), reason })
}

/// Why a checkpoint is not loaded.
enum NotLoaded {
    Gone,
    Damaged(String),
    Away(StoreError),
}

impl From<StoreError> for NotLoaded {
    fn from(error: StoreError) -> NotLoaded {
        match error {
            StoreError::NotFound { .. } => NotLoaded::Gone,
            StoreError::Damaged { .. } => NotLoaded::Damaged(error.to_string()),
            error => NotLoaded::Away(error),
        }
    }
}

/// None: it is of another history than `genesis`.
async fn load_one(
    store: &dyn JournalStore,
    id: CheckpointId,
    genesis: Option<u64>,
) -> Result<Option<(MasterState, CheckpointOrigin)>, NotLoaded> {
    let is_another = |found: u64| genesis.is_some_and(|genesis| genesis != found);
    if garbage::genesis_of(store, id, &[]).await?.is_some_and(is_another) {
        return Ok(None);
    }
    let content = store.read_checkpoint(id).await?;
    let (state, origin) =
        MasterState::from_checkpoint(&content).map_err(|error| NotLoaded::Damaged(error.to_string()))?;
    Ok((!is_another(origin.genesis)).then_some((state, origin)))
}

/// The genesis of the newest history in the folder, as far as a segment tells it: a format may have ended before it
/// deleted the checkpoints of the history before.
async fn newest_genesis(store: &dyn JournalStore, listing: &Listing) -> Result<Option<u64>, StoreError> {
    for segment in listing.segments.iter().rev() {
        if let Some(header) = garbage::header_of(store, *segment).await? {
            return Ok(Some(header.genesis));
        }
    }
    Ok(None)
}

/// Whether the first segment of this history is there still: without a checkpoint all are needed.
async fn begins(store: &dyn JournalStore, listing: &Listing, genesis: Option<u64>) -> Result<bool, StoreError> {
    for segment in &listing.segments {
        match garbage::header_of(store, *segment).await? {
            Some(header) if Some(header.genesis) == genesis => return Ok(header.base.is_none()),
            // Torn, or of the history before the last format.
            _ => {}
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::chain::{Base, SegmentHeader};
    use crate::journal::codec;
    use crate::journal::folder::{FEATURE_LEVEL, Format, LAYOUT, MemoryFolder, MemoryStore, SegmentId};
    use crate::types::SequenceNumber;
    use bytes::Bytes;
    use parking_lot::Mutex;
    use std::sync::Arc;

    const GENESIS: u64 = 7;

    fn position(sequence: u64) -> Position {
        Position { sequence: SequenceNumber(sequence), hash: sequence }
    }

    /// A folder with one segment that begins at record `base`, and these checkpoints.
    fn folder(base: u64, checkpoints: &[(u64, u64)]) -> MemoryFolder {
        let mut folder = MemoryFolder::new(1);
        let format = Format { layout: LAYOUT, feature_level: FEATURE_LEVEL, cluster_id: "c".into() };
        folder.write_format(&format).unwrap();
        let segment = SegmentId { epoch: 3, index: 1 };
        let before = SegmentId { epoch: 3, index: 0 };
        let through = SequenceNumber(base);
        let base = (base > 0).then(|| Base { segment: before, bytes: 9, position: position(base) });
        let header = SegmentHeader { cluster_id: "c".into(), genesis: GENESIS, segment, base, through };
        let mut bytes = Vec::new();
        codec::encode_header(&mut bytes, &header);
        let file = folder.create(segment).unwrap();
        let append = folder.begin_append(file, &bytes);
        assert!(folder.land(append, 0));
        for (sequence, genesis) in checkpoints {
            let position = position(*sequence);
            let origin = CheckpointOrigin { position, genesis: *genesis, cluster_id: "c".into() };
            let content = Bytes::from(MasterState::default().to_checkpoint(&origin).concat());
            folder.write_checkpoint(position.into(), content).unwrap();
        }
        folder
    }

    fn damage(folder: &mut MemoryFolder, sequence: u64) {
        let id = CheckpointId { sequence: SequenceNumber(sequence), hash: sequence };
        let mut content = folder.read_checkpoint(id).unwrap().to_vec();
        *content.last_mut().unwrap() ^= 1;
        folder.delete_checkpoint(id).unwrap();
        folder.write_checkpoint(id, Bytes::from(content)).unwrap();
    }

    async fn loaded(folder: MemoryFolder) -> Result<Loaded, StartError> {
        load(&MemoryStore::new(Arc::new(Mutex::new(folder)))).await
    }

    #[tokio::test]
    async fn the_newest_sound_checkpoint_of_the_history_is_taken_and_damaged_ones_are_told() {
        let mut folder = folder(15, &[(20, GENESIS), (30, GENESIS), (90, 3)]);
        damage(&mut folder, 30);
        let found = loaded(folder).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.position, found.genesis), (position(20), Some(GENESIS)));
        assert_eq!(found.refused, [CheckpointId { sequence: SequenceNumber(30), hash: 30 }]);
    }

    #[tokio::test]
    async fn without_one_the_first_segment_is_needed() {
        let found = loaded(folder(0, &[(90, 3)])).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.position, found.genesis), (Position::START, None));
        let mut damaged = folder(15, &[(20, GENESIS)]);
        damage(&mut damaged, 20);
        for folder in [folder(15, &[]), folder(15, &[(90, 3)]), damaged] {
            let error = loaded(folder).await.err().expect("it cannot begin");
            assert!(matches!(error, StartError::Checkpoint { .. }) && !error.may_pass(), "{error}");
        }
    }

    #[tokio::test]
    async fn a_copy_of_another_segment_does_not_tell_where_the_journal_begins() {
        let mut folder = folder(0, &[]);
        let header = SegmentHeader {
            cluster_id: "c".into(),
            genesis: GENESIS,
            segment: SegmentId { epoch: 5, index: 0 },
            base: Some(Base { segment: SegmentId { epoch: 3, index: 1 }, bytes: 9, position: position(15) }),
            through: SequenceNumber(15),
        };
        let mut bytes = Vec::new();
        codec::encode_header(&mut bytes, &header);
        let file = folder.create(SegmentId { epoch: 1, index: 0 }).unwrap();
        let append = folder.begin_append(file, &bytes);
        assert!(folder.land(append, 0));
        let found = loaded(folder).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.position, Position::START);
    }

    #[tokio::test]
    async fn a_folder_that_is_away_may_be_back() {
        let mut away = folder(15, &[(20, GENESIS)]);
        away.set_outage(true);
        assert!(loaded(away).await.err().expect("it is away").may_pass());
    }
}
