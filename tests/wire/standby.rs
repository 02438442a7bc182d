//! What a standby answers, so that clients look for the primary.

use std::time::Duration;

use alluxio::master::ops::Answer;
use alluxio::master::worker_call::WorkerAnswer;
use alluxio::proto::alluxio::grpc::block::GetWorkerIdPRequest;
use alluxio::proto::alluxio::grpc::block::block_master_worker_service_client::BlockMasterWorkerServiceClient;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::file::{ExistsPRequest, GetStatusPRequest};
use alluxio::proto::alluxio::grpc::meta::GetConfigurationPOptions;
use alluxio::proto::alluxio::grpc::meta::meta_master_configuration_service_client::MetaMasterConfigurationServiceClient;
use alluxio::proto::alluxio::grpc::version::service_version_client_service_client::ServiceVersionClientServiceClient;
use alluxio::proto::alluxio::grpc::version::{GetServiceVersionPRequest, ServiceType};
use alluxio::rpc::channel::{Connection, ask_whether_primary, connect, connect_to_any_master, open_unauthenticated};
use alluxio::rpc::peer;
use alluxio::types::{ErrorKind, SequenceNumber, WorkerId};
use tonic::{Code, Status};

use crate::harness::{LIMIT, Running, identity, start_simple};

async fn standby() -> (Running, Connection) {
    let running = start_simple().await;
    *running.namespace.is_primary.lock() = false;
    let connection = open_unauthenticated(&running.address, &identity("root")).await.unwrap();
    (running, connection)
}

async fn version(connection: &Connection, service: ServiceType, allowed: Option<bool>) -> Result<i64, Status> {
    let request = GetServiceVersionPRequest { service_type: Some(service.into()), allowed_on_standby_masters: allowed };
    let answer = ServiceVersionClientServiceClient::new(connection.clone()).get_service_version(request).await;
    answer.map(|answer| answer.into_inner().version())
}

#[tokio::test]
async fn the_question_for_the_primary_is_refused() {
    let (running, connection) = standby().await;
    for allowed in [None, Some(false), Some(true)] {
        let refused = version(&connection, ServiceType::MetaMasterClientService, allowed).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(refused.message(), "GetServiceVersion is not supported on standby master");
    }
    let refused = ask_whether_primary(&running.address, &identity("root")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    let refused = connect(&running.address, ServiceType::FileSystemMasterClientService, &identity("root")).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn every_master_tells_how_far_it_is() {
    let (running, _) = standby().await;
    let standing = peer::standing(&running.address, LIMIT).await.unwrap();
    assert_eq!(standing.position, SequenceNumber(7));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = peer::standing(&address, Duration::from_millis(100)).await.unwrap_err();
    assert!(error.message.contains(&address), "{error}");
}

/// A worker of 2.9 asks for the version and, refused, looks for the primary. One of ours goes on without.
#[tokio::test]
async fn a_standby_lets_a_worker_of_ours_in() {
    let (running, _) = standby().await;
    let service = ServiceType::BlockMasterWorkerService;
    let refused = connect(&running.address, service, &identity("root")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    let connection = connect_to_any_master(&running.address, service, &identity("root")).await.unwrap();
    running.will_answer(Ok(Answer::Worker(WorkerAnswer::Id(WorkerId(9)))));
    let mut worker = BlockMasterWorkerServiceClient::new(connection);
    let request = GetWorkerIdPRequest::default();
    assert_eq!(worker.get_worker_id(request).await.unwrap().into_inner().worker_id(), 9);
    let unknown = ServiceType::JobMasterClientService;
    *running.namespace.is_primary.lock() = true;
    let refused = connect_to_any_master(&running.address, unknown, &identity("root")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_standby_has_no_configuration_and_no_namespace() {
    let (_running, connection) = standby().await;
    let mut configuration = MetaMasterConfigurationServiceClient::new(connection.clone());
    let refused = configuration.get_configuration(GetConfigurationPOptions::default()).await.unwrap_err();
    let text = "Method not found: alluxio.grpc.meta.MetaMasterConfigurationService/GetConfiguration";
    assert_eq!((refused.code(), refused.message()), (Code::Unimplemented, text));
    let mut file_system = FileSystemMasterClientServiceClient::new(connection);
    let refused = file_system.get_status(GetStatusPRequest::default()).await.unwrap_err();
    let text = "GetStatus is not supported on standby master";
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, text));
}

#[tokio::test]
async fn the_role_may_change_while_channels_are_open() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::Exists(true)));
    let mut file_system = running.file_system().await;
    let request = || ExistsPRequest { path: Some("/".into()), options: None };
    assert!(file_system.exists(request()).await.unwrap().into_inner().exists());
    *running.namespace.is_primary.lock() = false;
    assert_eq!(file_system.exists(request()).await.unwrap_err().code(), Code::Unavailable);
    *running.namespace.is_primary.lock() = true;
    assert!(file_system.exists(request()).await.unwrap().into_inner().exists());
    ask_whether_primary(&running.address, &identity("root")).await.unwrap();
}

#[tokio::test]
async fn a_primary_tells_the_versions_of_2_9_6() {
    let running = start_simple().await;
    let connection = open_unauthenticated(&running.address, &identity("root")).await.unwrap();
    for service in [
        ServiceType::FileSystemMasterClientService,
        ServiceType::FileSystemMasterWorkerService,
        ServiceType::BlockMasterClientService,
        ServiceType::BlockMasterWorkerService,
        ServiceType::MetaMasterConfigService,
        ServiceType::MetaMasterClientService,
        ServiceType::MetricsMasterClientService,
    ] {
        assert_eq!(version(&connection, service, Some(true)).await.unwrap(), 2);
    }
    assert_eq!(version(&connection, ServiceType::UnknownService, None).await.unwrap(), -1);
    let unknown = version(&connection, ServiceType::JobMasterClientService, None).await.unwrap_err();
    let text = "Service JOB_MASTER_CLIENT_SERVICE is not found.";
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, text));
}
