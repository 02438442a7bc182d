//! The master: the namespace and who may change it.
//!
//! `state/` is plain data with one `apply`; `ops/` has one file per operation; `driver.rs` and `role.rs` are the
//! loop as state machines; `runtime.rs` performs their effects; `server.rs` is the wire; `workers.rs` is
//! what workers tell; `tasks/` is periodic work. Around the process of a master
//! stand `guardian.rs` (watches it) and `process.rs`; the module `process` starts and stops it.

pub mod access_times;
mod appender;
pub mod audit;
pub mod checkpoints;
pub mod config_check;
mod counting;
pub mod driver;
pub mod event;
pub mod feature_level;
pub mod figures;
mod folder_watch;
mod follower;
pub mod front;
mod garbage;
pub mod gate;
pub mod guardian;
mod handle;
pub mod in_flight;
pub mod journal_room;
pub mod listing;
mod load;
pub mod masters;
pub mod ops;
pub mod outside;
pub mod process;
pub mod role;
mod role_replies;
pub mod runtime;
pub mod server;
mod server_attributes;
mod server_block;
pub mod server_cluster;
pub mod server_conf;
mod server_config;
mod server_fs;
mod server_list;
mod server_lookup;
pub mod server_meta;
mod server_metrics;
mod server_mount;
mod server_sync;
mod server_worker;
pub mod start;
mod start_error;
pub mod state;
mod stuck;
mod takeover;
pub mod tasks;
pub mod ufs;
pub mod ufs_space;
pub mod worker_call;
mod worker_entry;
mod worker_judge;
pub mod workers;
