//! A whole master over a UFS: what is in the UFS is seen, what is made, moved and deleted is so in the UFS, too.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alluxio::election::{Latch, SoloLatch};
use alluxio::journal::chain::{Position, SegmentHeader};
use alluxio::journal::codec::encode_header;
use alluxio::journal::folder::local::{LocalSettings, LocalStore};
use alluxio::journal::folder::{Format, JournalStore, SegmentId};
use alluxio::journal::writer::WriterLimits;
use alluxio::master::access_times::AccessTimes;
use alluxio::master::audit::AuditLog;
use alluxio::master::checkpoints::CheckpointLimits;
use alluxio::master::driver::{Driver, DriverSettings};
use alluxio::master::event::{Core, Exit};
use alluxio::master::front::Front;
use alluxio::master::ops;
use alluxio::master::role::{FencingMode, RoleSettings};
use alluxio::master::runtime::{Handle, Outside, Progress, Runtime};
use alluxio::master::server::{bind, serve};
use alluxio::master::ufs::{EffectSettings, UfsNamespace};
use alluxio::master::workers::WorkerLimits;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPOptions, CreateDirectoryPRequest, CreateFilePOptions, CreateFilePRequest, DeletePOptions,
    DeletePRequest, ExistsPOptions, ExistsPRequest, FileInfo, FileSystemMasterCommonPOptions, GetMountTablePRequest,
    GetStatusPOptions, GetStatusPRequest, ListStatusPOptions, ListStatusPRequest, LoadMetadataPType, MountPOptions,
    MountPRequest, RenamePRequest, SetAttributePOptions, SetAttributePRequest, UnmountPRequest, WritePType,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::proto::convert;
use alluxio::rpc::channel::{Connection, connect};
use alluxio::rpc::handshake::AuthenticationType;
use alluxio::types::time::boot_now;
use alluxio::types::{OperationId, SequenceNumber};
use alluxio::ufs::{MemoryUfs, Ufs, UfsClients, UfsDeletion, UfsErrorKind, UfsOwnership, UfsSettings};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::harness::{LIMIT, identity, settings};

pub(crate) const ROOT: &str = "memory://m/top";

/// Of a call to the UFS.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);

/// With a UFS that says nothing.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) struct Master {
    pub(crate) client: FileSystemMasterClientServiceClient<Connection>,
    pub(crate) address: String,
    pub(crate) handle: Handle,
    pub(crate) namespace: UfsNamespace,
    pub(crate) memory: MemoryUfs,
    pub(crate) access_times: Arc<AccessTimes>,
    _stop: oneshot::Sender<()>,
}

fn driver_settings(root_ufs: &str) -> DriverSettings {
    DriverSettings {
        role: RoleSettings {
            mode: FencingMode::Lease,
            lease: Duration::from_secs(2),
            address: "master:1".into(),
            incarnation: "i".into(),
        },
        cluster_id: "c".into(),
        limits: WriterLimits { segment_bytes: 1 << 20, unacknowledged_bytes: 1 << 20, flights: 1 },
        ops: ops::Settings {
            permission_checking: true,
            super_group: "supergroup".into(),
            umask: 0o022,
            root_ufs: root_ufs.into(),
            root_options: Default::default(),
            never_persisted: Vec::new(),
            journal: String::new(),
        },
        root_owner: "root".into(),
        root_group: "root".into(),
        checkpoints: CheckpointLimits { entries: 1_000_000, bytes: 1 << 30, age: Duration::from_secs(3600) },
        workers: WorkerLimits { timeout: LIMIT, connect_wait: Duration::ZERO },
    }
}

/// A master alone, with a journal in `folder`, that has come to serve.
pub(crate) async fn start(folder: &Path, root_ufs: &str, memory: MemoryUfs) -> Master {
    start_under(folder, root_ufs, memory, Arc::new(SoloLatch::new("master:1")), None).await
}

