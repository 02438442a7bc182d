//! Results of changes that were made and not heard of.

use std::time::Duration;

use alluxio::conf::{Conf, Role, Sources};
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPOptions, CreateDirectoryPRequest, FileSystemMasterCommonPOptions,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::proto::convert::operation_id_to_proto;
use alluxio::rpc::channel::ChannelSettings;
use alluxio::rpc::identity;
use alluxio::rpc::locate::Fixed;
use alluxio::rpc::retry::{Caller, ClientError, ClientSettings, RetrySettings};
use alluxio::types::{ErrorKind, OperationId};

use crate::harness::{COMMAND_LIMIT, Cluster, Master, wait_for};

/// Without ZooKeeper a leader flushes and does not answer. It dies then: its successor has the change, answers whoever asks
/// again with the same id as if nothing had happened, and whoever uses the id for something else that this is wrong.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_change_that_was_flushed_and_not_answered_is_answered_by_the_next_leader() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let leader = cluster.leader();
    let next = &cluster.masters[1 - leader];
    let id = OperationId { high: 7, low: 9 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let make = |master: &Master, path: &str, id: OperationId| runtime.block_on(make_directory(master, path, id));
    assert_eq!(make(&cluster.masters[leader], "/heard", OperationId { high: 7, low: 8 }), Some(Ok(())));

    cluster.services.each_zookeeper("kill");
    let other = OperationId { high: 7, low: 10 };
    wait_for("the lease to end", COMMAND_LIMIT, || {
        make(&cluster.masters[leader], "/heard", other).is_none().then_some(())
    });
    assert_eq!(make(&cluster.masters[leader], "/unheard", id), None, "no lease, no answer");
    cluster.masters[leader].kill_with_guardian();
    cluster.services.each_zookeeper("start");

    wait_for("the next leader", COMMAND_LIMIT, || (cluster.leader() == 1 - leader).then_some(()));
    assert_eq!(cluster.names("/"), ["heard", "unheard"], "it was flushed");
    assert_eq!(make(next, "/unheard", id), Some(Ok(())), "the first answer");
    let kind = |answer: Option<Result<(), ErrorKind>>| answer.expect("an answer").unwrap_err();
    assert_eq!(kind(make(next, "/other", id)), ErrorKind::InvalidArgument);
    assert_eq!(kind(make(next, "/unheard", OperationId { high: 8, low: 1 })), ErrorKind::AlreadyExists);
    assert_eq!(cluster.names("/"), ["heard", "unheard"]);
}

/// Asks one master; none when it gave no answer.
async fn make_directory(master: &Master, path: &str, id: OperationId) -> Option<Result<(), ErrorKind>> {
    let conf = Conf::load(&Sources::of_process(Role::User, Vec::new())).unwrap();
    let settings = ClientSettings {
        channel: ChannelSettings { identity: identity::of_process(&conf).unwrap(), ..ChannelSettings::default() },
        retry: RetrySettings { max_duration: Duration::from_secs(1), ..RetrySettings::default() },
        ..ClientSettings::default()
    };
    let masters = Box::new(Fixed { address: format!("{}:{}", master.host, master.port) });
    let caller = Caller::new(masters, ServiceType::FileSystemMasterClientService, settings);
    let answer = caller.call(async |connection| {
        let common =
            FileSystemMasterCommonPOptions { operation_id: Some(operation_id_to_proto(id)), ..Default::default() };
        let options = CreateDirectoryPOptions { common_options: Some(common), ..Default::default() };
        let request = CreateDirectoryPRequest { path: Some(path.to_owned()), options: Some(options) };
        FileSystemMasterClientServiceClient::new(connection).create_directory(request).await
    });
    match tokio::time::timeout(Duration::from_secs(3), answer).await {
        Ok(Ok(_)) => Some(Ok(())),
        Ok(Err(ClientError::Refused(error))) => Some(Err(error.kind)),
        Ok(Err(_)) | Err(_) => None,
    }
}
