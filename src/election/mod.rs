//! Who may lead: the latch, the epoch node that carries the lease, and how clients find the primary.
//!
//! `trait Latch` has two real implementations (`zookeeper.rs`, `solo.rs`) and `memory.rs` for the simulator; all
//! pass one suite. `find.rs` tells where the primary is. The rules F1 to F3 are those of `docs/journal.md`.

mod call;
mod latch;

pub use call::{CallFailed, LatchCall, LatchReply, Observation};
pub use latch::{EpochNode, Latch, LatchError, OwnNode, Participant, Versioned};