/// The same under a latch of the test's.
pub(crate) async fn start_under(
    folder: &Path,
    root_ufs: &str,
    memory: MemoryUfs,
    latch: Arc<dyn Latch>,
    audit: Option<AuditLog>,
) -> Master {
    let store = LocalStore::new(LocalSettings::new(folder));
    if store.read_format().await.ok().flatten().is_none() {
        let format = Format { layout: 1, feature_level: 1, cluster_id: "c".into() };
        store.write_format(&format).await.unwrap();
        let segment = SegmentId { epoch: 1, index: 0 };
        let through = SequenceNumber(0);
        let header = SegmentHeader { cluster_id: "c".into(), genesis: 1, segment, base: None, through };
        let mut bytes = Vec::new();
        encode_header(&mut bytes, &header);
        let mut writer = store.create(segment).await.unwrap();
        writer.append(bytes.into()).await.unwrap();
        writer.close().await.unwrap();
    }
    let driver = driver_settings(root_ufs);
    let outside = Outside { store: Arc::new(store), latch, refused: Arc::new([]), feature_level: Arc::default() };
    let make = |gate| Driver::new(driver.clone(), gate, Position::START, None);
    let (runtime, handle) = Runtime::new(&driver, make, Core::default(), outside);
    tokio::spawn(async move {
        let exit = runtime.run().await;
        assert_eq!(exit, Exit::Stopped, "the master ends when it is told to");
    });
    let effects = EffectSettings { deadline: DEADLINE, patience: PATIENCE, block_size_bytes: 1 << 20 };
    let clients = UfsClients::new(UfsSettings { memory: Some(memory.clone()), ..UfsSettings::usual() });
    let namespace = UfsNamespace::start(handle.clone(), Arc::new(clients), effects);
    let (room, level) = (Arc::clone(handle.room()), Arc::clone(handle.feature_level()));
    let access_times = Arc::new(AccessTimes::new(Some(Duration::ZERO)));
    let (inside, times) = (Arc::new(namespace.clone()), Arc::clone(&access_times));
    let front = Arc::new(Front::new(inside, handle.counters(), room, level, times, audit));
    let listener = bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, front, settings(AuthenticationType::Simple), async {
        let _ = stopped.await;
    }));
    let mut progress = handle.progress();
    let primary = progress.wait_for(|progress| matches!(progress, Progress::Primary(_)));
    tokio::time::timeout(LIMIT, primary).await.expect("it serves").unwrap();
    let channel = connect(&address, ServiceType::FileSystemMasterClientService, &identity("root")).await.unwrap();
    let client = FileSystemMasterClientServiceClient::new(channel);
    Master { client, address, handle, namespace, memory, access_times, _stop: stop }
}

pub(crate) async fn in_memory(folder: &Path) -> Master {
    let memory = MemoryUfs::new();
    memory.mkdir(ROOT, &ownership()).await.unwrap();
    start(folder, ROOT, memory).await
}

pub(crate) fn ownership() -> UfsOwnership {
    UfsOwnership { owner: "ann".into(), group: "users".into(), mode: 0o750 }
}

impl Master {
    /// Puts a file into the UFS behind the master's back.
    pub(crate) async fn put(&self, path: &str, bytes: &'static [u8]) {
        let mut writer = self.memory.create(&format!("{ROOT}{path}"), &ownership()).await.unwrap();
        writer.write(bytes.into()).await.unwrap();
        writer.close().await.unwrap();
    }

    /// What is in the UFS, below its root.
    pub(crate) fn in_ufs(&self) -> Vec<String> {
        let paths = self.memory.paths();
        let below = paths.iter().filter_map(|path| path.strip_prefix(&format!("{ROOT}/")));
        below.filter(|path| !path.is_empty()).map(str::to_owned).collect()
    }

    async fn status(&mut self, path: &str) -> Result<FileInfo, Status> {
        self.status_with(path, LoadMetadataPType::Once).await
    }

