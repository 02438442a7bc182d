//! `/masters`: who leads in which epoch, who waits, and how far the journal is.

use std::sync::Arc;

use askama::Template;
use log::debug;
use warp::reply::Response;

use super::frame::Frame;
use super::master::MasterSite;
use super::page::{Asked, Problem, html};
use crate::election::{EpochNode, LatchError, Participant};

#[derive(Template)]
#[template(path = "masters.html")]
struct MastersPage {
    frame: Frame,
    cluster_id: String,
    journal: String,
    /// Why the election says nothing, if it does not.
    problem: Option<String>,
    /// The newest epoch that was claimed, and who claimed it.
    epoch: Option<Epoch>,
    /// The newest record that this master takes for permanent.
    position: u64,
    masters: Vec<MasterRow>,
}

struct Epoch {
    number: u64,
    owner: String,
    released: bool,
    lease_ms: u64,
    durable: u64,
}

struct MasterRow {
    address: String,
    node: String,
    is_primary: bool,
    is_here: bool,
    /// As far as it is known here.
    position: Option<u64>,
    /// Records behind what the primary has told, as far as that is known.
    lag: Option<u64>,
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    let latch = &site.master.latch;
    let (epoch, participants) = (latch.read_epoch().await, latch.participants().await);
    let problem = problem(&epoch).or_else(|| self::problem(&participants));
    let epoch = epoch.ok().flatten().map(|node| node.value);
    // Read after what the election tells, so that a lag is none that was made up for meanwhile.
    let position = site.master.handle.standing().durable.0;
    let row = |participant: Participant| row(&site, epoch.as_ref(), participant, position);
    html(&MastersPage {
        frame: Frame::new(site.as_ref(), &asked, "Masters"),
        cluster_id: site.master.cluster_id.clone(),
        journal: site.master.journal.clone(),
        problem,
        masters: participants.unwrap_or_default().into_iter().map(row).collect(),
        position,
        epoch: epoch.map(|node| Epoch {
            number: node.epoch,
            owner: node.address,
            released: node.released,
            lease_ms: node.lease_ms,
            durable: node.durable_sequence,
        }),
    })
}

fn problem<T>(answer: &Result<T, LatchError>) -> Option<String> {
    let error = answer.as_ref().err()?;
    debug!("the election cannot be asked for the page of masters reason={error}");
    Some(format!("The election does not answer: {error}"))
}

fn row(site: &MasterSite, epoch: Option<&EpochNode>, participant: Participant, position: u64) -> MasterRow {
    let is_here = participant.address == site.master.address;
    let is_primary = match is_here {
        true => site.master.handle.is_primary(),
        false => epoch.is_some_and(|node| !node.released && node.latch == participant.node),
    };
    let durable = epoch.map(|node| node.durable_sequence);
    let position = match (is_here, is_primary) {
        (true, _) => Some(position),
        // What it has told the election of; it may be further.
        (false, true) => durable,
        (false, false) => None,
    };
    let lag = position.zip(durable).map(|(position, durable)| durable.saturating_sub(position));
    MasterRow { address: participant.address, node: participant.node, is_primary, is_here, position, lag }
}
