//! The web pages of master and worker, under the paths of release 1.2.0.
//!
//! All pages are made here, on the server, and can be read without JavaScript; nothing comes from other hosts.
//! Read `routes.rs` (which path leads where; a new one is a line there), `page.rs` (a request, its answer, its
//! problems), then a page: each has a file and a template of its name. `port.rs` listens; `master.rs` and `worker.rs`
//! say what the pages of a role know, and when they are there.

mod blocks;
mod browse;
mod configuration;
mod content;
mod download;
mod file;
mod frame;
mod link;
mod logs;
pub mod master;
mod masters;
mod memory;
mod metrics;
mod overview;
mod page;
mod paging;
mod part;
mod port;
mod rest;
mod rest_files;
mod rest_log;
mod rest_master;
mod rest_shape;
mod rest_worker;
mod routes;
mod settings;
mod usage;
mod watch;
pub mod worker;
mod worker_overview;
mod workers;