    async fn status_with(&mut self, path: &str, load: LoadMetadataPType) -> Result<FileInfo, Status> {
        let answer = self.client.get_status(status_request(path, load)).await?;
        Ok(answer.into_inner().file_info.unwrap())
    }

    pub(crate) async fn exists(&mut self, path: &str) -> bool {
        let request = ExistsPRequest { path: Some(path.into()), options: Some(ExistsPOptions::default()) };
        self.client.exists(request).await.unwrap().into_inner().exists()
    }

    pub(crate) async fn list(&mut self, path: &str, recursive: bool) -> Vec<String> {
        let options = ListStatusPOptions {
            load_metadata_type: Some(LoadMetadataPType::Once.into()),
            recursive: Some(recursive),
            ..Default::default()
        };
        let request = ListStatusPRequest { path: Some(path.into()), options: Some(options) };
        let mut messages = self.client.list_status(request).await.unwrap().into_inner();
        let mut paths = Vec::new();
        while let Some(message) = messages.message().await.unwrap() {
            paths.extend(message.file_infos.into_iter().map(|info| info.path.unwrap()));
        }
        paths
    }

    async fn mkdir(&mut self, path: &str, write_type: WritePType) -> Result<(), Status> {
        let options = CreateDirectoryPOptions {
            recursive: Some(true),
            write_type: Some(write_type.into()),
            ..Default::default()
        };
        let request = CreateDirectoryPRequest { path: Some(path.into()), options: Some(options) };
        self.client.create_directory(request).await.map(|_| ())
    }

    pub(crate) async fn create(
        &mut self,
        path: &str,
        write_type: WritePType,
        overwrite: bool,
    ) -> Result<FileInfo, Status> {
        let options = CreateFilePOptions {
            recursive: Some(true),
            overwrite: Some(overwrite),
            block_size_bytes: Some(1 << 20),
            write_type: Some(write_type.into()),
            replication_max: Some(-1),
            ..Default::default()
        };
        let request = CreateFilePRequest { path: Some(path.into()), options: Some(options) };
        Ok(self.client.create_file(request).await?.into_inner().file_info.unwrap())
    }

    async fn rename(&mut self, from: &str, to: &str) -> Result<(), Status> {
        let request = RenamePRequest { path: Some(from.into()), dst_path: Some(to.into()), options: None };
        self.client.rename(request).await.map(|_| ())
    }

    async fn remove(&mut self, path: &str, recursive: bool) -> Result<(), Status> {
        let options = DeletePOptions { recursive: Some(recursive), ..Default::default() };
        let request = DeletePRequest { path: Some(path.into()), options: Some(options) };
        self.client.remove(request).await.map(|_| ())
    }

    async fn mount(&mut self, path: &str, ufs: &str, read_only: bool) -> Result<(), Status> {
        let options = MountPOptions { read_only: Some(read_only), ..Default::default() };
        let request =
            MountPRequest { alluxio_path: Some(path.into()), ufs_path: Some(ufs.into()), options: Some(options) };
        self.client.mount(request).await.map(|_| ())
    }

    async fn unmount(&mut self, path: &str) -> Result<(), Status> {
        self.client.unmount(UnmountPRequest { alluxio_path: Some(path.into()), options: None }).await.map(|_| ())
    }
}

fn status_request(path: &str, load: LoadMetadataPType) -> GetStatusPRequest {
    let options = GetStatusPOptions { load_metadata_type: Some(load.into()), ..Default::default() };
    GetStatusPRequest { path: Some(path.into()), options: Some(options) }
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Status>, code: Code, message: &str) {
    let status = result.unwrap_err();
    assert_eq!((status.code(), status.message()), (code, message));
}

