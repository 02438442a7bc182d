//! The first answers to operations that carried an id: the newest so many, and those of the last minutes.
//!
//! What is forgotten follows from the entries that were applied, so all masters forget the same. Time alone forgets
//! nothing: a wall clock that steps forward must not make a master forget what a client is about to ask again.

use super::btree::Tree;
use super::pages::{array, read_i64, read_u64, write};
use crate::journal::entry::{Answered, AnsweredOperation};
use crate::types::{InodeId, OperationId};
use std::cmp::Ordering;

/// So many answers are kept, however old.
pub const ANSWERS_MIN: u64 = 65_536;
/// Of more than those, the ones that are not older than this by the times of the operations: as long as clients of 2.9
/// ask again (`alluxio.user.rpc.retry.max.duration`).
pub const ANSWERS_FOR_MS: i64 = 120_000;
/// So many answers at most: 100 MiB.
pub const ANSWERS_MAX: u64 = 1 << 20;

/// (operation id, arguments, inode, time, operation).
pub(super) const ANSWER_BYTES: usize = 44;
/// (ordinal, operation id, time).
pub(super) const ARRIVAL_BYTES: usize = 32;

#[derive(Debug, Clone)]
pub(super) struct Retries {
    pub(super) by_id: Tree<ANSWER_BYTES>,
    /// In the order in which they came.
    pub(super) arrivals: Tree<ARRIVAL_BYTES>,
    pub(super) next_ordinal: u64,
}

impl Retries {
    pub(super) fn new() -> Retries {
        Retries { by_id: Tree::new(), arrivals: Tree::new(), next_ordinal: 0 }
    }

    pub(super) fn find(&self, id: OperationId) -> Option<Answered> {
        self.by_id.find(id_order(id)).and_then(answered_in)
    }

    /// All kept answers in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = Answered> {
        self.arrivals.iter().filter_map(|arrival| self.find(operation_id_in(arrival, 8)))
    }

    /// Keeps an answer, and forgets those before it that are too many. False when its id is there already.
    pub(super) fn keep(&mut self, answered: &Answered) -> bool {
        if self.find(answered.operation_id).is_some() {
            return false;
        }
        self.make_room(answered.op_time_ms);
        let mut answer = [0; ANSWER_BYTES];
        write_operation_id(&mut answer, 0, answered.operation_id);
        write(&mut answer, 16, &answered.arguments.to_le_bytes());
        write(&mut answer, 24, &answered.inode.0.to_le_bytes());
        write(&mut answer, 32, &answered.op_time_ms.to_le_bytes());
        write(&mut answer, 40, &(answered.operation as u32).to_le_bytes());
        self.by_id.insert(&answer, id_order(answered.operation_id));
        let mut arrival = [0; ARRIVAL_BYTES];
        write(&mut arrival, 0, &self.next_ordinal.to_le_bytes());
        write_operation_id(&mut arrival, 8, answered.operation_id);
        write(&mut arrival, 24, &answered.op_time_ms.to_le_bytes());
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        self.arrivals.insert(&arrival, |entry| read_u64(entry, 0).cmp(&ordinal))
    }

    fn make_room(&mut self, now_ms: i64) {
        while self.arrivals.len() >= ANSWERS_MIN {
            let Some(oldest) = self.arrivals.iter().next() else { return };
            let is_old = read_i64(oldest, 24) < now_ms.saturating_sub(ANSWERS_FOR_MS);
            if !is_old && self.arrivals.len() < ANSWERS_MAX {
                return;
            }
            let (ordinal, id) = (read_u64(oldest, 0), operation_id_in(oldest, 8));
            self.arrivals.remove(|entry| read_u64(entry, 0).cmp(&ordinal));
            self.by_id.remove(id_order(id));
        }
    }
}

/// The answer in an entry; none when its operation has no known number.
pub(super) fn answered_in(entry: &[u8; ANSWER_BYTES]) -> Option<Answered> {
    Some(Answered {
        operation_id: operation_id_in(entry, 0),
        operation: AnsweredOperation::of_number(u32::from_le_bytes(array(entry, 40)))?,
        arguments: read_u64(entry, 16),
        inode: InodeId(read_i64(entry, 24)),
        op_time_ms: read_i64(entry, 32),
    })
}

pub(super) fn operation_id_in(bytes: &[u8], at: usize) -> OperationId {
    OperationId { high: read_u64(bytes, at), low: read_u64(bytes, at + 8) }
}

fn write_operation_id(bytes: &mut [u8], at: usize, id: OperationId) {
    write(bytes, at, &id.high.to_le_bytes());
    write(bytes, at + 8, &id.low.to_le_bytes());
}

fn id_order(id: OperationId) -> impl Fn(&[u8; ANSWER_BYTES]) -> Ordering {
    move |entry| operation_id_in(entry, 0).cmp(&id)
}
