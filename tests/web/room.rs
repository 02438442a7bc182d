//! A journal on a disk that fills up, as its operator sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPOptions, CreateDirectoryPRequest, FileSystemMasterCommonPOptions,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::proto::convert::operation_id_to_proto;
use alluxio::rpc::channel::{ChannelSettings, Identity, connect};
use alluxio::types::OperationId;
use serde_json::json;
use tonic::Status;

use crate::bed::Bed;

/// A disk of its own, in memory. Needs root.
struct Disk(PathBuf);

impl Disk {
    fn new(at: &Path, megabytes: u32) -> Disk {
        std::fs::create_dir_all(at).unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]).arg(at));
        Disk(at.to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is still open there goes with its process.
        run(Command::new("umount").arg("-l").arg(&self.0));
    }
}

impl Bed {
    /// Makes a directory as that operation.
    fn make_with_id(&self, path: &str, id: OperationId) -> Result<(), Status> {
        let identity = Some(Identity { user: "root".into(), on_behalf_of: None });
        let settings = ChannelSettings { identity, ..ChannelSettings::default() };
        let common = FileSystemMasterCommonPOptions {
            operation_id: Some(operation_id_to_proto(id)),
            ..FileSystemMasterCommonPOptions::default()
        };
        let options = CreateDirectoryPOptions { common_options: Some(common), ..CreateDirectoryPOptions::default() };
        let request = CreateDirectoryPRequest { path: Some(path.into()), options: Some(options) };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let address = format!("127.0.0.1:{}", self.master);
            let service = ServiceType::FileSystemMasterClientService;
            let connection = connect(&address, service, &settings).await.unwrap();
            FileSystemMasterClientServiceClient::new(connection).create_directory(request).await.map(drop)
        })
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} (needs root): {output:?}");
}

#[test]
fn a_master_whose_journal_has_no_room_is_read_only_until_there_is() {
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(&place.path().join("disk"), 64);
    let journal = format!("alluxio.master.journal.folder={}/journal", disk.0.display());
    let bed = Bed::with_master(&[&journal, "alluxio.master.journal.space.read.only.bytes=32MB"]);
    let gauge = |name: &str| bed.get("/metrics/json/").json()["gauges"][format!("master.{name}")]["value"].clone();
    // The id of an operation whose answer was lost.
    let again = || bed.make_with_id("/again", OperationId { high: 1, low: 2 });
    let report = || bed.alluxio(&["info", "report", "masters"]);
    bed.alluxio(&["fs", "mkdir", "/before"]);
    again().unwrap();
    bed.until("the room is known", || (gauge("JournalBytes").as_u64()? > 0).then_some(()));
    assert_eq!(gauge("JournalReadOnly"), json!(0));
    assert!(gauge("JournalDiskFree").as_u64().unwrap() > 32 << 20);
    assert!(report().contains("Newest Checkpoint: none yet"), "{}", report());

    let filler = disk.0.join("filler");
    std::fs::write(&filler, vec![1; 40 << 20]).unwrap();
    bed.until("it is read-only", || (gauge("JournalReadOnly") == json!(1)).then_some(()));
    let refused = bed.command(&["fs", "mkdir", "/during"]).output().unwrap();
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        !refused.status.success() && text.contains("The master is read-only: the disk of its journal"),
        "{refused:?}"
    );
    assert!(bed.alluxio(&["fs", "ls", "/"]).contains("/before"));
    again().unwrap();
    assert!(bed.get("/masters").text().contains("The master is read-only"));
    assert!(report().contains("The master is read-only"), "{}", report());
    // It makes room if it can.
    bed.until("a checkpoint is written", || report().contains(" second(s) ago").then_some(()));
    assert_eq!(bed.get("/masters").term("Newest checkpoint:").split_once(" day(s)").unwrap().0, "0");

    std::fs::remove_file(&filler).unwrap();
    bed.until("it takes changes again", || (gauge("JournalReadOnly") == json!(0)).then_some(()));
    bed.alluxio(&["fs", "mkdir", "/after"]);
    assert!(!report().contains("read-only"), "{}", report());
}