#[tokio::test]
async fn what_is_in_the_ufs_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/a/b/f", &[7; 3_000_000]).await;
    let never = master.status_with("/a/b/f", LoadMetadataPType::Never).await;
    assert_refused(never, Code::NotFound, "Path \"/a/b/f\" does not exist.");
    let file = master.status("/a/b/f").await.unwrap();
    assert_eq!((file.length(), file.block_ids.len(), file.completed()), (3_000_000, 3, true));
    assert_eq!((file.owner(), file.group(), file.mode()), ("ann", "users", 0o750));
    assert_eq!((file.persistence_state(), file.ufs_path()), ("PERSISTED", "memory://m/top/a/b/f"));
    assert_eq!(master.status("/a").await.unwrap().persistence_state(), "PERSISTED");
    assert!(!master.exists("/a/nope").await);
    assert_refused(master.status("/a/nope").await, Code::NotFound, "Path \"/a/nope\" does not exist.");
    master.put("/a/g", b"x").await;
    assert_eq!(master.list("/", true).await, ["/a", "/a/b", "/a/b/f", "/a/g"]);
    // A directory is listed in the UFS once; a path that is named is looked for.
    master.put("/a/later", b"x").await;
    assert_eq!(master.list("/a", false).await, ["/a/b", "/a/g"]);
    assert!(master.exists("/a/later").await);
    assert_eq!(master.list("/a", false).await, ["/a/b", "/a/g", "/a/later"]);
}

#[tokio::test]
async fn what_is_written_through_has_its_directories_in_the_ufs() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.mkdir("/cached", WritePType::MustCache).await.unwrap();
    master.mkdir("/through/x", WritePType::CacheThrough).await.unwrap();
    assert_eq!(master.in_ufs(), ["through/", "through/x/"]);
    assert_eq!(master.status("/cached").await.unwrap().persistence_state(), "NOT_PERSISTED");
    let file = master.create("/cached/y/f", WritePType::CacheThrough, false).await.unwrap();
    assert_eq!((file.persistence_state(), file.completed()), ("PERSISTED", false));
    assert_eq!(master.in_ufs(), ["cached/", "cached/y/", "through/", "through/x/"]);
    for path in ["/cached", "/cached/y"] {
        assert_eq!(master.status(path).await.unwrap().persistence_state(), "PERSISTED", "{path}");
    }
    let refused = master.create("/cached/y/f", WritePType::Through, false).await;
    let text =
        "/cached/y/f already exists. If you want to overwrite the file, you need to specify the overwrite option.";
    assert_refused(refused, Code::AlreadyExists, text);
}

#[tokio::test]
async fn what_is_only_in_the_ufs_stands_in_the_way_of_a_create() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/f", b"old").await;
    let refused = master.create("/f", WritePType::MustCache, false).await;
    let text = "/f already exists. If you want to overwrite the file, you need to specify the overwrite option.";
    assert_refused(refused, Code::AlreadyExists, text);
    let old = master.status("/f").await.unwrap();
    let new = master.create("/f", WritePType::MustCache, true).await.unwrap();
    assert_ne!(new.file_id(), old.file_id());
    assert_eq!((new.persistence_state(), new.length()), ("NOT_PERSISTED", 0));
    assert_eq!(master.in_ufs(), ["f"], "what is in Alluxio alone replaces nothing there");
    master.put("/g", b"old").await;
    let new = master.create("/g", WritePType::Through, true).await.unwrap();
    assert_eq!((new.persistence_state(), new.length()), ("PERSISTED", 0));
    assert_eq!(master.in_ufs(), ["f"]);
}

#[tokio::test]
async fn renames_and_deletes_reach_the_ufs() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    for path in ["/a/f", "/a/b/g", "/h"] {
        master.put(path, b"x").await;
    }
    master.mkdir("/new", WritePType::MustCache).await.unwrap();
    master.rename("/a/f", "/new/f").await.unwrap();
    assert_eq!(master.in_ufs(), ["a/", "a/b/", "a/b/g", "h", "new/", "new/f"]);
    assert_eq!(master.status("/new").await.unwrap().persistence_state(), "PERSISTED");
    master.rename("/a", "/c").await.unwrap();
    assert_eq!(master.in_ufs(), ["c/", "c/b/", "c/b/g", "h", "new/", "new/f"]);
    assert!(master.exists("/c/b/g").await && !master.exists("/a").await);
    let refused = master.remove("/c", false).await;
    let text = "Cannot delete non-empty directory c because recursive is set to false";
    assert_refused(refused, Code::FailedPrecondition, text);
    master.remove("/c", true).await.unwrap();
    master.remove("/h", false).await.unwrap();
    assert_eq!(master.in_ufs(), ["new/", "new/f"]);
    assert_eq!(master.list("/", true).await, ["/new", "/new/f"]);
}

