//! The embedded journal: what openraft needs to replicate records among the masters themselves.
//!
//! Only this folder names openraft. Read `types.rs`; `channels.rs`, `watch.rs` and `runtime.rs` (what it runs on, in the
//! product and in the simulator); `frames.rs`, `log.rs`, `disk.rs` and `store.rs` (the log of a member);
//! `applied.rs`, `checkpoint.rs` and `machine.rs` (what is committed, on its way to the state); `leader.rs` (what a
//! leader proposes and answers); `start.rs`. Channels, frames, log, leader and what counts of the committed are pure.

pub mod applied;
pub mod channels;
pub mod checkpoint;
pub mod disk;
pub mod frames;
pub mod leader;
pub mod local_disk;
pub mod log;
pub mod machine;
pub mod memory_disk;
pub mod runtime;
pub mod start;
pub mod store;
pub mod types;
pub mod watch;
