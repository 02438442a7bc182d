//! What a reader asks the DataNodes: how much of an open block can be read, and ranges of it, verified.

use super::ipc::{Caller, DATANODE_PROTOCOL, Ipc};
use super::settings::HdfsSettings;
use super::wire::{HdfsError, Result, connect, operation, operation_header, read_delimited, within};
use crate::proto::alluxio_rs::hdfs::{
    BlockOpResponse, ClientReadStatus, DatanodeInfo, ExtendedBlock, GetReplicaVisibleLengthRequest,
    GetReplicaVisibleLengthResponse, LocatedBlock, OpReadBlock, PacketHeader, ReadOpChecksumInfo,
};
use crate::types::time::{Boot, boot_now};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const READ_BLOCK: u8 = 81;
const CHECKSUM_OK: i32 = 6;
const CRC_32: i32 = 1;
const CRC_32C: i32 = 2;
const PACKET_BYTES_MAX: usize = 64 << 20;
/// How long one DataNode is waited for alone before the others are asked as well.
const ALONE: Duration = Duration::from_millis(100);
/// How long a DataNode that gave no answer is asked last: its host may have vanished.
const LAST_FOR: Duration = Duration::from_secs(30);
/// Connections kept; a journal's blocks are on few nodes.
const CONNECTIONS_MAX: usize = 64;

/// The DataNodes of an HDFS, as one client reads from them.
#[derive(Debug)]
pub struct Datanodes {
    settings: HdfsSettings,
    caller: Arc<Caller>,
    connections: Mutex<BTreeMap<String, Arc<Ipc>>>,
    /// When a DataNode gave no answer, by its uuid.
    unanswered: Mutex<BTreeMap<String, Boot>>,
}

/// A visible length, and who told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visible {
    /// Bytes of the block that can be read.
    pub bytes: u64,
    /// Index into the block's locations.
    pub at: usize,
}

impl Datanodes {
    /// Nothing is sent yet.
    pub fn new(settings: &HdfsSettings) -> Datanodes {
        Datanodes {
            settings: settings.clone(),
            caller: Arc::new(Caller::new()),
            connections: Mutex::new(BTreeMap::new()),
            unanswered: Mutex::new(BTreeMap::new()),
        }
    }

    /// How much of an open block can be read, from the location `first` if it answers soon, else from whichever
    /// answers first. None when no DataNode can tell: all gone, all restarted, or none has the block.
    pub async fn visible(self: &Arc<Self>, block: &LocatedBlock, first: usize) -> Option<Visible> {
        let node = block.locs.get(first)?;
        if let Ok(Ok(bytes)) = tokio::time::timeout(ALONE, self.visible_at(&block.b, node)).await {
            return Some(Visible { bytes, at: first });
        }
        let mut asked = JoinSet::new();
        for (at, node) in block.locs.iter().cloned().enumerate() {
            let (datanodes, block) = (self.clone(), block.b.clone());
            asked.spawn(async move {
                let bytes = datanodes.visible_at(&block, &node).await;
                bytes
                    .inspect_err(|e| log::debug!("no visible length block={} cause=\"{e}\"", block.block_id))
                    .ok()
                    .map(|bytes| Visible { bytes, at })
            });
        }
        while let Some(answer) = asked.join_next().await {
            if let Ok(Some(visible)) = answer {
                return Some(visible);
            }
        }
        None
    }

    async fn visible_at(&self, block: &ExtendedBlock, node: &DatanodeInfo) -> Result<u64> {
        let ipc = self.connection(node);
        let request = GetReplicaVisibleLengthRequest { block: block.clone() };
        let deadline = self.settings.read_deadline;
        let call = || ipc.call("getReplicaVisibleLength", &request, self.caller.fresh_call_id(), 0, deadline);
        let mut answer: Result<GetReplicaVisibleLengthResponse> = call().await;
        if let Err(HdfsError::Connection { .. }) = answer {
            // An idle connection may have been closed, which says nothing about the server.
            answer = call().await;
        }
        let bytes = answer?.length;
        // A replica of a restarted DataNode shows -1 until it is recovered: unknown, and no length.
        if bytes > i64::MAX as u64 {
            return Err(HdfsError::protocol(ipc.server(), "the replica waits for recovery and shows no length"));
        }
        Ok(bytes)
    }

    /// Those of the nodes that do not answer within a second, whatever the answer would be.
    pub async fn silent(self: &Arc<Self>, block: &LocatedBlock) -> Vec<DatanodeInfo> {
        let mut asked = JoinSet::new();
        for node in block.locs.iter().cloned() {
            let (datanodes, block) = (self.clone(), block.b.clone());
            asked.spawn(async move {
                let answer = tokio::time::timeout(Duration::from_secs(1), datanodes.visible_at(&block, &node)).await;
                let silent =
                    matches!(answer, Err(_) | Ok(Err(HdfsError::Connection { .. } | HdfsError::Deadline { .. })));
                silent.then_some(node)
            });
        }
        asked.join_all().await.into_iter().flatten().collect()
    }