#[tokio::test]
async fn what_the_ufs_refuses_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/a/f", b"x").await;
    assert_eq!(master.list("/", true).await, ["/a", "/a/f"]);
    master.memory.fail_next(UfsErrorKind::Denied);
    let refused = master.remove("/a/f", false).await;
    let text = "Failed to delete 1 paths from the under file system: /a/f \
                (cannot delete memory://m/top/a/f: the test wants it)";
    assert_refused(refused, Code::FailedPrecondition, text);
    assert!(master.exists("/a/f").await);
    // A call whose reply is lost is asked after, and made again.
    master.memory.fail_next(UfsErrorKind::Unavailable);
    master.remove("/a/f", false).await.unwrap();
    assert_eq!(master.in_ufs(), ["a/"]);
}

#[tokio::test]
async fn a_ufs_that_is_away_keeps_nobody_from_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.mkdir("/d", WritePType::MustCache).await.unwrap();
    master.memory.fail_next(UfsErrorKind::Unavailable);
    let refused = master.status("/unknown").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(refused.message().contains("memory://m/top/unknown"), "{refused}");
    master.memory.fail_next(UfsErrorKind::Unavailable);
    master.create("/f", WritePType::MustCache, false).await.unwrap();
    assert!(master.exists("/d").await && master.exists("/f").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ufs_that_is_silent_keeps_nobody_waiting_for_long() {
    let folder = tempfile::tempdir().unwrap();
    // Connections are taken, and nothing is answered.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("hdfs://{}/top", silent.local_addr().unwrap());
    let mut master = start(folder.path(), &root, MemoryUfs::new()).await;
    let began = boot_now();
    let mut asked = JoinSet::new();
    for _ in 0..8 {
        let mut client = master.client.clone();
        asked.spawn(async move { client.get_status(status_request("/unknown", LoadMetadataPType::Once)).await });
    }
    // What is in Alluxio alone waits for one look, and what lies below it for none.
    master.mkdir("/d", WritePType::MustCache).await.unwrap();
    for name in 0..8 {
        master.mkdir(&format!("/d/{name}"), WritePType::MustCache).await.unwrap();
    }
    let took = boot_now().since(began);
    assert!(took < PATIENCE, "{took:?}");
    // Who asks for what is not known is told so, all of them at once.
    for answer in asked.join_all().await {
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    }
    let took = boot_now().since(began);
    assert!(took < PATIENCE * 2, "{took:?}");
    // A change of the UFS can be asked for again, and then waits for the one that is under way.
    let operation_id = Some(convert::operation_id_to_proto(OperationId { high: 1, low: 2 }));
    let common_options = Some(FileSystemMasterCommonPOptions { operation_id, ..Default::default() });
    let write_type = Some(WritePType::CacheThrough.into());
    let options = Some(CreateDirectoryPOptions { write_type, common_options, ..Default::default() });
    for _ in 0..2 {
        let began = boot_now();
        let request = CreateDirectoryPRequest { path: Some("/t".into()), options: options.clone() };
        let refused = master.client.create_directory(request).await.unwrap_err();
        let took = boot_now().since(began);
        assert!(refused.code() == Code::Unavailable && took < PATIENCE * 2, "{refused} after {took:?}");
    }
    // Nor does who looks for something below wait for it.
    let began = boot_now();
    assert_eq!(master.status("/t/below").await.unwrap_err().code(), Code::Unavailable);
    let took = boot_now().since(began);
    assert!(took < PATIENCE * 2, "{took:?}");
}

#[tokio::test]
async fn mode_and_owner_reach_the_ufs() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/f", b"x").await;
    let options = SetAttributePOptions {
        mode: Some(convert::mode_to_proto(0o600)),
        owner: Some("bob".into()),
        ..Default::default()
    };
    let request = |path: &str| SetAttributePRequest { path: Some(path.into()), options: Some(options.clone()) };
    master.client.set_attribute(request("/f")).await.unwrap();
    let status = master.memory.status(&format!("{ROOT}/f")).await.unwrap().unwrap();
    assert_eq!((status.mode, status.owner.as_str(), status.group.as_str()), (0o600, "bob", "users"));
    let file = master.status("/f").await.unwrap();
    assert_eq!((file.mode(), file.owner()), (0o600, "bob"));

    master.create("/open", WritePType::CacheThrough, false).await.unwrap();
    master.client.set_attribute(request("/open")).await.unwrap();
    assert_eq!(master.status("/open").await.unwrap().owner(), "bob", "its writer has yet to make it there");
    master.memory.delete(&format!("{ROOT}/f"), UfsDeletion::File).await.unwrap();
    let other = SetAttributePOptions { owner: Some("ann".into()), ..Default::default() };
    let request = SetAttributePRequest { path: Some("/f".into()), options: Some(other) };
    let text = format!("Could not setOwner for UFS file {ROOT}/f . Aborting the setAttribute operation in Alluxio.");
    assert_refused(master.client.set_attribute(request).await, Code::PermissionDenied, &text);
    assert_eq!(master.status("/f").await.unwrap().owner(), "bob");
}

