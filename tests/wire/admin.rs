//! What administrators set: options of mounts, defaults of clients for paths.

use std::collections::HashMap;

use alluxio::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::block::block_master_worker_service_client::BlockMasterWorkerServiceClient;
use alluxio::proto::alluxio::grpc::block::{
    BlockHeartbeatPOptions, BlockHeartbeatPRequest, DecommissionWorkerPOptions, GetRegisterLeasePRequest,
    GetWorkerIdPRequest, GetWorkerReportPOptions, RegisterWorkerPOptions, RegisterWorkerPRequest, WorkerRange,
};
use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPOptions, CreateDirectoryPRequest, GetMountTablePRequest, MountPOptions, MountPRequest,
    MountPointInfo, UfsPMode, UpdateMountPRequest, UpdateUfsModePOptions, UpdateUfsModePRequest, WritePType,
};
use alluxio::proto::alluxio::grpc::meta::meta_master_client_service_client::MetaMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::meta::meta_master_configuration_service_client::MetaMasterConfigurationServiceClient;
use alluxio::proto::alluxio::grpc::meta::{
    ConfigStatus, GetConfigHashPOptions, GetConfigReportPOptions, GetConfigurationPOptions,
    RemovePathConfigurationPRequest, SetPathConfigurationPRequest, UpdateConfigurationPRequest,
};
use alluxio::proto::alluxio::grpc::metric::metrics_master_client_service_client::MetricsMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::metric::{
    ClearMetricsPRequest, ClientMetrics, GetMetricsPOptions, MetricsHeartbeatPOptions, MetricsHeartbeatPRequest,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::proto::alluxio::grpc::{CommandType, ConfigProperty, Metric, MetricType, WorkerNetAddress};
use alluxio::rpc::channel::{Connection, connect, open_unauthenticated};
use tonic::Code;

use crate::harness::identity;
use crate::ufs::{Master, in_memory, ownership, start};
use alluxio::ufs::{MemoryUfs, Ufs};

async fn configuration(master: &Master, user: &str) -> MetaMasterConfigurationServiceClient<Connection> {
    let channel = connect(&master.address, ServiceType::MetaMasterConfigService, &identity(user)).await.unwrap();
    MetaMasterConfigurationServiceClient::new(channel)
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn clients_are_told_the_defaults_of_paths() {
    let folder = tempfile::tempdir().unwrap();
    let master = in_memory(folder.path()).await;
    let mut root = configuration(&master, "root").await;
    let set = |path: &str, pairs: &[(&str, &str)]| SetPathConfigurationPRequest {
        path: Some(path.into()),
        properties: map(pairs),
        options: None,
    };
    let before = root.get_config_hash(GetConfigHashPOptions::default()).await.unwrap().into_inner();
    root.set_path_configuration(set("/a", &[("alluxio.user.file.writetype.default", "THROUGH")])).await.unwrap();
    root.set_path_configuration(set("/a", &[("alluxio.user.file.readtype.default", "CACHE")])).await.unwrap();
    let after = root.get_config_hash(GetConfigHashPOptions::default()).await.unwrap().into_inner();
    assert_eq!(before.cluster_config_hash, after.cluster_config_hash);
    assert_ne!(before.path_config_hash, after.path_config_hash);
    // Whoever asks need not say who it is.
    let channel = open_unauthenticated(&master.address, &identity("root")).await.unwrap();
    let mut nobody = MetaMasterConfigurationServiceClient::new(channel);
    let told = nobody.get_configuration(GetConfigurationPOptions::default()).await.unwrap().into_inner();
    let properties = told.path_configs["/a"].properties.iter();
    let properties: Vec<_> = properties.map(|told| (told.name(), told.value(), told.source())).collect();
    let (read, write) = ("alluxio.user.file.readtype.default", "alluxio.user.file.writetype.default");
    assert_eq!(properties, [(read, "CACHE", "PATH_DEFAULT"), (write, "THROUGH", "PATH_DEFAULT")]);
    assert_eq!(told.path_config_hash, after.path_config_hash);

    let unknown = root.set_path_configuration(set("/a", &[("bogus.key", "1")])).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::InvalidArgument, "Invalid property key bogus.key"));
    assert_eq!(
        nobody.set_path_configuration(set("/a", &[(read, "X")])).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let mut ann = configuration(&master, "ann").await;
    assert_eq!(ann.set_path_configuration(set("/a", &[(read, "X")])).await.unwrap_err().code(), Code::PermissionDenied);

    let remove = RemovePathConfigurationPRequest { path: Some("/a".into()), ..Default::default() };
    root.remove_path_configuration(remove).await.unwrap();
    let told = root.get_config_hash(GetConfigHashPOptions::default()).await.unwrap().into_inner();
    assert_eq!(told.path_config_hash, before.path_config_hash);
    let update = UpdateConfigurationPRequest { properties: map(&[(read, "X")]) };
    assert_eq!(root.update_configuration(update).await.unwrap().into_inner().status, [(read.to_owned(), false)].into());
}

async fn mounts(master: &mut Master, check_ufs: bool) -> HashMap<String, MountPointInfo> {
    let request = GetMountTablePRequest { check_ufs: Some(check_ufs) };
    master.client.get_mount_table(request).await.unwrap().into_inner().mount_points
}

#[tokio::test]
async fn options_of_a_mount_are_set_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    master.memory.mkdir("memory://m/other", &ownership()).await.unwrap();
    let options = |read_only, pairs: &[(&str, &str)], remount| {
        Some(MountPOptions {
            read_only: Some(read_only),
            properties: map(pairs),
            remount: Some(remount),
            ..MountPOptions::default()
        })
    };
    let mount =
        |options| MountPRequest { alluxio_path: Some("/m".into()), ufs_path: Some("memory://m/other".into()), options };
    master.client.mount(mount(options(false, &[("a", "1")], false))).await.unwrap();
    let before = mounts(&mut master, true).await["/m"].clone();
    let update = |path: &str, options| UpdateMountPRequest { alluxio_path: Some(path.into()), options };
    master.client.update_mount(update("/m", options(true, &[("b", "2")], false))).await.unwrap();
    let after = mounts(&mut master, true).await["/m"].clone();
    assert_eq!((before.read_only(), after.read_only(), after.ufs_uri()), (false, true, before.ufs_uri()));
    assert_eq!(after.properties, map(&[("b", "2")]));
    assert_ne!(before.mount_id, after.mount_id, "workers ask anew");
    let refused = master.client.update_mount(update("/", options(true, &[], false))).await.unwrap_err();
    let text = "Failed to update mount point at /. Please ensure the path is an existing mount point and not root.";
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, text));
    let refused = master.client.update_mount(update("/m/x", options(true, &[], false))).await.unwrap_err();
    let text = "Failed to update mount properties for /m/x. Please ensure the path is an existing mount point.";
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, text));

    master.client.update_mount(update("/m", options(false, &[], false))).await.unwrap();
    assert_eq!(master.client.mount(mount(options(false, &[], false))).await.unwrap_err().code(), Code::Unknown);
    master.client.mount(mount(options(true, &[], true))).await.unwrap();
    assert!(mounts(&mut master, true).await["/m"].read_only());
}

