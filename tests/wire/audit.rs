//! What clients do at a whole master is counted, and written to the audit log with user, address, path and outcome.

use std::path::Path;
use std::sync::Arc;

use alluxio::election::SoloLatch;
use alluxio::master::audit::{AuditLog, Line};
use alluxio::metrics::MasterCounters;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CompleteFilePRequest, CreateDirectoryPOptions, CreateDirectoryPRequest, CreateFilePOptions, CreateFilePRequest,
    DeletePOptions, DeletePRequest, ExistsPRequest, GetStatusPRequest, ListStatusPRequest, RenamePRequest,
    SetAttributePOptions, SetAttributePRequest, WritePType,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::channel::{Connection, connect};
use alluxio::ufs::{MemoryUfs, Ufs};
use parking_lot::Mutex;
use tonic::Code;

use crate::harness::{eventually, identity};
use crate::ufs::{Master, ROOT, ownership, start_under};

struct Audited {
    master: Master,
    lines: Arc<Mutex<Vec<String>>>,
}

async fn audited(folder: &Path) -> Audited {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&lines);
    let write = move |line: &Line| written.lock().push(line.to_string());
    let audit = AuditLog::start(100, Arc::new(MasterCounters::default()), write).unwrap();
    let memory = MemoryUfs::new();
    memory.mkdir(ROOT, &ownership()).await.unwrap();
    let latch = Arc::new(SoloLatch::new("master:1"));
    Audited { master: start_under(folder, ROOT, memory, latch, Some(audit)).await, lines }
}

impl Audited {
    async fn client_of(&self, user: &str) -> FileSystemMasterClientServiceClient<Connection> {
        let service = ServiceType::FileSystemMasterClientService;
        let channel = connect(&self.master.address, service, &identity(user)).await.unwrap();
        FileSystemMasterClientServiceClient::new(channel)
    }

    /// The newest line, without what differs from run to run, once there are so many.
    async fn line(&self, number: usize) -> String {
        eventually("the line is written", || async { self.lines.lock().len() >= number }).await;
        let line = self.lines.lock()[number - 1].clone();
        assert_eq!(self.lines.lock().len(), number, "{line}");
        let mut fields: Vec<_> = line.split('\t').collect();
        let mut take = |name: &str| {
            let at = fields.iter().position(|field| field.starts_with(name)).expect("it is there");
            fields.remove(at)
        };
        assert!(take("ip=").starts_with("ip=/127.0.0.1:"), "{line}");
        assert!(take("executionTimeUs=")["executionTimeUs=".len()..].parse::<u64>().is_ok(), "{line}");
        fields.join(" ")
    }
}

fn mkdir(path: &str) -> CreateDirectoryPRequest {
    let options = CreateDirectoryPOptions { write_type: Some(WritePType::MustCache.into()), ..Default::default() };
    CreateDirectoryPRequest { path: Some(path.into()), options: Some(options) }
}

fn new_file() -> CreateFilePOptions {
    CreateFilePOptions {
        block_size_bytes: Some(1 << 20),
        write_type: Some(WritePType::MustCache.into()),
        ..Default::default()
    }
}

