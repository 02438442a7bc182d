//! Calls on the namespace: what reaches it, what goes back, and how the server begins and ends.

use std::time::Duration;

use alluxio::master::ops::{
    Answer, CompleteFile, CreateDirectory, CreateFile, Delete, Free, Operation, Part, Query, Rename, Request,
    SchedulePersist, SetAcl, SetAttribute, WriteType,
};
use alluxio::master::server::bind;
use alluxio::proto::alluxio::grpc::file::{
    CheckAccessPOptions, CheckAccessPRequest, CompleteFilePOptions, CompleteFilePRequest, CreateDirectoryPOptions,
    CreateDirectoryPRequest, CreateFilePOptions, CreateFilePRequest, DeletePOptions, DeletePRequest, ExistsPRequest,
    FileInfo, FileSystemMasterCommonPOptions, FreePOptions, FreePRequest, FsOpPId, GetFilePathPRequest,
    GetStateLockHoldersPRequest, GetStatusPRequest, GetSyncPathListPRequest, ListStatusPOptions, ListStatusPRequest,
    PAclAction, PAclEntry, PAclEntryType, RenamePOptions, RenamePRequest, ReverseResolvePRequest, S3SyntaxOptions,
    ScheduleAsyncPersistencePOptions, SetAclAction, SetAclPOptions, SetAclPRequest, SetAttributePOptions,
    SetAttributePRequest, WritePType,
};
use alluxio::proto::alluxio::grpc::meta::meta_master_configuration_service_client::MetaMasterConfigurationServiceClient;
use alluxio::proto::alluxio::grpc::meta::{GetConfigHashPOptions, GetConfigurationPOptions};
use alluxio::proto::alluxio::grpc::metric::MetricsHeartbeatPRequest;
use alluxio::proto::alluxio::grpc::metric::metrics_master_client_service_client::MetricsMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::{Bits, PMode, TtlAction as PTtlAction};
use alluxio::proto::alluxio::proto::journal::XAttrUpdateStrategy;
use alluxio::proto::convert::{mode_to_proto, status_from_proto, status_to_proto};
use alluxio::rpc::channel::open_unauthenticated;
use alluxio::rpc::handshake::AuthenticationType;
use alluxio::types::{AclEntry, XattrStrategy, XattrUpdate};
use alluxio::types::{BlockId, ErrorKind, FileStatus, FsError, OperationId, PersistenceState, TtlAction};
use tonic::Code;

use crate::harness::{LIMIT, Running, Seen, directory, eventually, identity, path, settings, start, start_simple};

/// Common options of a 2.9 client, with an operation id.
fn common() -> Option<FileSystemMasterCommonPOptions> {
    Some(FileSystemMasterCommonPOptions {
        ttl: Some(5000),
        ttl_action: Some(PTtlAction::DeleteAlluxio.into()),
        operation_id: Some(FsOpPId { most_significant_bits: Some(-1), least_significant_bits: Some(2) }),
        ..Default::default()
    })
}

/// The change that reached the namespace last, asked by root under the id of [`common`].
#[track_caller]
fn submitted(running: &Running) -> Operation {
    let Seen::Submit(Request { caller, operation_id, operation }) = running.last_seen() else { panic!("a change") };
    assert_eq!((caller.user.as_str(), caller.groups.first().map(String::as_str)), ("root", Some("root")));
    assert_eq!(operation_id, Some(OperationId { high: u64::MAX, low: 2 }));
    operation
}

fn mode(mode: u16) -> Option<PMode> {
    Some(mode_to_proto(mode))
}