#[tokio::test]
async fn the_table_of_mounts_tells_of_the_ufs_only_who_wishes_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = tempfile::tempdir().unwrap();
    let mut master = start(folder.path(), disk.path().to_str().unwrap(), MemoryUfs::new()).await;
    let told = mounts(&mut master, true).await["/"].clone();
    assert!(told.ufs_type() == "local" && told.ufs_capacity_bytes() > told.ufs_used_bytes(), "{told:?}");
    assert!(told.ufs_used_bytes() > 0);
    let told = mounts(&mut master, false).await["/"].clone();
    assert_eq!((told.ufs_type(), told.ufs_capacity_bytes(), told.ufs_used_bytes()), ("", -1, -1));
}

#[tokio::test]
async fn a_ufs_under_maintenance_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    let set = |ufs: &str, mode: UfsPMode| UpdateUfsModePRequest {
        ufs_path: Some(ufs.into()),
        options: Some(UpdateUfsModePOptions { ufs_mode: Some(mode.into()) }),
    };
    let mkdir = |path: &str, how: WritePType| CreateDirectoryPRequest {
        path: Some(path.into()),
        options: Some(CreateDirectoryPOptions { write_type: Some(how.into()), ..CreateDirectoryPOptions::default() }),
    };
    master.client.update_ufs_mode(set("memory://m/", UfsPMode::ReadOnly)).await.unwrap();
    let refused = master.client.create_directory(mkdir("/a", WritePType::Through)).await.unwrap_err();
    let text = "Operation WRITE not allowed on ufs path memory://m/top/a under maintenance mode READ_ONLY";
    assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, text));
    master.client.create_directory(mkdir("/b", WritePType::MustCache)).await.unwrap();
    let unknown = master.client.update_ufs_mode(set("memory://other/", UfsPMode::NoAccess)).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::InvalidArgument, "Unknown Ufs path memory://other/"));
    master.client.update_ufs_mode(set("memory://m/", UfsPMode::ReadWrite)).await.unwrap();
    master.client.create_directory(mkdir("/a", WritePType::Through)).await.unwrap();
}

