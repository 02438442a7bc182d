//! `/masters`: who leads in which epoch, who waits, and how far the journal is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use log::debug;
use tokio::task::JoinSet;
use warp::reply::Response;

use super::frame::Frame;
use super::master::MasterSite;
use super::page::{Asked, Problem, html};
use crate::election::{EpochNode, LatchError, Participant};
use crate::rpc::peer::journal_position;

/// How long another master may take to tell how far it is: a page is not to wait for one that hangs.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

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
    /// None when it does not tell.
    position: Option<u64>,
    /// Records behind the primary.
    lag: Option<u64>,
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    let latch = &site.master.latch;
    let (epoch, participants) = (latch.read_epoch().await, latch.participants().await);
    let problem = problem(&epoch).or_else(|| self::problem(&participants));
    let epoch = epoch.ok().flatten().map(|node| node.value);
    let participants = participants.unwrap_or_default();
    let mut positions = positions(&site, &participants).await;
    // Read after what the others tell, so that a lag is none that was made up for meanwhile.
    let position = site.master.handle.standing().settled().0;
    positions.insert(site.master.address.clone(), position);
    html(&MastersPage {
        frame: Frame::new(site.as_ref(), &asked, "Masters"),
        cluster_id: site.master.cluster_id.clone(),
        journal: site.master.journal.clone(),
        problem,
        masters: rows(&site, epoch.as_ref(), participants, &positions),
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

/// How far the others are, by their addresses; without those that do not tell.
async fn positions(site: &MasterSite, participants: &[Participant]) -> BTreeMap<String, u64> {
    let mut asking = JoinSet::new();
    for address in participants.iter().map(|participant| participant.address.clone()) {
        if address != site.master.address {
            asking.spawn(async move {
                let position = journal_position(&address, ANSWER_LIMIT).await;
                (address, position)
            });
        }
    }
    let told = asking.join_all().await.into_iter();
    told.filter_map(|(address, position)| Some((address, position.ok()?.0))).collect()
}

fn problem<T>(answer: &Result<T, LatchError>) -> Option<String> {
    let error = answer.as_ref().err()?;
    debug!("the election cannot be asked for the page of masters reason={error}");
    Some(format!("The election does not answer: {error}"))
}

fn rows(
    site: &MasterSite,
    epoch: Option<&EpochNode>,
    participants: Vec<Participant>,
    positions: &BTreeMap<String, u64>,
) -> Vec<MasterRow> {
    let is_here = |participant: &Participant| participant.address == site.master.address;
    let is_primary = |participant: &Participant| match is_here(participant) {
        true => site.master.handle.is_primary(),
        false => epoch.is_some_and(|node| !node.released && node.latch == participant.node),
    };
    let position = |participant: &Participant| positions.get(&participant.address).copied();
    // What a primary tells is newer than what it has told the election.
    let primary = participants.iter().find(|participant| is_primary(participant)).and_then(position);
    let durable = primary.max(epoch.map(|node| node.durable_sequence));
    let row = |participant: Participant| MasterRow {
        is_primary: is_primary(&participant),
        is_here: is_here(&participant),
        position: position(&participant),
        lag: position(&participant).zip(durable).map(|(position, durable)| durable.saturating_sub(position)),
        address: participant.address,
        node: participant.node,
    };
    participants.into_iter().map(row).collect()
}
