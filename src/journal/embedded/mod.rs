//! The embedded journal: what openraft needs to replicate records among the masters themselves.
//!
//! Only this folder names openraft. Read `types.rs`; `channels.rs`, `watch.rs` and `runtime.rs` (what it runs on, in the
//! product and in the simulator); `frames.rs`, `log.rs`, `disk.rs` and `store.rs` (the log of a member);
//! `applied.rs`, `checkpoint.rs` and `machine.rs` (what is committed, on its way to the state). Channels, frames, log and
//! what counts of the committed are pure.

pub mod applied;
pub mod channels;
pub mod checkpoint;
pub mod disk;
pub mod frames;
pub mod local_disk;
pub mod log;
pub mod machine;
pub mod memory_disk;
pub mod runtime;
pub mod store;
pub mod types;
pub mod watch;
