//! How much the journal takes, told to those who watch, and the end of changes before its disk is full.
//!
//! A local disk that has less than a share of it left is worth a warning (2.9 JournalSpaceMonitor). One that has less than
//! so many bytes left makes the master refuse what clients want changed, while there is room for a checkpoint, after which
//! old segments go; it takes changes again when a quarter more is free.

use super::handle::{Handle, Progress};
pub use crate::journal::folder::Usage;
use crate::journal::folder::{JournalStore, Room};
use crate::types::time::{Boot, boot_now};
use crate::types::{ErrorKind, FsError};
use log::{debug, warn};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often that is done in a folder that is shared, where it asks much of a NameNode and nothing depends on it.
const LOOK_SHARED: Duration = Duration::from_secs(10);

/// When there is too little room.
#[derive(Debug, Clone, Copy)]
pub struct RoomLimits {
    /// A warning each time this has passed while there is too little.
    pub interval: Duration,
    /// Too little for no warning: less than so much of a hundred is free.
    pub warn_percent: u64,
    /// Too little for changes.
    pub read_only_bytes: u64,
}

/// What is known of the room of a journal. Shared by who looks, who asks and who is refused.
#[derive(Debug, Default)]
pub struct JournalRoom(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    usage: Option<Usage>,
    is_read_only: bool,
    warned_at: Option<Boot>,
}

/// What a look at the room leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing that was not said just now.
    None,
    /// Worth a warning.
    Low,
    /// No changes from now on, or still none after a while.
    ReadOnly,
    /// Changes are taken again.
    Writable,
}

impl JournalRoom {
    /// As it was seen last; none before the first look, or when the folder does not answer.
    pub fn usage(&self) -> Option<Usage> {
        self.0.lock().usage
    }

    /// Whether clients may change anything.
    ///
    /// # Errors
    /// The disk of the journal is nearly full.
    pub fn check(&self) -> Result<(), FsError> {
        let seen = self.0.lock();
        match (seen.is_read_only, seen.usage.and_then(|usage| usage.room)) {
            (true, Some(room)) => Err(FsError::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "The master is read-only: the disk of its journal has only {} bytes free. Make room there; changes \
                     are taken again by themselves.",
                    room.free_bytes
                ),
            )),
            _ => Ok(()),
        }
    }

    fn see(&self, usage: Option<Usage>, limits: &RoomLimits, now: Boot) -> Turn {
        let mut seen = self.0.lock();
        // A folder that does not answer is as it was for those who are refused.
        seen.usage = usage.or(seen.usage.filter(|_| seen.is_read_only));
        let Some(Room { total_bytes, free_bytes }) = usage.and_then(|usage| usage.room) else { return Turn::None };
        let was_read_only = seen.is_read_only;
        let enough = if was_read_only { limits.read_only_bytes / 4 * 5 } else { limits.read_only_bytes };
        seen.is_read_only = free_bytes < enough;
        let is_low = u128::from(free_bytes) * 100 < u128::from(total_bytes) * u128::from(limits.warn_percent);
        let turn = match (was_read_only, seen.is_read_only) {
            (false, true) => Turn::ReadOnly,
            (true, false) => Turn::Writable,
            _ if seen.warned_at.is_some_and(|at| now < at + limits.interval) => Turn::None,
            (true, true) => Turn::ReadOnly,
            (false, false) if is_low => Turn::Low,
            (false, false) => Turn::None,
        };
        if turn != Turn::None {
            seen.warned_at = Some(now);
        }
        turn
    }
}

/// Looks at the room again and again. Returns never.
pub(super) async fn watch_room(store: Arc<dyn JournalStore>, limits: RoomLimits, handle: Handle) {
    let wanted = Notify::new();
    tokio::join!(look(store, limits, &handle, &wanted), make_room(&handle, &wanted));
}

