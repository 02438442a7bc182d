//! What the pages and the REST tell is what the RPC of the same server tells.

use std::collections::BTreeMap;

use alluxio::client::{
    ChannelSettings, ClientSettings, DataSettings, FileSystem, Fixed, Identity, ListOptions, LoadMetadata,
};
use alluxio::proto::alluxio::grpc::file::GetMountTablePRequest;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::meta::GetConfigurationPOptions;
use alluxio::proto::alluxio::grpc::meta::meta_master_configuration_service_client::MetaMasterConfigurationServiceClient;
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::channel::{connect, open_unauthenticated};
use alluxio::types::texts::{mode, size, time};
use alluxio::types::{AlluxioPath, FileStatus};
use chrono::Local;
use serde_json::{Value, json};

use crate::bed::{Bed, put};

/// As the user of the tests.
fn channel() -> ChannelSettings {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    ChannelSettings { identity: Some(Identity { user, on_behalf_of: None }), ..ChannelSettings::default() }
}

/// A client as the shell is one.
fn client(bed: &Bed) -> FileSystem {
    let settings = ClientSettings { channel: channel(), ..ClientSettings::default() };
    let masters = Fixed { address: format!("127.0.0.1:{}", bed.master) };
    FileSystem::new(Box::new(masters), settings, DataSettings::default())
}

fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

fn rest(bed: &Bed, path: &str) -> Value {
    bed.get(&format!("/v1/api/master/{path}")).json()
}

fn yes_or_no(yes: bool) -> String {
    if yes { "YES" } else { "NO" }.into()
}

#[tokio::test]
async fn directories_and_files_are_as_list_status_and_get_status_have_them() {
    let bed = Bed::up(&[]);
    put(&bed, "/dir/file");
    bed.alluxio(&["fs", "mkdir", "/dir/below"]);
    bed.alluxio(&["fs", "chmod", "640", "/dir/file"]);
    bed.alluxio(&["fs", "pin", "/dir/file"]);
    let files = client(&bed);

    let page = bed.get("/browse?path=/dir");
    let how = ListOptions { recursive: false, load: LoadMetadata::Once };
    let statuses = files.list_status(&path("/dir"), &how).await.unwrap();
    assert_eq!(statuses.len(), 2);
    let of_each = |value: &dyn Fn(&FileStatus) -> String| -> Vec<String> { statuses.iter().map(value).collect() };
    let on_files = |folder: bool, text: String| if folder { String::new() } else { text };
    let slash = |folder: bool| if folder { "/" } else { "" };
    assert_eq!(page.cells("File Name"), of_each(&|s| format!("{}{}", s.path.name(), slash(s.folder))));
    assert_eq!(page.cells("Size"), of_each(&|s| on_files(s.folder, size(s.length))));
    assert_eq!(page.cells("Block Size"), of_each(&|s| on_files(s.folder, size(s.block_size_bytes))));
    assert_eq!(page.cells("In-Alluxio"), of_each(&|s| on_files(s.folder, format!("{}%", s.in_alluxio_percentage))));
    assert_eq!(page.cells("Mode"), of_each(&mode));
    assert_eq!(page.cells("Owner"), of_each(&|s| s.owner.clone()));
    assert_eq!(page.cells("Group"), of_each(&|s| s.group.clone()));
    assert_eq!(page.cells("Persistence State"), of_each(&|s| s.persistence.text().to_owned()));
    assert_eq!(page.cells("Pin"), of_each(&|s| yes_or_no(s.pinned)));
    assert_eq!(page.cells("Creation Time"), of_each(&|s| time(s.creation_time_ms, &Local)));
    assert_eq!(page.cells("Modification Time"), of_each(&|s| time(s.modification_time_ms, &Local)));

    let status = files.get_status(&path("/dir/file")).await.unwrap();
    let file = bed.get("/browse?path=/dir/file");
    assert!(status.blocks.len() > 1 && status.pinned, "{status:?}");
    let blocks: Vec<String> = status.blocks.iter().map(|block| block.id.to_string()).collect();
    assert_eq!(file.cells("ID"), blocks);
    let lengths: Vec<String> = status.blocks.iter().map(|block| block.length.to_string()).collect();
    assert_eq!(file.cells("Size (Byte)"), lengths);
    assert!(file.cells("Locations").iter().all(|place| place == "127.0.0.1 MEM"), "{file:?}");
    for (term, value) in [
        ("Size:", size(status.length)),
        ("Block Size:", size(status.block_size_bytes)),
        ("In-Alluxio:", format!("{}%", status.in_alluxio_percentage)),
        ("Mode:", mode(&status)),
        ("Owner:", status.owner.clone()),
        ("Group:", status.group.clone()),
        ("Persistence State:", status.persistence.text().to_owned()),
        ("Pin:", yes_or_no(status.pinned)),
        ("Creation Time:", time(status.creation_time_ms, &Local)),
        ("Modification Time:", time(status.modification_time_ms, &Local)),
        ("UnderFS Path:", status.ufs_path.clone()),
    ] {
        assert_eq!(file.term(term), value, "{term}");
    }

    let memory = bed.get("/memory");
    let row = |label: &str| memory.cells(label).join("|");
    let shown = ["File Path", "Size", "Block Size", "In-Alluxio", "Permission", "Owner", "Group", "Pin"].map(row);
    let percentage = format!("{}%", status.in_alluxio_percentage);
    let (bytes, block_bytes) = (size(status.length), size(status.block_size_bytes));
    let (owner, group) = (status.owner.clone(), status.group.clone());
    assert_eq!(shown, ["/dir/file".into(), bytes, block_bytes, percentage, mode(&status), owner, group, "YES".into()]);
}

