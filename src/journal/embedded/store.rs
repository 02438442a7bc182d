//! The log as openraft asks for it: changes are in memory when a call returns, durable when its callback is called.

use super::channels::{Letters, QueueSender, Queues};
use super::disk::{self, LogDisk, Order};
use super::log::{Log, LogError, Step};
use super::types::{LogEntry, LogId, Payload, Runtime, Types, Vote};
use openraft::async_runtime::{Mpsc, MpscSender, Oneshot};
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};
use parking_lot::Mutex as Lock;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// Changes that wait for the disk at most; who makes more waits, too.
const ORDERS_MAX: usize = 1024;
/// Sent to a follower at once, unless one entry is longer.
const READ_BYTES: usize = 1 << 20;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk fails.
    #[error("cannot open the log of this member")]
    Disk(#[from] io::Error),
    /// What is on it cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// See the module text.
pub struct Store<R: Runtime> {
    log: Arc<Lock<Log>>,
    orders: QueueSender<Order<R>>,
}

/// Reads the log.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Lock<Log>>);

impl<R: Runtime> Store<R> {
    /// Reads the log of a disk. The second is the task that writes it: it is to run until it ends by itself, after the
    /// store is gone.
    pub async fn open<D: LogDisk>(mut disk: D) -> Result<(Store<R>, impl Future<Output = ()> + Send), OpenError> {
        let (log, steps) = Log::load(disk.read().await?)?;
        disk::perform(&mut disk, steps).await?;
        let (orders, ordered) = Queues::channel(ORDERS_MAX);
        Ok((Store { log: Arc::new(Lock::new(log)), orders }, disk::write_orders(disk, ordered)))
    }

    /// Whether this member has ever voted, or followed a leader.
    pub fn has_voted(&self) -> bool {
        self.log.lock().vote().is_some()
    }

    async fn order(&self, steps: Vec<Step>, done: IOFlushed<Types<R>>) -> io::Result<()> {
        let sent = self.orders.send(Order { steps, done }).await;
        sent.map_err(|_| io::Error::other("the task that writes the log has ended"))
    }
}

impl<R: Runtime> RaftLogStorage<Types<R>> for Store<R> {
    type LogReader = Reader;

    async fn get_log_state(&mut self) -> Result<LogState<Types<R>>, io::Error> {
        let log = self.log.lock();
        Ok(LogState { last_purged_log_id: log.purged(), last_log_id: log.last() })
    }

    async fn get_log_reader(&mut self) -> Reader {
        Reader(self.log.clone())
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let steps = self.log.lock().save_vote(*vote);
        let (done, durable) = Letters::channel();
        self.order(steps, IOFlushed::signal(done)).await?;
        durable.await.map_err(io::Error::other)?
    }

    async fn append<I>(&mut self, entries: I, done: IOFlushed<Types<R>>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = LogEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<LogEntry> = entries.into_iter().collect();
        let steps = self.log.lock().append(entries).map_err(io::Error::other)?;
        self.order(steps, done).await
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let steps = self.log.lock().truncate_after(last);
        self.order(steps, IOFlushed::noop()).await
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        let steps = self.log.lock().purge(upto);
        self.order(steps, IOFlushed::noop()).await
    }
}

impl<R: Runtime> RaftLogReader<Types<R>> for Reader {
    async fn try_get_log_entries<B>(&mut self, range: B) -> Result<Vec<LogEntry>, io::Error>
    where
        B: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(last) => last + 1,
            Bound::Excluded(to) => *to,
            Bound::Unbounded => u64::MAX,
        };
        Ok(self.0.lock().entries(from, to).cloned().collect())
    }

    async fn limited_get_log_entries(&mut self, from: u64, to: u64) -> Result<Vec<LogEntry>, io::Error> {
        let (mut bytes, mut entries) = (0, Vec::new());
        for entry in self.0.lock().entries(from, to) {
            bytes += if let Payload::Normal(record) = &entry.payload { record.entries.len() } else { 0 };
            if bytes > READ_BYTES && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Ok(entries)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.0.lock().vote())
    }
}
