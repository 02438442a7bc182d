//! Packets to a pipeline, and the acknowledgements that come back.

use super::settings::CHUNK_BYTES;
use super::wire::{HdfsError, Result, read_delimited};
use crate::proto::alluxio_rs::hdfs::{PacketHeader, PipelineAck};
use bytes::{Buf, Bytes};
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

/// Heartbeats have no number of their own.
pub const HEARTBEAT_SEQNO: i64 = -1;
/// Before the first packet, which has number 0.
pub const NONE_ACKNOWLEDGED: i64 = -1;

/// The sending side of a pipeline.
#[derive(Debug)]
pub struct PacketWriter {
    half: OwnedWriteHalf,
    /// Of the next packet with data. Shared with the reader of acknowledgements, which refuses what was not sent.
    next_seqno: Arc<AtomicI64>,
    /// Reused for header and checksums.
    scratch: Vec<u8>,
}

/// How far the DataNodes are.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The last packet that all DataNodes have.
    pub acknowledged_seqno: i64,
    /// Why nothing more will be acknowledged.
    pub broken: Option<HdfsError>,
}

/// Whether a packet ends the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// More may follow.
    No,
    /// The replicas become final.
    InBlock,
}

impl PacketWriter {
    /// `next_seqno` tells the reader of acknowledgements what was sent.
    pub fn new(half: OwnedWriteHalf, next_seqno: Arc<AtomicI64>) -> PacketWriter {
        PacketWriter { half, next_seqno, scratch: Vec::new() }
    }

    /// How many packets with data were sent.
    pub fn sent(&self) -> i64 {
        self.next_seqno.load(Ordering::Relaxed)
    }

    /// Sends `head` and then `data` as one packet that begins at `offset`; gives its number.
    pub async fn send(
        &mut self,
        offset: u64,
        head: &[u8],
        data: Bytes,
        last: Last,
        sync: bool,
        server: &str,
    ) -> Result<i64> {
        assert!(
            last == Last::InBlock || offset.is_multiple_of(CHUNK_BYTES as u64),
            "a packet at {offset}, inside a chunk, would damage the block"
        );
        let seqno = self.next_seqno.fetch_add(1, Ordering::Relaxed);
        self.put_header(offset, seqno, head, &data, last, sync);
        let mut bytes = self.scratch.as_slice().chain(head).chain(data);
        self.half.write_all_buf(&mut bytes).await.map_err(|e| HdfsError::connection(server, &e))?;
        Ok(seqno)
    }

    /// Sends an empty packet outside of the order.
    pub async fn send_heartbeat(&mut self, server: &str) -> Result<()> {
        self.put_header(0, HEARTBEAT_SEQNO, &[], &[], Last::No, false);
        self.half.write_all(&self.scratch).await.map_err(|e| HdfsError::connection(server, &e))
    }

    fn put_header(&mut self, offset: u64, seqno: i64, head: &[u8], data: &[u8], last: Last, sync: bool) {
        let data_bytes = head.len() + data.len();
        let header = PacketHeader {
            offset_in_block: offset as i64,
            seqno,
            last_packet_in_block: last == Last::InBlock,
            data_len: data_bytes as i32,
            sync_block: sync.then_some(true),
        };
        let checksum_bytes = data_bytes.div_ceil(CHUNK_BYTES) * 4;
        let out = &mut self.scratch;
        out.clear();
        // This length counts itself, but neither the header nor the header's length.
        out.extend_from_slice(&((4 + checksum_bytes + data_bytes) as u32).to_be_bytes());
        out.extend_from_slice(&(header.encoded_len() as u16).to_be_bytes());
        header.encode(out).expect("a Vec takes what it is given");
        let mut rest = data;
        if !head.is_empty() {
            let (same_chunk, others) = data.split_at(data.len().min(CHUNK_BYTES - head.len()));
            let sum = crc32c::crc32c_append(crc32c::crc32c(head), same_chunk);
            out.extend_from_slice(&sum.to_be_bytes());
            rest = others;
        }
        rest.chunks(CHUNK_BYTES).for_each(|chunk| out.extend_from_slice(&crc32c::crc32c(chunk).to_be_bytes()));
    }
}

/// Always waits for acknowledgements, because errors come unasked; tells why the pipeline ended.
pub async fn read_acknowledgements(
    nodes: Vec<String>,
    mut read: BufReader<OwnedReadHalf>,
    sent: &AtomicI64,
    progress: &watch::Sender<Progress>,
) -> HdfsError {
    let first = nodes.first().map(String::as_str).unwrap_or_default();
    let mut expected = 0;
    loop {
        let ack: PipelineAck = match read_delimited(&mut read, first).await {
            Ok(ack) => ack,
            Err(HdfsError::Connection { server, reason }) => {
                let (reason, bad_link) = (format!("the pipeline ended: {reason}"), Some(server.clone()));
                return HdfsError::Status { server, status: 0, reason, bad_link };
            }
            Err(failure) => return failure,
        };
        if let Some(failure) = refused(&ack, &nodes) {
            return failure;
        }
        if ack.seqno == HEARTBEAT_SEQNO {
            continue;
        }
        if ack.seqno != expected || ack.seqno >= sent.load(Ordering::Relaxed) {
            return HdfsError::protocol(first, format!("packet {} acknowledged instead of {expected}", ack.seqno));
        }
        expected += 1;
        progress.send_modify(|p| p.acknowledged_seqno = ack.seqno);
    }
}

/// What an acknowledgement says other than that every DataNode has the packet.
fn refused(ack: &PipelineAck, nodes: &[String]) -> Option<HdfsError> {
    let first = nodes.first().map(String::as_str).unwrap_or_default();
    for (i, reply) in ack.reply.iter().enumerate() {
        // A flag replaces the reply; its low four bits are the status, the others tell of congestion.
        let status = ack.flag.get(i).map_or(*reply, |flag| (flag & 0xf) as i32);
        if status != 0 {
            let server = nodes.get(i).map_or(first, String::as_str).to_string();
            let (reason, bad_link) = (format!("packet {} was not taken", ack.seqno), Some(server.clone()));
            return Some(HdfsError::Status { server, status, reason, bad_link });
        }
    }
    (ack.reply.len() != nodes.len())
        .then(|| HdfsError::protocol(first, format!("{} replies of {} DataNodes", ack.reply.len(), nodes.len())))
}
