//! A UFS that others change: what clients see of it by their sync interval.

use alluxio::proto::alluxio::grpc::file::{
    CancelSyncMetadataPRequest, CheckConsistencyPRequest, CreateFilePOptions, CreateFilePRequest, DeletePOptions,
    DeletePRequest, ExistsPOptions, ExistsPRequest, FileSystemMasterCommonPOptions, FsOpPId, GetStatusPOptions,
    GetStatusPRequest, GetStatusPResponse, GetSyncProgressPRequest, ListStatusPOptions, ListStatusPRequest,
    LoadMetadataPType, SetAttributePOptions, SetAttributePRequest, SyncMetadataPOptions, SyncMetadataPRequest,
    SyncMetadataState,
};
use alluxio::proto::alluxio::grpc::fscommon::LoadDescendantPType;
use alluxio::proto::convert;
use alluxio::ufs::{MemoryUfs, Ufs, UfsAttributes, UfsDeletion};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use tonic::Code;

use crate::ufs::{Master, ROOT, in_memory, start};

const NEVER: i64 = -1;
const ALWAYS: i64 = 0;
const AN_HOUR: i64 = 3_600_000;

fn common(interval_ms: i64) -> Option<FileSystemMasterCommonPOptions> {
    Some(FileSystemMasterCommonPOptions { sync_interval_ms: Some(interval_ms), ..Default::default() })
}

async fn listed(master: &mut Master, path: &str, recursive: bool, interval_ms: i64) -> Vec<String> {
    let options = ListStatusPOptions {
        load_metadata_type: Some(LoadMetadataPType::Once.into()),
        recursive: Some(recursive),
        common_options: common(interval_ms),
        ..Default::default()
    };
    let request = ListStatusPRequest { path: Some(path.into()), options: Some(options) };
    let mut messages = master.client.list_status(request).await.unwrap().into_inner();
    let mut paths = Vec::new();
    while let Some(message) = messages.message().await.unwrap() {
        paths.extend(message.file_infos.into_iter().map(|info| info.path.unwrap()));
    }
    paths
}

/// Length of what is there.
async fn length(master: &mut Master, path: &str, interval_ms: i64) -> Result<i64, Code> {
    let options = GetStatusPOptions {
        load_metadata_type: Some(LoadMetadataPType::Once.into()),
        common_options: common(interval_ms),
        ..Default::default()
    };
    let request = GetStatusPRequest { path: Some(path.into()), options: Some(options) };
    let answer = master.client.get_status(request).await.map_err(|status| status.code())?;
    Ok(answer.into_inner().file_info.unwrap().length())
}

/// Owner, group and mode, as they are compared now.
async fn owned(master: &mut Master, path: &str) -> (String, String, i32) {
    let options = GetStatusPOptions { common_options: common(ALWAYS), ..Default::default() };
    let request = GetStatusPRequest { path: Some(path.into()), options: Some(options) };
    let info = master.client.get_status(request).await.unwrap().into_inner().file_info.unwrap();
    (info.owner().to_owned(), info.group().to_owned(), info.mode())
}

async fn exists(master: &mut Master, path: &str, interval_ms: i64) -> bool {
    let options = ExistsPOptions { common_options: common(interval_ms), ..Default::default() };
    let request = ExistsPRequest { path: Some(path.into()), options: Some(options) };
    master.client.exists(request).await.unwrap().into_inner().exists()
}

async fn delete_in_ufs(master: &Master, path: &str, what: UfsDeletion) {
    master.memory.delete(&format!("{ROOT}{path}"), what).await.unwrap();
}