fn counter(name: &str, value: f64) -> Metric {
    Metric { name: Some(name.into()), value: Some(value), metric_type: MetricType::Counter.into(), ..Metric::default() }
}

#[tokio::test]
async fn reports_of_clients_are_added_up_until_they_are_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let master = in_memory(folder.path()).await;
    let channel = connect(&master.address, ServiceType::MetricsMasterClientService, &identity("ann")).await.unwrap();
    let mut client = MetricsMasterClientServiceClient::new(channel);
    let metrics = vec![counter("BytesReadLocal", 40.0), counter("BytesReadLocal", 2.0)];
    let client_metrics = vec![ClientMetrics { source: Some("app".into()), metrics }];
    let heartbeat = MetricsHeartbeatPRequest { options: Some(MetricsHeartbeatPOptions { client_metrics }) };
    client.metrics_heartbeat(heartbeat).await.unwrap();
    let told = client.get_metrics(GetMetricsPOptions {}).await.unwrap().into_inner().metrics;
    let bytes = &told["Cluster.BytesReadLocal"];
    assert_eq!((bytes.double_value(), bytes.metric_type()), (42.0, MetricType::Counter));
    assert_eq!(told["Cluster.CapacityTotalTierMEM"].metric_type(), MetricType::Gauge);
    assert!(told["Master.TotalPaths"].double_value() >= 1.0, "{told:?}");
    client.clear_metrics(ClearMetricsPRequest {}).await.unwrap();
    let told = client.get_metrics(GetMetricsPOptions {}).await.unwrap().into_inner().metrics;
    assert_eq!(told["Cluster.BytesReadLocal"].double_value(), 0.0);
}

type WorkerClient = BlockMasterWorkerServiceClient<Connection>;

/// Registers a worker that tells this of its configuration. Its id.
async fn register(client: &mut WorkerClient, host: &str, properties: &[(&str, &str)]) -> Result<i64, tonic::Status> {
    let address = WorkerNetAddress { host: Some(host.into()), web_port: Some(7), ..WorkerNetAddress::default() };
    let request = GetWorkerIdPRequest { worker_net_address: Some(address), options: None };
    let worker_id = client.get_worker_id(request).await?.into_inner().worker_id;
    let lease = GetRegisterLeasePRequest { worker_id, block_count: Some(0) };
    assert!(client.request_register_lease(lease).await?.into_inner().allowed());
    let property = |(name, value): &(&str, &str)| ConfigProperty {
        name: Some((*name).into()),
        source: None,
        value: Some((*value).into()),
    };
    let configs = properties.iter().map(property).collect();
    let options = Some(RegisterWorkerPOptions { configs, ..RegisterWorkerPOptions::default() });
    client.register_worker(RegisterWorkerPRequest { worker_id, options, ..RegisterWorkerPRequest::default() }).await?;
    Ok(worker_id.unwrap())
}

