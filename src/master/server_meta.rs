//! Calls about the cluster: versions, configuration, metrics.

use std::sync::Arc;

use tonic::body::Body;
use tonic::codegen::http;
use xxhash_rust::xxh3::xxh3_128;

use super::server::{MasterServer, Namespace, UserCall, on_standby, unsupported};
use super::server_cluster;
use super::ufs::{BackupPlace, BackupRequest, BackupStage, BackupStatus, BackupWait};
use crate::proto::alluxio::grpc::ConfigProperty;
use crate::proto::alluxio::grpc::meta::{
    BackupPRequest, BackupPStatus, BackupState, BackupStatusPRequest, CheckpointPOptions, CheckpointPResponse,
    GetConfigHashPOptions, GetConfigHashPResponse, GetConfigurationPOptions, GetConfigurationPResponse,
};
use crate::proto::alluxio::grpc::metric::{
    ClearMetricsPRequest, ClearMetricsPResponse, GetMetricsPOptions, GetMetricsPResponse, MetricsHeartbeatPRequest,
    MetricsHeartbeatPResponse,
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

/// Properties without which a 2.9 client dies of a null pointer, and their values in 2.9.6.
const REQUIRED: [(&str, &str); 2] = [("alluxio.version", "2.9.6"), ("alluxio.underfs.version", "3.3.4")];

/// A property as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its key.
    pub name: String,
    /// Where its value comes from; for people only.
    pub source: String,
    /// Its value. Never `${…}` for a boolean: 2.9 clients read that as false.
    pub value: String,
}

/// What GetConfiguration answers.
#[derive(Debug)]
pub(super) struct Configuration {
    properties: Vec<ConfigProperty>,
    hash: String,
    /// Of no properties: there are none for single paths.
    path_hash: String,
}

impl Configuration {
    /// Of these properties; what a client cannot do without is added.
    pub(super) fn new(given: Vec<Property>) -> Configuration {
        let missing = REQUIRED.iter().filter(|(name, _)| !given.iter().any(|property| property.name == *name));
        let added: Vec<_> = missing.map(|(name, value)| (*name, "DEFAULT", *value).into()).collect();
        let mut properties: Vec<Property> = given.into_iter().chain(added).collect();
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        let mut text = String::new();
        for Property { name, value, .. } in &properties {
            text += &format!("{name}={value}\n");
        }
        // 2.9 takes MD5. Clients only compare it with the one they got before.
        let hash = |text: &str| format!("{:032x}", xxh3_128(text.as_bytes()));
        Configuration { hash: hash(&text), path_hash: hash(""), properties: properties.into_iter().map(sent).collect() }
    }
}

impl From<(&str, &str, &str)> for Property {
    fn from((name, source, value): (&str, &str, &str)) -> Property {
        Property { name: name.into(), source: source.into(), value: value.into() }
    }
}

fn sent(property: Property) -> ConfigProperty {
    ConfigProperty { name: Some(property.name), source: Some(property.source), value: Some(property.value) }
}

/// ServiceVersionClientService
pub(super) fn route_version<N: Namespace>(server: Arc<MasterServer<N>>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "getServiceVersion")) => {
            call::unary(request, |message| async move { get_service_version(server.namespace.is_primary(), &message) })
        }
        _ => call::refuse_unknown(&request),
    }
}

/// MetaMasterConfigurationService, without authentication as in 2.9.
pub(super) fn route_configuration<N: Namespace>(server: Arc<MasterServer<N>>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "GetConfiguration")) => {
            call::unary(request, |message| async move { Ok(get_configuration(&server.configuration, &message)) })
        }
        Some((_, "GetConfigHash")) => call::unary(request, |_: GetConfigHashPOptions| async move {
            let Configuration { hash, path_hash, .. } = &server.configuration;
            Ok(GetConfigHashPResponse {
                cluster_config_hash: Some(hash.clone()),
                path_config_hash: Some(path_hash.clone()),
            })
        }),
        Some((_, method)) => call::refuse(unsupported(method)),
        None => call::refuse_unknown(&request),
    }
}

/// MetaMasterClientService and MetricsMasterClientService
pub(super) fn route<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "GetMasterInfo")) => call::unary(request, |options| server_cluster::get_master_info(user, options)),
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
        // Clients report every ten seconds, whether anybody keeps it or not.
        Some((_, "MetricsHeartbeat")) => {
            call::unary(request, |_: MetricsHeartbeatPRequest| async { Ok(MetricsHeartbeatPResponse {}) })
        }
        Some((_, "ClearMetrics")) => {
            call::unary(request, |_: ClearMetricsPRequest| async { Ok(ClearMetricsPResponse {}) })
        }
        Some((_, "GetMetrics")) => {
            call::unary(request, |_: GetMetricsPOptions| async { Ok(GetMetricsPResponse::default()) })
        }
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

fn get_configuration(configuration: &Configuration, request: &GetConfigurationPOptions) -> GetConfigurationPResponse {
    let mut response = GetConfigurationPResponse::default();
    if !request.ignore_cluster_conf() {
        response.cluster_configs = configuration.properties.clone();
        response.cluster_config_hash = Some(configuration.hash.clone());
    }
    if !request.ignore_path_conf() {
        response.path_config_hash = Some(configuration.path_hash.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Configuration, Property};

    #[test]
    fn a_client_always_gets_what_it_cannot_do_without() {
        let names = |given: Vec<Property>| -> Vec<(String, String)> {
            let properties = Configuration::new(given).properties.into_iter();
            properties.map(|property| (property.name().to_owned(), property.value().to_owned())).collect()
        };
        let version = ("alluxio.version".to_owned(), "2.9.6".to_owned());
        assert_eq!(names(Vec::new()), [("alluxio.underfs.version".to_owned(), "3.3.4".to_owned()), version.clone()]);
        let own = ("alluxio.underfs.version", "SITE_PROPERTY", "2.7.7").into();
        assert_eq!(names(vec![own]), [("alluxio.underfs.version".to_owned(), "2.7.7".to_owned()), version]);
    }

    #[test]
    fn the_hash_changes_with_a_value_and_not_with_the_order() {
        let hash = |pairs: &[(&str, &str)]| {
            Configuration::new(pairs.iter().map(|(name, value)| (*name, "", *value).into()).collect()).hash
        };
        assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(hash(&[("a", "1")]), hash(&[("a", "2")]));
        assert_eq!(hash(&[]).len(), 32);
    }
}