#[tokio::test]
async fn creations_reach_the_namespace_with_all_they_say() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    let options = CreateDirectoryPOptions {
        recursive: Some(true),
        allow_exists: Some(true),
        mode: mode(0o750),
        write_type: Some(WritePType::CacheThrough.into()),
        common_options: common(),
        ..Default::default()
    };
    client
        .create_directory(CreateDirectoryPRequest { path: Some("/a//b/".into()), options: Some(options) })
        .await
        .unwrap();
    let expected = CreateDirectory {
        path: path("/a/b"),
        recursive: true,
        allow_exists: true,
        mode: 0o750,
        write_type: WriteType::CacheThrough,
        ttl_ms: 5000,
        ttl_action: TtlAction::DeleteAlluxio,
        xattr: Default::default(),
    };
    assert_eq!(submitted(&running), Operation::CreateDirectory(expected));

    running.will_answer(Ok(Answer::Status(Box::new(directory("/a/f")))));
    let options = CreateFilePOptions {
        block_size_bytes: Some(64 << 20),
        recursive: Some(true),
        mode: mode(0o640),
        replication_max: Some(3),
        replication_min: Some(1),
        replication_durable: Some(2),
        persistence_wait_time: Some(7),
        write_type: Some(WritePType::AsyncThrough.into()),
        common_options: common(),
        overwrite: Some(true),
        ..Default::default()
    };
    let request = CreateFilePRequest { path: Some("/a/f".into()), options: Some(options) };
    let info = client.create_file(request).await.unwrap().into_inner().file_info.unwrap();
    assert_eq!(status_from_proto(info), Ok(directory("/a/f")));
    let expected = CreateFile {
        path: path("/a/f"),
        recursive: true,
        overwrite: true,
        mode: 0o640,
        block_size_bytes: 64 << 20,
        write_type: WriteType::AsyncThrough,
        ttl_ms: 5000,
        ttl_action: TtlAction::DeleteAlluxio,
        replication_min: 1,
        replication_max: 3,
        replication_durable: 2,
        persistence_wait_ms: 7,
        xattr: Default::default(),
    };
    assert_eq!(submitted(&running), Operation::CreateFile(expected));
}

#[tokio::test]
async fn what_a_creation_does_not_say_has_a_meaning() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    client.create_directory(CreateDirectoryPRequest { path: Some("/d".into()), options: None }).await.unwrap();
    let Seen::Submit(Request { operation_id, operation, .. }) = running.last_seen() else { panic!("a change") };
    let expected = CreateDirectory {
        path: path("/d"),
        recursive: false,
        allow_exists: false,
        mode: 0o755,
        write_type: WriteType::MustCache,
        ttl_ms: -1,
        ttl_action: TtlAction::Delete,
        xattr: Default::default(),
    };
    assert_eq!((operation_id, operation), (None, Operation::CreateDirectory(expected)));
}

