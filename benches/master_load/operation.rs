//! What clients do.

use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CompleteFilePOptions, CompleteFilePRequest, CreateDirectoryPOptions, CreateDirectoryPRequest, CreateFilePOptions,
    CreateFilePRequest, DeletePOptions, DeletePRequest, FileSystemMasterCommonPOptions, GetStatusPOptions,
    GetStatusPRequest, ListStatusPOptions, ListStatusPRequest, LoadMetadataPType, RenamePOptions, RenamePRequest,
    WritePType,
};
use alluxio::proto::convert::{mode_to_proto, operation_id_to_proto, ttl_action_to_proto};
use alluxio::rpc::channel::Connection;
use alluxio::types::{OperationId, TtlAction};
use tonic::Status;
use uuid::Uuid;

/// Files of the directory that is listed.
const LISTED: u64 = 1_000;

/// `OPERATION`. All is in Alluxio only, and is asked for as by the client of 2.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `mkdir`
    Mkdir,
    /// `getStatus` of a file
    GetStatus,
    /// `listStatus` of one directory with 1,000 files
    ListStatus,
    /// `create`: an empty file is made and completed, two calls
    Create,
    /// `rename` of a directory, there and back
    Rename,
    /// `delete`: an empty directory is made and deleted, two calls
    Delete,
}

impl Operation {
    pub fn named(name: &str) -> Operation {
        match name {
            "mkdir" => Operation::Mkdir,
            "getStatus" => Operation::GetStatus,
            "listStatus" => Operation::ListStatus,
            "create" => Operation::Create,
            "rename" => Operation::Rename,
            "delete" => Operation::Delete,
            other => panic!("OPERATION={other}: mkdir, getStatus, listStatus, create, rename or delete"),
        }
    }
}

/// What all clients need.
pub async fn prepare(connection: &Connection, operation: Operation, root: &str) {
    if std::env::var_os("NULL").is_some() {
        return;
    }
    make(connection, root).await.unwrap();
    if operation == Operation::ListStatus {
        make(connection, &listed(root)).await.unwrap();
        for number in 0..LISTED {
            create(connection, &format!("{}/{number}", listed(root))).await.unwrap();
        }
    }
}

fn listed(root: &str) -> String {
    format!("{root}/listed")
}

/// One client.
pub struct Worker {
    connection: Connection,
    operation: Operation,
    root: String,
    directory: String,
}

impl Worker {
    /// With a directory of its own, and what is to be looked at or moved in it.
    pub async fn start(connection: Connection, operation: Operation, root: &str, number: u64) -> Worker {
        let worker = Worker { connection, operation, root: root.to_owned(), directory: format!("{root}/{number}") };
        if std::env::var_os("NULL").is_some() {
            return worker;
        }
        make(&worker.connection, &worker.directory).await.unwrap();
        match operation {
            Operation::GetStatus => create(&worker.connection, &worker.path("file")).await.unwrap(),
            Operation::Rename => make(&worker.connection, &worker.path("even")).await.unwrap(),
            Operation::Mkdir | Operation::ListStatus | Operation::Create | Operation::Delete => {}
        }
        worker
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    /// The operation for the time of that number.
    pub async fn once(&self, number: u64) -> Result<(), Status> {
        let connection = &self.connection;
        match self.operation {
            Operation::Mkdir => make(connection, &self.path(&number.to_string())).await,
            Operation::GetStatus => get_status(connection, self.path("file")).await,
            Operation::ListStatus => list(connection, listed(&self.root)).await,
            Operation::Create => create(connection, &self.path(&number.to_string())).await,
            Operation::Rename => {
                let (even, odd) = (self.path("even"), self.path("odd"));
                if number.is_multiple_of(2) {
                    rename(connection, even, odd).await
                } else {
                    rename(connection, odd, even).await
                }
            }
            Operation::Delete => {
                let path = self.path(&number.to_string());
                make(connection, &path).await?;
                delete(connection, path).await
            }
        }
    }
}

fn client(connection: &Connection) -> FileSystemMasterClientServiceClient<Connection> {
    FileSystemMasterClientServiceClient::new(connection.clone())
}

fn question() -> Option<FileSystemMasterCommonPOptions> {
    Some(FileSystemMasterCommonPOptions {
        sync_interval_ms: Some(-1),
        ttl: Some(-1),
        ttl_action: Some(ttl_action_to_proto(TtlAction::Free).into()),
        ..Default::default()
    })
}

fn change() -> Option<FileSystemMasterCommonPOptions> {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    let operation_id = Some(operation_id_to_proto(OperationId { high, low }));
    question().map(|common| FileSystemMasterCommonPOptions { operation_id, sync_interval_ms: None, ..common })
}

async fn make(connection: &Connection, path: &str) -> Result<(), Status> {
    let options = CreateDirectoryPOptions {
        mode: Some(mode_to_proto(0o755)),
        write_type: Some(WritePType::MustCache.into()),
        common_options: change(),
        ..Default::default()
    };
    let request = CreateDirectoryPRequest { path: Some(path.to_owned()), options: Some(options) };
    client(connection).create_directory(request).await.map(drop)
}

async fn create(connection: &Connection, path: &str) -> Result<(), Status> {
    let options = CreateFilePOptions {
        block_size_bytes: Some(64 << 20),
        mode: Some(mode_to_proto(0o644)),
        recursive: Some(true),
        replication_max: Some(-1),
        replication_min: Some(0),
        replication_durable: Some(1),
        write_type: Some(WritePType::MustCache.into()),
        common_options: change(),
        ..Default::default()
    };
    let request = CreateFilePRequest { path: Some(path.to_owned()), options: Some(options) };
    client(connection).create_file(request).await?;
    let options = CompleteFilePOptions { ufs_length: Some(0), common_options: change(), ..Default::default() };
    let request = CompleteFilePRequest { path: Some(path.to_owned()), options: Some(options) };
    client(connection).complete_file(request).await.map(drop)
}

async fn get_status(connection: &Connection, path: String) -> Result<(), Status> {
    let options = GetStatusPOptions {
        load_metadata_type: Some(LoadMetadataPType::Once.into()),
        common_options: question(),
        ..Default::default()
    };
    client(connection).get_status(GetStatusPRequest { path: Some(path), options: Some(options) }).await.map(drop)
}

async fn list(connection: &Connection, path: String) -> Result<(), Status> {
    let options = ListStatusPOptions {
        load_metadata_type: Some(LoadMetadataPType::Once.into()),
        common_options: question(),
        ..Default::default()
    };
    let request = ListStatusPRequest { path: Some(path), options: Some(options) };
    let mut messages = client(connection).list_status(request).await?.into_inner();
    let mut told = 0;
    while let Some(message) = messages.message().await? {
        told += message.file_infos.len() as u64;
    }
    if told == LISTED { Ok(()) } else { Err(Status::data_loss(format!("{told} entries instead of {LISTED}"))) }
}

async fn rename(connection: &Connection, path: String, to: String) -> Result<(), Status> {
    let options = RenamePOptions { common_options: change(), ..Default::default() };
    let request = RenamePRequest { path: Some(path), dst_path: Some(to), options: Some(options) };
    client(connection).rename(request).await.map(drop)
}

async fn delete(connection: &Connection, path: String) -> Result<(), Status> {
    let options = DeletePOptions { common_options: change(), ..Default::default() };
    client(connection).remove(DeletePRequest { path: Some(path), options: Some(options) }).await.map(drop)
}