#[tokio::test]
async fn another_ufs_is_mounted_and_unmounted() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    for uri in ["memory://n/data/f", "memory://n/data/d/g"] {
        master.memory.create(uri, &ownership()).await.unwrap().close().await.unwrap();
    }
    master.put("/there", b"x").await;
    master.mkdir("/e", WritePType::MustCache).await.unwrap();
    let exists = "already exists in Alluxio namespace. Try mounting to another path.";
    let refused = master.mount("/e", "memory://n/data", false).await;
    assert_refused(refused, Code::Unknown, &format!("Mount point target path /e {exists}"));
    let refused = master.mount("/m", "memory://n/none", false).await;
    assert_refused(refused, Code::Unknown, "Ufs path memory://n/none does not exist");
    let refused = master.mount("/m", "memory://m/top/sub", false).await;
    assert_refused(refused, Code::Unknown, "Mount point memory://m/top is a prefix of memory://m/top/sub");
    let refused = master.mount("/there", "memory://n/data", false).await;
    let text = "Mount path /there shadows an existing path /top/there in the parent underlying filesystem";
    assert_refused(refused, Code::Unknown, text);
    let refused = master.mount("/m", "gs://bucket", false).await.unwrap_err();
    assert!(refused.message().contains("the scheme gs is not supported"), "{refused}");

    master.mount("/e/m", "memory://n/data/", false).await.unwrap();
    let point = master.status("/e/m").await.unwrap();
    assert_eq!((point.mount_point(), point.ufs_path(), point.owner()), (true, "memory://n/data", "ann"));
    assert_eq!(master.list("/e/m", true).await, ["/e/m/d", "/e/m/d/g", "/e/m/f"]);
    let file = master.status("/e/m/d/g").await.unwrap();
    assert_eq!((file.ufs_path(), file.mount_id()), ("memory://n/data/d/g", point.mount_id()));
    let table = master.client.get_mount_table(GetMountTablePRequest::default()).await.unwrap().into_inner();
    let mounts: Vec<_> = ["/", "/e/m"].iter().map(|path| table.mount_points[*path].ufs_uri()).collect();
    assert_eq!((mounts, table.mount_points.len()), (vec![ROOT, "memory://n/data"], 2));

    let refused = master.rename("/there", "/e/m/x").await;
    assert_refused(refused, Code::InvalidArgument, "Renaming /there to /e/m/x is a cross mount operation");
    let refused = master.remove("/e", true).await;
    let text =
        "Cannot delete path /e which is or contains a mount point without --deleteMountPoint/-m option specified";
    assert_refused(refused, Code::PermissionDenied, text);
    let refused = master.unmount("/e").await;
    let text = "Failed to unmount /e. Please ensure the path is an existing mount point.";
    assert_refused(refused, Code::InvalidArgument, text);
    assert_refused(master.unmount("/no").await, Code::NotFound, "Failed to unmount: Path /no does not exist");
    master.rename("/e/m/f", "/e/m/d/f").await.unwrap();
    master.unmount("/e/m").await.unwrap();
    assert_eq!(master.list("/", true).await, ["/e", "/there"]);
    let kept: Vec<String> = master.memory.paths().into_iter().filter(|path| path.starts_with("memory://n")).collect();
    assert_eq!(kept, ["memory://n/data/", "memory://n/data/d/", "memory://n/data/d/f", "memory://n/data/d/g"]);
}

