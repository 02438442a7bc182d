//! The task that watches for one session, and tells of every change after it has set the watch again.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::watch;

use super::zookeeper::Live;
use super::zookeeper_session::{Fault, Fired};

/// How long to wait for another try when the service refuses to set a watch. A lost connection needs no pause: its
/// return is a change of the session.
const PAUSE: Duration = Duration::from_secs(10);

/// Counts up `changes` after each change of the epoch node, of the children of the election folder, and of the
/// session, until the session is over or no longer used. Never drops a watch before it fired (see
/// `zookeeper_session.rs`): a session that ends fires them all.
pub(super) async fn run(live: Weak<Live>, (epoch, election): (String, String), changes: watch::Sender<u64>) {
    let Some(mut states) = live.upgrade().map(|live| live.session.states()) else { return };
    let mut epoch_watch: Option<Fired> = None;
    let mut election_watch: Option<Fired> = None;
    loop {
        {
            let Some(live) = live.upgrade() else { break };
            let session = &live.session;
            if epoch_watch.is_none() {
                epoch_watch = session.watch_stat(&epoch).await.ok();
            }
            if election_watch.is_none() {
                election_watch = match session.watch_children(&election).await {
                    Ok(fired) => Some(fired),
                    Err(Fault::NoNode) => session.watch_stat(&election).await.ok(),
                    Err(_) => None,
                };
            }
        }
        changes.send_modify(|count| *count += 1);
        let retry = epoch_watch.is_none() || election_watch.is_none();
        tokio::select! {
            () = fired(&mut epoch_watch) => {}
            () = fired(&mut election_watch) => {}
            over = states.changed() => if over { break },
            () = tokio::time::sleep(PAUSE), if retry => {}
        }
    }
    changes.send_modify(|count| *count += 1);
}

/// Waits for a watch that is set, and takes it out when it has fired.
async fn fired(place: &mut Option<Fired>) {
    match place {
        Some(watch) => watch.await,
        None => std::future::pending().await,
    }
    *place = None;
}
