//! What a call costs before a master does anything: a tonic service that has the answers to getStatus, listStatus and mkdir
//! ready, as long as those of a master, asks nobody who calls, and writes nothing.
//!
//! `NULL_MASTER=host:port cargo bench --bench null_master` serves there until it is killed, for
//! `NULL=1 MASTER=host:port cargo bench --bench master_load`.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPRequest, CreateDirectoryPResponse, FileInfo, GetStatusPRequest, GetStatusPResponse,
    ListStatusPRequest, ListStatusPResponse,
};
use alluxio::proto::convert::status_to_proto;
use alluxio::rpc::call::{self, Reply};
use alluxio::types::{AlluxioPath, FileStatus, FsError, InodeId, PersistenceState, TtlAction};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::Server;

#[derive(Clone)]
struct NullMaster {
    status: Arc<GetStatusPResponse>,
    listing: Arc<Vec<ListStatusPResponse>>,
}

impl Service<http::Request<Body>> for NullMaster {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Reply {
        let (status, listing) = (Arc::clone(&self.status), Arc::clone(&self.listing));
        match call::method_of(&request).map(|(_, method)| method) {
            Some("GetStatus") => call::unary(request, |_: GetStatusPRequest| async move {
                Ok::<GetStatusPResponse, FsError>(GetStatusPResponse::clone(&status))
            }),
            Some("CreateDirectory") => call::unary(request, |_: CreateDirectoryPRequest| async {
                Ok::<_, FsError>(CreateDirectoryPResponse::default())
            }),
            Some("ListStatus") => call::server_stream(request, |_: ListStatusPRequest| async move {
                let messages: Vec<_> = listing.iter().cloned().map(Ok).collect();
                Ok::<_, FsError>(tokio_stream::iter(messages))
            }),
            _ => call::refuse_unknown(&request),
        }
    }
}

/// An empty file, as a master tells of it.
fn info(path: &str) -> FileInfo {
    status_to_proto(FileStatus {
        id: InodeId(50_331_647),
        path: AlluxioPath::parse(path).unwrap(),
        ufs_path: format!("hdfs://localhost:9000/alluxio/data{path}"),
        length: 0,
        block_size_bytes: 64 << 20,
        creation_time_ms: 1_790_000_000_000,
        modification_time_ms: 1_790_000_000_000,
        access_time_ms: 1_790_000_000_000,
        folder: false,
        completed: true,
        cacheable: true,
        pinned: false,
        mount_point: false,
        mount_id: 1,
        owner: "root".into(),
        group: "root".into(),
        mode: 0o644,
        persistence: PersistenceState::NotPersisted,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        replication_min: 0,
        replication_max: -1,
        blocks: Vec::new(),
        in_alluxio_percentage: 100,
        in_memory_percentage: 100,
        extras: None,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Ok(address) = std::env::var("NULL_MASTER") else {
        println!("null_master: NULL_MASTER names no address (host:port), nothing served");
        return;
    };
    let root = "/load-0b0f4a1e-7c4e-4b67-9f62-3f5f0d8f6f0a";
    let files: Vec<FileInfo> = (0..1_000).map(|number| info(&format!("{root}/listed/{number}"))).collect();
    // About as many to a message as a master sends.
    let listing = files.chunks(250).map(|files| ListStatusPResponse { file_infos: files.to_vec() }).collect();
    let status = GetStatusPResponse { file_info: Some(info(&format!("{root}/17/file"))) };
    let service = NullMaster { status: Arc::new(status), listing: Arc::new(listing) };
    Server::builder().tcp_nodelay(true).serve(address.parse().unwrap(), service).await.unwrap();
}
