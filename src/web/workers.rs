//! `/workers`: the workers that report, and those that do not any more.

use std::sync::Arc;

use askama::Template;
use warp::reply::Response;

use super::frame::Frame;
use super::master::{MasterSite, mismatch};
use super::page::{Asked, Problem, html};
use super::usage::Usage;
use crate::master::ops::{Answer, Query};
use crate::master::worker_call::{WorkerInfo, WorkerState};
use crate::types::{ErrorKind, FsError};

#[derive(Template)]
#[template(path = "workers.html")]
struct WorkersPage {
    frame: Frame,
    live: Vec<WorkerRow>,
    lost: Vec<WorkerRow>,
    /// This master is primary since a moment ago: workers may be there that it does not know.
    may_be_more: bool,
}

struct WorkerRow {
    name: String,
    /// Its own pages.
    link: String,
    last_contact_s: u64,
    usage: Usage,
    blocks: u64,
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    let workers = all(&site).await?;
    let rows = |state| {
        let mut rows: Vec<WorkerRow> =
            workers.iter().flatten().filter(|worker| worker.state == state).map(row).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    };
    html(&WorkersPage {
        frame: Frame::new(site.as_ref(), &asked, "Workers"),
        live: rows(WorkerState::Live),
        lost: rows(WorkerState::Lost),
        may_be_more: workers.is_none(),
    })
}

/// All workers; none while it is not known yet which there are.
pub(super) async fn all(site: &MasterSite) -> Result<Option<Vec<WorkerInfo>>, Problem> {
    match site.ask(Query::Workers).await {
        Ok(Answer::Workers(workers)) => Ok(Some(workers)),
        Ok(answer) => Err(mismatch(&answer).into()),
        Err(FsError { kind: ErrorKind::Unavailable, .. }) if site.master.handle.is_primary() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn row(worker: &WorkerInfo) -> WorkerRow {
    WorkerRow {
        name: worker.address.endpoint(),
        link: format!("http://{}:{}/home", worker.address.host, worker.address.web_port),
        last_contact_s: worker.last_contact_s,
        usage: Usage::of_tiers(&worker.capacity_bytes, &worker.used_bytes),
        blocks: worker.blocks,
    }
}
