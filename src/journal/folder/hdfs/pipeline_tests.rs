use super::*;
use crate::journal::folder::hdfs::packet::HEARTBEAT_SEQNO;
use crate::proto::alluxio_rs::hdfs::{DatanodeId, DatanodeInfo, ExtendedBlock, Token};
use crate::proto::alluxio_rs::hdfs::{PacketHeader, PipelineAck};
use prost::Message;
use std::collections::BTreeMap;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How a DataNode acknowledges a packet, by its number.
type Acknowledge = fn(i64) -> Option<PipelineAck>;

/// A packet as the DataNode saw it.
#[derive(Debug, PartialEq, Eq)]
struct Packet {
    offset: u64,
    seqno: i64,
    bytes: usize,
    sync: bool,
    last: bool,
}

fn ack(seqno: i64, reply: &[i32]) -> PipelineAck {
    PipelineAck { seqno, reply: reply.to_vec(), downstream_ack_time_nanos: None, flag: vec![] }
}

/// A DataNode that keeps what it is sent as a real one does: overwriting the chunk that comes again.
struct Fake {
    block: LocatedBlock,
    packets: mpsc::Receiver<Packet>,
    content: Arc<parking_lot::Mutex<Vec<u8>>>,
}

async fn fake(setup: BlockOpResponse, acknowledge: Acknowledge) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = u32::from(listener.local_addr().unwrap().port());
    let (sender, packets) = mpsc::channel(1000);
    let content = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let kept = content.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!((stream.read_u16().await.unwrap(), stream.read_u8().await.unwrap()), (28, WRITE_BLOCK));
        let request: OpWriteBlock = read_delimited(&mut stream, "client").await.unwrap();
        assert_eq!((request.pipeline_size, request.targets.len()), (2, 1), "without the node that is talked to");
        stream.write_all(&setup.encode_length_delimited_to_vec()).await.unwrap();
        while let Some(packet) = receive(&mut stream, &kept).await {
            if let Some(ack) = acknowledge(packet.seqno) {
                stream.write_all(&ack.encode_length_delimited_to_vec()).await.unwrap();
            }
            sender.send(packet).await.unwrap();
        }
    });
    let node = |port| {
        let host = "127.0.0.1".to_string();
        let id = DatanodeId { ip_addr: host.clone(), host_name: host, xfer_port: port, ..Default::default() };
        DatanodeInfo { id, ..Default::default() }
    };
    let block = LocatedBlock {
        b: ExtendedBlock { pool_id: "BP".into(), block_id: 1, generation_stamp: 1, num_bytes: Some(0) },
        locs: vec![node(port), node(1)],
        block_token: Token::default(),
        ..Default::default()
    };
    Fake { block, packets, content }
}

async fn receive(stream: &mut TcpStream, content: &parking_lot::Mutex<Vec<u8>>) -> Option<Packet> {
    let length = stream.read_u32().await.ok()? as usize;
    let header_length = stream.read_u16().await.unwrap() as usize;
    let mut bytes = vec![0; header_length + length - 4];
    stream.read_exact(&mut bytes).await.ok()?;
    let header = PacketHeader::decode(&bytes[..header_length]).unwrap();
    let (offset, data_bytes) = (header.offset_in_block as usize, header.data_len as usize);
    let (sums, data) = bytes[header_length..].split_at(data_bytes.div_ceil(CHUNK_BYTES) * 4);
    for (chunk, sum) in data.chunks(CHUNK_BYTES).zip(sums.chunks(4)) {
        assert_eq!(crc32c::crc32c(chunk).to_be_bytes(), sum);
    }
    if data_bytes > 0 {
        let mut content = content.lock();
        assert!(offset.is_multiple_of(CHUNK_BYTES) && offset <= content.len(), "a packet at {offset}");
        content.truncate(offset);
        content.extend_from_slice(data);
    }
    Some(Packet {
        offset: offset as u64,
        seqno: header.seqno,
        bytes: data_bytes,
        sync: header.sync_block == Some(true),
        last: header.last_packet_in_block,
    })
}

fn settings() -> HdfsSettings {
    let mut settings = HdfsSettings::parse("hdfs://nn/journal", "someone", &BTreeMap::new()).unwrap();
    settings.flush_deadline = Duration::from_millis(500);
    settings
}

fn stands() -> BlockOpResponse {
    BlockOpResponse { first_bad_link: Some(String::new()), ..Default::default() }
}

async fn open(setup: BlockOpResponse, acknowledge: Acknowledge) -> (Result<Pipeline>, Fake) {
    let fake = fake(setup, acknowledge).await;
    (Pipeline::open(&fake.block, "client", &settings()).await, fake)
}

