//! `/masters`: who leads in which epoch, who waits, how far the journal is and how much room it takes.

use std::sync::Arc;

use askama::Template;
use warp::reply::Response;

use super::frame::Frame;
use super::master::MasterSite;
use super::page::{Asked, Problem, html};
use crate::election::EpochNode;
use crate::master::journal_room::Usage;
use crate::master::masters::{Seen, SeenMaster};
use crate::types::texts::{size, uptime};
use crate::types::time::wall_now;

#[derive(Template)]
#[template(path = "masters.html")]
struct MastersPage {
    frame: Frame,
    cluster_id: String,
    journal: String,
    /// Why the election says nothing, if it does not.
    problem: Option<String>,
    /// Why clients may change nothing.
    read_only: Option<String>,
    /// The newest epoch that was claimed, and who claimed it.
    epoch: Option<EpochNode>,
    /// The newest record that this master takes for permanent.
    position: u64,
    /// None when the folder does not answer.
    room: Option<RoomShown>,
    masters: Vec<SeenMaster>,
}

struct RoomShown {
    bytes: String,
    /// How long ago the newest checkpoint was written.
    checkpoint: Option<String>,
    /// On the disk of the folder, if that is not shared.
    free: Option<String>,
}

impl RoomShown {
    fn of(usage: &Usage) -> RoomShown {
        let text = |bytes: u64| size(i64::try_from(bytes).unwrap_or(i64::MAX));
        RoomShown {
            bytes: text(usage.bytes),
            checkpoint: usage.checkpoint_age(wall_now()).map(|age| uptime(age.as_millis() as i64)),
            free: usage.room.map(|room| text(room.free_bytes)),
        }
    }
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    let Seen { epoch, problem, position, masters } = site.master.cluster.masters.look().await;
    let room = site.master.handle.room();
    html(&MastersPage {
        frame: Frame::new(site.as_ref(), &asked, "Masters"),
        cluster_id: site.master.cluster.cluster_id.clone(),
        journal: site.master.cluster.journal.clone(),
        problem: problem.map(|error| format!("The election does not answer: {error}")),
        read_only: room.check().err().map(|refusal| refusal.message),
        epoch,
        position: position.0,
        room: room.usage().as_ref().map(RoomShown::of),
        masters,
    })
}