#[tokio::test]
async fn what_others_changed_is_seen_by_who_wants_it_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/d/f", &[1; 10]).await;
    master.put("/d/e/g", &[1; 10]).await;
    assert_eq!(listed(&mut master, "/", true, NEVER).await, ["/d", "/d/e", "/d/e/g", "/d/f"]);

    delete_in_ufs(&master, "/d/f", UfsDeletion::File).await;
    master.put("/d/f", &[2; 30]).await;
    delete_in_ufs(&master, "/d/e", UfsDeletion::Tree).await;
    master.put("/d/h", &[1; 10]).await;
    assert_eq!(length(&mut master, "/d/f", NEVER).await, Ok(10), "it was loaded");
    assert_eq!(listed(&mut master, "/d", false, NEVER).await, ["/d/e", "/d/f"]);
    assert_eq!(length(&mut master, "/d/f", ALWAYS).await, Ok(30));
    assert!(exists(&mut master, "/d/e/g", NEVER).await && !exists(&mut master, "/d/e/g", ALWAYS).await);
    assert_eq!(listed(&mut master, "/d", false, ALWAYS).await, ["/d/f", "/d/h"]);
    assert_eq!(length(&mut master, "/d/e", ALWAYS).await, Err(Code::NotFound));
}

#[tokio::test]
async fn owners_and_modes_that_others_set_are_taken_over_and_what_clients_set_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/d/f", &[1; 10]).await;
    assert_eq!(listed(&mut master, "/", true, NEVER).await, ["/d", "/d/f"]);
    let uri = format!("{ROOT}/d/f");
    let ann = UfsAttributes { owner: Some("ann".into()), group: Some("users".into()), mode: Some(0o640) };
    master.memory.set_attributes(&uri, &ann).await.unwrap();
    assert_eq!(owned(&mut master, "/d/f").await, ("ann".into(), "users".into(), 0o640));
    let id = |info: GetStatusPResponse| info.file_info.unwrap().file_id();
    let get = GetStatusPRequest { path: Some("/d/f".into()), options: None };
    let before = id(master.client.get_status(get.clone()).await.unwrap().into_inner());

    let options = SetAttributePOptions { mode: Some(convert::mode_to_proto(0o600)), ..Default::default() };
    let set = SetAttributePRequest { path: Some("/d/f".into()), options: Some(options) };
    master.client.set_attribute(set).await.unwrap();
    assert_eq!(owned(&mut master, "/d/f").await, ("ann".into(), "users".into(), 0o600));
    assert_eq!(master.memory.status(&uri).await.unwrap().unwrap().mode, 0o600);
    let bob = UfsAttributes { owner: Some("bob".into()), ..Default::default() };
    master.memory.set_attributes(&uri, &bob).await.unwrap();
    assert_eq!(listed(&mut master, "/d", false, ALWAYS).await, ["/d/f"]);
    assert_eq!(owned(&mut master, "/d/f").await, ("bob".into(), "users".into(), 0o600));
    assert_eq!(id(master.client.get_status(get).await.unwrap().into_inner()), before, "it is the same file");
}

#[tokio::test]
async fn where_and_what_a_file_is_in_a_local_ufs_is_told() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = disk.path().join("f");
    std::fs::write(&file, [1; 10]).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let metadata = std::fs::metadata(&file).unwrap();
    let mut master = start(folder.path(), disk.path().to_str().unwrap(), MemoryUfs::new()).await;
    let status = |interval_ms| {
        let options = GetStatusPOptions {
            load_metadata_type: Some(LoadMetadataPType::Once.into()),
            common_options: common(interval_ms),
            ..Default::default()
        };
        GetStatusPRequest { path: Some("/f".into()), options: Some(options) }
    };
    let told = master.client.get_status(status(NEVER)).await.unwrap().into_inner().file_info.unwrap();
    let time = metadata.mtime() * 1_000 + metadata.mtime_nsec() / 1_000_000;
    let fingerprint = |mode: i32| {
        let (owner, group) = (told.owner(), told.group());
        format!("TYPE|FILE UFS|local OWNER|{owner} GROUP|{group} MODE|{mode} CONTENT_HASH|(len:10,_modtime:{time}) ")
    };
    assert_eq!(told.ufs_fingerprint(), fingerprint(0o640));
    assert_eq!(told.xattr["s3_etag"], format!("(len:10, modtime:{time})").into_bytes());
    let [block] = &told.file_block_infos[..] else { panic!("{told:?}") };
    assert_eq!((&block.ufs_string_locations[..], block.ufs_locations[0].host()), (&["w1".to_owned()][..], "w1"));

    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let now = master.client.get_status(status(ALWAYS)).await.unwrap().into_inner().file_info.unwrap();
    assert_eq!((now.file_id(), now.mode(), now.ufs_fingerprint()), (told.file_id(), 0o600, &*fingerprint(0o600)));
    for excluded in [false, true] {
        let options = ListStatusPOptions { exclude_mount_info: Some(excluded), ..Default::default() };
        let request = ListStatusPRequest { path: Some("/".into()), options: Some(options) };
        let mut messages = master.client.list_status(request).await.unwrap().into_inner();
        let listed = messages.message().await.unwrap().unwrap().file_infos.remove(0);
        assert_eq!(listed.ufs_fingerprint(), now.ufs_fingerprint());
        assert_eq!(listed.file_block_infos[0].ufs_string_locations.is_empty(), excluded);
    }
}

