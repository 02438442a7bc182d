//! The REST of a master on files: the calls of `FileSystemMasterClient` of 1.2.0.

use serde_json::{Value, json};

use super::master::{MasterSite, mismatch};
use super::page::check_files_shown;
use super::rest::{Answered, Call, Refusal, Reply};
use super::rest_shape;
use crate::conf::keys;
use crate::master::ops::{
    Answer, CompleteFile, CreateDirectory, CreateFile, Delete, Free, LoadMetadata, Mount, NewBlock, Operation, Query,
    Rename, SchedulePersist, Seen, SetAttribute, UfsOperation, WriteType,
};
use crate::types::TtlAction;

/// Modes of what is made: all bits less the umask 022.
const DIRECTORY_MODE: u16 = 0o755;
const FILE_MODE: u16 = 0o644;

/// Answers a call on files; others are not known.
pub(super) async fn answer(site: &MasterSite, call: &Call) -> Answered {
    if call.name.contains(" master/file/") {
        check_files_shown(site)?;
    }
    let operation = match call.name.as_str() {
        "GET master/file/status" => return status(site, call).await,
        "GET master/file/list_status" => return list_status(site, call).await,
        "GET master/file/mount_points" => return mount_points(site).await,
        "POST master/file/complete_file" => Operation::CompleteFile(CompleteFile {
            ufs_length: call.number("ufsLength")?,
            ..CompleteFile::of(call.path("path")?)
        }),
        "POST master/file/create_directory" => Operation::CreateDirectory(create_directory(call)?),
        "POST master/file/create_file" => Operation::CreateFile(create_file(site, call)?),
        "POST master/file/new_block_id_for_file" => Operation::NewBlock(NewBlock { path: call.path("path")? }),
        "POST master/file/free" => {
            Operation::Free(Free { path: call.path("path")?, recursive: call.is("recursive")?, forced: false })
        }
        "POST master/file/mount" => Operation::Ufs(UfsOperation::Mount(Box::new(mount(call)?))),
        "POST master/file/unmount" => Operation::Ufs(UfsOperation::Unmount(call.path("path")?)),
        "POST master/file/remove" => {
            Operation::Delete(Delete { recursive: call.is("recursive")?, ..Delete::of(call.path("path")?) })
        }
        "POST master/file/rename" => {
            Operation::Rename(Rename { source: call.path("srcPath")?, target: call.path("dstPath")? })
        }
        "POST master/file/schedule_async_persist" => {
            Operation::SchedulePersist(SchedulePersist { path: call.path("path")?, wait_ms: 0, even_incomplete: false })
        }
        "POST master/file/set_attribute" => Operation::SetAttribute(set_attribute(site, call).await?),
        _ => return Err(Refusal::Unknown),
    };
    let answer = site.master.front.submit(&site.client().await, None, operation).await?;
    Ok(match (call.name.as_str(), answer) {
        (_, Answer::NewBlock(block)) => Reply::Json(json!(block.0)),
        ("POST master/file/unmount", _) => Reply::Json(json!(true)),
        ("POST master/file/schedule_async_persist", _) => {
            let found = look(site, Query::GetStatus { path: call.path("path")? }, LoadMetadata::Never).await?;
            let Answer::Status(status) = found else { return Err(mismatch(&found).into()) };
            Reply::Json(json!(status.id.0))
        }
        _ => Reply::Nothing,
    })
}

async fn look(site: &MasterSite, query: Query, load: LoadMetadata) -> Result<Answer, Refusal> {
    Ok(site.master.front.look(&site.client().await, query, load.into()).await?)
}

async fn status(site: &MasterSite, call: &Call) -> Answered {
    let answer = look(site, Query::GetStatus { path: call.path("path")? }, LoadMetadata::Once).await?;
    let Answer::Status(status) = answer else { return Err(mismatch(&answer).into()) };
    Ok(Reply::Json(rest_shape::file(&status)))
}

