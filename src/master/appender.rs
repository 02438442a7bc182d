//! The task that owns the open end of a segment: it appends, and counts and times the flushes.

use super::event::Event;
use super::runtime::Ticket;
use crate::journal::folder::{Flushed, SegmentId, SegmentWriter};
use crate::metrics::{FlushTimes, MasterCounters};
use crate::types::time::{Boot, boot_now};
use bytes::Bytes;
use log::warn;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Where flushes are counted.
pub(super) struct Flushes {
    pub(super) counters: Arc<MasterCounters>,
    pub(super) times: FlushTimes,
}

impl Flushes {
    fn count(&self, is_well: bool, took: Duration) {
        if is_well {
            self.counters.journal_flushes.inc();
            self.times.observe(took);
        } else {
            self.counters.journal_flush_failures.inc();
        }
    }
}

/// Owns the open end of a segment: appends in order, no more at a time than the driver sends, then closes it.
pub(super) async fn append_all(
    segment: SegmentId,
    mut writer: Box<dyn SegmentWriter>,
    mut appends: mpsc::Receiver<Bytes>,
    tell: mpsc::Sender<Event<Ticket>>,
    flushes: Flushes,
) {
    if tell.send(Event::Created(segment, Ok(writer.room_bytes()))).await.is_err() {
        return;
    }
    let mut flights: VecDeque<(Boot, Flushed)> = VecDeque::new();
    loop {
        let outcome = match flights.front_mut() {
            // Both may be waited for again where they were left.
            Some((began, flushed)) => tokio::select! {
                outcome = flushed => Some((*began, outcome)),
                Some(bytes) = appends.recv() => {
                    flights.push_back((boot_now(), writer.send(bytes).await));
                    None
                }
            },
            None => match appends.recv().await {
                Some(bytes) => {
                    flights.push_back((boot_now(), writer.send(bytes).await));
                    None
                }
                None => break,
            },
        };
        let Some((began, outcome)) = outcome else { continue };
        flights.pop_front();
        flushes.count(outcome.is_ok(), boot_now().since(began));
        let failed = outcome.is_err();
        if tell.send(Event::Appended(segment, outcome.map_err(|error| error.to_string()))).await.is_err() || failed {
            return;
        }
    }
    if let Err(error) = writer.close().await {
        warn!("cannot close segment={segment} reason={error}");
        // A loop that has ended leaves it to the next leader (F10).
        let _ = tell.send(Event::NotClosed(segment)).await;
    }
}
