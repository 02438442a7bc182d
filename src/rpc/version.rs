//! Which service answers which version number, and the service that tells.

use crate::proto::alluxio::grpc::version::ServiceType;

/// The number that client and server must agree on; none for a name that stands for no service.
pub fn of(service: ServiceType) -> Option<i64> {
    use ServiceType as S;
    match service {
        S::UnknownService | S::MetaMasterBackupMessagingService => None,
        S::FileSystemMasterClientService
        | S::FileSystemMasterWorkerService
        | S::FileSystemMasterJobService
        | S::BlockMasterClientService
        | S::BlockMasterWorkerService
        | S::MetaMasterConfigService
        | S::MetaMasterClientService
        | S::MetricsMasterClientService => Some(2),
        S::MetaMasterMasterService
        | S::MetaMasterProxyService
        | S::JobMasterClientService
        | S::JobMasterWorkerService
        | S::JobMasterMasterService
        | S::JournalMasterClientService
        | S::TableMasterClientService
        | S::RaftJournalService
        | S::BlockWorkerClientService => Some(1),
    }
}
