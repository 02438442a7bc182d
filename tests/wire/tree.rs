//! The calls over the real namespace: what the master decides arrives at a client, refusals included.

use std::sync::Arc;
use std::time::Duration;

use alluxio::master::audit::Ownership;
use alluxio::master::ops::{Answer, Freshness, Operation, Query, Request, Settings, bootstrap, decide, query};
use alluxio::master::server::{Namespace, bind, serve};
use alluxio::master::state::{Footprint, MasterState};
use alluxio::master::ufs::{BackupRequest, BackupStatus};
use alluxio::master::worker_call::WorkerCall;
use alluxio::master::workers::Workers;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CompleteFilePRequest, CreateDirectoryPRequest, CreateFilePOptions, CreateFilePRequest, DeletePOptions,
    DeletePRequest, GetStatusPRequest, ListStatusPRequest, RenamePRequest,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::channel::{Connection, connect};
use alluxio::rpc::handshake::AuthenticationType;
use alluxio::types::time::Millis;
use alluxio::types::{AlluxioPath, Caller, ErrorKind, FsError, OperationId, SequenceNumber};
use parking_lot::RwLock;
use tonic::{Code, Status};

use crate::harness::{front, identity, settings};

/// A master without a journal: what is decided is applied at once.
struct Tree {
    state: RwLock<MasterState>,
    settings: Settings,
}

impl Tree {
    fn new() -> Tree {
        let mut state = MasterState::new();
        for entry in bootstrap(&state, "root", "root", Millis(1000), "cluster".into(), 0) {
            state.apply(&entry).unwrap();
        }
        let settings = Settings {
            permission_checking: true,
            super_group: "supergroup".into(),
            umask: 0o022,
            root_ufs: "hdfs://nn:9000/alluxio".into(),
            root_options: Default::default(),
            never_persisted: Vec::new(),
            journal: String::new(),
        };
        Tree { state: RwLock::new(state), settings }
    }
}

impl Namespace for Tree {
    fn is_primary(&self) -> bool {
        true
    }

    fn journal_position(&self) -> SequenceNumber {
        SequenceNumber(0)
    }

    fn is_answered(&self, _: OperationId) -> bool {
        false
    }

    async fn submit(&self, request: Request) -> Result<Answer, FsError> {
        let mut state = self.state.write();
        let decision = decide(&state, &Workers::default(), &request, Millis(2000), &self.settings)?;
        for entry in &decision.entries {
            state.apply(entry).unwrap();
        }
        Ok(decision.answer)
    }

    async fn checkpoint(&self) -> Result<(), FsError> {
        Ok(())
    }

    async fn backup(&self, _: BackupRequest) -> Result<BackupStatus, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is made here"))
    }

    async fn back_up_here(&self, _: &str, _: SequenceNumber) -> Result<u64, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is made here"))
    }

    fn backup_status(&self, _: &str) -> Result<BackupStatus, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is made here"))
    }

    async fn worker(&self, call: WorkerCall) -> Result<Answer, FsError> {
        panic!("no worker talks to this tree: {call:?}")
    }

    async fn query(&self, caller: &Caller, asked: &Query) -> Result<Answer, FsError> {
        query(&self.state.read(), &Workers::default(), caller, asked, &self.settings, &mut Footprint::default())
    }

    async fn delete_leftover(&self, _: &str) -> Result<(), FsError> {
        Ok(())
    }

    async fn load(&self, _: &Query, _: Freshness) -> Result<(), FsError> {
        Ok(())
    }

    fn changed_in_ufs(&self, _: AlluxioPath) {}

    fn ufs_uri(&self, path: &AlluxioPath) -> String {
        path.to_string()
    }

    async fn inconsistent(&self, _: &AlluxioPath) -> Result<Vec<AlluxioPath>, FsError> {
        Ok(Vec::new())
    }

    async fn refresh(&self, _: &Operation, _: Duration) -> Result<(), FsError> {
        Ok(())
    }

    fn ownership(&self, _: &AlluxioPath) -> Option<Ownership> {
        None
    }
}

