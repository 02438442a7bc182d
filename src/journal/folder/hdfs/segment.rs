//! The open end of a segment on HDFS: one file, one block, one pipeline.

use super::file::{HdfsClient, HeldFile};
use super::pipeline::Pipeline;
use super::wire::{HdfsError, OwnedTask, Result};
use crate::journal::folder::{Broken, Flushed, SegmentWriter, StoreError};
use crate::proto::alluxio_rs::hdfs::LocatedBlock;
use async_trait::async_trait;
use bytes::Bytes;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

/// Between two tries to make the block known for good.
const PERSIST_AGAIN: Duration = Duration::from_secs(1);

/// After so long a flush is slow, and a DataNode may be silent.
const SLOW: Duration = Duration::from_secs(1);

/// A segment that this process writes.
#[derive(Debug)]
pub struct HdfsSegment {
    held: HeldFile,
    block: Arc<LocatedBlock>,
    pipeline: Pipeline,
    /// For messages.
    object: String,
    /// Makes the NameNode keep the block over a restart; begun with the first flush.
    persist: Option<OwnedTask>,
}

impl HdfsSegment {
    /// Adds the only block of a new file.
    pub async fn open(held: HeldFile, object: String) -> Result<HdfsSegment> {
        match held.client.open_block(&held.file, None).await {
            Ok((block, pipeline)) => Ok(HdfsSegment { held, block: Arc::new(block), pipeline, object, persist: None }),
            Err(failure) => {
                // The name is used up. Closing the empty file spares everybody its recovery; if that fails as
                // well, recovery will do it.
                if let Err(e) = held.client.namenode.complete(&held.file, None).await {
                    log::debug!("an empty segment stays open segment={object} cause=\"{e}\"");
                }
                Err(failure)
            }
        }
    }

    /// Once per block: from then on the NameNode's log names the block. Until then a crash of all NameNodes might
    /// forget it.
    fn persist(&self) -> OwnedTask {
        let (client, file, object) = (self.held.client.clone(), self.held.file.clone(), self.object.clone());
        let break_off = self.pipeline.breaker();
        OwnedTask::spawn(async move {
            loop {
                match client.namenode.fsync(&file).await {
                    Ok(()) => return,
                    // Another took the file, or it was deleted: what is written from now on is lost.
                    Err(e) if is_over(&e) => return break_off(e),
                    Err(e) => log::warn!("cannot persist the block of a segment segment={object} cause=\"{e}\""),
                }
                tokio::time::sleep(PERSIST_AGAIN).await;
            }
        })
    }

    async fn send_and_persist(&mut self, bytes: Bytes) -> std::result::Result<Flushed, StoreError> {
        let HdfsSegment { held, block, pipeline, object, .. } = self;
        let failed = |failure| unavailable("append", object, failure);
        let waits = unless_stuck(&held.client, block, pipeline.send(bytes)).await.map_err(failed)?;
        if self.persist.is_none() {
            self.persist = Some(self.persist());
        }
        let (client, block, object) = (self.held.client.clone(), self.block.clone(), self.object.clone());
        Ok(Box::pin(async move {
            let flushed = unless_stuck(&client, &block, waits).await;
            flushed.map_err(|failure| unavailable("append", &object, failure))
        }))
    }

    async fn end(&mut self) -> Result<()> {
        let HeldFile { client, file } = &self.held;
        if self.pipeline.position() == 0 {
            // Nothing was acknowledged: the file ends without a block.
            self.pipeline.finish().await?;
            client.namenode.abandon_block(file, self.block.b.clone()).await?;
            return client.complete(file, None).await;
        }
        self.pipeline.finish().await?;
        let mut last = self.block.b.clone();
        last.num_bytes = Some(self.pipeline.position());
        client.complete(file, Some(last)).await
    }
}

/// Waits for an append; gives up when that takes long and a DataNode, but not all of them, is silent: then the next segment
/// goes on without it.
async fn unless_stuck<T>(
    client: &HdfsClient,
    block: &LocatedBlock,
    append: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::pin!(append);
    let appended = match tokio::time::timeout(SLOW, &mut append).await {
        Ok(appended) => appended,
        Err(_) => tokio::select! {
            appended = &mut append => appended,
            Some(failure) = client.stuck(block) => return Err(failure),
        },
    };
    appended.inspect_err(|failure| client.broken(block, failure))
}

fn is_over(failure: &HdfsError) -> bool {
    ["LeaseExpiredException", "FileNotFoundException", "UnregisteredNodeException"].iter().any(|c| failure.is(c))
}

#[async_trait]
impl SegmentWriter for HdfsSegment {
    async fn send(&mut self, bytes: Bytes) -> Flushed {
        if bytes.len() as u64 > self.room_bytes() {
            let reason = format!("{} bytes where the block has room for {}", bytes.len(), self.room_bytes());
            let ended = format!("the segment ended before {reason}");
            self.pipeline.breaker()(HdfsError::Connection { server: self.object.clone(), reason: ended });
            return Box::pin(ready(Err(StoreError::Full { object: self.object.clone(), reason })));
        }
        self.send_and_persist(bytes).await.unwrap_or_else(|failure| Box::pin(ready(Err(failure))))
    }

    fn room_bytes(&self) -> u64 {
        self.held.client.settings.block_bytes - self.pipeline.position()
    }

    fn broken(&self) -> Broken {
        let (broken, object) = (self.pipeline.broken(), self.object.clone());
        let (client, block) = (self.held.client.clone(), self.block.clone());
        Box::pin(async move {
            let failure = broken.await;
            client.broken(&block, &failure);
            unavailable("append", &object, failure)
        })
    }

    async fn close(&mut self) -> std::result::Result<(), StoreError> {
        self.end().await.map_err(|failure| unavailable("close", &self.object, failure))
    }
}

/// Once a segment is open, whatever happens to it (deleted, taken, cut off) is the end of this writer, and not an
/// answer about the name.
fn unavailable(operation: &'static str, object: &str, failure: HdfsError) -> StoreError {
    StoreError::Unavailable { operation, object: object.into(), reason: failure.to_string() }
}
