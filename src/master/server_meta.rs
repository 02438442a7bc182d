//! Calls about the cluster: versions, backups.

use std::sync::Arc;

use tonic::body::Body;
use tonic::codegen::http;

use super::server::{MasterServer, Namespace, UserCall, on_standby, unsupported};
use super::ufs::{BackupPlace, BackupRequest, BackupStage, BackupStatus, BackupWait};
use super::{server_cluster, server_config};
use crate::proto::alluxio::grpc::meta::{
    BackupPRequest, BackupPStatus, BackupState, BackupStatusPRequest, CheckpointPOptions, CheckpointPResponse,
    GetConfigReportPOptions, ListProxyStatusPRequest, ListProxyStatusPResponse,
};
use crate::proto::alluxio::grpc::version::{GetServiceVersionPRequest, GetServiceVersionPResponse, ServiceType};
use crate::rpc::call::{self, Reply};
use crate::rpc::peer::Peer;
use crate::rpc::version;
use crate::types::{ErrorKind, FsError};

/// The services of this server that have a version.
const SERVED: &[ServiceType] = &[
    ServiceType::FileSystemMasterClientService,
    ServiceType::FileSystemMasterWorkerService,
    ServiceType::BlockMasterClientService,
    ServiceType::BlockMasterWorkerService,
    ServiceType::MetaMasterConfigService,
    ServiceType::MetaMasterClientService,
    ServiceType::MetricsMasterClientService,
];

/// ServiceVersionClientService
pub(super) fn route_version<N: Namespace>(server: Arc<MasterServer<N>>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "getServiceVersion")) => {
            call::unary(request, |message| async move { get_service_version(server.namespace.is_primary(), &message) })
        }
        _ => call::refuse_unknown(&request),
    }
}

/// MetaMasterClientService
pub(super) fn route<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "GetMasterInfo")) => call::unary(request, |options| server_cluster::get_master_info(user, options)),
        Some((_, "GetConfigReport")) => {
            call::unary(request, |_: GetConfigReportPOptions| server_config::get_config_report(user))
        }
        // Proxies do not report here.
        Some((_, "ListProxyStatus")) => {
            call::unary(request, |_: ListProxyStatusPRequest| async { Ok(ListProxyStatusPResponse::default()) })
        }
        Some((_, "Checkpoint")) => call::unary(request, |_: CheckpointPOptions| async move {
            user.server.namespace.checkpoint().await?;
            Ok(CheckpointPResponse { master_hostname: Some(user.server.hostname.clone()) })
        }),
        Some((_, "Backup")) => call::unary(request, |request: BackupPRequest| async move {
            let by = match (&user.server.cluster, request.options.unwrap_or_default().bypass_delegation()) {
                (Some(cluster), false) => cluster.masters.standbys().await,
                _ => Vec::new(),
            };
            let request = backup_request(request, by, &user.server.backup_directory);
            let status = user.server.namespace.backup(request).await?;
            Ok(backup_sent(status, &user.server.hostname))
        }),
        Some((_, "GetBackupStatus")) => call::unary(request, |request: BackupStatusPRequest| async move {
            let status = user.server.namespace.backup_status(request.backup_id())?;
            Ok(backup_sent(status, &user.server.hostname))
        }),
        Some((_, method)) => call::refuse(unsupported(method)),
        None => call::refuse_unknown(&request),
    }
}

fn backup_request(request: BackupPRequest, by: Vec<Peer>, configured: &str) -> BackupRequest {
    let BackupPRequest { options, target_directory } = request;
    let options = options.unwrap_or_default();
    let given = target_directory.filter(|directory| !directory.is_empty());
    BackupRequest {
        directory: given.unwrap_or_else(|| configured.to_owned()),
        place: if options.local_file_system() { BackupPlace::LocalDisk } else { BackupPlace::RootUfs },
        wait: if options.run_async() { BackupWait::Begun } else { BackupWait::Ended },
        by,
    }
}

fn backup_sent(status: BackupStatus, host: &str) -> BackupPStatus {
    let sent = BackupPStatus {
        backup_id: Some(status.id),
        backup_host: Some(host.to_owned()),
        entry_count: Some(0),
        ..BackupPStatus::default()
    };
    match status.stage {
        BackupStage::Running => BackupPStatus { backup_state: Some(BackupState::Running as i32), ..sent },
        BackupStage::Completed { host: by, uri, entries } => BackupPStatus {
            backup_state: Some(BackupState::Completed as i32),
            backup_host: Some(by.unwrap_or_else(|| host.to_owned())),
            backup_uri: Some(uri),
            entry_count: i64::try_from(entries).ok(),
            ..sent
        },
        // Java's form of an exception is not ours to make; the text says what was wrong.
        BackupStage::Failed(error) => BackupPStatus {
            backup_state: Some(BackupState::Failed as i32),
            backup_error: Some(error.to_string().into_bytes()),
            ..sent
        },
    }
}

// Compatible: 2.9 ServiceVersionClientServiceHandler, except that a 2.9 standby answers the question that it allows
// (allowedOnStandbyMasters) with "not found", on which a client gives up at once. Ours lets it look for the primary.
fn get_service_version(
    is_primary: bool,
    request: &GetServiceVersionPRequest,
) -> Result<GetServiceVersionPResponse, FsError> {
    let service = request.service_type();
    if !is_primary && (!request.allowed_on_standby_masters() || SERVED.contains(&service)) {
        return Err(on_standby("GetServiceVersion"));
    }
    if service != ServiceType::UnknownService && !SERVED.contains(&service) {
        let text = format!("Service {} is not found.", service.as_str_name());
        return Err(FsError::new(ErrorKind::NotFound, text));
    }
    Ok(GetServiceVersionPResponse { version: Some(version::of(service).unwrap_or(-1)) })
}
