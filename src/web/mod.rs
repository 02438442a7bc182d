//! The web pages of master and worker, under the paths of release 1.2.0.
//!
//! All pages are made here, on the server, and can be read without JavaScript; nothing comes from other hosts.
//! Read `routes.rs` (which path leads where; a new one is a line there), `page.rs` (a request, its answer, its
//! problems), then a page: each has a file and a template of its name. `port.rs` listens; `master.rs` and `worker.rs`
//! say what the pages of a role know, and when they are there.

mod browse;
mod configuration;
mod file;
mod frame;
mod link;
pub mod master;
mod overview;
mod page;
mod paging;
mod port;
mod routes;
mod usage;
mod workers;
