//! Blocks that no worker can keep: they go on in the UFS, each as a file of its own. The calls are those of a 2.9 client
//! with `alluxio.user.file.ufs.tier.enabled`, which writes a file of ASYNC_THROUGH.

use std::path::PathBuf;

use alluxio::proto::alluxio::grpc::block::block_worker_client::BlockWorkerClient;
use alluxio::proto::alluxio::grpc::block::write_request::Value;
use alluxio::proto::alluxio::grpc::block::{
    Chunk, CreateLocalBlockRequest, MoveBlockRequest, RequestType, WriteRequest, WriteRequestCommand,
};
use alluxio::proto::alluxio::proto::dataserver::CreateUfsBlockOptions;
use alluxio::rpc::worker::{Keep, UfsBlock};
use alluxio::types::{BlockId, ErrorKind};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::bed::{Bed, content, wait};

fn block(file: i64) -> BlockId {
    BlockId::of(file, 0)
}

async fn client(bed: &Bed) -> BlockWorkerClient<Channel> {
    let endpoint = format!("http://127.0.0.1:{}", bed.address.rpc_port);
    BlockWorkerClient::new(Channel::from_shared(endpoint).unwrap().connect().await.unwrap())
}

/// Where the UFS has a block.
fn in_ufs(bed: &Bed, block: BlockId) -> PathBuf {
    bed.ufs(".alluxio_ufs_blocks.alluxio.0x1D91AC0E01AB0165.tmp").join(block.0.to_string())
}

fn alone(length: usize) -> Option<UfsBlock> {
    Some(UfsBlock { path: None, offset_in_file: 0, length: length as i64, mount_id: 1, keep: Keep::Nothing })
}

fn command(block: BlockId, fallback: bool) -> WriteRequestCommand {
    WriteRequestCommand {
        r#type: Some(RequestType::UfsFallbackBlock.into()),
        id: Some(block.0),
        space_to_reserve: Some(1 << 20),
        pin_on_create: Some(true),
        create_ufs_block_options: Some(CreateUfsBlockOptions {
            mount_id: Some(1),
            fallback: Some(fallback),
            bytes_in_block_store: None,
        }),
        ..WriteRequestCommand::default()
    }
}

/// What a client sends to go on with so many bytes that it wrote by short circuit.
fn resume(block: BlockId, bytes: usize) -> WriteRequestCommand {
    let first = command(block, true);
    let options =
        CreateUfsBlockOptions { bytes_in_block_store: Some(bytes as i64), ..first.create_ufs_block_options.unwrap() };
    WriteRequestCommand { offset: Some(0), create_ufs_block_options: Some(options), ..first }
}

fn commands(commands: impl IntoIterator<Item = WriteRequestCommand>) -> Vec<Value> {
    commands.into_iter().map(Value::Command).collect()
}

fn chunks(content: &[u8]) -> impl Iterator<Item = Value> {
    content.chunks(1 << 20).map(|chunk| Value::Chunk(Chunk { data: Some(Bytes::copy_from_slice(chunk)) }))
}

