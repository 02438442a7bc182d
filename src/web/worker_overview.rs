//! `/home` of a worker: its address and age, and how full its tiers are. `/toMaster` leads to the primary.

use std::sync::Arc;

use askama::Template;
use chrono::Local;
use warp::http::Uri;
use warp::reply::{Reply, Response};

use super::frame::Frame;
use super::page::{Asked, Problem, html};
use super::usage::Usage;
use super::worker::WorkerSite;
use crate::conf::keys;
use crate::types::texts::{time, uptime};
use crate::types::time::wall_now;
use crate::worker::primary::signed;
use crate::worker::store::{BlockStore, StoreSettings};

#[derive(Template)]
#[template(path = "worker_home.html")]
struct HomePage {
    frame: Frame,
    started: String,
    uptime: String,
    version: &'static str,
    masters: Vec<String>,
    blocks: usize,
    total: Usage,
    tiers: Vec<(String, Usage)>,
    directories: Vec<(String, String, Usage)>,
}

pub(super) async fn show(site: Arc<WorkerSite>, asked: Asked) -> Result<Response, Problem> {
    let store = &site.worker.store;
    let StoreSettings { tier_aliases, directories, .. } = store.settings();
    let tiers = store.usage();
    let directory = |(directory, fill): (&crate::worker::store::DirectorySettings, (u64, u64))| {
        (tier_aliases[directory.tier].clone(), directory.path.display().to_string(), usage(fill))
    };
    html(&HomePage {
        frame: Frame::new(site.as_ref(), &asked, "Overview"),
        started: time(site.started.0, &Local),
        uptime: uptime(wall_now().0 - site.started.0),
        version: site.settings.conf.compatibility().release(),
        masters: site.worker.registrations.masters(),
        blocks: store.block_count(),
        total: total(store),
        tiers: tier_aliases.iter().cloned().zip(tiers.into_iter().map(usage)).collect(),
        directories: directories.iter().zip(store.usage_of_directories()).map(directory).collect(),
    })
}

/// How full all tiers are.
pub(super) fn total(store: &BlockStore) -> Usage {
    usage(store.usage_of_all())
}

/// Of these bytes so many are used.
fn usage((capacity, used): (u64, u64)) -> Usage {
    Usage::of(signed(capacity), signed(used))
}

/// To the pages of the primary, which is looked for when somebody wants to go there.
pub(super) async fn to_master(site: Arc<WorkerSite>, _: Asked) -> Result<Response, Problem> {
    let address = site.files.primary().await?;
    let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
    let link = format!("http://{host}:{}/home", site.settings.conf.get(&keys::MASTER_WEB_PORT).0);
    let unusable = |_| Problem::new(warp::http::StatusCode::BAD_GATEWAY, format!("The primary is at {address}."));
    Ok(warp::redirect::found(link.parse::<Uri>().map_err(unusable)?).into_response())
}
