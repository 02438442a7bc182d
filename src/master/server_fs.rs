//! FileSystemMasterClientService: decode → ask the namespace → encode.

use tonic::body::Body;
use tonic::codegen::http;

use super::listing::Listing;
use super::ops::{
    Answer, CompleteFile, Delete, Free, Freshness, LoadMetadata, NewBlock, Operation, Query, Rename, RightsBelow,
    SchedulePersist, Walk,
};
use super::server::{Namespace, UserCall, mismatch, unsupported};
use crate::proto::alluxio::grpc::file::{
    CompleteFilePRequest, CompleteFilePResponse, DeletePRequest, DeletePResponse, FileSystemMasterCommonPOptions,
    FreePRequest, FreePResponse, GetNewBlockIdForFilePRequest, GetNewBlockIdForFilePResponse, GetStatusPRequest,
    GetStatusPResponse, LoadMetadataPType, RenamePRequest, RenamePResponse, ScheduleAsyncPersistencePRequest,
    ScheduleAsyncPersistencePResponse,
};
use crate::proto::convert;
use crate::rpc::call::{self, Reply};
use crate::types::{AlluxioPath, ContentHash, ErrorKind, FileStatus, FsError, OperationId, PersistenceState};
use std::time::Duration;

/// What opens a file.
const READ_OR_WRITE: u16 = 0o6;

