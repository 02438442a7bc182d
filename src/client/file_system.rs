//! The calls of a file system client. Each is made once, however often it has to be sent.

use std::time::Duration;

use tonic::Streaming;

use super::file_reader::FileReader;
use super::file_writer::FileWriter;
use super::options::{
    CompleteFileOptions, CreateDirectoryOptions, CreateFileOptions, DeleteOptions, Forced, ListOptions, LoadMetadata,
    ReadType, SetAttributeOptions,
};
use super::settings::DataSettings;
use super::workers::Workers;
use crate::conf::WriteType;
use crate::proto::alluxio::grpc::Bits;
use crate::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use crate::proto::alluxio::grpc::file::{
    CompleteFilePOptions, CompleteFilePRequest, CreateDirectoryPOptions, CreateDirectoryPRequest, CreateFilePOptions,
    CreateFilePRequest, DeletePOptions, DeletePRequest, FileInfo, FileSystemMasterCommonPOptions, FreePOptions,
    FreePRequest, FsOpPId, GetNewBlockIdForFilePOptions, GetNewBlockIdForFilePRequest, GetStatusPOptions,
    GetStatusPRequest, ListStatusPOptions, ListStatusPRequest, ListStatusPResponse, LoadMetadataPType, RenamePOptions,
    RenamePRequest, ScheduleAsyncPersistencePOptions, ScheduleAsyncPersistencePRequest, SetAttributePOptions,
    SetAttributePRequest, WritePType,
};
use crate::proto::alluxio::grpc::meta::CheckpointPOptions;
use crate::proto::alluxio::grpc::meta::meta_master_client_service_client::MetaMasterClientServiceClient;
use crate::proto::alluxio::grpc::version::ServiceType;
use crate::proto::convert::{mode_to_proto, operation_id_to_proto, status_from_proto, ttl_action_to_proto};
use crate::rpc::MESSAGE_BYTES_MAX;
use crate::rpc::channel::Connection;
use crate::rpc::locate::Locate;
use crate::rpc::retry::{Caller, ClientError, ClientSettings};
use crate::types::{AlluxioPath, BlockId, ErrorKind, FileStatus, FsError, OperationId, TtlAction};

/// The file system as a client sees it. One connection, kept over calls, to whoever is primary.
#[derive(Debug)]
pub struct FileSystem {
    pub(super) caller: Caller,
    sync_interval: Option<Duration>,
    pub(super) workers: Workers,
}

pub(super) type Client = FileSystemMasterClientServiceClient<Connection>;

impl FileSystem {
    /// A client of the cluster whose primary `masters` finds. Nothing is connected before the first call.
    pub fn new(masters: Box<dyn Locate>, settings: ClientSettings, data: DataSettings) -> FileSystem {
        let caller = Caller::new(masters, ServiceType::FileSystemMasterClientService, settings);
        FileSystem { caller, sync_interval: data.sync_interval, workers: Workers::new(data) }
    }

    /// What goes with every request.
    pub(super) fn common(&self, operation_id: Option<FsOpPId>) -> FileSystemMasterCommonPOptions {
        let sync_interval_ms = self.sync_interval.map(|interval| interval.as_millis() as i64);
        FileSystemMasterCommonPOptions { operation_id, sync_interval_ms, ..Default::default() }
    }

    /// The address (`host:port`) of the primary.
    ///
    /// # Errors
    /// Nobody leads in time.
    pub async fn primary(&self) -> Result<String, ClientError> {
        self.caller.primary().await
    }

    /// Has the primary write a checkpoint of its journal, and gives the host of that master.
    ///
    /// # Errors
    /// It could not be written, or no primary answers in time.
    pub async fn checkpoint(&self) -> Result<String, ClientError> {
        let call = |connection| async move {
            MetaMasterClientServiceClient::new(connection).checkpoint(CheckpointPOptions {}).await
        };
        Ok(self.caller.call(call).await?.into_inner().master_hostname().to_owned())
    }

