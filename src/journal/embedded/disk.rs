//! Where the log of a member is kept, and the task that writes it: all that waits becomes durable by one flush.

use super::channels::QueueReceiver;
use super::log::Step;
use super::types::{Runtime, Types};
use crate::types::mutant::{self, Mutant};
use bytes::Bytes;
use openraft::async_runtime::MpscReceiver;
use openraft::storage::IOFlushed;
use std::future::Future;
use std::io;

/// Flushed at once at most; what comes then waits for the next flush.
const FLUSH_BYTES: usize = 8 << 20;

/// Segments on a disk. After an error nothing more is asked of it.
pub trait LogDisk: Send + 'static {
    /// All segments with their content, in the order of their numbers.
    fn read(&mut self) -> impl Future<Output = io::Result<Vec<(u64, Bytes)>>> + Send;
    /// Creates a segment, durably; what is appended from now on goes to its end.
    fn create(&mut self, segment: u64) -> impl Future<Output = io::Result<()>> + Send;
    /// Appends to the segment that was created last; returns when it is durable.
    fn append(&mut self, bytes: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;
    /// Ends a segment at this length. All of it is durable then, whoever wrote it.
    fn cut(&mut self, segment: u64, bytes: u64) -> impl Future<Output = io::Result<()>> + Send;
    /// Deletes a segment, durably.
    fn delete(&mut self, segment: u64) -> impl Future<Output = io::Result<()>> + Send;
}

/// What is to be written for one change, and who is told when it is durable.
pub struct Order<R: Runtime> {
    /// In this order.
    pub steps: Vec<Step>,
    /// Told when all of them are durable, or cannot be.
    pub done: IOFlushed<Types<R>>,
}

/// The task that writes what is ordered, until nobody can order any more. After an error it writes nothing, and tells
/// everybody of it: the member has to end.
pub async fn write_orders<D: LogDisk, R: Runtime>(mut disk: D, mut orders: QueueReceiver<Order<R>>) {
    let mut failure: Option<(io::ErrorKind, String)> = None;
    while let Some(first) = orders.recv().await {
        let (steps, mut waiting) = gather(first, &mut orders);
        if mutant::is(Mutant::AckBeforeFsync) {
            waiting.drain(..).for_each(|done| done.io_completed(Ok(())));
        }
        if failure.is_none()
            && let Err(error) = perform(&mut disk, steps).await
        {
            failure = Some((error.kind(), error.to_string()));
        }
        for done in waiting {
            let failed = failure.as_ref().map(|(kind, text)| io::Error::new(*kind, text.clone()));
            done.io_completed(failed.map_or(Ok(()), Err));
        }
    }
}

/// All that waits, up to what is flushed at once.
fn gather<R: Runtime>(first: Order<R>, orders: &mut QueueReceiver<Order<R>>) -> (Vec<Step>, Vec<IOFlushed<Types<R>>>) {
    let (mut steps, mut waiting, mut next) = (Vec::new(), Vec::new(), Some(first));
    let mut bytes = 0;
    while let Some(order) = next {
        bytes += order.steps.iter().map(appended).sum::<usize>();
        steps.extend(order.steps);
        waiting.push(order.done);
        next = if bytes < FLUSH_BYTES { orders.try_recv().ok() } else { None };
    }
    (steps, waiting)
}

fn appended(step: &Step) -> usize {
    if let Step::Append(bytes) = step { bytes.len() } else { 0 }
}

/// Does the steps; all is durable when it returns.
pub async fn perform(disk: &mut impl LogDisk, steps: Vec<Step>) -> io::Result<()> {
    let mut appended = Vec::new();
    for step in steps {
        if !appended.is_empty() && !matches!(step, Step::Append(_)) {
            disk.append(std::mem::take(&mut appended)).await?;
        }
        match step {
            Step::Append(bytes) => appended.extend_from_slice(&bytes),
            Step::Begin { segment } => disk.create(segment).await?,
            Step::Cut { segment, bytes } => disk.cut(segment, bytes).await?,
            Step::Delete { segment } => disk.delete(segment).await?,
        }
    }
    if appended.is_empty() { Ok(()) } else { disk.append(appended).await }
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