#[tokio::test]
async fn all_below_is_compared_and_then_for_a_while_not_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/a/b/c/f", &[1; 10]).await;
    assert_eq!(listed(&mut master, "/", true, AN_HOUR).await.len(), 4);
    delete_in_ufs(&master, "/a/b/c/f", UfsDeletion::File).await;
    master.put("/a/n/f", &[1; 10]).await;
    assert_eq!(listed(&mut master, "/a", true, AN_HOUR).await, ["/a/b", "/a/b/c", "/a/b/c/f"], "just compared");
    assert!(exists(&mut master, "/a/b/c/f", AN_HOUR).await);
    assert_eq!(listed(&mut master, "/a", true, ALWAYS).await, ["/a/b", "/a/b/c", "/a/n", "/a/n/f"]);
}

#[tokio::test]
async fn a_change_is_decided_with_what_the_ufs_has_now() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/f", &[1; 10]).await;
    assert_eq!(length(&mut master, "/f", NEVER).await, Ok(10));
    delete_in_ufs(&master, "/f", UfsDeletion::File).await;
    let delete = |interval_ms| DeletePRequest {
        path: Some("/f".into()),
        options: Some(DeletePOptions { common_options: common(interval_ms), ..Default::default() }),
    };
    let refused = master.client.remove(delete(ALWAYS)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    // Its name is free again.
    let options = CreateFilePOptions {
        block_size_bytes: Some(1 << 20),
        replication_max: Some(-1),
        common_options: common(ALWAYS),
        ..Default::default()
    };
    let create = CreateFilePRequest { path: Some("/f".into()), options: Some(options) };
    master.client.create_file(create).await.unwrap();
    assert_eq!(length(&mut master, "/f", ALWAYS).await, Ok(0), "it is being written, and stays");
}

#[tokio::test]
async fn a_repetition_compares_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/f", &[1; 10]).await;
    assert_eq!(listed(&mut master, "/", false, ALWAYS).await, ["/f"]);
    let operation_id = Some(FsOpPId { most_significant_bits: Some(7), least_significant_bits: Some(8) });
    let common = common(ALWAYS).map(|common| FileSystemMasterCommonPOptions { operation_id, ..common });
    let options = DeletePOptions { common_options: common, ..Default::default() };
    let delete = DeletePRequest { path: Some("/f".into()), options: Some(options) };
    master.client.remove(delete.clone()).await.unwrap();
    master.put("/f", &[2; 30]).await;
    master.client.remove(delete).await.unwrap();
    assert!(listed(&mut master, "/", false, NEVER).await.is_empty(), "it was looked for again");
}

async fn inconsistent(master: &mut Master, path: &str) -> Result<Vec<String>, Code> {
    let request = CheckConsistencyPRequest { path: Some(path.into()), options: None };
    let answer = master.client.check_consistency(request).await.map_err(|status| status.code())?;
    Ok(answer.into_inner().inconsistent_paths)
}