    /// Makes a file and begins to write it. When that is not possible, there is no file.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it exists; there is no worker to write to.
    pub async fn create(&self, path: &AlluxioPath, how: &CreateFileOptions) -> Result<FileWriter<'_>, ClientError> {
        let status = self.create_file(path, how).await?;
        match FileWriter::new(self, status, how.write_type).await {
            Ok(writer) => Ok(writer),
            Err(error) => {
                // Why it cannot be written is told; a file without content would only stand in the way.
                let _ = self.delete(path, false).await;
                Err(error)
            }
        }
    }

    /// Begins to read a file.
    ///
    /// # Errors
    /// It does not exist, may not be read, is a directory, or is still being written.
    pub async fn open(&self, path: &AlluxioPath, read_type: ReadType) -> Result<FileReader<'_>, ClientError> {
        let how = GetStatusPOptions { access_mode: Some(Bits::Read.into()), ..GetStatusPOptions::default() };
        let status = self.status_of(path, how).await?;
        let refused = |text: String| Err(FsError::new(ErrorKind::FailedPrecondition, text).into());
        if status.folder {
            return refused(format!("Cannot read from {path} because it is a directory"));
        }
        if !status.completed {
            return refused(format!(
                "Cannot read from {path} because it is incomplete. Wait for the file to be marked as complete by the \
                 writing thread or application."
            ));
        }
        Ok(FileReader::new(self, status, read_type))
    }

    /// What `path` looks like.
    ///
    /// # Errors
    /// It does not exist, may not be read, or no primary answers in time. The other calls fail likewise.
    pub async fn get_status(&self, path: &AlluxioPath) -> Result<FileStatus, ClientError> {
        self.status_of(path, GetStatusPOptions::default()).await
    }

    /// Sends `request` by `rpc` until the primary answers.
    pub(super) async fn ask<R: Clone, T, F>(&self, request: R, rpc: impl Fn(Client, R) -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    {
        let call = |connection| rpc(client(connection), request.clone());
        Ok(self.caller.call(call).await?.into_inner())
    }

    async fn status_of(&self, path: &AlluxioPath, how: GetStatusPOptions) -> Result<FileStatus, ClientError> {
        Ok(status_from_proto(self.info(path, how).await?)?)
    }

    /// All that the primary tells of `path`, as it travels: also what [`FileStatus`] has no room for, as access control
    /// lists. What `how` says of common options and of loading is replaced.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn info(&self, path: &AlluxioPath, how: GetStatusPOptions) -> Result<FileInfo, ClientError> {
        let options = GetStatusPOptions {
            load_metadata_type: Some(LoadMetadataPType::Once.into()),
            common_options: Some(self.common(None)),
            ..how
        };
        let request = GetStatusPRequest { path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).get_status(request).await }
        };
        told("GetStatus", self.caller.call(call).await?.into_inner().file_info)
    }

    /// The children of `path` in the order of the server, or `path` itself if it is a file.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn list_status(&self, path: &AlluxioPath, how: &ListOptions) -> Result<Vec<FileStatus>, ClientError> {
        let load = match how.load {
            LoadMetadata::Once => LoadMetadataPType::Once,
            LoadMetadata::Always => LoadMetadataPType::Always,
        };
        let options = ListStatusPOptions {
            load_metadata_type: Some(load.into()),
            recursive: Some(how.recursive),
            ..ListStatusPOptions::default()
        };
        let infos = self.list_infos(path, options).await?;
        infos.into_iter().map(|info| Ok(status_from_proto(info)?)).collect()
    }

    /// As [`FileSystem::list_status`], with all that the primary tells, as it travels.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn list_infos(&self, path: &AlluxioPath, how: ListStatusPOptions) -> Result<Vec<FileInfo>, ClientError> {
        let options =
            ListStatusPOptions { common_options: how.common_options.or_else(|| Some(self.common(None))), ..how };
        let request = ListStatusPRequest { path: text(path), options: Some(options) };
        // Collected inside the attempt: a list that breaks off is asked for again from its beginning.
        let call = |connection| {
            let request = request.clone();
            async move { collect(client(connection).list_status(request).await?.into_inner()).await }
        };
        self.caller.call(call).await
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it exists.
    pub async fn create_directory(&self, path: &AlluxioPath, how: &CreateDirectoryOptions) -> Result<(), ClientError> {
        let request = CreateDirectoryPRequest {
            path: text(path),
            options: Some(CreateDirectoryPOptions {
                recursive: Some(how.recursive),
                allow_exists: Some(how.allow_exists),
                mode: Some(mode_to_proto(how.mode)),
                write_type: Some(write_type(how.write_type).into()),
                common_options: Some(FileSystemMasterCommonPOptions {
                    ttl: Some(-1),
                    ttl_action: Some(ttl_action_to_proto(how.ttl_action).into()),
                    ..self.common(Some(new_operation()))
                }),
                ..Default::default()
            }),
        };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).create_directory(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Makes a file that can be written until it is completed.
    async fn create_file(&self, path: &AlluxioPath, how: &CreateFileOptions) -> Result<FileStatus, ClientError> {
        let request = CreateFilePRequest {
            path: text(path),
            options: Some(CreateFilePOptions {
                block_size_bytes: Some(how.block_size_bytes),
                recursive: Some(how.recursive),
                mode: Some(mode_to_proto(how.mode)),
                replication_max: Some(-1),
                replication_min: Some(0),
                replication_durable: Some(1),
                write_type: Some(write_type(how.write_type).into()),
                common_options: Some(FileSystemMasterCommonPOptions {
                    ttl: Some(-1),
                    ttl_action: Some(ttl_action_to_proto(how.ttl_action).into()),
                    ..self.common(Some(new_operation()))
                }),
                persistence_wait_time: Some(0),
                ..Default::default()
            }),
        };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).create_file(request).await }
        };
        let info = told("CreateFile", self.caller.call(call).await?.into_inner().file_info)?;
        Ok(status_from_proto(info)?)
    }

    /// The id of the next block of a file that is being written. Each must be written before the file is completed, so
    /// a call that is sent twice must not leave two.
    pub(super) async fn new_block_id(&self, path: &AlluxioPath) -> Result<BlockId, ClientError> {
        let options = GetNewBlockIdForFilePOptions { common_options: Some(self.common(Some(new_operation()))) };
        let request = GetNewBlockIdForFilePRequest { path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).get_new_block_id_for_file(request).await }
        };
        Ok(BlockId(self.caller.call(call).await?.into_inner().id()))
    }

    /// Ends the writing of a file.
    pub(super) async fn complete_file(&self, path: &AlluxioPath, how: &CompleteFileOptions) -> Result<(), ClientError> {
        let persist = ScheduleAsyncPersistencePOptions {
            common_options: Some(self.common(None)),
            persistence_wait_time: Some(0),
        };
        let options = CompleteFilePOptions {
            ufs_length: how.ufs_length,
            async_persist_options: how.persist_later.then_some(persist),
            common_options: Some(self.common(Some(new_operation()))),
            content_hash: how.content_hash.clone(),
        };
        let request = CompleteFilePRequest { path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).complete_file(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Moves `source` to `target`, which must not exist.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; the target exists, or its parent does not.
    pub async fn rename(&self, source: &AlluxioPath, target: &AlluxioPath) -> Result<(), ClientError> {
        let options = RenamePOptions { common_options: Some(self.common(Some(new_operation()))), ..Default::default() };
        let request = RenamePRequest { path: text(source), dst_path: text(target), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).rename(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Deletes `path`, with all below it if `recursive`: what is mounted there, too.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it is a directory that is not empty, and `recursive` is false.
    pub async fn delete(&self, path: &AlluxioPath, recursive: bool) -> Result<(), ClientError> {
        self.delete_as(path, &DeleteOptions { recursive, mount_points: recursive, ..DeleteOptions::default() }).await
    }

    /// Deletes `path` as `how` says.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it is a directory that is not empty, or something is mounted there, and `how` does
    /// not say that this goes, too.
    pub async fn delete_as(&self, path: &AlluxioPath, how: &DeleteOptions) -> Result<(), ClientError> {
        let options = DeletePOptions {
            recursive: Some(how.recursive),
            alluxio_only: Some(how.alluxio_only),
            unchecked: Some(how.unchecked),
            sync_parent_next_time: Some(how.sync_parent_next_time),
            delete_mount_point: Some(how.mount_points),
            common_options: Some(self.common(Some(new_operation()))),
        };
        let request = DeletePRequest { path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).remove(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Changes what `change` names. Needs no operation id: twice is the same as once.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn set_attribute(&self, path: &AlluxioPath, change: &SetAttributeOptions) -> Result<(), ClientError> {
        let ttl_action = |(_, action): (i64, TtlAction)| ttl_action_to_proto(action).into();
        let request = SetAttributePRequest {
            path: text(path),
            options: Some(SetAttributePOptions {
                owner: change.owner.clone(),
                group: change.group.clone(),
                mode: change.mode.map(mode_to_proto),
                pinned: change.pinned,
                pinned_media: change.pinned_media.clone(),
                replication_min: change.replication_min,
                replication_max: change.replication_max,
                direct_children_loaded: change.direct_children_loaded,
                recursive: Some(change.recursive),
                common_options: Some(FileSystemMasterCommonPOptions {
                    ttl: change.ttl.map(|(ms, _)| ms),
                    ttl_action: change.ttl.map(ttl_action),
                    ..self.common(None)
                }),
                ..Default::default()
            }),
        };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).set_attribute(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Drops the copies in Alluxio of what is in the UFS, of all below `path` too, pinned or not.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn free(&self, path: &AlluxioPath, how: Forced) -> Result<(), ClientError> {
        let options = FreePOptions {
            recursive: Some(true),
            forced: Some(how == Forced::Yes),
            common_options: Some(self.common(None)),
        };
        let request = FreePRequest { path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).free(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Has the master write a file to the UFS, `wait_ms` from now.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it is incomplete.
    pub async fn schedule_async_persistence(&self, path: &AlluxioPath, wait_ms: i64) -> Result<(), ClientError> {
        let options = ScheduleAsyncPersistencePOptions {
            common_options: Some(self.common(None)),
            persistence_wait_time: Some(wait_ms),
        };
        let request = ScheduleAsyncPersistencePRequest { path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).schedule_async_persistence(request).await }
        };
        self.caller.call(call).await.map(drop)
    }
}

pub(super) fn client(connection: Connection) -> Client {
    Client::new(connection).max_decoding_message_size(MESSAGE_BYTES_MAX).max_encoding_message_size(MESSAGE_BYTES_MAX)
}

async fn collect(mut stream: Streaming<ListStatusPResponse>) -> Result<Vec<FileInfo>, tonic::Status> {
    let mut infos = Vec::new();
    while let Some(part) = stream.message().await? {
        infos.extend(part.file_infos);
    }
    Ok(infos)
}

fn told(call: &str, info: Option<FileInfo>) -> Result<FileInfo, ClientError> {
    let lacks = || FsError::new(ErrorKind::Internal, format!("the answer to {call} lacks the status of the path"));
    Ok(info.ok_or_else(lacks)?)
}

pub(super) fn text(path: &AlluxioPath) -> Option<String> {
    Some(path.as_str().to_owned())
}

/// A fresh id, which stays with the request over all its attempts.
fn new_operation() -> FsOpPId {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    operation_id_to_proto(OperationId { high, low })
}

fn write_type(kind: WriteType) -> WritePType {
    match kind {
        WriteType::MustCache => WritePType::MustCache,
        WriteType::TryCache => WritePType::TryCache,
        WriteType::CacheThrough => WritePType::CacheThrough,
        WriteType::Through => WritePType::Through,
        WriteType::AsyncThrough => WritePType::AsyncThrough,
        WriteType::None => WritePType::None,
    }
}