/// The table of the service.
pub(super) fn route<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    let Some((_, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
    match method {
        "GetStatus" => call::unary(request, |message| user.get_status(message)),
        "Mount" => call::unary(request, |message| user.mount(message)),
        "Unmount" => call::unary(request, |message| user.unmount(message)),
        "UpdateMount" => call::unary(request, |message| user.update_mount(message)),
        "UpdateUfsMode" => call::unary(request, |message| user.update_ufs_mode(message)),
        "GetMountTable" => call::unary(request, |message| user.get_mount_table(message)),
        "Exists" => call::unary(request, |message| user.exists(message)),
        "CheckAccess" => call::unary(request, |message| user.check_access(message)),
        "GetFilePath" => call::unary(request, |message| user.get_file_path(message)),
        "ReverseResolve" => call::unary(request, |message| user.reverse_resolve(message)),
        "GetStateLockHolders" => call::unary(request, |message| user.get_state_lock_holders(message)),
        "CheckConsistency" => call::unary(request, |message| user.check_consistency(message)),
        "SyncMetadata" => call::unary(request, |message| user.sync_metadata(message)),
        "SyncMetadataAsync" => call::unary(request, |message| user.sync_metadata_async(message)),
        "GetSyncProgress" => call::unary(request, |message| user.get_sync_progress(message)),
        "CancelSyncMetadata" => call::unary(request, |message| user.cancel_sync_metadata(message)),
        "NeedsSync" => call::unary(request, |message| user.needs_sync(message)),
        "ListStatus" => call::server_stream(request, |message| user.list_status(message)),
        "ListStatusPartial" => call::unary(request, |message| user.list_status_partial(message)),
        "CreateDirectory" => call::unary(request, |message| user.create_directory(message)),
        "CreateFile" => call::unary(request, |message| user.create_file(message)),
        "CompleteFile" => call::unary(request, |message| user.complete_file(message)),
        "GetNewBlockIdForFile" => call::unary(request, |message| user.new_block(message)),
        "Rename" => call::unary(request, |message| user.rename(message)),
        "Remove" => call::unary(request, |message| user.remove(message)),
        "Free" => call::unary(request, |message| user.free(message)),
        "ScheduleAsyncPersistence" => call::unary(request, |message| user.schedule_async_persistence(message)),
        "SetAcl" => call::unary(request, |message| user.set_acl(message)),
        "SetAttribute" => call::unary(request, |message| user.set_attribute(message)),
        other => call::refuse(unsupported(other)),
    }
}

impl<N: Namespace> UserCall<N> {
    async fn get_status(self, request: GetStatusPRequest) -> Result<GetStatusPResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let common = options.common_options.as_ref();
        // Different: 2.9.6 DefaultFileSystemMaster.getFileInfo notes an access by it and refuses nobody, so who may not read a
        // file opens it all the same.
        let access = options.access_mode.map(|_| convert::bits_from_proto(options.access_mode()));
        if let Some(access) = access {
            self.look(Query::CheckAccess { path: path.clone(), access }, options.load_metadata_type, common).await?;
        }
        let answer = self.look(Query::GetStatus { path }, options.load_metadata_type, common).await?;
        let Answer::Status(status) = answer else { return Err(mismatch("GetStatus", &answer)) };
        if options.update_timestamps() && access.is_some_and(|access| access & READ_OR_WRITE != 0) {
            self.server.front.note_accesses(&[(status.id, status.access_time_ms)]);
        }
        Ok(GetStatusPResponse { file_info: Some(self.server.info_of(*status)) })
    }

    async fn complete_file(self, request: CompleteFilePRequest) -> Result<CompleteFilePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let operation = Operation::CompleteFile(CompleteFile {
            path,
            ufs_length: options.ufs_length,
            async_persist: options.async_persist_options.map(|options| options.persistence_wait_time()),
            content_hash: match self.server.front.keeps_content() {
                true => options.content_hash.as_deref().map_or(ContentHash::Unknown, ContentHash::told),
                false => ContentHash::Unknown,
            },
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
        if options.s3_syntax_options.is_some_and(|s3| s3.overwrite() || s3.is_multipart_upload()) {
            return Err(unsupported("Rename with S3 syntax"));
        }
        let persisted = (options.persist() && source != target).then(|| target.clone());
        let common = options.common_options.unwrap_or_default();
        self.submit(&common, Operation::Rename(Rename { source, target })).await?;
        if let Some(moved) = persisted {
            self.persist_all(moved).await?;
        }
        Ok(RenamePResponse {})
    }

    /// Has the files at and below a path written to the UFS, as far as they are not there.
    // Compatible: 2.9.6 DefaultFileSystemMaster.renameInternal with persist: at once, whatever was wished when they were made.
    // Different: there it is one step with the rename; here a client that is told of a failure asks again, and the rest is
    // done then.
    async fn persist_all(&self, path: AlluxioPath) -> Result<(), FsError> {
        let (client, front) = (self.client().await, &self.server.front);
        let mut listing = Listing::new(Walk::new(path, true));
        let mut part = front.list(&client, &mut listing, LoadMetadata::Never.into(), usize::MAX).await?;
        loop {
            let is_left = |file: &FileStatus| !file.folder && file.persistence != PersistenceState::Persisted;
            for FileStatus { path, .. } in part.statuses.into_iter().filter(is_left) {
                let operation = SchedulePersist { path, wait_ms: 0, even_incomplete: true };
                let told = front.submit(&client, None, Operation::SchedulePersist(operation)).await;
                // It may be gone by now.
                told.map(|_| ())
                    .or_else(|error| if error.kind == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
            }
            if part.is_last {
                return Ok(());
            }
            part = front.list_on(&client, &mut listing, usize::MAX).await?;
        }
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
            syncs_parent: options.sync_parent_next_time,
            rights_below: RightsBelow::ToCheck,
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
        let wait_ms = options.persistence_wait_time();
        let operation = Operation::SchedulePersist(SchedulePersist { path, wait_ms, even_incomplete: false });
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

    /// Has the UFS looked at first, as the client wishes.
    pub(super) async fn look(
        &self,
        query: Query,
        load: Option<i32>,
        common: Option<&FileSystemMasterCommonPOptions>,
    ) -> Result<Answer, FsError> {
        let fresh = self.freshness(load, common);
        self.server.front.look(&self.client().await, query, fresh).await
    }

    /// How fresh the client wishes to be told; one that says nothing wants the UFS looked at once.
    pub(super) fn freshness(&self, load: Option<i32>, common: Option<&FileSystemMasterCommonPOptions>) -> Freshness {
        let load = match load.map(LoadMetadataPType::try_from) {
            Some(Ok(LoadMetadataPType::Never)) => LoadMetadata::Never,
            Some(Ok(LoadMetadataPType::Always)) => LoadMetadata::Always,
            _ => LoadMetadata::Once,
        };
        Freshness { load, sync_interval: common.and_then(sync_interval) }
    }

    pub(super) async fn query(&self, query: Query) -> Result<Answer, FsError> {
        self.server.front.query(&self.client().await, query).await
    }

    pub(super) async fn submit(
        &self,
        common: &FileSystemMasterCommonPOptions,
        operation: Operation,
    ) -> Result<Answer, FsError> {
        let operation_id: Option<OperationId> = common.operation_id.as_ref().map(convert::operation_id_from_proto);
        let namespace = self.server.front.namespace();
        // A repetition gets its first answer, whatever the UFS shows by now.
        let is_repeated = operation_id.is_some_and(|id| namespace.is_answered(id));
        if let Some(interval) = sync_interval(common).filter(|_| !is_repeated) {
            namespace.refresh(&operation, interval).await?;
        }
        self.server.front.submit(&self.client().await, operation_id, operation).await
    }
}

/// After how long what was compared with the UFS is compared again; none for never.
fn sync_interval(common: &FileSystemMasterCommonPOptions) -> Option<Duration> {
    let interval = common.sync_interval_ms.and_then(|interval_ms| u64::try_from(interval_ms).ok());
    interval.map(Duration::from_millis)
}
