//! FileSystemMasterClientService: decode → ask the namespace → encode.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use tokio_stream::Stream;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http;

use super::ops::{
    Answer, CompleteFile, CreateDirectory, CreateFile, Delete, Free, LoadMetadata, NewBlock, Operation, Query, Rename,
    SchedulePersist, SetAttribute, WriteType,
};
use super::server::{Namespace, UserCall, mismatch, unsupported};
use crate::proto::alluxio::grpc::file::{
    CompleteFilePRequest, CompleteFilePResponse, CreateDirectoryPRequest, CreateDirectoryPResponse, CreateFilePRequest,
    CreateFilePResponse, DeletePRequest, DeletePResponse, ExistsPRequest, ExistsPResponse,
    FileSystemMasterCommonPOptions, FreePRequest, FreePResponse, GetNewBlockIdForFilePRequest,
    GetNewBlockIdForFilePResponse, GetStatusPRequest, GetStatusPResponse, ListStatusPRequest, ListStatusPResponse,
    LoadMetadataPType, RenamePRequest, RenamePResponse, ScheduleAsyncPersistencePRequest,
    ScheduleAsyncPersistencePResponse, SetAttributePRequest, SetAttributePResponse, WritePType,
};
use crate::proto::convert;
use crate::rpc::call::{self, Reply};
use crate::types::{ErrorKind, FileStatus, FsError, OperationId, TtlAction};

/// About the most bytes of one message of a listing, so that neither side holds much of a large directory at once, and
/// nobody waits long for the thread that converts it.
const LIST_MESSAGE_BYTES: usize = 128 << 10;

/// Mode of a directory whose creator names none: all bits less the umask 022.
const DIRECTORY_MODE: u16 = 0o755;

/// Mode of a file whose creator names none.
const FILE_MODE: u16 = 0o644;