#[tokio::test]
async fn other_changes_reach_the_namespace_with_all_they_say() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    let options = CompleteFilePOptions {
        ufs_length: Some(7),
        async_persist_options: Some(ScheduleAsyncPersistencePOptions {
            persistence_wait_time: Some(9),
            ..Default::default()
        }),
        common_options: common(),
        ..Default::default()
    };
    client.complete_file(CompleteFilePRequest { path: Some("/f".into()), options: Some(options) }).await.unwrap();
    let expected = CompleteFile { ufs_length: Some(7), async_persist: Some(9), ..CompleteFile::of(path("/f")) };
    assert_eq!(submitted(&running), Operation::CompleteFile(expected));

    let options = RenamePOptions { common_options: common(), persist: Some(false), ..Default::default() };
    let request = RenamePRequest { path: Some("/f".into()), dst_path: Some("/g".into()), options: Some(options) };
    client.rename(request).await.unwrap();
    assert_eq!(submitted(&running), Operation::Rename(Rename { source: path("/f"), target: path("/g") }));

    let options = DeletePOptions {
        recursive: Some(true),
        alluxio_only: Some(true),
        delete_mount_point: Some(true),
        unchecked: Some(true),
        sync_parent_next_time: Some(true),
        common_options: common(),
    };
    client.remove(DeletePRequest { path: Some("/g".into()), options: Some(options) }).await.unwrap();
    let expected = Delete {
        recursive: true,
        alluxio_only: true,
        delete_mount_points: true,
        unchecked: true,
        syncs_parent: Some(true),
        ..Delete::of(path("/g"))
    };
    assert_eq!(submitted(&running), Operation::Delete(expected));

    let options = SetAttributePOptions {
        owner: Some("no-such-user-here".into()),
        group: Some("staff".into()),
        mode: mode(0o700),
        recursive: Some(true),
        pinned: Some(true),
        replication_min: Some(1),
        replication_max: Some(3),
        pinned_media: vec!["SSD".into(), "MEM".into()],
        direct_children_loaded: Some(true),
        xattr: [("k".to_owned(), b"v".to_vec())].into(),
        xattr_update_strategy: Some(XAttrUpdateStrategy::UnionPreserve.into()),
        common_options: common(),
        ..Default::default()
    };
    client.set_attribute(SetAttributePRequest { path: Some("/".into()), options: Some(options) }).await.unwrap();
    let expected = SetAttribute {
        recursive: true,
        mode: Some(0o700),
        owner: Some("no-such-user-here".into()),
        group: Some("staff".into()),
        owner_groups: Some(Vec::new()),
        ttl_ms: Some(5000),
        ttl_action: Some(TtlAction::DeleteAlluxio),
        pinned: Some(true),
        replication_min: Some(1),
        replication_max: Some(3),
        media: ["MEM".to_owned(), "SSD".to_owned()].into(),
        direct_children_loaded: Some(true),
        xattr: Some(XattrUpdate {
            strategy: XattrStrategy::UnionPreserve,
            values: [("k".to_owned(), b"v".to_vec())].into(),
        }),
        ..SetAttribute::of(path("/"))
    };
    assert_eq!(submitted(&running), Operation::SetAttribute(expected));

    let entry = PAclEntry {
        r#type: Some(PAclEntryType::NamedUser.into()),
        subject: Some("ann".into()),
        actions: vec![PAclAction::Read.into(), PAclAction::Execute.into()],
        is_default: Some(true),
    };
    let request = SetAclPRequest {
        path: Some("/a".into()),
        action: Some(SetAclAction::Modify.into()),
        entries: vec![entry],
        options: Some(SetAclPOptions { recursive: Some(true), common_options: common() }),
    };
    client.set_acl(request).await.unwrap();
    let entries = vec![AclEntry::parse("default:user:ann:r-x").unwrap()];
    let action = alluxio::types::SetAclAction::Modify;
    let expected = SetAcl { path: path("/a"), action, entries, recursive: true };
    assert_eq!(submitted(&running), Operation::SetAcl(expected));

    running.will_answer(Ok(Answer::Freed(vec![BlockId(1)])));
    let options = Some(FreePOptions { recursive: Some(true), forced: Some(true), common_options: common() });
    client.free(FreePRequest { path: Some("/a".into()), options }).await.unwrap();
    let expected = Free { path: path("/a"), recursive: true, forced: true };
    assert_eq!(submitted(&running), Operation::Free(expected));
}

#[tokio::test]
async fn questions_are_answered() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    running.will_answer(Ok(Answer::Status(Box::new(directory("/a")))));
    let info = client.get_status(GetStatusPRequest { path: Some("/a".into()), options: None }).await.unwrap();
    assert_eq!(info.into_inner().file_info, Some(status_to_proto(directory("/a"))));
    let Seen::Query(_, query) = running.last_seen() else { panic!("a question") };
    assert_eq!(query, Query::GetStatus { path: path("/a") });
    running.will_answer(Ok(Answer::Exists(false)));
    let exists = client.exists(ExistsPRequest { path: Some("/a".into()), options: None }).await.unwrap();
    assert_eq!(exists.into_inner().exists, Some(false));
}