async fn list_status(site: &MasterSite, call: &Call) -> Answered {
    let load = match call.text("loadMetadataType").unwrap_or_default() {
        "Never" => LoadMetadata::Never,
        "Always" => LoadMetadata::Always,
        "Once" => LoadMetadata::Once,
        "" if call.choice("loadDirectChildren")? == Some(false) => LoadMetadata::Never,
        "" => LoadMetadata::Once,
        // Compatible: Java, of a name that an enum does not have.
        other => {
            return Err(Refusal::Failed(format!("No enum constant alluxio.wire.LoadMetadataType.{other}")));
        }
    };
    let answer = look(site, Query::ListStatus { path: call.path("path")?, recursive: false }, load).await?;
    let Answer::List(part) = answer else { return Err(mismatch(&answer).into()) };
    Ok(Reply::Files(part.statuses))
}

async fn mount_points(site: &MasterSite) -> Answered {
    let answer = site.ask(Query::MountTable).await?;
    let Answer::Mounts(mounts) = answer else { return Err(mismatch(&answer).into()) };
    let points = mounts.into_iter().map(|mount| {
        let shape = rest_shape::mount(&mount.ufs_path, mount.read_only, &mount.properties);
        (mount.path.into_string(), shape)
    });
    Ok(Reply::Json(Value::Object(points.collect())))
}

fn create_directory(call: &Call) -> Result<CreateDirectory, Refusal> {
    Ok(CreateDirectory {
        path: call.path("path")?,
        recursive: call.is("recursive")?,
        allow_exists: call.is("allowExists")?,
        mode: DIRECTORY_MODE,
        write_type: write_type(call.is("persisted")?),
        ttl_ms: -1,
        ttl_action: TtlAction::Delete,
        xattr: Default::default(),
    })
}

fn create_file(site: &MasterSite, call: &Call) -> Result<CreateFile, Refusal> {
    let usual = i64::try_from(site.settings.conf.get(&keys::USER_BLOCK_SIZE).0).unwrap_or(i64::MAX);
    Ok(CreateFile {
        path: call.path("path")?,
        recursive: call.is("recursive")?,
        overwrite: false,
        mode: FILE_MODE,
        block_size_bytes: call.number("blockSizeBytes")?.unwrap_or(usual),
        write_type: write_type(call.is("persisted")?),
        ttl_ms: call.number("ttl")?.unwrap_or(-1),
        ttl_action: TtlAction::Delete,
        replication_min: 0,
        replication_max: -1,
        replication_durable: 0,
        persistence_wait_ms: -1,
        xattr: Default::default(),
    })
}

fn write_type(persisted: bool) -> WriteType {
    if persisted { WriteType::CacheThrough } else { WriteType::MustCache }
}

fn mount(call: &Call) -> Result<Mount, Refusal> {
    Ok(Mount {
        path: call.path("path")?,
        ufs_path: call.required("ufsPath")?.to_owned(),
        read_only: false,
        shared: false,
        properties: Vec::new(),
        mount_id: rand::random::<i64>() & i64::MAX,
        seen: Seen { root: None, shadowed: None },
    })
}

async fn set_attribute(site: &MasterSite, call: &Call) -> Result<SetAttribute, Refusal> {
    let text = |name| call.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let mode =
        match call.number("permission")? {
            None => None,
            Some(bits) => Some(u16::try_from(bits).ok().filter(|bits| *bits <= 0o777).ok_or_else(|| {
                Refusal::Failed(format!("parameter 'permission' is not a number from 0 to 511: {bits}"))
            })?),
        };
    if call.choice("persisted")? == Some(false) {
        return Err(Refusal::Failed("Cannot set the state of a file to not-persisted".to_owned()));
    }
    let (owner, group) = (text("owner"), text("group"));
    let owner_groups = match (&owner, &group) {
        (Some(owner), Some(_)) => site.groups_to_compare(owner).await,
        _ => None,
    };
    Ok(SetAttribute {
        recursive: call.is("recursive")?,
        pinned: call.choice("pinned")?,
        ttl_ms: call.number("ttl")?,
        persisted: call.is("persisted")?,
        mode,
        owner,
        group,
        owner_groups,
        ..SetAttribute::of(call.path("path")?)
    })
}