/// The table of the service.
pub(super) fn route<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    let Some((_, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
    match method {
        "GetStatus" => call::unary(request, |message| user.get_status(message)),
        "Mount" => call::unary(request, |message| user.mount(message)),
        "Unmount" => call::unary(request, |message| user.unmount(message)),
        "GetMountTable" => call::unary(request, |message| user.get_mount_table(message)),
        "Exists" => call::unary(request, |message| user.exists(message)),
        "ListStatus" => call::server_stream(request, |message| user.list_status(message)),
        "CreateDirectory" => call::unary(request, |message| user.create_directory(message)),
        "CreateFile" => call::unary(request, |message| user.create_file(message)),
        "CompleteFile" => call::unary(request, |message| user.complete_file(message)),
        "GetNewBlockIdForFile" => call::unary(request, |message| user.new_block(message)),
        "Rename" => call::unary(request, |message| user.rename(message)),
        "Remove" => call::unary(request, |message| user.remove(message)),
        "Free" => call::unary(request, |message| user.free(message)),
        "ScheduleAsyncPersistence" => call::unary(request, |message| user.schedule_async_persistence(message)),
        "SetAttribute" => call::unary(request, |message| user.set_attribute(message)),
        other => call::refuse(unsupported(other)),
    }
}

impl<N: Namespace> UserCall<N> {
    async fn get_status(self, request: GetStatusPRequest) -> Result<GetStatusPResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        // Compatible: 2.9 DefaultFileSystemMaster.getFileInfo, which refuses who is about to do what it may not.
        if options.access_mode.is_some() {
            let access = convert::bits_from_proto(options.access_mode());
            self.look(Query::CheckAccess { path: path.clone(), access }, options.load_metadata_type).await?;
        }
        let answer = self.look(Query::GetStatus { path }, options.load_metadata_type).await?;
        let Answer::Status(status) = answer else { return Err(mismatch("GetStatus", &answer)) };
        Ok(GetStatusPResponse { file_info: Some(convert::status_to_proto(*status)) })
    }

    async fn exists(self, request: ExistsPRequest) -> Result<ExistsPResponse, FsError> {
        let load = request.options.and_then(|options| options.load_metadata_type);
        let answer = self.look(Query::Exists { path: convert::path(request.path())? }, load).await?;
        let Answer::Exists(exists) = answer else { return Err(mismatch("Exists", &answer)) };
        Ok(ExistsPResponse { exists: Some(exists) })
    }

    async fn list_status(self, request: ListStatusPRequest) -> Result<Messages, FsError> {
        let options = request.options.as_ref();
        let recursive = options.is_some_and(|options| options.recursive());
        let load = options.and_then(|options| options.load_metadata_type);
        let answer = self.look(Query::ListStatus { path: convert::path(request.path())?, recursive }, load).await?;
        let Answer::List(mut statuses) = answer else { return Err(mismatch("ListStatus", &answer)) };
        if options.is_some_and(|options| options.load_metadata_only()) {
            statuses.clear();
        }
        Ok(Messages(statuses.into_iter()))
    }

    async fn create_directory(self, request: CreateDirectoryPRequest) -> Result<CreateDirectoryPResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        if !options.xattr.is_empty() {
            return Err(unsupported("CreateDirectory with extended attributes"));
        }
        let common = options.common_options.unwrap_or_default();
        let operation = Operation::CreateDirectory(CreateDirectory {
            path,
            recursive: options.recursive(),
            allow_exists: options.allow_exists(),
            mode: options.mode.as_ref().map_or(DIRECTORY_MODE, convert::mode_from_proto),
            write_type: write_type(options.write_type()),
            ttl_ms: ttl_ms(&common),
            ttl_action: ttl_action(&common),
        });
        self.submit(&common, operation).await?;
        Ok(CreateDirectoryPResponse {})
    }

    async fn create_file(self, request: CreateFilePRequest) -> Result<CreateFilePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        if !options.xattr.is_empty() {
            return Err(unsupported("CreateFile with extended attributes"));
        }
        let common = options.common_options.unwrap_or_default();
        let operation = Operation::CreateFile(CreateFile {
            path,
            recursive: options.recursive(),
            overwrite: options.overwrite(),
            mode: options.mode.as_ref().map_or(FILE_MODE, convert::mode_from_proto),
            block_size_bytes: options.block_size_bytes(),
            write_type: write_type(options.write_type()),
            ttl_ms: ttl_ms(&common),
            ttl_action: ttl_action(&common),
            replication_min: options.replication_min(),
            replication_max: options.replication_max.unwrap_or(-1),
            replication_durable: options.replication_durable(),
            persistence_wait_ms: options.persistence_wait_time(),
        });
        let answer = self.submit(&common, operation).await?;
        let Answer::Status(status) = answer else { return Err(mismatch("CreateFile", &answer)) };
        Ok(CreateFilePResponse { file_info: Some(convert::status_to_proto(*status)) })
    }

    async fn complete_file(self, request: CompleteFilePRequest) -> Result<CompleteFilePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let operation = Operation::CompleteFile(CompleteFile {
            path,
            ufs_length: options.ufs_length,
            async_persist: options.async_persist_options.map(|options| options.persistence_wait_time()),
        });
        let common = options.common_options.unwrap_or_default();
        self.submit(&common, operation).await?;
        Ok(CompleteFilePResponse {})
    }

    async fn new_block(self, request: GetNewBlockIdForFilePRequest) -> Result<GetNewBlockIdForFilePResponse, FsError> {
        let path = convert::path(request.path())?;
        let common = request.options.unwrap_or_default().common_options.unwrap_or_default();
        let answer = self.submit(&common, Operation::NewBlock(NewBlock { path })).await?;
        let Answer::NewBlock(block) = answer else { return Err(mismatch("GetNewBlockIdForFile", &answer)) };
        Ok(GetNewBlockIdForFilePResponse { id: Some(block.0) })
    }

    async fn rename(self, request: RenamePRequest) -> Result<RenamePResponse, FsError> {
        let (source, target) = (convert::path(request.path())?, convert::path(request.dst_path())?);
        let options = request.options.unwrap_or_default();
        if options.persist() {
            return Err(unsupported("Rename with persist"));
        }
        if options.s3_syntax_options.is_some_and(|s3| s3.overwrite() || s3.is_multipart_upload()) {
            return Err(unsupported("Rename with S3 syntax"));
        }
        let common = options.common_options.unwrap_or_default();
        self.submit(&common, Operation::Rename(Rename { source, target })).await?;
        Ok(RenamePResponse {})
    }

    async fn remove(self, request: DeletePRequest) -> Result<DeletePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let operation = Operation::Delete(Delete {
            path,
            recursive: options.recursive(),
            alluxio_only: options.alluxio_only(),
            delete_mount_points: options.delete_mount_point(),
            unchecked: options.unchecked(),
        });
        self.submit(&options.common_options.unwrap_or_default(), operation).await?;
        Ok(DeletePResponse {})
    }

    async fn schedule_async_persistence(
        self,
        request: ScheduleAsyncPersistencePRequest,
    ) -> Result<ScheduleAsyncPersistencePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let operation = Operation::SchedulePersist(SchedulePersist { path, wait_ms: options.persistence_wait_time() });
        self.submit(&options.common_options.unwrap_or_default(), operation).await?;
        Ok(ScheduleAsyncPersistencePResponse {})
    }

    async fn free(self, request: FreePRequest) -> Result<FreePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let operation = Operation::Free(Free { path, recursive: options.recursive(), forced: options.forced() });
        self.submit(&options.common_options.unwrap_or_default(), operation).await?;
        Ok(FreePResponse {})
    }

    async fn set_attribute(self, request: SetAttributePRequest) -> Result<SetAttributePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let common = options.common_options.unwrap_or_default();
        // Only what a client sets is changed, so what we cannot change must not be taken silently.
        let others = [
            ("pinned media", !options.pinned_media.is_empty()),
            ("extended attributes", !options.xattr.is_empty()),
            ("directChildrenLoaded", options.direct_children_loaded.is_some()),
        ];
        if let Some((other, _)) = others.iter().find(|(_, is_set)| *is_set) {
            return Err(unsupported(&format!("SetAttribute with {other}")));
        }
        let owner_groups = match (&options.owner, &options.group) {
            (Some(owner), Some(_)) => self.server.groups_to_compare(owner).await,
            _ => None,
        };
        if options.persisted == Some(false) {
            let message = "Cannot set the state of a file to not-persisted";
            return Err(FsError::new(ErrorKind::Internal, message));
        }
        let operation = Operation::SetAttribute(SetAttribute {
            path,
            recursive: options.recursive(),
            pinned: options.pinned,
            ttl_ms: common.ttl,
            ttl_action: common.ttl_action.map(|_| ttl_action(&common)),
            replication_min: options.replication_min,
            replication_max: options.replication_max,
            persisted: options.persisted(),
            mode: options.mode.as_ref().map(convert::mode_from_proto),
            owner: options.owner,
            group: options.group,
            owner_groups,
        });
        self.submit(&common, operation).await?;
        Ok(SetAttributePResponse {})
    }

    /// Has the UFS looked at first, as the client wishes; one that says nothing wants it once.
    async fn look(&self, query: Query, load: Option<i32>) -> Result<Answer, FsError> {
        let load = match load.map(LoadMetadataPType::try_from) {
            Some(Ok(LoadMetadataPType::Never)) => LoadMetadata::Never,
            Some(Ok(LoadMetadataPType::Always)) => LoadMetadata::Always,
            _ => LoadMetadata::Once,
        };
        self.server.front.look(&self.client().await, query, load).await
    }

    pub(super) async fn query(&self, query: Query) -> Result<Answer, FsError> {
        self.server.front.query(&self.client().await, query).await
    }

    async fn submit(&self, common: &FileSystemMasterCommonPOptions, operation: Operation) -> Result<Answer, FsError> {
        let operation_id: Option<OperationId> = common.operation_id.as_ref().map(convert::operation_id_from_proto);
        self.server.front.submit(&self.client().await, operation_id, operation).await
    }
}

