//! `/metricsui`: what a server has counted since it began, under the labels of 1.2.0.

use std::sync::Arc;

use askama::Template;
use warp::reply::Response;

use super::frame::Frame;
use super::master::{MasterSite, mismatch};
use super::overview::Cluster;
use super::page::{Asked, Problem, html};
use super::usage::Usage;
use super::worker::WorkerSite;
use super::worker_overview::total;
use super::workers;
use crate::master::ops::{Answer, Query};

#[derive(Template)]
#[template(path = "metrics.html")]
struct MetricsPage {
    frame: Frame,
    /// `Master` or `Worker`.
    server: &'static str,
    /// None while it is not known which workers there are.
    capacity: Option<Usage>,
    /// Of a master, if its UFS tells.
    ufs: Option<Usage>,
    groups: Vec<Group>,
}

struct Group {
    title: &'static str,
    /// Label and value.
    counts: Vec<(&'static str, u64)>,
}

pub(super) async fn of_master(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    let (capacity, pinned) = match site.master.handle.is_primary() {
        true => (workers::all(&site).await?.map(|workers| Cluster::of(&workers).usage), Some(pinned(&site).await?)),
        false => (None, None),
    };
    let mut logical = logical_operations(&site);
    logical.extend(pinned.map(|pinned| ("Files Pinned", pinned)));
    html(&MetricsPage {
        frame: Frame::new(site.as_ref(), &asked, "Metrics"),
        server: "Master",
        capacity,
        ufs: site.master.ufs_space.read().await.map(|space| Usage::of(space.capacity_bytes, space.used_bytes)),
        groups: vec![
            Group { title: "Logical Operations", counts: logical },
            Group { title: "RPC Invocations", counts: rpc_invocations(&site) },
        ],
    })
}

pub(super) async fn of_worker(site: Arc<WorkerSite>, asked: Asked) -> Result<Response, Problem> {
    let store = &site.worker.store;
    let counters = store.counters();
    let logical = [
        ("Blocks Accessed", &counters.blocks_accessed),
        ("Blocks Cached", &counters.blocks_cached),
        ("Blocks Canceled", &counters.blocks_canceled),
        ("Blocks Deleted", &counters.blocks_deleted),
        ("Blocks Evicted", &counters.blocks_evicted),
        ("Blocks Promoted", &counters.blocks_promoted),
        ("Blocks Read Locally", &counters.blocks_read_local),
        ("Blocks Read Remotely", &counters.blocks_read_remote),
        ("Blocks Written Locally", &counters.blocks_written_local),
        ("Blocks Written Remotely", &counters.blocks_written_remote),
        ("Bytes Read Locally", &counters.bytes_read_local),
        ("Bytes Read Remotely", &counters.bytes_read_remote),
        ("Underfs Bytes Read", &counters.bytes_read_ufs),
        ("Bytes Written Locally", &counters.bytes_written_local),
        ("Bytes Written Remotely", &counters.bytes_written_remote),
        ("Underfs Bytes Written", &counters.bytes_written_ufs),
    ];
    let counts = logical.map(|(label, counter)| (label, counter.get())).into();
    html(&MetricsPage {
        frame: Frame::new(site.as_ref(), &asked, "Metrics"),
        server: "Worker",
        capacity: Some(total(store)),
        ufs: None,
        groups: vec![Group { title: "Logical Operations", counts }],
    })
}

/// Files that must stay, and those that are still to be written to the UFS.
async fn pinned(site: &MasterSite) -> Result<u64, Problem> {
    match site.ask(Query::PinnedFiles).await? {
        Answer::Files(files) => Ok(files.len() as u64),
        answer => Err(mismatch(&answer).into()),
    }
}

fn logical_operations(site: &MasterSite) -> Vec<(&'static str, u64)> {
    let counters = site.master.front.counters();
    [
        ("Directories Created", &counters.directories_created),
        ("File Block Infos Got", &counters.file_block_infos_got),
        ("File Infos Got", &counters.file_infos_got),
        ("Files Completed", &counters.files_completed),
        ("Files Created", &counters.files_created),
        ("Files Freed", &counters.files_freed),
        ("Files Persisted", &counters.files_persisted),
        ("New Blocks Got", &counters.new_blocks_got),
        ("Paths Deleted", &counters.paths_deleted),
        ("Paths Mounted", &counters.paths_mounted),
        ("Paths Renamed", &counters.paths_renamed),
        ("Paths Unmounted", &counters.paths_unmounted),
    ]
    .map(|(label, counter)| (label, counter.get()))
    .into()
}

fn rpc_invocations(site: &MasterSite) -> Vec<(&'static str, u64)> {
    let counters = site.master.front.counters();
    [
        ("CompleteFile Operations", &counters.complete_file_ops),
        ("CreateDirectory Operations", &counters.create_directory_ops),
        ("CreateFile Operations", &counters.create_file_ops),
        ("DeletePath Operations", &counters.delete_path_ops),
        ("FreeFile Operations", &counters.free_file_ops),
        ("GetFileBlockInfo Operations", &counters.get_file_block_info_ops),
        ("GetFileInfo Operations", &counters.get_file_info_ops),
        ("GetNewBlock Operations", &counters.get_new_block_ops),
        ("Mount Operations", &counters.mount_ops),
        ("RenamePath Operations", &counters.rename_path_ops),
        ("SetAttribute Operations", &counters.set_attribute_ops),
        ("Unmount Operations", &counters.unmount_ops),
    ]
    .map(|(label, counter)| (label, counter.get()))
    .into()
}
