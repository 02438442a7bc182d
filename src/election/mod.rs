//! Who may lead: the latch, the epoch node that carries the lease, and how clients find the primary.
//!
//! `trait Latch` has two real implementations (`zookeeper.rs`, `solo.rs`) and `memory.rs` for the simulator; all
//! pass one suite. `find.rs` tells where the primary is. The rules F1 to F3 are those of `docs/journal.md`.

mod call;
pub mod configured;
mod epoch_codec;
mod find;
mod guardian;
mod latch;
mod latch_node;
#[cfg(test)]
mod latch_suite;
mod memory;
mod memory_latch;
mod published;
mod solo;
mod zookeeper;
mod zookeeper_servers;
mod zookeeper_session;
mod zookeeper_settings;
mod zookeeper_watch;

pub use call::{CallFailed, LatchCall, LatchReply, Observation, Presence};
pub use find::{FindError, Finder, FinderSettings, LookupSettings, Primary};
pub use guardian::{Released, release_of_dead};
pub use latch::{EpochNode, Latch, LatchError, OwnNode, Participant, Versioned};
pub use latch_node::{Contender, new_incarnation};
pub use memory::{MemoryElection, SessionId, StateNumber};
pub use memory_latch::{MemoryLatch, SharedElection};
pub use published::Published;
pub use solo::SoloLatch;
pub use zookeeper::ZookeeperLatch;
pub use zookeeper_servers::unknown_servers;
pub use zookeeper_settings::ZookeeperSettings;