#[tokio::test]
async fn a_tree_is_compared_without_being_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    for path in ["/a/b/c/f", "/a/b/g", "/a/h", "/a/same"] {
        master.put(path, &[1; 10]).await;
    }
    assert_eq!(listed(&mut master, "/", true, NEVER).await.len(), 7);
    assert_eq!(inconsistent(&mut master, "/").await, Ok(vec![]));
    delete_in_ufs(&master, "/a/b", UfsDeletion::Tree).await;
    master.put("/a/h", &[1; 11]).await;
    master.put("/a/new", &[1; 1]).await;
    let expected = ["/a/b", "/a/b/c", "/a/b/c/f", "/a/b/g", "/a/h", "/a/new"].map(str::to_owned);
    assert_eq!(inconsistent(&mut master, "/a").await, Ok(expected.to_vec()));
    assert_eq!(inconsistent(&mut master, "/a/same").await, Ok(vec![]));
    assert_eq!(inconsistent(&mut master, "/nosuch").await, Err(Code::NotFound));
    assert_eq!(length(&mut master, "/a/h", NEVER).await, Ok(10), "nothing was changed");

    let of_alluxio = CreateFilePRequest {
        path: Some("/a/only-here".into()),
        options: Some(CreateFilePOptions { block_size_bytes: Some(64), ..Default::default() }),
    };
    master.client.create_file(of_alluxio).await.unwrap();
    assert_eq!(inconsistent(&mut master, "/a/only-here").await, Ok(vec![]));
    master.put("/a/only-here", &[1; 1]).await;
    assert_eq!(inconsistent(&mut master, "/a/only-here").await, Ok(vec!["/a/only-here".to_owned()]));
}

fn sync(path: &str, below: LoadDescendantPType) -> SyncMetadataPRequest {
    let options = SyncMetadataPOptions { load_descendant_type: Some(below.into()), ..Default::default() };
    SyncMetadataPRequest { path: path.into(), options: Some(options) }
}

#[tokio::test]
async fn who_asks_for_it_has_a_tree_compared_at_once_or_in_the_background() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/a/b/f", &[1; 10]).await;
    assert_eq!(listed(&mut master, "/", true, NEVER).await.len(), 3);
    master.put("/a/b/f", &[1; 11]).await;
    master.put("/a/g", &[1; 1]).await;
    let compared = master.client.sync_metadata(sync("/a", LoadDescendantPType::One)).await.unwrap().into_inner();
    let [task] = &compared.task[..] else { panic!("{compared:?}") };
    assert_eq!((task.state(), task.success_op_count()), (SyncMetadataState::Succeeded, 2));
    let info = format!(
        "TaskInfo{{UFS path: {ROOT}/a, AlluxioPath: /a, Descendant Type: ONE, Directory Load Type: SINGLE_LISTING, Id: 0}}"
    );
    assert_eq!(task.task_info_string(), info);
    assert_eq!(length(&mut master, "/a/b/f", NEVER).await, Ok(10), "too deep");
    assert_eq!(listed(&mut master, "/a", false, NEVER).await, ["/a/b", "/a/g"]);

    let begun = master.client.sync_metadata_async(sync("/", LoadDescendantPType::All)).await.unwrap().into_inner();
    let progress = GetSyncProgressPRequest { task_group_id: begun.task_group_id };
    loop {
        let told = master.client.get_sync_progress(progress).await.unwrap().into_inner();
        match told.task[0].state() {
            SyncMetadataState::Running => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            state => break assert_eq!((state, told.task[0].success_op_count()), (SyncMetadataState::Succeeded, 4)),
        }
    }
    assert_eq!(length(&mut master, "/a/b/f", NEVER).await, Ok(11));

    let failed = master.client.sync_metadata(sync("/nosuch", LoadDescendantPType::All)).await.unwrap().into_inner();
    assert_eq!(failed.task[0].state(), SyncMetadataState::Failed);
    let told = failed.task[0].exception.as_ref().map(|exception| exception.exception_message().to_owned());
    assert_eq!(told.as_deref(), Some("Path \"/nosuch\" does not exist."));
    let cancel = |id| CancelSyncMetadataPRequest { task_group_id: Some(id) };
    master.client.cancel_sync_metadata(cancel(begun.task_group_id())).await.unwrap();
    let refused = master.client.cancel_sync_metadata(cancel(99)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "Task group id 99 not found"));
}