#[tokio::test]
async fn each_operation_has_a_line_with_user_path_and_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let audited = audited(folder.path()).await;
    let mut root = audited.client_of("root").await;
    root.create_directory(mkdir("/d")).await.unwrap();
    let by_root = "ugi=root,root (AUTH=SIMPLE)";
    let expected =
        format!("succeeded=true allowed=true {by_root} cmd=mkdir src=/d dst=null perm=root:root:rwxr-xr-x proto=rpc");
    assert_eq!(audited.line(1).await, expected);
    let options = new_file();
    root.create_file(CreateFilePRequest { path: Some("/d/f".into()), options: Some(options) }).await.unwrap();
    assert!(audited.line(2).await.contains("cmd=createFile src=/d/f dst=null perm=root:root:rw-r--r--"));
    root.complete_file(CompleteFilePRequest { path: Some("/d/f".into()), options: None }).await.unwrap();
    assert!(audited.line(3).await.contains("cmd=completeFile src=/d/f"));
    let options = SetAttributePOptions { owner: Some("ada".into()), ..Default::default() };
    root.set_attribute(SetAttributePRequest { path: Some("/d/f".into()), options: Some(options) }).await.unwrap();
    assert!(audited.line(4).await.contains("cmd=chown src=/d/f dst=null perm=ada:root:rw-r--r--"));
    let rename = RenamePRequest { path: Some("/d/f".into()), dst_path: Some("/d/g".into()), options: None };
    root.rename(rename).await.unwrap();
    assert!(audited.line(5).await.contains("cmd=rename src=/d/f dst=/d/g perm=ada:root:rw-r--r--"));
    root.get_status(GetStatusPRequest { path: Some("/d/g".into()), options: None }).await.unwrap();
    assert!(audited.line(6).await.contains("cmd=getFileInfo src=/d/g dst=null perm=ada:root:rw-r--r--"));
    root.list_status(ListStatusPRequest { path: Some("/d".into()), options: None }).await.unwrap();
    assert!(audited.line(7).await.contains("cmd=listStatus src=/d dst=null perm=root:root:rwxr-xr-x"));
    root.exists(ExistsPRequest { path: Some("/none".into()), options: None }).await.unwrap();
    assert!(audited.line(8).await.contains("succeeded=true allowed=true"));
    let missing = root.get_status(GetStatusPRequest { path: Some("/none".into()), options: None }).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let expected =
        format!("succeeded=false allowed=true {by_root} cmd=getFileInfo src=/none dst=null perm=null proto=rpc");
    assert_eq!(audited.line(9).await, expected);
    let options = DeletePOptions { recursive: Some(true), ..Default::default() };
    root.remove(DeletePRequest { path: Some("/d".into()), options: Some(options) }).await.unwrap();
    assert!(audited.line(10).await.contains("cmd=delete src=/d dst=null perm=root:root:rwxr-xr-x"));
}

#[tokio::test]
async fn what_is_denied_is_said_and_names_forge_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let audited = audited(folder.path()).await;
    let user = "eve\tcmd=none\nsucceeded=true";
    let mut eve = audited.client_of(user).await;
    let refused = eve.create_directory(mkdir("/a\nsucceeded=true\tallowed=true")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let expected = "succeeded=false allowed=false ugi=eve\\tcmd=none\\nsucceeded=true,N/A (AUTH=SIMPLE) cmd=mkdir \
                    src=/a\\nsucceeded=true\\tallowed=true dst=null perm=root:root:rwxr-xr-x proto=rpc";
    assert_eq!(audited.line(1).await, expected);
}

#[tokio::test]
async fn calls_and_what_they_did_are_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let audited = audited(folder.path()).await;
    let counters = audited.master.handle.counters();
    let mut root = audited.client_of("root").await;
    for name in ["/a", "/a/b", "/a/b"] {
        let _ = root.create_directory(mkdir(name)).await;
    }
    assert_eq!((counters.create_directory_ops.get(), counters.directories_created.get()), (3, 2));
    assert_eq!((counters.failed_ops.get(), counters.denied_ops.get()), (1, 0));
    let options = new_file();
    root.create_file(CreateFilePRequest { path: Some("/a/f".into()), options: Some(options) }).await.unwrap();
    root.complete_file(CompleteFilePRequest { path: Some("/a/f".into()), options: None }).await.unwrap();
    assert_eq!((counters.create_file_ops.get(), counters.files_created.get()), (1, 1));
    assert_eq!((counters.complete_file_ops.get(), counters.files_completed.get()), (1, 1));
    root.get_status(GetStatusPRequest { path: Some("/a".into()), options: None }).await.unwrap();
    let listed = root.list_status(ListStatusPRequest { path: Some("/a".into()), options: None }).await.unwrap();
    assert_eq!(listed.into_inner().message().await.unwrap().unwrap().file_infos.len(), 2);
    assert_eq!((counters.get_file_info_ops.get(), counters.file_infos_got.get()), (2, 3));
    let mut other = audited.client_of("other").await;
    other.create_directory(mkdir("/x")).await.unwrap_err();
    assert_eq!((counters.failed_ops.get(), counters.denied_ops.get()), (2, 1));
    let options = DeletePOptions { recursive: Some(true), ..Default::default() };
    root.remove(DeletePRequest { path: Some("/a".into()), options: Some(options) }).await.unwrap();
    assert_eq!(counters.delete_path_ops.get(), 1);
    // The directory, what was in it, and the file.
    eventually("the tree is freed", || async { counters.paths_deleted.get() == 3 }).await;
    assert!(counters.journal_flushes.get() > 0 && counters.journal_flush_failures.get() == 0);
}