fn bytes(count: usize) -> Bytes {
    (0..count).map(|i| (i * 7) as u8).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn an_unfinished_chunk_is_sent_again() {
    let (pipeline, mut fake) = open(stands(), |seqno| Some(ack(seqno, &[0, 0]))).await;
    let mut pipeline = pipeline.unwrap();
    let mut expected = Vec::new();
    for size in [400, 400, 400, 336, 1, 100_000] {
        pipeline.append(bytes(size)).await.unwrap();
        expected.extend_from_slice(&bytes(size));
        assert!(*fake.content.lock() == expected, "after {} bytes", expected.len());
    }
    pipeline.finish().await.unwrap();
    assert_eq!(pipeline.position(), 101_537);
    let mut packets = Vec::new();
    while let Some(packet) = fake.packets.recv().await {
        packets.push((packet.offset, packet.seqno, packet.bytes, packet.sync, packet.last));
    }
    assert_eq!(
        packets,
        [
            (0, 0, 400, true, false),
            (0, 1, 800, true, false),
            (512, 2, 688, true, false),
            (1024, 3, 512, true, false),
            (1536, 4, 1, true, false),
            (1536, 5, 65_536, false, false),
            (67_072, 6, 34_465, true, false),
            (101_537, 7, 0, false, true),
        ]
    );
}

#[tokio::test]
async fn nothing_to_append_sends_nothing() {
    let (pipeline, mut fake) = open(stands(), |seqno| Some(ack(seqno, &[0, 0]))).await;
    pipeline.unwrap().append(Bytes::new()).await.unwrap();
    assert_eq!(fake.packets.recv().await, None);
}

#[tokio::test]
async fn flags_replace_replies() {
    let flags: Acknowledge = |seqno| Some(PipelineAck { flag: vec![0x20, 0x40], ..ack(seqno, &[7, 7]) });
    let (pipeline, _fake) = open(stands(), flags).await;
    pipeline.unwrap().append(bytes(1)).await.unwrap();
}

#[tokio::test]
async fn whatever_is_not_the_expected_acknowledgement_breaks_the_pipeline_for_ever() {
    let cases: [(&str, Acknowledge); 6] = [
        ("status 1", |seqno| Some(ack(seqno, &[0, 1]))),
        ("1 replies of 2", |seqno| Some(ack(seqno, &[0]))),
        ("acknowledged instead", |seqno| Some(ack(seqno + 1, &[0, 0]))),
        ("acknowledged instead", |_| Some(ack(-2, &[0, 0]))),
        ("status 8", |_| Some(ack(-2, &[8, 0]))),
        ("did not answer", |_| None),
    ];
    for (text, acknowledge) in cases {
        let (pipeline, mut fake) = open(stands(), acknowledge).await;
        let mut pipeline = pipeline.unwrap();
        let failure = pipeline.append(bytes(10)).await.unwrap_err();
        assert!(failure.to_string().contains(text), "{text}: {failure}");
        assert_eq!(pipeline.append(bytes(10)).await.unwrap_err().to_string(), failure.to_string());
        assert!(pipeline.finish().await.is_err());
        fake.packets.recv().await.unwrap();
        assert_eq!(fake.packets.recv().await, None, "{text}: the socket is closed");
    }
}

#[tokio::test]
async fn what_is_sent_behind_another_append_is_acknowledged_after_it() {
    // The first acknowledgement waits for the second packet.
    let late: Acknowledge = |seqno| (seqno > 0).then(|| ack(seqno, &[0, 0]));
    let both: Acknowledge = |seqno| Some(ack(seqno, &[0, 0]));
    let (pipeline, mut fake) = open(stands(), both).await;
    let mut pipeline = pipeline.unwrap();
    let first = pipeline.send(bytes(400)).await.unwrap();
    let second = pipeline.send(bytes(400)).await.unwrap();
    assert_eq!(pipeline.position(), 800);
    second.await.unwrap();
    first.await.unwrap();
    let sent = [fake.packets.recv().await.unwrap(), fake.packets.recv().await.unwrap()];
    assert_eq!(sent.map(|packet| (packet.offset, packet.bytes, packet.sync)), [(0, 400, true), (0, 800, true)]);
    // Without the first acknowledgement, neither counts.
    let (pipeline, _fake) = open(stands(), late).await;
    let mut pipeline = pipeline.unwrap();
    let first = pipeline.send(bytes(400)).await.unwrap();
    let second = pipeline.send(bytes(400)).await.unwrap();
    let failure = second.await.unwrap_err().to_string();
    assert!(failure.contains("acknowledged instead"), "{failure}");
    assert_eq!(first.await.unwrap_err().to_string(), failure);
    // Giving up on one of them ends both, and all that follows.
    let (pipeline, _fake) = open(stands(), |_| None).await;
    let mut pipeline = pipeline.unwrap();
    let first = pipeline.send(bytes(400)).await.unwrap();
    drop(pipeline.send(bytes(400)).await.unwrap());
    let failure = first.await.unwrap_err();
    assert!(failure.to_string().contains("given up"), "{failure}");
    assert!(pipeline.append(bytes(10)).await.is_err());
}

#[tokio::test]
async fn an_append_that_is_given_up_breaks_the_pipeline() {
    let (pipeline, _fake) = open(stands(), |_| None).await;
    let mut pipeline = pipeline.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), pipeline.append(bytes(10))).await.is_err());
    let failure = pipeline.append(bytes(10)).await.unwrap_err();
    assert!(failure.to_string().contains("given up"), "{failure}");
}

#[tokio::test]
async fn a_pipeline_that_does_not_stand_names_the_bad_link() {
    let setup = BlockOpResponse { status: 1, first_bad_link: Some("10.0.0.2:9866".into()), ..Default::default() };
    let (pipeline, _fake) = open(setup, |_| None).await;
    let Err(HdfsError::Status { bad_link, .. }) = pipeline else { panic!("it does not stand") };
    assert_eq!(bad_link.as_deref(), Some("10.0.0.2:9866"));
}

#[tokio::test]
async fn an_idle_pipeline_sends_heartbeats() {
    let mut fake = fake(stands(), |seqno| Some(ack(seqno, &[0, 0]))).await;
    let settings = HdfsSettings { heartbeat_every: Duration::from_millis(20), ..settings() };
    let mut pipeline = Pipeline::open(&fake.block, "client", &settings).await.unwrap();
    for _ in 0..2 {
        assert_eq!(fake.packets.recv().await.unwrap().seqno, HEARTBEAT_SEQNO);
    }
    pipeline.append(bytes(1)).await.unwrap();
    while fake.packets.recv().await.unwrap().seqno == HEARTBEAT_SEQNO {}
    assert_eq!(pipeline.position(), 1, "heartbeats have no number of their own");
}
