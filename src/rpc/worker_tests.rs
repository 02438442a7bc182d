//! Streams against a worker in this process, which does what a test tells it to.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::transport::Server;
use tonic::{Code, Status, Streaming};

use crate::proto::alluxio::grpc::block::write_request::Value;
use crate::proto::alluxio::grpc::block::{
    Chunk, CreateLocalBlockRequest, CreateLocalBlockResponse, OpenLocalBlockRequest, OpenLocalBlockResponse,
    ReadRequest, ReadResponse, WriteRequest, WriteResponse,
};
use crate::rpc::block_reader::{BlockRead, BlockReader};
use crate::rpc::block_writer::{BlockWrite, BlockWriter};
use crate::rpc::call::{self, Reply};
use crate::rpc::local_block::{CreateLocalBlock, OpenLocalBlock};
use crate::rpc::worker::{Worker, WorkerSettings};
use crate::types::{BlockId, ErrorKind, FsError, WorkerAddress};

/// What the worker does with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// What it is asked to.
    Serve,
    /// Half of it, then it says that it is done.
    StopHalfway,
    /// Refuses after the first message.
    Refuse,
    /// Nothing.
    StaySilent,
}

#[derive(Clone)]
struct Fake {
    does: Does,
    /// What happened, in words.
    seen: Arc<Mutex<Vec<String>>>,
}

type Answers<A> = mpsc::Sender<Result<A, Status>>;

