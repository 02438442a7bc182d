//! The wire below the services: errors and codes, the handshake, versions, channels.
//!
//! Both sides of one protocol stand together: `status.rs` (errors ↔ codes, which errors are tried again),
//! `version.rs` (which service answers which number), `listen.rs` (a server on its port), `call.rs` (one call on it),
//! `handshake.rs` with `registry.rs` and `callers.rs` (the server's side of the authentication: who is it, who is
//! authenticated, in which groups), `channel.rs` (the client's side), `identity.rs` (as whom), `locate.rs` and `retry.rs`
//! (which master is called, and when again), `peer.rs` (what masters ask one another), `worker.rs` (the calls to a worker) with the streams of `block_reader.rs`,
//! `block_writer.rs` and `local_block.rs`, each of which is a `duplex.rs`.
//! Uses `types`, `proto` and nothing else of the project.

pub mod block_reader;
pub mod block_writer;
pub mod call;
pub mod callers;
pub mod channel;
mod chunks;
mod duplex;
mod gathered;
pub mod handshake;
pub mod identity;
pub mod listen;
pub mod local_block;
pub mod locate;
pub mod peer;
pub mod registry;
pub mod retry;
pub mod status;
pub mod version;
pub mod worker;

/// No message may be longer, in either direction (2.9.6: both sides 100 MB).
pub const MESSAGE_BYTES_MAX: usize = 100 << 20;

/// No message with data of a block may be longer (2.9.6: what a worker takes).
pub const DATA_MESSAGE_BYTES_MAX: usize = 4 << 20;

/// HTTP/2 flow-control window of a stream and of a connection, both sides.
pub const WINDOW_BYTES: u32 = 2 << 20;

/// Name of the header that tells which authenticated channel a call belongs to.
pub const CHANNEL_ID_HEADER: &str = "channel-id";
