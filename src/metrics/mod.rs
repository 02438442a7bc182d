//! Figures of a server: what it has counted since it began, what is so now, how they are shown.
//!
//! Read `table.rs` (what a figure is), then `master.rs`, `worker.rs`, `process.rs` and `cluster.rs` (which there are) and `shown.rs`
//! (the text for Prometheus and the JSON of 1.2.0). To count is one atomic addition; each figure is counted in one
//! place. Uses nothing of the project but `types`.

mod cluster;
mod master;
mod process;
mod shown;
mod table;
mod worker;

pub use cluster::{ClusterSums, Reporter, derived};
pub use master::{FlushTimes, MasterCounters, MasterFigures};
pub use process::ProcessFigures;
pub use shown::{STANDBY_LAG, STANDBY_LAG_MEANING, Shown, document};
pub use table::{Counter, Figure, Figures, Kind, Row, Value};
pub use worker::{WorkerCounters, WorkerFigures};