/// Lists `/` and returns the messages.
async fn list(running: &Running, load_metadata_only: bool) -> Vec<Vec<FileInfo>> {
    let mut client = running.file_system().await.max_decoding_message_size(usize::MAX);
    let options = ListStatusPOptions {
        recursive: Some(true),
        load_metadata_only: Some(load_metadata_only),
        ..Default::default()
    };
    let request = ListStatusPRequest { path: Some("/".into()), options: Some(options) };
    let mut stream = client.list_status(request).await.unwrap().into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        messages.push(message.file_infos);
    }
    messages
}

fn whole(statuses: Vec<FileStatus>) -> Part {
    Part { statuses, is_last: true, ..Part::default() }
}

#[tokio::test]
async fn a_listing_is_complete_in_order_and_in_messages_of_bounded_size() {
    use prost::Message;
    let running = start_simple().await;
    let statuses: Vec<FileStatus> = (0..25_000).map(|i| directory(&format!("/d/{i:08}"))).collect();
    running.will_answer(Ok(Answer::List(whole(statuses.clone()))));
    let messages = list(&running, false).await;
    assert!(messages.len() > 2, "{}", messages.len());
    for message in &messages {
        assert!(message.len() <= 10_000);
        assert!(message.iter().map(Message::encoded_len).sum::<usize>() <= 2 << 20);
    }
    let all: Vec<_> = messages.into_iter().flatten().map(|info| status_from_proto(info).unwrap()).collect();
    assert_eq!(all, statuses);
    let Seen::Query(_, query) = running.last_seen() else { panic!("a question") };
    assert_eq!(query, Query::ListStatus { path: path("/"), recursive: true });

    assert_eq!(list(&running, true).await, Vec::<Vec<FileInfo>>::new());
    running.will_answer(Ok(Answer::List(whole(Vec::new()))));
    assert_eq!(list(&running, false).await, Vec::<Vec<FileInfo>>::new());
}

#[tokio::test]
async fn errors_arrive_with_code_and_text() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    let refused = client.get_status(GetStatusPRequest { path: Some("a".into()), options: None }).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "Path \"a\" is invalid."));

    running.will_answer(Err(FsError::new(ErrorKind::NotFound, "Path \"/nöpe 目\" does not exist.")));
    let request = ListStatusPRequest { path: Some("/".into()), options: None };
    let refused = client.list_status(request).await.map(|_| ()).unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "Path \"/nöpe 目\" does not exist."));

    let long = "目/".repeat(50_000);
    running.will_answer(Err(FsError::new(ErrorKind::NotFound, long)));
    let refused = client.get_status(GetStatusPRequest { path: Some("/".into()), options: None }).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().ends_with("... (shortened, 200000 bytes in all)"), "{}", refused.message());
}

#[tokio::test]
async fn one_thing_is_asked_about_a_path_or_an_id() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    running.will_answer(Ok(Answer::Done));
    let options = CheckAccessPOptions { bits: Some(Bits::ReadExecute.into()), common_options: None };
    client.check_access(CheckAccessPRequest { path: Some("/a".into()), options: Some(options) }).await.unwrap();
    let Seen::Query(_, asked) = running.last_seen() else { panic!("no question") };
    assert_eq!(asked, Query::CheckAccess { path: path("/a"), access: 5 });

    running.will_answer(Ok(Answer::Status(Box::new(directory("/a/b")))));
    let found = client.get_file_path(GetFilePathPRequest { file_id: Some(7) }).await.unwrap().into_inner();
    assert_eq!(found.path(), "/a/b");

    running.will_answer(Ok(Answer::Mounts(Vec::new())));
    let request = ReverseResolvePRequest { ufs_uri: Some("/ufs/a".into()) };
    let refused = client.reverse_resolve(request).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "/ufs/a is not a valid ufs uri"));

    let holders = client.get_state_lock_holders(GetStateLockHoldersPRequest { options: None }).await.unwrap();
    assert_eq!(holders.into_inner().threads, [""; 0]);
}

