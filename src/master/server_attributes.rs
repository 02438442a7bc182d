//! Calls of FileSystemMasterClientService that give attributes: createDirectory, createFile,
//! setAttribute, setAcl.

use super::ops::{Answer, CreateDirectory, CreateFile, NewXattrs, Operation, SetAcl, SetAttribute, WriteType};
use super::server::{Namespace, UserCall, mismatch};
use crate::proto::alluxio::grpc::file::{
    CreateDirectoryPRequest, CreateDirectoryPResponse, CreateFilePRequest, CreateFilePResponse,
    FileSystemMasterCommonPOptions, SetAclPRequest, SetAclPResponse, SetAttributePRequest, SetAttributePResponse,
    WritePType, XAttrPropagationStrategy,
};
use crate::proto::convert;
use crate::types::{ErrorKind, FsError, TtlAction, XattrUpdate};

/// Mode of a directory whose creator names none: all bits less the umask 022.
const DIRECTORY_MODE: u16 = 0o755;

/// Mode of a file whose creator names none.
const FILE_MODE: u16 = 0o644;

impl<N: Namespace> UserCall<N> {
    pub(super) async fn create_directory(
        self,
        request: CreateDirectoryPRequest,
    ) -> Result<CreateDirectoryPResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let common = options.common_options.unwrap_or_default();
        let parents_too = !options.xattr.is_empty() && options.xattr_prop_strat() == XAttrPropagationStrategy::NewPaths;
        let operation = Operation::CreateDirectory(CreateDirectory {
            path,
            recursive: options.recursive(),
            allow_exists: options.allow_exists(),
            mode: options.mode.as_ref().map_or(DIRECTORY_MODE, convert::mode_from_proto),
            write_type: write_type(options.write_type()),
            ttl_ms: ttl_ms(&common),
            ttl_action: ttl_action(&common),
            xattr: NewXattrs { values: options.xattr.into_iter().collect(), parents_too },
        });
        self.submit(&common, operation).await?;
        Ok(CreateDirectoryPResponse {})
    }

    pub(super) async fn create_file(self, request: CreateFilePRequest) -> Result<CreateFilePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let common = options.common_options.unwrap_or_default();
        let parents_too = !options.xattr.is_empty() && options.xattr_prop_strat() == XAttrPropagationStrategy::NewPaths;
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
            xattr: NewXattrs { values: options.xattr.into_iter().collect(), parents_too },
        });
        let answer = self.submit(&common, operation).await?;
        let Answer::Status(status) = answer else { return Err(mismatch("CreateFile", &answer)) };
        Ok(CreateFilePResponse { file_info: Some(convert::status_to_proto(*status)) })
    }

    pub(super) async fn set_attribute(self, request: SetAttributePRequest) -> Result<SetAttributePResponse, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let common = options.common_options.unwrap_or_default();
        let owner_groups = match (&options.owner, &options.group) {
            (Some(owner), Some(_)) => self.server.groups_to_compare(owner).await,
            _ => None,
        };
        if options.persisted == Some(false) {
            let message = "Cannot set the state of a file to not-persisted";
            return Err(FsError::new(ErrorKind::Internal, message));
        }
        let xattr = (!options.xattr.is_empty()).then(|| XattrUpdate {
            strategy: convert::xattr_strategy_from_proto(options.xattr_update_strategy()),
            values: options.xattr.clone().into_iter().collect(),
        });
        let operation = Operation::SetAttribute(SetAttribute {
            path,
            xattr,
            media: options.pinned_media.iter().cloned().collect(),
            direct_children_loaded: options.direct_children_loaded,
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

    pub(super) async fn set_acl(self, request: SetAclPRequest) -> Result<SetAclPResponse, FsError> {
        let path = convert::path(request.path())?;
        let action = convert::acl_action_from_proto(request.action());
        let entries = request.entries.iter().map(convert::acl_entry_from_proto).collect::<Result<_, _>>()?;
        let options = request.options.unwrap_or_default();
        let operation = Operation::SetAcl(SetAcl { path, action, entries, recursive: options.recursive() });
        self.submit(&options.common_options.unwrap_or_default(), operation).await?;
        Ok(SetAclPResponse {})
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