fn write_type(proto: WritePType) -> WriteType {
    match proto {
        WritePType::MustCache => WriteType::MustCache,
        WritePType::TryCache => WriteType::TryCache,
        WritePType::CacheThrough => WriteType::CacheThrough,
        WritePType::Through => WriteType::Through,
        WritePType::AsyncThrough => WriteType::AsyncThrough,
        WritePType::None => WriteType::None,
    }
}

fn ttl_ms(common: &FileSystemMasterCommonPOptions) -> i64 {
    common.ttl.unwrap_or(-1)
}

fn ttl_action(common: &FileSystemMasterCommonPOptions) -> TtlAction {
    convert::ttl_action_from_proto(common.ttl_action())
}

/// A listing, message by message.
pub(super) struct Messages(vec::IntoIter<FileStatus>);

impl Stream for Messages {
    type Item = Result<ListStatusPResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut file_infos = Vec::new();
        let mut bytes = 0;
        while bytes < LIST_MESSAGE_BYTES {
            let Some(status) = self.0.next() else { break };
            bytes += size_estimate(&status);
            file_infos.push(convert::status_to_proto(status));
        }
        Poll::Ready((!file_infos.is_empty()).then_some(Ok(ListStatusPResponse { file_infos })))
    }
}

/// At least the bytes of the entry on the wire, for names and blocks of any number.
fn size_estimate(status: &FileStatus) -> usize {
    let texts = 2 * status.path.as_str().len() + status.ufs_path.len() + status.owner.len() + status.group.len();
    texts + 64 * status.blocks.len() + 256
}
