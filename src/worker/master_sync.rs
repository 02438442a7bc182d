//! The sessions with all masters: found again and again, one session for each, so that whoever comes to lead knows this
//! worker and its blocks already. Also the list of pinned files, which the primary tells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::counted::Counted;
use super::master_session::{MasterSession, SessionSettings};
use super::primary::{PrimaryMaster, Registrations};
use super::store::BlockStore;
use crate::election::Finder;

/// How often masters are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A master that was not among those found so many times in a row is given up.
const MISSED_MAX: u32 = 60;

/// How often the list of pinned files is asked for (2.9: `alluxio.worker.block.heartbeat.interval`).
const PINS_EVERY: Duration = Duration::from_secs(1);

/// See the module text.
#[derive(Debug)]
pub struct MasterSync {
    /// Finds the masters.
    pub finder: Finder,
    /// What is told to them.
    pub store: Arc<BlockStore>,
    /// The ids that they give.
    pub registrations: Registrations,
    /// What all sessions share.
    pub settings: Arc<SessionSettings>,
}

/// A session that runs.
struct Session {
    handle: AbortHandle,
    missed: u32,
}

impl MasterSync {
    /// Runs until it is dropped; the sessions end with it.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        let mut sessions: BTreeMap<String, Session> = BTreeMap::new();
        let mut complaint = String::new();
        loop {
            match self.finder.masters().await {
                Ok(found) => {
                    complaint.clear();
                    self.adjust(found, &mut sessions, &mut tasks);
                }
                // Those that are known may be well.
                Err(error) if error.to_string() != complaint => {
                    complaint = error.to_string();
                    warn!("cannot look for masters, keeping to those that are known reason={complaint}");
                }
                Err(_) => {}
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn adjust(&self, found: Vec<String>, sessions: &mut BTreeMap<String, Session>, tasks: &mut JoinSet<()>) {
        sessions.retain(|master, session| {
            session.missed = if found.contains(master) { 0 } else { session.missed + 1 };
            if session.missed == 1 {
                // One that was stopped does not close its connections.
                self.settings.unrest.begin();
            }
            let keep = session.missed < MISSED_MAX;
            if !keep {
                info!("a master has gone master={master}");
                session.handle.abort();
                self.registrations.leave(master);
            }
            keep
        });
        for master in found {
            sessions.entry(master).or_insert_with_key(|master| {
                let session = MasterSession {
                    master: master.clone(),
                    store: Arc::clone(&self.store),
                    registrations: self.registrations.clone(),
                    settings: Arc::clone(&self.settings),
                    counted: Counted::default(),
                };
                Session { handle: tasks.spawn(session.run()), missed: 0 }
            });
        }
    }
}

/// Keeps the store's list of pinned files. Runs until it is dropped.
pub async fn keep_pins(store: Arc<BlockStore>, primary: Arc<PrimaryMaster>) {
    loop {
        let list = store.pins_asked();
        match primary.pinned_files().await {
            Ok(pinned) => store.pins_listed(list, pinned),
            Err(error) => debug!("cannot get the list of pinned files, keeping the last one reason={error}"),
        }
        sleep(PINS_EVERY).await;
    }
}
