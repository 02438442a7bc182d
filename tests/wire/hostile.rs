//! Clients that send what no client should: a clear status, and the master goes on.

use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{CreateDirectoryPRequest, GetStatusPRequest};
use alluxio::rpc::MESSAGE_BYTES_MAX;
use alluxio::rpc::channel::Connection;
use alluxio::types::{ErrorKind, FsError};
use bytes::{Buf, BufMut};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

use crate::harness::{Running, start_simple};

type Client = FileSystemMasterClientServiceClient<Connection>;

async fn status_of(client: &mut Client, path: String) -> Status {
    client.get_status(GetStatusPRequest { path: Some(path), options: None }).await.unwrap_err()
}

/// A client that is told the truth afterwards, so the server still serves.
async fn goes_on(server: &Running, client: &mut Client) {
    server.will_answer(Err(FsError::new(ErrorKind::NotFound, "it is asked")));
    assert_eq!(status_of(client, "/a".into()).await.message(), "it is asked");
}

#[tokio::test]
async fn paths_are_bounded_in_bytes_and_components() {
    let server = start_simple().await;
    let mut client = server.file_system().await;
    for (path, expected) in [
        (format!("/{}", "a".repeat(10 << 20)), "Path of 10485761 bytes, the limit is 65536: /aaaaa"),
        ("/a".repeat(5_000_000), "Path of 10000000 bytes, the limit is 65536: /a/a/a"),
        ("/a".repeat(4_001), "Path with 4001 components, the limit is 4000"),
        ("/..".repeat(10), "Path \"/../../../../../../../../../..\" is invalid."),
    ] {
        let refused = status_of(&mut client, path).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert!(refused.message().starts_with(expected), "{refused:?}");
    }
    goes_on(&server, &mut client).await;
    let longest = format!("/{}", "a".repeat(65_535));
    assert_eq!(status_of(&mut client, longest).await.message(), "it is asked");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_as_grpc_java_does() {
    let server = start_simple().await;
    let mut client = server.file_system().await.max_encoding_message_size(usize::MAX);
    let path = Some("a".repeat(MESSAGE_BYTES_MAX));
    let refused = client.create_directory(CreateDirectoryPRequest { path, options: None }).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    goes_on(&server, &mut client).await;
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused() {
    let server = start_simple().await;
    let mut client = server.file_system().await;
    let method = "/alluxio.grpc.file.FileSystemMasterClientService/GetStatus";
    for bytes in [&b"\xff\xff\xff"[..], b"\x0a\x7f/a", b"\x0a\x02\xff\xfe", b"\x00"] {
        let mut raw = tonic::client::Grpc::new(server.connect().await);
        raw.ready().await.unwrap();
        let refused = raw.unary(tonic::Request::new(bytes.to_vec()), method.parse().unwrap(), Raw).await.unwrap_err();
        assert_eq!(refused.code(), Code::Internal, "{bytes:?}: {refused:?}");
    }
    goes_on(&server, &mut client).await;
}

/// Bytes as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
