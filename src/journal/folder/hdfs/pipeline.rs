//! The write pipeline of one block: packets to the first DataNode, one acknowledgement for all of them.
//!
//! Invariants:
//! - A packet begins at a chunk boundary. The bytes of an unfinished chunk are sent again before the next ones: a
//!   packet from inside a chunk is acknowledged, and damages the file for readers.
//! - Broken is broken for ever: end of file, a status, a gap, a late acknowledgement. What was not acknowledged may
//!   be on none, some or all DataNodes, and may appear later.

use super::packet::{Last, NONE_ACKNOWLEDGED, PacketWriter, Progress, read_acknowledgements};
use super::settings::{CHUNK_BYTES, Durability, HdfsSettings};
use super::wire::{HdfsError, OwnedTask, Result, connect, operation, operation_header, read_delimited, within};
use crate::proto::alluxio_rs::hdfs::{BlockOpResponse, Checksum, LocatedBlock, OpWriteBlock};
use crate::types::time::boot_now;
use bytes::{Buf, Bytes};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, watch};

const WRITE_BLOCK: u8 = 80;
const PIPELINE_SETUP_CREATE: i32 = 6;
const CRC_32C: i32 = 2;
/// Data in one packet, a multiple of the chunk. Servers refuse 16 MiB; more than this brought nothing.
const PACKET_BYTES: usize = 64 << 10;

/// The open end of a block.
#[derive(Debug)]
pub struct Pipeline {
    /// Address of the first DataNode, for messages.
    server: String,
    /// Shared with the heartbeat; taken away when the pipeline is broken, which closes the socket.
    write: Arc<Mutex<Option<PacketWriter>>>,
    /// How far the DataNodes are, and why it ended.
    progress: watch::Receiver<Progress>,
    /// To break the pipeline for a reason that the acknowledgements do not tell.
    break_it: Arc<watch::Sender<Progress>>,
    deadline: Duration,
    durability: Durability,
    position: u64,
    /// Sent bytes of the unfinished last chunk.
    tail: Vec<u8>,
    _acknowledgements: OwnedTask,
    _heartbeat: OwnedTask,
}