impl Fake {
    async fn serve(does: Does) -> (Fake, Worker) {
        let fake = Fake { does, seen: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // Ends with the runtime of its test.
        tokio::spawn(Server::builder().serve_with_incoming(fake.clone(), TcpListenerStream::new(listener)));
        let address = WorkerAddress { host: "127.0.0.1".into(), rpc_port: port, ..WorkerAddress::default() };
        let patience = Duration::from_secs(1);
        let settings =
            WorkerSettings { read_patience: patience, write_patience: patience, ..WorkerSettings::default() };
        (fake, Worker::connect(&address, &settings).await.unwrap())
    }

    fn note(&self, text: impl Into<String>) {
        self.seen.lock().push(text.into());
    }

    /// Waits until the last thing that happened is `text`.
    async fn until(&self, text: &str) -> Vec<String> {
        let seen = async {
            loop {
                let seen = self.seen.lock().clone();
                if seen.last().is_some_and(|last| last == text) {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap_or_else(|_| panic!("{:?}", self.seen.lock()))
    }

    /// Plays a stream by `play`, which notes what comes, unless this worker does something else.
    fn stream<Q, A, F>(
        &self,
        request: Request<Body>,
        play: impl FnOnce(Fake, Streaming<Q>, Answers<A>) -> F + Send + 'static,
    ) -> Reply
    where
        Q: prost::Message + Default + 'static,
        A: prost::Message + Default + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let fake = self.clone();
        call::bidi_stream(request, async move |mut requests: Streaming<Q>| {
            let (answers, outgoing) = mpsc::channel(1);
            match fake.does {
                Does::StaySilent => std::future::pending::<()>().await,
                Does::Refuse => {
                    requests.message().await.unwrap();
                    return Err(FsError::new(ErrorKind::ResourceExhausted, "no room"));
                }
                Does::Serve | Does::StopHalfway => drop(tokio::spawn(play(fake, requests, answers))),
            }
            Ok(ReceiverStream::new(outgoing))
        })
    }

    async fn read(self, mut requests: Streaming<ReadRequest>, answers: Answers<ReadResponse>) {
        let asked = requests.message().await.unwrap().unwrap();
        let mut end = asked.offset() + asked.length();
        if self.does == Does::StopHalfway {
            end -= asked.length() / 2;
        }
        let mut at = asked.offset();
        while at < end {
            let next = end.min(at + asked.chunk_size());
            let data: Vec<u8> = (at..next).map(|byte| byte as u8).collect();
            let chunk = Some(Chunk { data: Some(data.into()) });
            if answers.send(Ok(ReadResponse { chunk })).await.is_err() {
                return;
            }
            at = next;
            match requests.message().await {
                Ok(Some(ack)) => self.note(format!("ack {} of {}", ack.offset_received(), ack.block_id())),
                Ok(None) => return self.note("half-closed"),
                Err(_) => return self.note("reset"),
            }
        }
    }

    async fn write(self, mut requests: Streaming<WriteRequest>, answers: Answers<WriteResponse>) {
        let mut length = 0;
        loop {
            match requests.message().await {
                Ok(Some(WriteRequest { value: Some(Value::Chunk(chunk)) })) => length += chunk.data().len() as i64,
                Ok(Some(WriteRequest { value: Some(Value::Command(command)) })) if command.flush() => {
                    self.note(format!("flush at {}", command.offset()));
                    answers.send(Ok(WriteResponse { offset: Some(length), content_hash: None })).await.unwrap();
                }
                Ok(Some(other)) => self.note(format!("begin {}", matches!(other.value, Some(Value::Command(_))))),
                Ok(None) => return self.note(format!("committed {length}")),
                Err(_) => return self.note("aborted"),
            }
            if self.does == Does::StopHalfway && length > 0 {
                answers.send(Err(Status::new(Code::ResourceExhausted, "full"))).await.unwrap();
                return self.note("gave up");
            }
        }
    }

    async fn open_local(
        self,
        mut requests: Streaming<OpenLocalBlockRequest>,
        answers: Answers<OpenLocalBlockResponse>,
    ) {
        let asked = requests.message().await.unwrap().unwrap();
        let path = Some(format!("/ram/{}", asked.block_id()));
        answers.send(Ok(OpenLocalBlockResponse { path })).await.unwrap();
        let _ = requests.message().await;
        self.note("unpinned");
    }

    async fn create_local(
        self,
        mut requests: Streaming<CreateLocalBlockRequest>,
        answers: Answers<CreateLocalBlockResponse>,
    ) {
        loop {
            match requests.message().await {
                Ok(Some(asked)) => {
                    self.note(format!("reserve {}", asked.space_to_reserve()));
                    let path = (!asked.only_reserve_space()).then(|| format!("/ram/{}", asked.block_id()));
                    answers.send(Ok(CreateLocalBlockResponse { path })).await.unwrap();
                }
                Ok(None) => return self.note("committed"),
                Err(_) => return self.note("aborted"),
            }
        }
    }
}

impl Service<Request<Body>> for Fake {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Reply {
        match call::method_of(&request) {
            Some((_, "ReadBlock")) => self.stream(request, Fake::read),
            Some((_, "WriteBlock")) => self.stream(request, Fake::write),
            Some((_, "OpenLocalBlock")) => self.stream(request, Fake::open_local),
            Some((_, "CreateLocalBlock")) => self.stream(request, Fake::create_local),
            _ => call::refuse_unknown(&request),
        }
    }
}

fn part(offset: i64, length: i64) -> BlockRead {
    BlockRead { id: BlockId(7), offset, length, chunk_bytes: 4, promote: false, ufs: None }
}

fn block() -> BlockWrite {
    BlockWrite::Block { id: BlockId(7), pin: false, reserve_bytes: 8 }
}

async fn read_all(reader: &mut BlockReader) -> Result<Vec<u8>, FsError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_read_gives_what_was_asked_for_and_acknowledges_each_chunk() {
    let (fake, worker) = Fake::serve(Does::Serve).await;
    let mut reader = BlockReader::open(&worker, &part(10, 9));
    assert_eq!(read_all(&mut reader).await.unwrap(), (10..19).collect::<Vec<u8>>());
    assert_eq!(reader.position(), 19);
    assert_eq!(fake.until("ack 19 of 7").await, ["ack 14 of 7", "ack 18 of 7", "ack 19 of 7"]);
}

#[tokio::test]
async fn a_read_that_stops_halfway_is_an_error_that_keeps_the_position() {
    let (_fake, worker) = Fake::serve(Does::StopHalfway).await;
    let mut reader = BlockReader::open(&worker, &part(0, 16));
    let error = read_all(&mut reader).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.starts_with("ReadBlock of 127.0.0.1:"), "{error}");
    assert_eq!(reader.position(), 8);
}

#[tokio::test]
async fn a_reader_that_is_dropped_stops_the_worker() {
    let (fake, worker) = Fake::serve(Does::Serve).await;
    let mut reader = BlockReader::open(&worker, &part(0, 1 << 30));
    reader.next().await.unwrap();
    drop(reader);
    fake.until("reset").await;
}

#[tokio::test]
async fn a_refusal_of_the_worker_arrives_as_it_left() {
    let (_fake, worker) = Fake::serve(Does::Refuse).await;
    let refusal = FsError::new(ErrorKind::ResourceExhausted, "no room");
    assert_eq!(BlockReader::open(&worker, &part(0, 1)).next().await, Err(refusal.clone()));
    assert_eq!(OpenLocalBlock::open(&worker, BlockId(7), false).await.err(), Some(refusal.clone()));
    let mut writer = BlockWriter::open(&worker, &block());
    let refused = async {
        loop {
            writer.write(Bytes::from_static(b"more")).await?;
        }
    };
    let refused: Result<(), FsError> = refused.await;
    assert_eq!(refused, Err(refusal.clone()));
    assert_eq!(BlockWriter::open(&worker, &block()).commit().await, Err(refusal));
}

#[tokio::test]
async fn a_write_is_flushed_and_committed() {
    let (fake, worker) = Fake::serve(Does::Serve).await;
    let mut writer = BlockWriter::open(&worker, &block());
    for chunk in ["abc", "", "de"] {
        writer.write(Bytes::from(chunk)).await.unwrap();
    }
    writer.flush().await.unwrap();
    writer.write(Bytes::from_static(b"f")).await.unwrap();
    assert_eq!((writer.position(), writer.commit().await), (6, Ok(None)));
    assert_eq!(*fake.seen.lock(), ["begin true", "flush at 5", "committed 6"]);
}

#[tokio::test]
async fn a_write_that_is_dropped_is_aborted_not_committed() {
    let (fake, worker) = Fake::serve(Does::Serve).await;
    let mut writer = BlockWriter::open(&worker, &block());
    writer.write(Bytes::from_static(b"abc")).await.unwrap();
    writer.flush().await.unwrap();
    drop(writer);
    assert_eq!(fake.until("aborted").await, ["begin true", "flush at 3", "aborted"]);
}

#[tokio::test]
async fn a_write_that_the_worker_gives_up_says_why() {
    let (_fake, worker) = Fake::serve(Does::StopHalfway).await;
    let mut writer = BlockWriter::open(&worker, &block());
    let failed: Result<(), FsError> = async {
        loop {
            writer.write(Bytes::from(vec![0; 1 << 20])).await?;
        }
    }
    .await;
    assert_eq!(failed, Err(FsError::new(ErrorKind::ResourceExhausted, "full")));
}

#[tokio::test]
async fn a_silent_worker_is_given_up() {
    let (_fake, worker) = Fake::serve(Does::StaySilent).await;
    let error = BlockReader::open(&worker, &part(0, 1)).next().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.ends_with("showed no progress for 1000 ms"), "{error}");
    // A few chunks fit into the windows; what a silent worker does not take stays outside.
    let mut writer = BlockWriter::open(&worker, &block());
    let mut written = 0;
    let error = loop {
        match writer.write(Bytes::from(vec![0; 1 << 20])).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(written <= 10, "{written} MiB were taken in");
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_file_of_a_block_is_lent_and_given_back() {
    let (fake, worker) = Fake::serve(Does::Serve).await;
    let open = OpenLocalBlock::open(&worker, BlockId(7), false).await.unwrap();
    assert_eq!(open.path().to_str(), Some("/ram/7"));
    assert!(fake.seen.lock().is_empty(), "kept as long as it is held");
    drop(open);
    fake.until("unpinned").await;
}

#[tokio::test]
async fn a_file_for_a_block_grows_and_is_committed_or_aborted() {
    let (fake, worker) = Fake::serve(Does::Serve).await;
    let mut create = CreateLocalBlock::open(&worker, BlockId(7), 8, false).await.unwrap();
    assert_eq!(create.path().to_str(), Some("/ram/7"));
    create.reserve(4).await.unwrap();
    create.commit().await.unwrap();
    assert_eq!(*fake.seen.lock(), ["reserve 8", "reserve 4", "committed"]);
    drop(CreateLocalBlock::open(&worker, BlockId(8), 8, false).await.unwrap());
    fake.until("aborted").await;
}