#[tokio::test]
async fn nothing_is_written_below_a_read_only_mount() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.memory.create("memory://n/data/f", &ownership()).await.unwrap().close().await.unwrap();
    master.mount("/ro", "memory://n/data", true).await.unwrap();
    let text = |path: &str| format!("A write operation on {path} under a readonly mount point /ro is not allowed");
    let denied = Code::PermissionDenied;
    assert_refused(master.create("/ro/x", WritePType::MustCache, false).await, denied, &text("/ro/x"));
    assert_refused(master.mkdir("/ro/d", WritePType::CacheThrough).await, denied, &text("/ro/d"));
    assert_refused(master.remove("/ro/f", false).await, denied, &text("/ro/f"));
    assert_refused(master.rename("/ro/f", "/g").await, denied, &text("/ro/f"));
    assert_eq!(master.list("/ro", false).await, ["/ro/f"]);
}

#[tokio::test]
async fn a_restart_finds_what_was_loaded_and_mounted() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.put("/a/f", b"x").await;
    master.memory.create("memory://n/data/f", &ownership()).await.unwrap().close().await.unwrap();
    master.mount("/m", "memory://n/data", false).await.unwrap();
    assert_eq!(master.list("/", true).await, ["/a", "/a/f", "/m", "/m/f"]);
    let before = master.handle.with_core(|core, _| core.state.digest());
    master.handle.stop().await;
    let stopped = async {
        while master.handle.is_primary() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, stopped).await.unwrap();
    let mut again = start(folder.path(), ROOT, master.memory.clone()).await;
    assert_eq!(again.handle.with_core(|core, _| core.state.digest()), before);
    assert_eq!(again.status("/m/f").await.unwrap().ufs_path(), "memory://n/data/f");
}

#[tokio::test]
async fn a_local_disk_is_a_ufs() {
    let (folder, ufs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = ufs.path().to_str().unwrap().to_owned();
    std::fs::create_dir(ufs.path().join("d")).unwrap();
    std::fs::write(ufs.path().join("d/f"), "abc").unwrap();
    let mut master = start(folder.path(), &root, MemoryUfs::new()).await;
    assert_eq!(master.list("/", true).await, ["/d", "/d/f"]);
    assert_eq!(master.status("/d/f").await.unwrap().length(), 3);
    master.create("/new/g", WritePType::Through, false).await.unwrap();
    assert!(ufs.path().join("new").is_dir());
    master.rename("/d/f", "/new/f").await.unwrap();
    assert_eq!(std::fs::read(ufs.path().join("new/f")).unwrap(), b"abc");
    assert!(!master.exists(&format!("/{}", "x".repeat(300))).await, "no local disk has such a name");
    master.remove("/new", true).await.unwrap();
    assert!(!ufs.path().join("new").exists());
    assert_eq!(master.list("/", true).await, ["/d"]);
}
