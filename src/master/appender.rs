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
    let mut broken = writer.broken();
    loop {
        let ended = match flights.front_mut() {
            // Both may be waited for again where they were left.
            Some((began, flushed)) => tokio::select! {
                outcome = flushed => Ok((*began, outcome)),
                Some(bytes) = appends.recv() => Err(bytes),
            },
            None => tokio::select! {
                bytes = appends.recv() => match bytes {
                    Some(bytes) => Err(bytes),
                    None => break,
                },
                // Standbys that begin now could not follow until somebody changes something.
                error = &mut broken => return drop(tell.send(Event::Appended(segment, Err(error.to_string()))).await),
            },
        };
        let (began, outcome) = match ended {
            Ok(ended) => ended,
            Err(bytes) => {
                flights.push_back((boot_now(), writer.send(bytes).await));
                continue;
            }
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::folder::{Broken, StoreError};
    use async_trait::async_trait;
    use parking_lot::Mutex;
    use tokio::sync::{Notify, oneshot};

    type Outcome = Result<(), StoreError>;
    const SEGMENT: SegmentId = SegmentId { epoch: 1, index: 0 };

    /// Flushes end when the test says so.
    #[derive(Default)]
    struct Told {
        outcomes: Mutex<Vec<oneshot::Sender<Outcome>>>,
        closed: Mutex<usize>,
        broken: Notify,
    }

    impl Told {
        /// So many were sent.
        async fn sent(&self, count: usize) {
            while self.outcomes.lock().len() < count {
                tokio::task::yield_now().await;
            }
        }

        fn ends(&self, flight: usize, outcome: Outcome) {
            let (sender, _) = oneshot::channel();
            let sender = std::mem::replace(&mut self.outcomes.lock()[flight], sender);
            let _ = sender.send(outcome);
        }
    }

    struct Writer(Arc<Told>);

    #[async_trait]
    impl SegmentWriter for Writer {
        async fn send(&mut self, _: Bytes) -> Flushed {
            let (sender, outcome) = oneshot::channel();
            self.0.outcomes.lock().push(sender);
            Box::pin(async move { outcome.await.expect("the test says how it ends") })
        }

        fn room_bytes(&self) -> u64 {
            1000
        }

        fn broken(&self) -> Broken {
            let told = Arc::clone(&self.0);
            Box::pin(async move {
                told.broken.notified().await;
                failed().expect_err("just made")
            })
        }

        async fn close(&mut self) -> Outcome {
            *self.0.closed.lock() += 1;
            Ok(())
        }
    }

    struct Bench {
        told: Arc<Told>,
        appends: mpsc::Sender<Bytes>,
        events: mpsc::Receiver<Event<Ticket>>,
    }

    impl Bench {
        async fn new() -> Bench {
            let (told, (appends, receiver), (tell, mut events)) = (Arc::default(), mpsc::channel(2), mpsc::channel(1));
            let flushes = Flushes { counters: Arc::default(), times: FlushTimes::default() };
            tokio::spawn(append_all(SEGMENT, Box::new(Writer(Arc::clone(&told))), receiver, tell, flushes));
            assert!(matches!(events.recv().await, Some(Event::Created(SEGMENT, Ok(1000)))));
            Bench { told, appends, events }
        }

        fn append(&self) {
            self.appends.try_send(Bytes::from_static(b"x")).unwrap();
        }

        /// Whether the next flush that has ended did so well; none: no more comes.
        async fn next(&mut self) -> Option<bool> {
            let event = self.events.recv().await?;
            let Event::Appended(SEGMENT, outcome) = event else { panic!("not the end of a flush") };
            Some(outcome.is_ok())
        }
    }

    fn failed() -> Outcome {
        Err(StoreError::Unavailable { operation: "append", object: "s".into(), reason: "late".into() })
    }

    #[tokio::test]
    async fn flushes_are_sent_at_once_and_told_of_in_order() {
        let mut bench = Bench::new().await;
        bench.append();
        bench.append();
        bench.told.sent(2).await;
        // The second is not told of before the first.
        bench.told.ends(1, Ok(()));
        bench.append();
        bench.told.sent(3).await;
        assert!(bench.events.try_recv().is_err());
        bench.told.ends(0, Ok(()));
        assert_eq!((bench.next().await, bench.next().await), (Some(true), Some(true)));
        // The file is closed behind the last.
        let told = Arc::clone(&bench.told);
        let Bench { appends, mut events, .. } = bench;
        drop(appends);
        tokio::task::yield_now().await;
        assert_eq!(*told.closed.lock(), 0);
        told.ends(2, Ok(()));
        assert!(matches!(events.recv().await, Some(Event::Appended(SEGMENT, Ok(())))));
        assert!(events.recv().await.is_none());
        assert_eq!(*told.closed.lock(), 1);
    }

    #[tokio::test]
    async fn what_breaks_while_nothing_is_sent_is_told_and_not_closed() {
        let mut bench = Bench::new().await;
        bench.append();
        bench.told.sent(1).await;
        bench.told.ends(0, Ok(()));
        assert_eq!(bench.next().await, Some(true));
        bench.told.broken.notify_one();
        assert_eq!((bench.next().await, bench.next().await), (Some(false), None));
        assert_eq!(*bench.told.closed.lock(), 0);
        assert!(bench.appends.is_closed());
    }

    #[tokio::test]
    async fn one_that_fails_is_the_end_of_all_and_closes_nothing() {
        let mut bench = Bench::new().await;
        bench.append();
        bench.append();
        bench.told.sent(2).await;
        bench.told.ends(0, failed());
        bench.told.ends(1, Ok(()));
        assert_eq!((bench.next().await, bench.next().await), (Some(false), None));
        assert_eq!(*bench.told.closed.lock(), 0);
        assert!(bench.appends.is_closed());
    }
}