/// Sends all, half-closes, and waits for the end.
async fn send(bed: &Bed, messages: impl IntoIterator<Item = Value>) -> Result<(), Status> {
    let messages: Vec<_> = messages.into_iter().map(|value| WriteRequest { value: Some(value) }).collect();
    let mut answers = client(bed).await.write_block(tokio_stream::iter(messages)).await?.into_inner();
    while answers.message().await?.is_some() {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_for_which_there_is_room_stays_here() {
    let bed = Bed::new(8 << 20).await;
    let written = content(2_500_000, 1);
    send(&bed, commands([command(block(1), false)]).into_iter().chain(chunks(&written))).await.unwrap();
    assert_eq!(bed.told(|told| told.commits.clone()), [(block(1).0, 2_500_000)]);
    assert_eq!(bed.told(|told| told.commits_in_ufs.clone()), []);
    assert!(!in_ufs(&bed, block(1)).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_for_which_there_is_no_more_room_goes_on_in_the_ufs() {
    let bed = Bed::new(3 << 20).await;
    let written = content(5_500_000, 2);
    let flush = WriteRequestCommand { offset: Some(5_500_000), flush: Some(true), ..command(block(1), false) };
    let all = commands([command(block(1), false)]).into_iter().chain(chunks(&written)).chain(commands([flush]));
    send(&bed, all).await.unwrap();
    assert_eq!(bed.told(|told| told.commits_in_ufs.clone()), [(block(1).0, 5_500_000)]);
    assert_eq!(bed.told(|told| told.commits.clone()), []);
    assert!(std::fs::read(in_ufs(&bed, block(1))).unwrap() == written);
    assert!(bed.writing().is_empty(), "what had begun here is gone");
    assert!(bed.read(block(1), 0, 5_500_000, alone(5_500_000)).await.unwrap() == written);
    assert!(bed.read(block(1), 3_000_000, 2_000_000, alone(5_500_000)).await.unwrap() == written[3_000_000..5_000_000]);
    let keep = alone(5_500_000).map(|ufs| UfsBlock { keep: Keep::Copy, ..ufs });
    assert!(bed.read(block(1), 0, 5_500_000, keep).await.unwrap() == written, "it need not be kept to be read");
    let none = bed.read(block(2), 0, 10, alone(10)).await.unwrap_err();
    assert_eq!(
        (none.kind, none.message),
        (ErrorKind::NotFound, format!("BlockMeta not found for blockId {}", block(2)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_any_room_begins_a_block_in_the_ufs() {
    let bed = Bed::new(1 << 20).await;
    bed.write(block(1), &content(1 << 20, 3)).await.unwrap();
    send(&bed, commands([command(block(2), false)]).into_iter().chain(chunks(b"hello"))).await.unwrap();
    assert_eq!(std::fs::read(in_ufs(&bed, block(2))).unwrap(), b"hello");
    // As one does whose client found no room for short circuit; an empty block is one, too.
    send(&bed, commands([command(block(3), true)])).await.unwrap();
    assert_eq!(std::fs::read(in_ufs(&bed, block(3))).unwrap(), b"");
    assert_eq!(bed.told(|told| told.commits_in_ufs.clone()), [(block(2).0, 5), (block(3).0, 0)]);
}

/// Writes so many bytes by short circuit and wants more room than there is.
async fn short_circuit_until_full(bed: &Bed, id: BlockId, written: &[u8]) -> PathBuf {
    let request = CreateLocalBlockRequest {
        block_id: Some(id.0),
        space_to_reserve: Some(1 << 20),
        cleanup_on_failure: Some(false),
        ..CreateLocalBlockRequest::default()
    };
    let (sender, receiver) = mpsc::channel(1);
    sender.send(request.clone()).await.unwrap();
    let mut answers = client(bed).await.create_local_block(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let path = PathBuf::from(answers.message().await.unwrap().unwrap().path());
    std::fs::write(&path, written).unwrap();
    let more = CreateLocalBlockRequest { only_reserve_space: Some(true), space_to_reserve: Some(64 << 20), ..request };
    sender.send(more).await.unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::ResourceExhausted);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_local_client_has_written_is_taken_along() {
    let bed = Bed::new(3 << 20).await;
    let written = content(5_500_000, 4);
    let path = short_circuit_until_full(&bed, block(1), &written[..1_000_000]).await;
    assert!(path.exists(), "it waits for its client");
    let all = commands([command(block(1), true), resume(block(1), 1_000_000)]);
    send(&bed, all.into_iter().chain(chunks(&written[1_000_000..]))).await.unwrap();
    assert!(std::fs::read(in_ufs(&bed, block(1))).unwrap() == written);
    assert_eq!(bed.told(|told| told.commits_in_ufs.clone()), [(block(1).0, 5_500_000)]);
    assert!(!path.exists() && bed.writing().is_empty());
    // It is taken once.
    let gone = send(&bed, commands([command(block(1), true), resume(block(1), 1_000_000)])).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound, "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_written_is_continued() {
    let bed = Bed::new(3 << 20).await;
    short_circuit_until_full(&bed, block(1), b"hello").await;
    let other = send(&bed, commands([command(block(1), true), resume(block(1), 4)])).await.unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument, "{other}");
    wait("what cannot be continued is gone", || bed.writing().is_empty()).await;
    assert!(!in_ufs(&bed, block(1)).exists());
    let late = [Value::Command(command(block(1), true))].into_iter().chain(chunks(b"hello"));
    let late = send(&bed, late.chain(commands([resume(block(1), 5)]))).await.unwrap_err();
    assert_eq!(late.message(), "Offsets do not match [received: 0, expected: 5].");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_or_refused_is_taken_away() {
    let bed = Bed::new(1 << 20).await;
    let written = content(3_000_000, 5);
    let wrong = WriteRequestCommand { offset: Some(1), flush: Some(true), ..command(block(1), false) };
    let all = commands([command(block(1), false)]).into_iter().chain(chunks(&written)).chain(commands([wrong]));
    assert_eq!(send(&bed, all).await.unwrap_err().code(), Code::InvalidArgument);
    let folder = in_ufs(&bed, block(1)).parent().unwrap().to_owned();
    wait("it is taken away", || std::fs::read_dir(&folder).unwrap().next().is_none()).await;
    assert!(bed.writing().is_empty());
    bed.told(|told| told.refuse_commits = Some(Status::not_found("no such file")));
    let refused = send(&bed, commands([command(block(2), true)]).into_iter().chain(chunks(b"hello"))).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    assert!(!in_ufs(&bed, block(2)).exists());
    assert_eq!(bed.told(|told| told.commits_in_ufs.clone()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_moved_to_where_it_is_and_nowhere_else() {
    let bed = Bed::new(1 << 20).await;
    bed.write(block(1), b"hello").await.unwrap();
    let request =
        |file, medium: &str| MoveBlockRequest { block_id: Some(block(file).0), medium_type: Some(medium.into()) };
    let mut client = client(&bed).await;
    client.move_block(request(1, "MEM")).await.unwrap();
    let full = client.move_block(request(1, "SSD")).await.unwrap_err();
    let expected = format!("Failed to find space in SSD to move blockId {}", block(1));
    assert_eq!((full.code(), full.message()), (Code::ResourceExhausted, expected.as_str()));
    assert_eq!(client.move_block(request(2, "MEM")).await.unwrap_err().code(), Code::NotFound);
}