    fn connection(&self, node: &DatanodeInfo) -> Arc<Ipc> {
        let server = self.settings.datanode_address.ipc(node);
        let mut connections = self.connections.lock();
        if connections.len() >= CONNECTIONS_MAX && !connections.contains_key(&server) {
            connections.pop_first();
        }
        let new = || {
            let (user, caller) = (&self.settings.user, self.caller.clone());
            Arc::new(Ipc::new(server.clone(), DATANODE_PROTOCOL, user, caller, self.settings.connect_deadline))
        };
        connections.entry(server.clone()).or_insert_with(new).clone()
    }

    /// Reads `bytes` bytes of a block from `offset`, from the location `first` or, when that fails, from another.
    /// The error is a damaged one only if every replica that could be read is damaged.
    pub async fn read(&self, block: &LocatedBlock, first: usize, offset: u64, bytes: u64) -> Result<Bytes> {
        let mut damage = None;
        let mut failure = HdfsError::TooFewNodes { reason: "the block has no location".into() };
        for node in self.order(block, first) {
            match self.read_at(block, node, offset, bytes).await {
                Ok(content) => return Ok(content),
                Err(e) => {
                    log::warn!("cannot read a replica block={} cause=\"{e}\"", block.b.block_id);
                    match e {
                        HdfsError::Checksum { .. } => damage = Some(e),
                        HdfsError::Connection { .. } | HdfsError::Deadline { .. } => {
                            self.unanswered.lock().insert(node.id.datanode_uuid.clone(), boot_now());
                            failure = e;
                        }
                        _ => failure = e,
                    }
                }
            }
        }
        Err(damage.unwrap_or(failure))
    }

    /// The locations of a block from `first` on, those that gave no answer lately last.
    fn order<'a>(&self, block: &'a LocatedBlock, first: usize) -> Vec<&'a DatanodeInfo> {
        let now = boot_now();
        let mut unanswered = self.unanswered.lock();
        unanswered.retain(|_, at| now.since(*at) < LAST_FOR);
        let count = block.locs.len();
        let mut nodes: Vec<_> = (0..count).map(|i| &block.locs[(first + i) % count]).collect();
        nodes.sort_by_key(|node| unanswered.contains_key(&node.id.datanode_uuid));
        nodes
    }

    async fn read_at(&self, block: &LocatedBlock, node: &DatanodeInfo, offset: u64, bytes: u64) -> Result<Bytes> {
        let server = self.settings.datanode_address.transfer(node);
        let deadline = self.settings.read_deadline;
        let stream = connect(&server, self.settings.connect_deadline).await?;
        let mut source = BufReader::with_capacity(64 << 10, stream);
        let request = OpReadBlock {
            header: operation_header(block, "alluxio_reader"),
            offset,
            len: bytes,
            send_checksums: Some(true),
        };
        let info = within(deadline, &server, "a read", async {
            let request = operation(READ_BLOCK, &request);
            source.write_all(&request).await.map_err(|e| HdfsError::connection(&server, &e))?;
            let answer: BlockOpResponse = read_delimited(&mut source, &server).await?;
            if answer.status != 0 {
                let reason = answer.message.unwrap_or_default().lines().next().unwrap_or_default().into();
                return Err(HdfsError::Status {
                    server: server.clone(),
                    status: answer.status,
                    reason,
                    bad_link: None,
                });
            }
            answer.read_op_checksum_info.ok_or_else(|| HdfsError::protocol(&server, "no checksum in its answer"))
        });
        let mut packets = Packets::new(info.await?, &server, offset, bytes)?;
        while within(deadline, &server, "a read", packets.receive(&mut source)).await? == More::Yes {}
        let content = packets.into_range(offset, bytes)?;
        // Spares the DataNode a line in its log; nothing depends on it.
        let verified = ClientReadStatus { status: CHECKSUM_OK }.encode_length_delimited_to_vec();
        let _ = within(deadline, &server, "the end of a read", async {
            source.write_all(&verified).await.map_err(|e| HdfsError::connection(&server, &e))
        })
        .await;
        Ok(content)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum More {
    Yes,
    No,
}

/// The packets of one read, verified and put together.
struct Packets<'a> {
    server: &'a str,
    checksum: fn(&[u8]) -> u32,
    chunk_bytes: usize,
    /// In the block, of the first byte received: `offset` rounded down to a chunk.
    start: u64,
    received: BytesMut,
    sums: Vec<u8>,
}

