//! The process of a worker: it holds blocks, and brings data to the UFS and from there.
//!
//! `store/` has the blocks as files. `blocks.rs` makes room for them and commits them; `fetch.rs`, `read.rs` and
//! `write.rs` move their bytes; `data_server*.rs` are the wire. `master_sync.rs` finds the masters, `master_session.rs`
//! reports to each of them, `primary.rs` asks the one that leads. `start.rs` makes a process of it.

mod blocks;
mod counted;
mod data_server;
mod data_server_local;
mod data_server_read;
mod data_server_write;
mod fetch;
pub mod format;
mod master_session;
mod master_sync;
mod mounts;
pub mod primary;
mod read;
mod settings;
pub mod start;
pub mod store;
mod tasks;
mod write;