type Client = FileSystemMasterClientServiceClient<Connection>;

async fn client() -> Client {
    let listener = bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving =
        serve(listener, front(Arc::new(Tree::new())), settings(AuthenticationType::Simple), std::future::pending());
    tokio::spawn(serving);
    let service = ServiceType::FileSystemMasterClientService;
    Client::new(connect(&address, service, &identity("root")).await.unwrap())
}

async fn mkdir(client: &mut Client, path: &str) -> Result<(), Status> {
    let request = CreateDirectoryPRequest { path: Some(path.into()), options: None };
    client.create_directory(request).await.map(|_| ())
}

async fn list(client: &mut Client, path: &str) -> Result<Vec<String>, Status> {
    let request = ListStatusPRequest { path: Some(path.into()), options: None };
    let mut messages = client.list_status(request).await?.into_inner();
    let mut names = Vec::new();
    while let Some(message) = messages.message().await? {
        names.extend(message.file_infos.iter().map(|info| info.name().to_owned()));
    }
    Ok(names)
}

fn told<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refused = answer.unwrap_err();
    (refused.code(), refused.message().to_owned())
}

#[tokio::test]
async fn a_tree_grows_moves_and_goes() {
    let mut client = client().await;
    for path in ["/b", "/a", "/a/c"] {
        mkdir(&mut client, path).await.unwrap();
    }
    let options = CreateFilePOptions { block_size_bytes: Some(64 << 20), ..Default::default() };
    let request = CreateFilePRequest { path: Some("/a/f".into()), options: Some(options) };
    let created = client.create_file(request).await.unwrap().into_inner().file_info.unwrap();
    assert_eq!((created.path(), created.ufs_path()), ("/a/f", "hdfs://nn:9000/alluxio/a/f"));
    assert_eq!((created.completed(), created.owner(), created.mode()), (false, "root", 0o644));
    client.complete_file(CompleteFilePRequest { path: Some("/a/f".into()), options: None }).await.unwrap();
    assert_eq!(list(&mut client, "/").await.unwrap(), ["a", "b"]);

    let request = RenamePRequest { path: Some("/a".into()), dst_path: Some("/b/a".into()), options: None };
    client.rename(request).await.unwrap();
    assert_eq!(list(&mut client, "/b/a").await.unwrap(), ["c", "f"]);
    let status = client.get_status(GetStatusPRequest { path: Some("/b/a/f".into()), options: None }).await.unwrap();
    let status = status.into_inner().file_info.unwrap();
    assert_eq!((status.file_id(), status.completed()), (created.file_id(), true));

    let options = DeletePOptions { recursive: Some(true), ..Default::default() };
    client.remove(DeletePRequest { path: Some("/b".into()), options: Some(options) }).await.unwrap();
    assert_eq!(list(&mut client, "/").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn refusals_have_the_code_and_the_words_of_the_original() {
    let mut client = client().await;
    mkdir(&mut client, "/e").await.unwrap();
    mkdir(&mut client, "/e/f").await.unwrap();
    let exists = "Not allowed to create directory because path already exists: /e".to_owned();
    assert_eq!(told(mkdir(&mut client, "/e").await), (Code::AlreadyExists, exists));
    let missing = "Path \"/nope\" does not exist.".to_owned();
    assert_eq!(told(list(&mut client, "/nope").await), (Code::NotFound, missing));
    let full = "Cannot delete non-empty directory e because recursive is set to false".to_owned();
    let request = DeletePRequest { path: Some("/e".into()), options: None };
    assert_eq!(told(client.remove(request).await), (Code::FailedPrecondition, full));
    let request = RenamePRequest { path: Some("/e".into()), dst_path: Some("/e/sub".into()), options: None };
    let inside = "Cannot rename because /e is a prefix of /e/sub".to_owned();
    assert_eq!(told(client.rename(request).await), (Code::InvalidArgument, inside));
}
