//! What is swept, before a namespace that needs one block and one temporary file.

use super::*;
use crate::journal::entry::AddMountPoint;
use crate::master::audit::Ownership;
use crate::master::ops::{Freshness, Operation, Request, ToPersist};
use crate::master::ufs::{BackupRequest, BackupStatus};
use crate::master::worker_call::WorkerCall;
use crate::types::{AlluxioPath, ErrorKind, OperationId, SequenceNumber};
use crate::ufs::{MemoryUfs, Ufs, UfsDeletion, UfsOwnership, UfsSettings};

const ROOT: &str = "memory://m/top";

#[derive(Default)]
pub(in crate::master::tasks) struct Needs {
    pub(in crate::master::tasks) ufs: MemoryUfs,
    pub(in crate::master::tasks) needed: Vec<&'static str>,
    /// Ordered by id.
    pub(in crate::master::tasks) to_persist: Vec<ToPersist>,
}

impl Namespace for Needs {
    fn is_primary(&self) -> bool {
        true
    }

    fn journal_position(&self) -> SequenceNumber {
        SequenceNumber(0)
    }

    fn is_answered(&self, _: OperationId) -> bool {
        false
    }

    async fn submit(&self, _: Request) -> Result<Answer, FsError> {
        Err(FsError::new(ErrorKind::Internal, "nothing is submitted"))
    }

    async fn checkpoint(&self) -> Result<(), FsError> {
        Err(FsError::new(ErrorKind::Internal, "no checkpoint is wanted"))
    }

    async fn backup(&self, _: BackupRequest) -> Result<BackupStatus, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is wanted"))
    }

    async fn back_up_here(&self, _: &str, _: SequenceNumber) -> Result<u64, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is wanted"))
    }

    fn backup_status(&self, _: &str) -> Result<BackupStatus, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is wanted"))
    }

    async fn worker(&self, _: WorkerCall) -> Result<Answer, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no worker calls"))
    }

    async fn query(&self, _: &Caller, query: &Query) -> Result<Answer, FsError> {
        match query {
            Query::MountTable => Ok(Answer::Mounts(vec![mount(1, ROOT, false), mount(2, "memory://m/ro", true)])),
            Query::Leftovers(found) => {
                let is_needed = |leftover: &&Leftover| self.needed.iter().any(|end| leftover.uri().ends_with(end));
                Ok(Answer::Leftovers(found.iter().filter(|leftover| !is_needed(leftover)).cloned().collect()))
            }
            Query::ToPersist { after, limit, .. } => {
                let mut files: Vec<ToPersist> =
                    self.to_persist.iter().filter(|file| file.status.id > *after).cloned().collect();
                let more = files.len() > *limit;
                files.truncate(*limit);
                let last = files.last().map(|file| file.status.id).filter(|_| more);
                Ok(Answer::ToPersist { files, last })
            }
            Query::Workers => Ok(Answer::Workers(Vec::new())),
            other => panic!("nobody should ask {other:?}"),
        }
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

    async fn delete_leftover(&self, uri: &str) -> Result<(), FsError> {
        self.ufs.delete(uri, UfsDeletion::File).await.map_err(|e| FsError::new(ErrorKind::Internal, e.to_string()))
    }
}

fn mount(mount_id: i64, ufs_path: &str, read_only: bool) -> AddMountPoint {
    let path = AlluxioPath::root();
    AddMountPoint { path, ufs_path: ufs_path.into(), mount_id, read_only, shared: true, properties: Vec::new() }
}

#[tokio::test]
async fn only_what_is_old_and_of_no_use_is_deleted() {
    let memory = MemoryUfs::new();
    let (temporary, blocks) = (format!("{ROOT}/{PERSISTENCE_FOLDER}"), format!("{ROOT}/{BLOCKS_FOLDER}"));
    let gone = [format!("{temporary}/a.alluxio.1.u.tmp"), format!("{blocks}/16777216")];
    let stays = [
        format!("{temporary}/used.alluxio.1.u.tmp"),
        format!("{temporary}/intent.alluxio.1.u.tmp"),
        format!("{temporary}/a"),
        format!("{blocks}/33554432"),
        format!("{blocks}/no-number"),
        format!("{ROOT}/file.alluxio.1.u.tmp"),
        format!("memory://m/ro/{PERSISTENCE_FOLDER}/a.alluxio.1.u.tmp"),
    ];
    let ownership = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o644 };
    for uri in gone.iter().chain(&stays) {
        memory.create(uri, &ownership).await.unwrap().close().await.unwrap();
    }
    let clients = UfsClients::new(UfsSettings { memory: Some(memory.clone()), ..UfsSettings::usual() });
    let needed = vec!["/intent.alluxio.1.u.tmp", "/33554432"];
    let namespace = Needs { ufs: memory.clone(), needed, ..Needs::default() };
    let in_use = InUse::default();
    let used = in_use.enter(&stays[0]);
    let files = || memory.paths().into_iter().filter(|path| !path.ends_with('/')).collect::<BTreeSet<_>>();
    let all = files();
    // The clock of this UFS has hardly begun.
    sweep(&namespace, &clients, &in_use, Millis(AGE_MIN_MS)).await.unwrap();
    assert_eq!(files(), all, "what is young stays");
    sweep(&namespace, &clients, &in_use, Millis(2 * AGE_MIN_MS)).await.unwrap();
    assert_eq!(files(), stays.iter().cloned().collect());
    drop(used);
    sweep(&namespace, &clients, &in_use, Millis(2 * AGE_MIN_MS)).await.unwrap();
    assert_eq!(files(), stays[1..].iter().cloned().collect());
}