impl Pipeline {
    /// Sets up the pipeline of a new block through all its locations.
    pub async fn open(block: &LocatedBlock, client_name: &str, settings: &HdfsSettings) -> Result<Pipeline> {
        let address = settings.datanode_address;
        let Some((first, targets)) = block.locs.split_first() else {
            return Err(HdfsError::TooFewNodes { reason: "the NameNode gave a block without DataNodes".into() });
        };
        let server = address.transfer(first);
        if !block.block_token.identifier.is_empty() {
            return Err(HdfsError::Secured { server, feature: "block access tokens".into() });
        }
        let request = OpWriteBlock {
            header: operation_header(block, client_name),
            targets: targets.to_vec(),
            source: None,
            stage: PIPELINE_SETUP_CREATE,
            pipeline_size: block.locs.len() as u32,
            min_bytes_rcvd: 0,
            max_bytes_rcvd: 0,
            latest_generation_stamp: block.b.generation_stamp,
            requested_checksum: Checksum { r#type: CRC_32C, bytes_per_checksum: CHUNK_BYTES as u32 },
            storage_type: block.storage_types.first().copied(),
            target_storage_types: block.storage_types.iter().skip(1).copied().collect(),
            storage_id: block.storage_i_ds.first().cloned(),
            target_storage_ids: block.storage_i_ds.iter().skip(1).cloned().collect(),
        };
        let (read, mut half) = connect(&server, settings.connect_deadline).await?.into_split();
        let mut read = BufReader::new(read);
        let answer = within(settings.setup_deadline, &server, "the pipeline setup", async {
            let bytes = operation(WRITE_BLOCK, &request);
            half.write_all(&bytes).await.map_err(|e| HdfsError::connection(&server, &e))?;
            read_delimited::<BlockOpResponse>(&mut read, &server).await
        });
        let answer = answer.await?;
        let bad_link = answer.first_bad_link.filter(|link| !link.is_empty());
        if answer.status != 0 || bad_link.is_some() {
            let reason = answer.message.unwrap_or_else(|| "the pipeline could not be set up".into());
            return Err(HdfsError::Status { server, status: answer.status, reason, bad_link });
        }
        let nodes = block.locs.iter().map(|node| address.transfer(node)).collect();
        Ok(Pipeline::start(nodes, read, half, settings))
    }

    fn start(
        nodes: Vec<String>,
        read: BufReader<OwnedReadHalf>,
        half: OwnedWriteHalf,
        settings: &HdfsSettings,
    ) -> Pipeline {
        let (server, deadline) = (nodes[0].clone(), settings.flush_deadline);
        let next_seqno = Arc::new(AtomicI64::new(0));
        let (sender, progress) = watch::channel(Progress { acknowledged_seqno: NONE_ACKNOWLEDGED, broken: None });
        let sender = Arc::new(sender);
        let acknowledgements = OwnedTask::spawn({
            let (sender, sent) = (sender.clone(), next_seqno.clone());
            async move {
                let failure = read_acknowledgements(nodes, read, &sent, &sender).await;
                sender.send_modify(|p| p.broken = p.broken.take().or(Some(failure)));
            }
        });
        let write = Arc::new(Mutex::new(Some(PacketWriter::new(half, next_seqno))));
        let heartbeat = {
            let (write, sender, every) = (write.clone(), sender.clone(), settings.heartbeat_every);
            OwnedTask::spawn(send_heartbeats(server.clone(), write, sender, every, deadline))
        };
        Pipeline {
            server,
            write,
            progress,
            break_it: sender,
            deadline,
            durability: settings.durability,
            position: 0,
            tail: Vec::with_capacity(CHUNK_BYTES),
            _acknowledgements: acknowledgements,
            _heartbeat: heartbeat,
        }
    }

    /// Bytes sent; acknowledged by all DataNodes once nothing is waited for.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Appends and waits until all DataNodes have acknowledged. An error, or giving up on this future, breaks the
    /// pipeline.
    pub async fn append(&mut self, data: Bytes) -> Result<()> {
        self.send(data).await?.await
    }

    /// Sends what is to be appended; what is returned waits until all DataNodes have acknowledged. An error, or giving up
    /// on either, breaks the pipeline.
    pub async fn send(&mut self, data: Bytes) -> Result<impl Future<Output = Result<()>> + Send + 'static> {
        let (deadline, server, length) = (self.deadline, self.server.clone(), data.len() as u64);
        let until = boot_now() + deadline;
        let mut guard = BreakUnlessDone { break_it: self.break_it.clone(), server: server.clone(), done: false };
        let sent = within(deadline, &server, "a flush", self.send_packets(data)).await;
        let seqno = match sent {
            Ok(seqno) => seqno,
            Err(failure) => {
                guard.done = true;
                self.break_off(failure.clone()).await;
                return Err(failure);
            }
        };
        self.position += length;
        let (mut progress, write) = (self.progress.clone(), self.write.clone());
        Ok(async move {
            let left = until.since(boot_now());
            let late = |failure| match failure {
                HdfsError::Deadline { server, what, .. } => HdfsError::Deadline { server, what, after: deadline },
                failure => failure,
            };
            let result = within(left, &server, "a flush", acknowledged(&mut progress, seqno, &server)).await;
            guard.done = true;
            let failure = result.map_err(late).err();
            if let Some(failure) = &failure {
                break_off(&guard.break_it, &write, failure.clone()).await;
            }
            failure.map_or(Ok(()), Err)
        })
    }

    /// Ends the block: all replicas become final. Nothing can be appended after it.
    pub async fn finish(&mut self) -> Result<()> {
        let server = self.server.clone();
        let result = within(self.deadline, &server, "the end of a block", async {
            let mut write = self.write.lock().await;
            let writer = self.usable(&mut write)?;
            let seqno = writer.send(self.position, &[], Bytes::new(), Last::InBlock, false, &self.server).await?;
            drop(write);
            acknowledged(&mut self.progress.clone(), seqno, &self.server).await
        });
        let result = result.await;
        let ended = HdfsError::Connection { server, reason: "the block was ended".into() };
        self.break_off(result.clone().err().unwrap_or(ended)).await;
        result
    }