async fn workers(master: &Master) -> WorkerClient {
    let channel = connect(&master.address, ServiceType::BlockMasterWorkerService, &identity("root")).await.unwrap();
    BlockMasterWorkerServiceClient::new(channel)
}

#[tokio::test]
async fn properties_that_differ_between_workers_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let master = in_memory(folder.path()).await;
    let mut client = workers(&master).await;
    let channel = connect(&master.address, ServiceType::MetaMasterClientService, &identity("root")).await.unwrap();
    let mut meta = MetaMasterClientServiceClient::new(channel);
    let (name, may_differ) = ("alluxio.zookeeper.enabled", "alluxio.worker.hostname");
    register(&mut client, "w1", &[(name, "true"), (may_differ, "w1")]).await.unwrap();
    let report = meta.get_config_report(GetConfigReportPOptions {}).await.unwrap().into_inner().report.unwrap();
    assert_eq!((report.status(), report.errors.len(), report.warns.len()), (ConfigStatus::Passed, 0, 0));
    register(&mut client, "w2", &[(name, ""), (may_differ, "w2")]).await.unwrap();
    let report = meta.get_config_report(GetConfigReportPOptions {}).await.unwrap().into_inner().report.unwrap();
    assert_eq!((report.status(), report.warns.len()), (ConfigStatus::Failed, 0));
    let [property] = &report.errors["SERVER"].properties[..] else { panic!("{report:?}") };
    assert_eq!(property.name(), name);
    assert_eq!(
        (&property.values["true"].values[..], &property.values["__Optional__"].values[..]),
        (&["w1:0".to_owned()][..], &["w2:0".to_owned()][..])
    );
}

#[tokio::test]
async fn a_worker_is_decommissioned_and_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let master = in_memory(folder.path()).await;
    let mut client = workers(&master).await;
    let id = register(&mut client, "w1", &[]).await.unwrap();
    let channel = connect(&master.address, ServiceType::BlockMasterClientService, &identity("root")).await.unwrap();
    let mut admin = BlockMasterClientServiceClient::new(channel);
    let decommission = |host: &str| DecommissionWorkerPOptions {
        worker_hostname: host.into(),
        worker_web_port: Some(7),
        can_register_again: Some(false),
    };
    let unknown = admin.decommission_worker(decommission("w2")).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "Worker w2:7 not found"));
    admin.decommission_worker(decommission("w1")).await.unwrap();
    let heartbeat = BlockHeartbeatPRequest {
        worker_id: Some(id),
        options: Some(BlockHeartbeatPOptions::default()),
        ..BlockHeartbeatPRequest::default()
    };
    let told = client.block_heartbeat(heartbeat).await.unwrap().into_inner();
    assert_eq!(told.command.unwrap().command_type(), CommandType::Disabled);
    let refused = register(&mut client, "w1", &[]).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let range = |range: WorkerRange, names: &[&str]| GetWorkerReportPOptions {
        addresses: names.iter().map(|name| (*name).to_owned()).collect(),
        worker_range: Some(range.into()),
        ..GetWorkerReportPOptions::default()
    };
    let infos = admin.get_worker_report(range(WorkerRange::Decommissioned, &[])).await.unwrap().into_inner();
    let states: Vec<_> = infos.worker_infos.iter().map(|info| info.state()).collect();
    assert_eq!(states, ["Disabled"]);
    let unknown = admin.get_worker_report(range(WorkerRange::Specified, &["w1", "w9"])).await.unwrap_err();
    let text = "Unrecognized worker names: [w9]\nSupported worker names: [w1]\n";
    assert_eq!((unknown.code(), unknown.message()), (Code::InvalidArgument, text));
}
