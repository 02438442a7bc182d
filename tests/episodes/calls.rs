//! What clients ask, on few names, and how the wire carries it.

use std::collections::BTreeSet;

use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPOptions, CreateDirectoryPRequest, CreateFilePOptions, CreateFilePRequest, DeletePOptions,
    DeletePRequest, FileSystemMasterCommonPOptions, GetStatusPOptions, GetStatusPRequest, ListStatusPOptions,
    ListStatusPRequest, LoadMetadataPType, RenamePOptions, RenamePRequest, WritePType,
};
use alluxio::proto::convert::operation_id_to_proto;
use alluxio::rpc::channel::Connection;
use alluxio::rpc::retry::{Caller, ClientError};
use alluxio::types::{ErrorKind, OperationId};
use tonic::Status;

use crate::model::{Op, Seen};
use crate::rng::Rng;

/// The names, below the directory of the episode.
pub const PATHS: &[&str] = &["/a", "/t", "/b", "/t/a", "/u", "/a/a", "/a/b", "/b/a", "/a/a/a"];
/// What is listed.
pub const DIRECTORIES: &[&str] = &["/", "/t", "/a", "/b", "/a/a"];
/// What is made at one of these is made in the UFS, too.
const THROUGH: &[&str] = &["/t", "/u"];

/// An operation by chance.
pub fn choose(rng: &mut Rng) -> Op {
    let some = rng.pick(PATHS);
    Op::choose(rng, some, PATHS, DIRECTORIES)
}

/// Whether an operation that was done has changed something.
pub fn is_change(op: &Op) -> bool {
    !matches!(op, Op::Stat(_) | Op::List(_))
}

/// Whether the UFS may be the reason why it was refused.
pub fn can_need_ufs(op: &Op) -> bool {
    op.can_need_ufs(THROUGH)
}

/// Makes a call below `root` until it is answered, or nobody answers in time.
pub async fn call(caller: &Caller, root: &str, op: &Op, id: OperationId) -> Result<Seen, String> {
    match ask(caller, root, op, id).await {
        Ok(seen) => Ok(seen),
        Err(ClientError::Unreachable { .. }) => Ok(Seen::Unknown),
        Err(ClientError::Refused(error)) => match error.kind {
            ErrorKind::NotFound => Ok(Seen::NotFound),
            ErrorKind::AlreadyExists => Ok(Seen::Exists),
            ErrorKind::InvalidArgument => Ok(Seen::Invalid),
            // Of the UFS, which may be away.
            ErrorKind::FailedPrecondition | ErrorKind::Unknown
                if error.message.contains("under file system") && can_need_ufs(op) =>
            {
                Ok(Seen::Failed)
            }
            ErrorKind::FailedPrecondition if matches!(op, Op::Delete { .. }) => Ok(Seen::NotEmpty),
            _ => Err(format!("{op:?} was answered {error:?}")),
        },
    }
}

/// The same, with the refusal as it is.
pub async fn ask(caller: &Caller, root: &str, op: &Op, id: OperationId) -> Result<Seen, ClientError> {
    caller.call(|connection| once(connection, root, op, id)).await
}

/// What the namespace has as persisted at `root` and below it: path below `root`, and whether it is a directory.
pub async fn persisted(caller: &Caller, root: &str) -> Result<BTreeSet<(String, bool)>, ClientError> {
    let listed = caller.call(|connection| async {
        let mut client = FileSystemMasterClientServiceClient::new(connection);
        let load_metadata_type = Some(LoadMetadataPType::Never.into());
        let options = Some(GetStatusPOptions { load_metadata_type, ..Default::default() });
        let status = client.get_status(GetStatusPRequest { path: Some(root.to_owned()), options }).await?.into_inner();
        let mut all: Vec<_> = status.file_info.into_iter().collect();
        let recursive = Some(true);
        let options = Some(ListStatusPOptions { load_metadata_type, recursive, ..Default::default() });
        let listed = client.list_status(ListStatusPRequest { path: Some(root.to_owned()), options }).await?;
        let mut parts = listed.into_inner();
        while let Some(part) = parts.message().await? {
            all.extend(part.file_infos);
        }
        Ok(all)
    });
    match listed.await {
        Ok(all) => {
            let there = all.iter().filter(|info| info.persisted());
            Ok(there.map(|info| (info.path().trim_start_matches(root).to_owned(), info.folder())).collect())
        }
        Err(ClientError::Refused(error)) if error.kind == ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

async fn once(connection: Connection, root: &str, op: &Op, id: OperationId) -> Result<Seen, Status> {
    let mut client = FileSystemMasterClientServiceClient::new(connection);
    let path = |path: &str| Some(if path == "/" { root.to_owned() } else { format!("{root}{path}") });
    let common = FileSystemMasterCommonPOptions { operation_id: Some(operation_id_to_proto(id)), ..Default::default() };
    let common_options = Some(common);
    match op {
        Op::Mkdir(p) => {
            let write_type = if THROUGH.contains(p) { WritePType::CacheThrough } else { WritePType::MustCache };
            let write_type = Some(write_type.into());
            let options = CreateDirectoryPOptions { write_type, common_options, ..Default::default() };
            client.create_directory(CreateDirectoryPRequest { path: path(p), options: Some(options) }).await?;
        }
        Op::Create(p) => {
            let write_type = Some(WritePType::MustCache.into());
            let options = CreateFilePOptions {
                block_size_bytes: Some(1 << 26),
                write_type,
                common_options,
                ..Default::default()
            };
            client.create_file(CreateFilePRequest { path: path(p), options: Some(options) }).await?;
        }
        Op::Delete { path: p, recursive } => {
            let options = DeletePOptions { recursive: Some(*recursive), common_options, ..Default::default() };
            client.remove(DeletePRequest { path: path(p), options: Some(options) }).await?;
        }
        Op::Rename { from, to } => {
            let options = Some(RenamePOptions { common_options, ..Default::default() });
            client.rename(RenamePRequest { path: path(from), dst_path: path(to), options }).await?;
        }
        Op::Stat(p) => {
            let options = Some(GetStatusPOptions {
                load_metadata_type: Some(LoadMetadataPType::Never.into()),
                ..Default::default()
            });
            let answer = client.get_status(GetStatusPRequest { path: path(p), options }).await?.into_inner();
            let folder = answer.file_info.is_some_and(|info| info.folder());
            return Ok(if folder { Seen::Directory } else { Seen::File });
        }
        Op::List(p) => {
            let options = Some(ListStatusPOptions {
                load_metadata_type: Some(LoadMetadataPType::Never.into()),
                ..Default::default()
            });
            let mut parts = client.list_status(ListStatusPRequest { path: path(p), options }).await?.into_inner();
            let mut names = Vec::new();
            while let Some(part) = parts.message().await? {
                names.extend(part.file_infos.iter().map(|info| info.path().trim_start_matches(root).to_owned()));
            }
            names.sort();
            return Ok(Seen::Names(names));
        }
    }
    Ok(Seen::Done)
}