impl<'a> Packets<'a> {
    fn new(info: ReadOpChecksumInfo, server: &'a str, offset: u64, bytes: u64) -> Result<Packets<'a>> {
        let chunk_bytes = info.checksum.bytes_per_checksum as usize;
        let checksum = match info.checksum.r#type {
            CRC_32C => crc32c::crc32c,
            CRC_32 => return Err(HdfsError::protocol(server, "checksums of type CRC-32, this client writes CRC-32C")),
            other => return Err(HdfsError::protocol(server, format!("checksums of type {other}"))),
        };
        if chunk_bytes == 0 || info.chunk_offset > offset || offset - info.chunk_offset > chunk_bytes as u64 {
            let reason = format!("chunks of {chunk_bytes} bytes from {} for offset {offset}", info.chunk_offset);
            return Err(HdfsError::protocol(server, reason));
        }
        let capacity = bytes as usize + 2 * chunk_bytes;
        let received = BytesMut::with_capacity(capacity);
        Ok(Packets { server, checksum, chunk_bytes, start: info.chunk_offset, received, sums: Vec::new() })
    }

    async fn receive(&mut self, source: &mut BufReader<TcpStream>) -> Result<More> {
        let lost = |e: std::io::Error| HdfsError::connection(self.server, &e);
        let wrong = |reason: String| Err(HdfsError::protocol(self.server, reason));
        let packet_bytes = source.read_u32().await.map_err(lost)? as usize;
        let header_bytes = source.read_u16().await.map_err(lost)? as usize;
        let mut header = vec![0; header_bytes];
        source.read_exact(&mut header).await.map_err(lost)?;
        let header = PacketHeader::decode(&header[..]).map_err(|e| HdfsError::protocol(self.server, e.to_string()))?;
        if header.last_packet_in_block {
            return Ok(More::No);
        }
        let (offset, data_bytes) = (header.offset_in_block as u64, header.data_len.max(0) as usize);
        let sum_bytes = data_bytes.div_ceil(self.chunk_bytes) * 4;
        if packet_bytes != 4 + sum_bytes + data_bytes || data_bytes == 0 || packet_bytes > PACKET_BYTES_MAX {
            return wrong(format!("a packet of {packet_bytes} bytes with {data_bytes} bytes of data"));
        }
        if offset != self.start + self.received.len() as u64 || !self.received.len().is_multiple_of(self.chunk_bytes) {
            return wrong(format!("a packet at {offset} of the block, after {} bytes", self.received.len()));
        }
        self.sums.resize(sum_bytes, 0);
        source.read_exact(&mut self.sums).await.map_err(lost)?;
        let before = self.received.len();
        self.received.resize(before + data_bytes, 0);
        source.read_exact(&mut self.received[before..]).await.map_err(lost)?;
        let chunks = self.received[before..].chunks(self.chunk_bytes);
        for (i, (chunk, sum)) in chunks.zip(self.sums.chunks(4)).enumerate() {
            if (self.checksum)(chunk).to_be_bytes() != sum {
                let offset = offset + (i * self.chunk_bytes) as u64;
                return Err(HdfsError::Checksum { server: self.server.into(), offset });
            }
        }
        Ok(More::Yes)
    }

    /// Drops what the chunks hold before and after the range that was asked for.
    fn into_range(self, offset: u64, bytes: u64) -> Result<Bytes> {
        let skip = (offset - self.start) as usize;
        let end = skip + bytes as usize;
        if self.received.len() < end {
            let reason = format!("{} bytes instead of {end}", self.received.len());
            return Err(HdfsError::protocol(self.server, reason));
        }
        Ok(self.received.freeze().slice(skip..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::alluxio_rs::hdfs::DatanodeId;
    use std::collections::BTreeMap as Services;

    #[tokio::test]
    async fn a_datanode_that_gave_no_answer_is_asked_last() {
        // Nobody listens at the port of a listener that is gone.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let node = |uuid: &str| {
            let id = DatanodeId {
                ip_addr: "127.0.0.1".into(),
                datanode_uuid: uuid.into(),
                xfer_port: gone.port().into(),
                ..Default::default()
            };
            DatanodeInfo { id, ..Default::default() }
        };
        let block =
            |uuids: &[&str]| LocatedBlock { locs: uuids.iter().map(|u| node(u)).collect(), ..Default::default() };
        let datanodes = Datanodes::new(&HdfsSettings::parse("hdfs://nn/journal", "u", &Services::new()).unwrap());
        let order = |first| {
            let block = block(&["a", "b", "c"]);
            datanodes.order(&block, first).iter().map(|node| node.id.datanode_uuid.clone()).collect::<Vec<_>>()
        };
        assert_eq!(order(1), ["b", "c", "a"]);
        assert!(matches!(datanodes.read(&block(&["b"]), 0, 0, 1).await, Err(HdfsError::Connection { .. })));
        assert_eq!(
            (order(1), order(0)),
            (vec!["c".into(), "a".into(), "b".into()], vec!["a".into(), "c".into(), "b".into()])
        );
    }
}