    /// Ends the pipeline for a reason found elsewhere: later appends fail.
    pub fn breaker(&self) -> impl Fn(HdfsError) + Send + Sync + 'static {
        let break_it = self.break_it.clone();
        move |failure| break_it.send_modify(|p| p.broken = p.broken.take().or(Some(failure)))
    }

    /// Why it is broken, once it is.
    pub fn broken(&self) -> impl Future<Output = HdfsError> + Send + 'static {
        let mut progress = self.progress.clone();
        async move {
            let failure = progress.wait_for(|p| p.broken.is_some()).await.ok().and_then(|p| p.broken.clone());
            match failure {
                Some(failure) => failure,
                // Its owner has gone.
                None => std::future::pending().await,
            }
        }
    }

    async fn break_off(&mut self, failure: HdfsError) {
        break_off(&self.break_it, &self.write, failure).await;
    }

    fn usable<'a>(&self, write: &'a mut Option<PacketWriter>) -> Result<&'a mut PacketWriter> {
        match (&self.progress.borrow().broken, write) {
            (None, Some(writer)) => Ok(writer),
            (Some(failure), _) => Err(failure.clone()),
            (None, None) => Err(HdfsError::Connection { server: self.server.clone(), reason: "it was ended".into() }),
        }
    }

    /// Sends; returns the number of the last packet.
    async fn send_packets(&mut self, mut data: Bytes) -> Result<i64> {
        let write = self.write.clone();
        let mut write = write.lock().await;
        let writer = self.usable(&mut write)?;
        let mut tail = std::mem::take(&mut self.tail);
        let mut offset = self.position - tail.len() as u64;
        let mut seqno = NONE_ACKNOWLEDGED;
        while data.has_remaining() {
            let part = data.split_to(data.len().min(PACKET_BYTES - tail.len()));
            let length = tail.len() + part.len();
            let sync = self.durability == Durability::Hsync && data.is_empty();
            seqno = writer.send(offset, &tail, part.clone(), Last::No, sync, &self.server).await?;
            keep_unfinished_chunk(&mut tail, &part);
            offset += (length - tail.len()) as u64;
        }
        self.tail = tail;
        Ok(seqno)
    }
}

/// Ends a pipeline, for the first reason that is given.
async fn break_off(break_it: &watch::Sender<Progress>, write: &Mutex<Option<PacketWriter>>, failure: HdfsError) {
    break_it.send_modify(|p| p.broken = p.broken.take().or(Some(failure)));
    *write.lock().await = None;
}

/// Waits until the packet is acknowledged, or the pipeline is broken.
async fn acknowledged(progress: &mut watch::Receiver<Progress>, seqno: i64, server: &str) -> Result<()> {
    let ended = |_| HdfsError::Connection { server: server.to_owned(), reason: "it was ended".into() };
    let reached = |p: &Progress| p.acknowledged_seqno >= seqno || p.broken.is_some();
    let progress = progress.wait_for(reached).await.map_err(ended)?;
    match &progress.broken {
        Some(failure) if progress.acknowledged_seqno < seqno => Err(failure.clone()),
        _ => Ok(()),
    }
}

/// Keeps what of `tail` and then `part` is behind the last chunk boundary; `tail` begins at one.
fn keep_unfinished_chunk(tail: &mut Vec<u8>, part: &Bytes) {
    let unfinished = (tail.len() + part.len()) % CHUNK_BYTES;
    if unfinished < part.len() {
        tail.clear();
        tail.extend_from_slice(&part[part.len() - unfinished..]);
    } else {
        tail.extend_from_slice(part);
        assert!(tail.len() == unfinished, "a tail of {} bytes where {unfinished} are left", tail.len());
    }
}

/// Breaks the pipeline when an append is given up half-way: its packets may be cut anywhere.
struct BreakUnlessDone {
    break_it: Arc<watch::Sender<Progress>>,
    server: String,
    done: bool,
}

impl Drop for BreakUnlessDone {
    fn drop(&mut self) {
        if !self.done {
            let failure =
                HdfsError::Connection { server: self.server.clone(), reason: "an append was given up".into() };
            self.break_it.send_modify(|p| p.broken = p.broken.take().or(Some(failure)));
        }
    }
}

/// Keeps an idle pipeline open.
async fn send_heartbeats(
    server: String,
    write: Arc<Mutex<Option<PacketWriter>>>,
    progress: Arc<watch::Sender<Progress>>,
    every: Duration,
    deadline: Duration,
) {
    let mut sent_before = 0;
    loop {
        tokio::time::sleep(every).await;
        let mut write = write.lock().await;
        let Some(writer) = write.as_mut() else { return };
        let sent = writer.sent();
        if std::mem::replace(&mut sent_before, sent) != sent {
            continue;
        }
        if let Err(failure) = within(deadline, &server, "a heartbeat", writer.send_heartbeat(&server)).await {
            progress.send_modify(|p| p.broken = p.broken.take().or(Some(failure)));
            *write = None;
            return;
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