async fn look(store: Arc<dyn JournalStore>, limits: RoomLimits, handle: &Handle, wanted: &Notify) {
    loop {
        let usage =
            store.usage().await.inspect_err(|error| debug!("the room of the journal is not known: {error}")).ok();
        let turn = handle.room.see(usage, &limits, boot_now());
        say(turn, usage.and_then(|usage| usage.room), &store.describe(), &limits);
        if turn == Turn::ReadOnly {
            wanted.notify_one();
        }
        let is_shared = usage.is_some_and(|usage| usage.room.is_none());
        tokio::time::sleep(if is_shared { LOOK_SHARED } else { LOOK }).await;
    }
}

/// Has a checkpoint written, when one is wanted: what that makes superfluous goes.
async fn make_room(handle: &Handle, wanted: &Notify) {
    let mut progress = handle.progress();
    loop {
        wanted.notified().await;
        if progress.wait_for(|progress| matches!(progress, Progress::Primary(_))).await.is_err() {
            return; // The loop of the master has ended.
        }
        if let Err(error) = handle.checkpoint().await {
            warn!("no checkpoint that would make room in the journal: {error}");
        }
    }
}

fn say(turn: Turn, room: Option<Room>, folder: &str, limits: &RoomLimits) {
    let Some(Room { total_bytes, free_bytes }) = room else { return };
    let facts = format!("folder={folder} free_bytes={free_bytes} total_bytes={total_bytes}");
    match turn {
        Turn::None => {}
        Turn::Low => warn!("the disk of the journal is nearly full {facts}"),
        Turn::ReadOnly => warn!(
            "read-only: the disk of the journal is full {facts} \
             alluxio.master.journal.space.read.only.bytes={}; make room there",
            limits.read_only_bytes
        ),
        Turn::Writable => warn!("no longer read-only: the disk of the journal has room {facts}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RoomLimits = RoomLimits { interval: Duration::from_secs(60), warn_percent: 10, read_only_bytes: 40 };

    fn at(seconds: u64) -> Boot {
        Boot::from_start(Duration::from_secs(seconds))
    }

    fn free(free_bytes: u64) -> Option<Usage> {
        Some(Usage { room: Some(Room { total_bytes: 1000, free_bytes }), ..Usage::default() })
    }

    #[test]
    fn a_disk_that_fills_up_warns_then_takes_no_changes_until_a_quarter_more_is_free() {
        let room = JournalRoom::default();
        room.check().unwrap();
        for (second, free_bytes, turn) in [
            (0, 100, Turn::None),
            (1, 99, Turn::Low),
            (2, 60, Turn::None),
            (3, 39, Turn::ReadOnly),
            (4, 49, Turn::None),
            (63, 49, Turn::ReadOnly),
            (64, 50, Turn::Writable),
            (65, 50, Turn::None),
            (124, 50, Turn::Low),
            (125, 200, Turn::None),
        ] {
            assert_eq!(room.see(free(free_bytes), &LIMITS, at(second)), turn, "second {second}");
            let is_read_only = (3..64).contains(&second);
            assert_eq!(room.check().is_err(), is_read_only, "second {second}");
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_to_do() {
        let room = JournalRoom::default();
        room.see(free(7), &LIMITS, at(0));
        let refusal = room.check().unwrap_err();
        assert_eq!(refusal.kind, ErrorKind::ResourceExhausted);
        assert!(refusal.message.contains("only 7 bytes free. Make room there"), "{refusal}");
    }

    #[test]
    fn a_folder_that_does_not_answer_changes_nothing() {
        let room = JournalRoom::default();
        room.see(free(7), &LIMITS, at(0));
        assert_eq!(room.see(None, &LIMITS, at(100)), Turn::None);
        room.check().unwrap_err();
        room.see(free(700), &LIMITS, at(101));
        assert_eq!(room.see(None, &LIMITS, at(102)), Turn::None);
        room.check().unwrap();
        assert_eq!(room.usage(), None);
    }

    #[test]
    fn a_folder_that_is_shared_never_ends_changes() {
        let room = JournalRoom::default();
        let shared = Usage { bytes: 5, ..Usage::default() };
        assert_eq!(room.see(Some(shared), &LIMITS, at(0)), Turn::None);
        room.check().unwrap();
        assert_eq!(room.usage(), Some(shared));
    }
}