#[tokio::test]
async fn what_is_renamed_with_persist_is_written_to_the_ufs() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    let file = |text: &str, persistence| FileStatus { folder: false, persistence, ..directory(text) };
    let found = vec![
        directory("/b/d"),
        file("/b/there", PersistenceState::Persisted),
        file("/b/later", PersistenceState::ToBePersisted),
        file("/b/d/never", PersistenceState::NotPersisted),
    ];
    running.will_answer(Ok(Answer::List(whole(found))));
    let rename = |from: &str, to: &str, persist| RenamePRequest {
        path: Some(from.into()),
        dst_path: Some(to.into()),
        options: Some(RenamePOptions { persist: Some(persist), ..Default::default() }),
    };
    client.rename(rename("/a", "/b", true)).await.unwrap();
    let submitted = || {
        let seen = std::mem::take(&mut *running.namespace.seen.lock());
        let submitted = seen.into_iter().filter_map(|seen| match seen {
            Seen::Submit(request) => Some(request.operation),
            _ => None,
        });
        submitted.collect::<Vec<_>>()
    };
    let moved = |from, to| Operation::Rename(Rename { source: path(from), target: path(to) });
    let persists =
        |text| Operation::SchedulePersist(SchedulePersist { path: path(text), wait_ms: 0, even_incomplete: true });
    assert_eq!(submitted(), [moved("/a", "/b"), persists("/b/later"), persists("/b/d/never")]);
    client.rename(rename("/b", "/b", true)).await.unwrap();
    client.rename(rename("/b", "/c", false)).await.unwrap();
    assert_eq!(submitted(), [moved("/b", "/b"), moved("/b", "/c")]);
}

#[tokio::test]
async fn what_can_be_no_path_does_not_exist() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    running.will_answer(Err(FsError::new(ErrorKind::InvalidArgument, "it leads through a file")));
    for path in ["/f/x", "f"] {
        let answer = client.exists(ExistsPRequest { path: Some(path.into()), options: None }).await.unwrap();
        assert!(!answer.into_inner().exists());
    }
    running.will_answer(Err(FsError::new(ErrorKind::PermissionDenied, "not yours")));
    let answer = client.exists(ExistsPRequest { path: Some("/f".into()), options: None }).await.unwrap();
    assert!(!answer.into_inner().exists());
    running.will_answer(Err(FsError::new(ErrorKind::Unavailable, "later")));
    let refused = client.exists(ExistsPRequest { path: Some("/f".into()), options: None }).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn what_we_do_not_have_is_refused_with_its_name_and_not_for_another_try() {
    let running = start_simple().await;
    let mut client = running.file_system().await;
    let mut refusals = Vec::new();
    let overwrites = S3SyntaxOptions { overwrite: Some(true), ..Default::default() };
    let options = RenamePOptions { s3_syntax_options: Some(overwrites), ..Default::default() };
    let request = RenamePRequest { path: Some("/a".into()), dst_path: Some("/b".into()), options: Some(options) };
    refusals.push(client.rename(request).await.unwrap_err());
    refusals.push(client.get_sync_path_list(GetSyncPathListPRequest::default()).await.unwrap_err());
    let texts: Vec<_> = refusals.iter().map(|refused| refused.message().split(" is not").next().unwrap()).collect();
    assert_eq!(texts, ["Rename with S3 syntax", "GetSyncPathList"]);
    assert!(refusals.iter().all(|refused| refused.code() == Code::Unknown));
    assert!(running.namespace.seen.lock().is_empty());
}

