//! The first answers to operations that carried an id: the newest so many, and those of the last minutes.
//!
//! What is forgotten follows from the entries that were applied, so all masters forget the same. Time alone forgets
//! nothing: a wall clock that steps forward must not make a master forget what a client is about to ask again.

use super::btree::Tree;
use super::pages::{array, read_i64, read_u64, write};
use crate::journal::entry::{Answered, AnsweredOperation};
use crate::types::id_map::IdMap;
use crate::types::{InodeId, OperationId};
use std::sync::OnceLock;

/// So many answers are kept, however old.
pub const ANSWERS_MIN: u64 = 65_536;
/// Of more than those, the ones that are not older than this by the times of the operations: as long as clients of 2.9
/// ask again (`alluxio.user.rpc.retry.max.duration`).
pub const ANSWERS_FOR_MS: i64 = 120_000;
/// So many answers at most: 100 MiB.
pub const ANSWERS_MAX: u64 = 1 << 20;

/// (ordinal, operation id, arguments, inode, time, operation).
pub(super) const ANSWER_BYTES: usize = 52;

#[derive(Debug)]
pub(super) struct Retries {
    /// In the order in which they came.
    pub(super) answers: Tree<ANSWER_BYTES>,
    pub(super) next_ordinal: u64,
    /// By operation id: nearly all that are asked for have none, which one look must tell.
    ordinals: OnceLock<IdMap<OperationId, u64>>,
}

/// A snapshot, which makes its own ordinals if it is ever asked for an id.
impl Clone for Retries {
    fn clone(&self) -> Retries {
        Retries { answers: self.answers.clone(), next_ordinal: self.next_ordinal, ordinals: OnceLock::new() }
    }
}

impl Retries {
    pub(super) fn new() -> Retries {
        Retries { answers: Tree::new(), next_ordinal: 0, ordinals: OnceLock::new() }
    }

    pub(super) fn find(&self, id: OperationId) -> Option<Answered> {
        let ordinal = self.ordinals().get(&id)?;
        self.answers.find(|entry| read_u64(entry, 0).cmp(ordinal)).and_then(answered_in)
    }

    /// All kept answers in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = Answered> {
        self.answers.iter().filter_map(answered_in)
    }

    /// Keeps an answer, and forgets those before it that are too many. False when its id is there already.
    pub(super) fn keep(&mut self, answered: &Answered) -> bool {
        if self.ordinals().get(&answered.operation_id).is_some() {
            return false;
        }
        self.make_room(answered.op_time_ms);
        let mut entry = [0; ANSWER_BYTES];
        write(&mut entry, 0, &self.next_ordinal.to_le_bytes());
        write(&mut entry, 8, &answered.operation_id.high.to_le_bytes());
        write(&mut entry, 16, &answered.operation_id.low.to_le_bytes());
        write(&mut entry, 24, &answered.arguments.to_le_bytes());
        write(&mut entry, 32, &answered.inode.0.to_le_bytes());
        write(&mut entry, 40, &answered.op_time_ms.to_le_bytes());
        write(&mut entry, 48, &(answered.operation as u32).to_le_bytes());
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        self.ordinals_mut().insert(answered.operation_id, ordinal);
        self.answers.insert(&entry, |entry| read_u64(entry, 0).cmp(&ordinal))
    }

    /// Whether no two answers have the same id.
    pub(super) fn ids_are_unique(&self) -> bool {
        self.ordinals().len() as u64 == self.answers.len()
    }

    fn make_room(&mut self, now_ms: i64) {
        while self.answers.len() >= ANSWERS_MIN {
            let Some(oldest) = self.answers.iter().next() else { return };
            let is_old = read_i64(oldest, 40) < now_ms.saturating_sub(ANSWERS_FOR_MS);
            if !is_old && self.answers.len() < ANSWERS_MAX {
                return;
            }
            let (ordinal, id) = (read_u64(oldest, 0), operation_id_in(oldest));
            self.answers.remove(|entry| read_u64(entry, 0).cmp(&ordinal));
            self.ordinals_mut().remove(&id);
        }
    }

    fn ordinals(&self) -> &IdMap<OperationId, u64> {
        self.ordinals.get_or_init(|| {
            let mut ordinals = IdMap::default();
            for entry in self.answers.iter() {
                ordinals.insert(operation_id_in(entry), read_u64(entry, 0));
            }
            ordinals
        })
    }

    fn ordinals_mut(&mut self) -> &mut IdMap<OperationId, u64> {
        self.ordinals();
        self.ordinals.get_mut().expect("just made")
    }
}

/// The answer in an entry; none when its operation has no known number.
pub(super) fn answered_in(entry: &[u8; ANSWER_BYTES]) -> Option<Answered> {
    Some(Answered {
        operation_id: operation_id_in(entry),
        operation: AnsweredOperation::of_number(u32::from_le_bytes(array(entry, 48)))?,
        arguments: read_u64(entry, 24),
        inode: InodeId(read_i64(entry, 32)),
        op_time_ms: read_i64(entry, 40),
    })
}

fn operation_id_in(entry: &[u8; ANSWER_BYTES]) -> OperationId {
    OperationId { high: read_u64(entry, 8), low: read_u64(entry, 16) }
}