#[tokio::test]
async fn space_and_workers_are_as_the_block_master_has_them() {
    let bed = Bed::up(&[]);
    put(&bed, "/dir/file");
    let files = client(&bed);
    let status = files.get_status(&path("/dir/file")).await.unwrap();
    let capacity = files.capacity_bytes().await.unwrap();
    // What was promised to a writer is given back with the next heartbeat.
    let given_back = async {
        while files.used_bytes().await.unwrap() != status.length {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::bed::LIMIT, given_back).await.unwrap();
    let used = status.length;
    let home = bed.get("/home");
    assert_eq!(home.term("Running Workers:"), "1");
    assert_eq!(home.term("Workers Capacity:"), size(capacity));
    assert_eq!(home.term("Workers Free / Used:"), format!("{} / {}", size(capacity - used), size(used)));
    let disk = rustix::fs::statvfs(bed.ufs("")).unwrap();
    let disk_bytes = (disk.f_blocks * disk.f_frsize).cast_signed();
    assert_eq!(home.term("UnderFS Capacity:"), size(disk_bytes));
    assert_eq!(rest(&bed, "ufs_capacity_bytes"), json!(disk_bytes));
    let parts = ["ufs_used_bytes", "ufs_free_bytes"].map(|part| rest(&bed, part).as_i64().unwrap());
    assert!(parts.iter().all(|bytes| *bytes > 0 && *bytes < disk_bytes), "{parts:?} of {disk_bytes}");
    let tier = ["Storage Alias", "Space Capacity", "Space Used"].map(|label| home.cells(label).join("|"));
    assert_eq!(tier, ["MEM".into(), size(capacity), size(used)]);
    let told = files.workers().await.unwrap();
    let workers = bed.get("/workers");
    let names: Vec<String> = told.iter().map(|worker| worker.address.endpoint()).collect();
    assert_eq!((workers.cells("Node Name"), names.len()), (names, 1));
    assert_eq!(workers.cells("Workers Capacity"), [size(capacity)]);
    assert_eq!(workers.cells("Space Used"), [size(used)]);
    assert_eq!(workers.cells("Blocks"), [status.blocks.len().to_string()]);
    assert_eq!(bed.get("/metricsui").term("Master Capacity:"), "100% Free, 0% Used");
    assert_eq!(rest(&bed, "capacity_bytes"), json!(capacity));
    assert_eq!(rest(&bed, "used_bytes_on_tiers"), json!({ "MEM": used }));
    assert_eq!(rest(&bed, "free_bytes"), json!(capacity - used));
    assert_eq!(rest(&bed, "worker_info_list")[0]["usedBytes"], json!(used));

    let worker = bed.get_of_worker("/home");
    assert_eq!(worker.term("Total Capacity / Used"), format!("{} / {}", size(capacity), size(used)));
    assert_eq!(worker.term("Blocks:"), status.blocks.len().to_string());
    let held = bed.get_of_worker("/blockInfo");
    assert_eq!((held.cells("File Path"), held.cells("In-MEM")), (vec!["/dir/file".into()], vec!["100%".into()]));
    let of_file = bed.get_of_worker("/blockInfo?path=/dir/file");
    let blocks: Vec<String> = status.blocks.iter().map(|block| block.id.to_string()).collect();
    let lengths: Vec<String> = status.blocks.iter().map(|block| block.length.to_string()).collect();
    assert_eq!((of_file.cells("ID"), of_file.cells("Size (Byte)")), (blocks, lengths));
    let to_master = bed.get_of_worker("/toMaster");
    assert_eq!(
        (to_master.status, to_master.headers["location"].clone()),
        (302, format!("http://127.0.0.1:{}/home", bed.web))
    );
}

#[tokio::test]
async fn the_rest_tells_of_files_what_the_rpc_tells() {
    let bed = Bed::up(&[]);
    put(&bed, "/dir/file");
    // More than are sent at once.
    for number in 0..250 {
        std::fs::create_dir_all(bed.ufs("many").join(format!("{number:03}"))).unwrap();
    }
    let files = client(&bed);
    let status = files.get_status(&path("/dir/file")).await.unwrap();
    let told = rest(&bed, "file/status?path=/dir/file");
    for (field, value) in [
        ("fileId", json!(status.id.0)),
        ("path", json!("/dir/file")),
        ("ufsPath", json!(status.ufs_path)),
        ("length", json!(status.length)),
        ("blockIds", json!(status.blocks.iter().map(|block| block.id.0).collect::<Vec<_>>())),
        ("creationTimeMs", json!(status.creation_time_ms)),
        ("lastModificationTimeMs", json!(status.modification_time_ms)),
        ("owner", json!(status.owner)),
        ("mode", json!(status.mode)),
        ("persistenceState", json!(status.persistence.text())),
        ("inMemoryPercentage", json!(100)),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    let how = ListOptions { recursive: false, load: LoadMetadata::Once };
    for directory in ["/", "/dir", "/many", "/many/007", "/dir/file"] {
        let listed = rest(&bed, &format!("file/list_status?path={directory}"));
        let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
        let statuses = files.list_status(&path(directory), &how).await.unwrap();
        assert_eq!(listed, statuses.iter().map(|status| status.path.as_str()).collect::<Vec<_>>(), "{directory}");
    }
}

#[tokio::test]
async fn properties_are_as_get_configuration_has_them_and_nobody_tells_a_secret() {
    let bed = Bed::up(&["alluxio.master.mount.table.root.option.fs.s3a.secret.key=very-secret"]);
    let page = bed.get("/configuration");
    let shown: BTreeMap<String, String> = page.cells("Property").into_iter().zip(page.cells("Value")).collect();
    let master = format!("127.0.0.1:{}", bed.master);
    let connection = open_unauthenticated(&master, &ChannelSettings::default()).await.unwrap();
    let mut client = MetaMasterConfigurationServiceClient::new(connection);
    let told = client.get_configuration(GetConfigurationPOptions::default()).await.unwrap().into_inner();
    let told = told.cluster_configs;
    assert!(told.len() > 10, "{told:?}");
    for property in &told {
        assert_ne!(property.value(), "very-secret");
        // What is not a property of the master is there for clients of 2.9.
        if let Some(value) = shown.get(property.name()) {
            assert_eq!(value, property.value(), "{}", property.name());
        }
    }
    let configured = rest(&bed, "configuration");
    let configured: BTreeMap<&str, &str> =
        configured.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    assert_eq!(configured, shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect());

    // Nor of a mount.
    std::fs::create_dir(bed.folder.path().join("other")).unwrap();
    let other = bed.folder.path().join("other").display().to_string();
    let options = bed.folder.path().join("options");
    std::fs::write(&options, "aws.secretKey=very-secret\n").unwrap();
    bed.alluxio(&["fs", "mount", "-P", &options.display().to_string(), "/mnt", &other]);
    let connection = connect(&master, ServiceType::FileSystemMasterClientService, &channel()).await.unwrap();
    let request = GetMountTablePRequest { check_ufs: Some(false) };
    let mounts = FileSystemMasterClientServiceClient::new(connection).get_mount_table(request).await.unwrap();
    let properties = &mounts.get_ref().mount_points["/mnt"].properties;
    assert_eq!(properties.get("aws.secretKey").map(String::as_str), Some("******"));
    let points = rest(&bed, "file/mount_points");
    assert_eq!(points["/mnt"]["properties"], json!({ "aws.secretKey": "******" }));
}

#[test]
fn counts_of_the_page_are_those_of_the_figures() {
    let bed = Bed::up(&[]);
    put(&bed, "/dir/file");
    let page = bed.get("/metricsui");
    let figures = bed.get("/metrics/json/").json();
    let text = page.text();
    let labels: Vec<&str> =
        text.split("<dt>").skip(1).map(|part| part.split('<').next().unwrap()).filter(|l| !l.ends_with(':')).collect();
    assert_eq!(labels.len(), 25, "{labels:?}");
    for label in labels {
        let name = label.replace("Operations", "Ops").replace(' ', "");
        let figure = match label {
            "Files Pinned" => &figures["gauges"]["master.FilesPinned"]["value"],
            _ => &figures["counters"][format!("master.{name}")]["count"],
        };
        assert_eq!(json!(page.term(label).parse::<u64>().unwrap()), *figure, "{label}");
    }
    assert_eq!(page.term("Files Completed"), "1");
    let before: u64 = page.term("CreateDirectory Operations").parse().unwrap();
    bed.alluxio(&["fs", "mkdir", "/more"]);
    assert_eq!(bed.get("/metricsui").term("CreateDirectory Operations"), (before + 1).to_string());
}
