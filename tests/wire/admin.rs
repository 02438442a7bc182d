//! What administrators set: options of mounts, defaults of clients for paths.

use std::collections::HashMap;

use alluxio::proto::alluxio::grpc::file::{
    GetMountTablePRequest, MountPOptions, MountPRequest, MountPointInfo, UpdateMountPRequest,
};
use alluxio::proto::alluxio::grpc::meta::meta_master_configuration_service_client::MetaMasterConfigurationServiceClient;
use alluxio::proto::alluxio::grpc::meta::{
    GetConfigHashPOptions, GetConfigurationPOptions, RemovePathConfigurationPRequest, SetPathConfigurationPRequest,
    UpdateConfigurationPRequest,
};
use alluxio::proto::alluxio::grpc::version::ServiceType;
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
