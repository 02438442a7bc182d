//! `/home` of a master: its address and age, and how much of the cluster's space is used.

use std::sync::Arc;

use askama::Template;
use chrono::Local;
use warp::reply::Response;

use super::frame::Frame;
use super::master::MasterSite;
use super::page::{Asked, Problem, html};
use super::usage::{UfsUsage, Usage};
use super::workers;
use crate::master::figures;
use crate::master::worker_call::{WorkerInfo, WorkerState};
use crate::types::texts::{time, uptime};
use crate::types::time::wall_now;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    started: String,
    uptime: String,
    version: &'static str,
    journal: String,
    /// None while it is not known yet which workers there are, or when this master is not primary.
    cluster: Option<Cluster>,
    /// None when the UFS does not tell.
    ufs: Option<UfsUsage>,
}

/// What all workers of a cluster have.
pub(super) struct Cluster {
    live: usize,
    lost: usize,
    /// Of those that report.
    pub(super) usage: Usage,
    tiers: Vec<(String, Usage)>,
}

impl Cluster {
    pub(super) fn of(workers: &[WorkerInfo]) -> Cluster {
        let live = workers.iter().filter(|worker| worker.state == WorkerState::Live).count();
        let (capacity, used) = figures::tiers(workers);
        let of_tier = |(tier, bytes): (&String, &i64)| {
            (tier.clone(), Usage::of(*bytes, used.get(tier).copied().unwrap_or_default()))
        };
        Cluster {
            live,
            lost: workers.len() - live,
            usage: Usage::of_tiers(&capacity, &used),
            tiers: capacity.iter().map(of_tier).collect(),
        }
    }
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    let workers = if site.master.handle.is_primary() { workers::all(&site).await? } else { None };
    let cluster = workers.map(|workers| Cluster::of(&workers));
    let ufs = if cluster.is_some() { site.master.ufs_space.read().await } else { None };
    html(&HomePage {
        frame: Frame::new(site.as_ref(), &asked, "Overview"),
        started: time(site.started.0, &Local),
        uptime: uptime(wall_now().0 - site.started.0),
        version: site.settings.conf.compatibility().release(),
        journal: site.master.cluster.journal.clone(),
        cluster,
        ufs: ufs.map(UfsUsage),
    })
}
