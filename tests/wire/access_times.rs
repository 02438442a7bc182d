//! When files were last opened and directories last listed.

use std::sync::Arc;
use std::time::Duration;

use alluxio::master::tasks;
use alluxio::proto::alluxio::grpc::Bits;
use alluxio::proto::alluxio::grpc::file::{GetStatusPOptions, GetStatusPRequest, LoadMetadataPType, WritePType};

use crate::ufs::{Master, in_memory};

/// The time that is kept, told to who opens the path in that way.
async fn accessed(master: &mut Master, path: &str, access: Option<Bits>, update: bool) -> i64 {
    let options = GetStatusPOptions {
        load_metadata_type: Some(LoadMetadataPType::Never.into()),
        access_mode: access.map(Into::into),
        update_timestamps: Some(update),
        ..Default::default()
    };
    let request = GetStatusPRequest { path: Some(path.into()), options: Some(options) };
    master.client.get_status(request).await.unwrap().into_inner().file_info.unwrap().last_access_time_ms()
}

#[tokio::test]
async fn who_opens_a_file_or_lists_a_directory_is_noted_and_who_looks_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.create("/d/f", WritePType::MustCache, false).await.unwrap();
    let (file, directory) =
        (accessed(&mut master, "/d/f", None, true).await, accessed(&mut master, "/d", None, true).await);
    tokio::time::sleep(Duration::from_millis(5)).await;
    for (access, update) in [(Some(Bits::Execute), true), (Some(Bits::Read), false)] {
        accessed(&mut master, "/d/f", access, update).await;
    }
    assert_eq!(master.access_times.take(9), []);
    tokio::spawn(tasks::access_times::run(Arc::new(master.namespace.clone()), Arc::clone(&master.access_times)));
    while accessed(&mut master, "/d/f", Some(Bits::Read), true).await == file {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(accessed(&mut master, "/d", None, true).await, directory);
    while accessed(&mut master, "/d", None, true).await == directory {
        master.list("/d", false).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