#[tokio::test]
async fn the_cluster_is_described_to_whoever_asks() {
    let mut settings = settings(AuthenticationType::Simple);
    settings.configuration = vec![("alluxio.user.block.size.bytes.default", "SITE_PROPERTY", "512MB").into()];
    let running = start(settings).await;
    running.will_answer(Ok(Answer::PathProperties(Default::default())));
    let connection = open_unauthenticated(&running.address, &identity("x")).await.unwrap();
    let mut client = MetaMasterConfigurationServiceClient::new(connection);
    let mut get = async |ignore_cluster_conf, ignore_path_conf| {
        let request = GetConfigurationPOptions {
            raw_value: Some(true),
            ignore_cluster_conf: Some(ignore_cluster_conf),
            ignore_path_conf: Some(ignore_path_conf),
        };
        client.get_configuration(request).await.unwrap().into_inner()
    };
    let all = get(false, false).await;
    let pairs: Vec<_> = all.cluster_configs.iter().map(|one| (one.name(), one.value())).collect();
    let expected = [
        ("alluxio.underfs.version", "3.3.4"),
        ("alluxio.user.block.size.bytes.default", "512MB"),
        ("alluxio.version", "2.9.6"),
    ];
    assert_eq!(pairs, expected);
    let path_only = get(true, false).await;
    assert_eq!((path_only.cluster_configs.len(), path_only.cluster_config_hash), (0, None));
    assert_eq!(path_only.path_config_hash, all.path_config_hash);
    assert_eq!(get(true, true).await, Default::default());
    let hashes = client.get_config_hash(GetConfigHashPOptions {}).await.unwrap().into_inner();
    assert_eq!(hashes.cluster_config_hash, all.cluster_config_hash);
    assert!(hashes.path_config_hash.is_some());

    let mut metrics = MetricsMasterClientServiceClient::new(running.connect().await);
    metrics.metrics_heartbeat(MetricsHeartbeatPRequest::default()).await.unwrap();
}

#[tokio::test]
async fn a_stopping_server_finishes_the_calls_under_way() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::Exists(true)));
    let mut client = running.file_system().await;
    let gate = running.namespace.gate.lock().await;
    let mut other = client.clone();
    let call =
        tokio::spawn(async move { other.exists(ExistsPRequest { path: Some("/".into()), options: None }).await });
    eventually("the call has begun", || async { !running.namespace.seen.lock().is_empty() }).await;
    running.stop.send(()).unwrap();
    let address = running.address.clone();
    eventually("nobody is let in", || async { open_unauthenticated(&address, &identity("x")).await.is_err() }).await;
    assert!(!running.task.is_finished());
    drop(gate);
    assert!(call.await.unwrap().unwrap().into_inner().exists());
    tokio::time::timeout(LIMIT, running.task).await.unwrap().unwrap().unwrap();
    let after = client.exists(ExistsPRequest { path: Some("/".into()), options: None }).await.unwrap_err();
    assert_eq!(alluxio::rpc::status::from_status(after).kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_stopping_server_does_not_wait_for_ever() {
    let mut settings = settings(AuthenticationType::Simple);
    settings.shutdown_grace = Duration::from_millis(10);
    let running = start(settings).await;
    let mut client = running.file_system().await;
    let _gate = running.namespace.gate.lock().await;
    let call =
        tokio::spawn(async move { client.exists(ExistsPRequest { path: Some("/".into()), options: None }).await });
    eventually("the call has begun", || async { !running.namespace.seen.lock().is_empty() }).await;
    running.stop.send(()).unwrap();
    tokio::time::timeout(LIMIT, running.task).await.unwrap().unwrap().unwrap();
    call.abort();
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_what_to_do() {
    let running = start_simple().await;
    let error = bind(&running.address).await.unwrap_err().to_string();
    let advice = "stop the process that listens there, or choose another alluxio.master.rpc.port";
    assert_eq!(error, format!("cannot listen on {}; {advice}", running.address));
    let error = bind("192.0.2.1:0").await.unwrap_err().to_string();
    let advice = "set alluxio.master.bind.host to a host name or address of this machine";
    assert_eq!(error, format!("cannot listen on 192.0.2.1:0; {advice}"));
}
