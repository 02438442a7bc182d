//! What workers report and clients ask about blocks and workers, decoded and encoded.

use std::collections::{BTreeMap, HashMap};

use alluxio::journal::entry::AddMountPoint;
use alluxio::master::ops::{Answer, CommitBlock, NewBlock, NewCopy, Operation, Query};
use alluxio::master::worker_call::{
    Command, LeaseRule, Place, Registration, WorkerAnswer, WorkerCall, WorkerInfo, WorkerState,
};
use alluxio::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::block::block_master_worker_service_client::BlockMasterWorkerServiceClient;
use alluxio::proto::alluxio::grpc::block::{
    BlockHeartbeatPRequest, BlockIdList, CommitBlockPRequest, GetBlockInfoPRequest, GetCapacityBytesPOptions,
    GetUsedBytesPOptions, GetWorkerIdPRequest, GetWorkerInfoListPOptions, GetWorkerReportPOptions,
    LocationBlockIdListEntry, RegisterWorkerPOptions, RegisterWorkerPRequest, WorkerInfoField, WorkerRange,
};
use alluxio::proto::alluxio::grpc::file::file_system_master_worker_service_client::FileSystemMasterWorkerServiceClient;
use alluxio::proto::alluxio::grpc::file::{GetNewBlockIdForFilePRequest, GetPinnedFileIdsPRequest, GetUfsInfoPRequest};
use alluxio::proto::alluxio::grpc::{BlockStoreLocationProto, BuildVersion, CommandType, TtlAction, WorkerNetAddress};
use alluxio::rpc::channel::{Connection, open_authenticated};
use alluxio::types::time::Millis;
use alluxio::types::{BlockId, BlockLocation, BlockStatus, ErrorKind, FsError, InodeId, WorkerAddress, WorkerId};
use tonic::Code;

use crate::harness::{Running, Seen, identity, path, start_simple};

fn mem() -> Place {
    Place { tier_alias: "MEM".into(), medium_type: "MEM".into() }
}

fn in_memory(blocks: &[i64]) -> Vec<LocationBlockIdListEntry> {
    let key = BlockStoreLocationProto { tier_alias: Some("MEM".into()), medium_type: Some("MEM".into()) };
    vec![LocationBlockIdListEntry { key: Some(key), value: Some(BlockIdList { block_id: blocks.to_vec() }) }]
}

fn tiers(bytes: i64) -> HashMap<String, i64> {
    HashMap::from([("MEM".to_owned(), bytes)])
}

async fn worker(running: &Running) -> BlockMasterWorkerServiceClient<Connection> {
    BlockMasterWorkerServiceClient::new(open_authenticated(&running.address, &identity("root")).await.unwrap())
}

async fn client(running: &Running) -> BlockMasterClientServiceClient<Connection> {
    BlockMasterClientServiceClient::new(running.connect().await)
}

fn info(id: i64, state: WorkerState) -> WorkerInfo {
    WorkerInfo {
        id: WorkerId(id),
        address: WorkerAddress { host: format!("w{id}"), rpc_port: 29999, ..WorkerAddress::default() },
        state,
        last_contact_s: 2,
        start_time: Millis(77),
        capacity_bytes: BTreeMap::from([("MEM".into(), 100), ("SSD".into(), 1000)]),
        used_bytes: BTreeMap::from([("MEM".into(), 10 * id)]),
        lost_storage: BTreeMap::new(),
        build: ("2.9.6".into(), "r".into()),
        vcpus: 4,
        blocks: 3,
    }
}

#[tokio::test]
async fn a_streamed_registration_is_taken_message_by_message() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::Worker(WorkerAnswer::Taken)));
    let build_version = Some(BuildVersion { version: Some("2.9.6".into()), revision: Some("r".into()) });
    let first = RegisterWorkerPRequest {
        worker_id: Some(5),
        storage_tiers: vec!["MEM".into()],
        total_bytes_on_tiers: tiers(100),
        used_bytes_on_tiers: tiers(7),
        options: Some(RegisterWorkerPOptions { build_version, num_v_cpu: Some(4), ..Default::default() }),
        current_blocks: in_memory(&[1, 2]),
        ..RegisterWorkerPRequest::default()
    };
    let second = RegisterWorkerPRequest {
        worker_id: Some(5),
        current_blocks: in_memory(&[3]),
        ..RegisterWorkerPRequest::default()
    };
    let requests = tokio_stream::iter([first, second]);
    let mut answers = worker(&running).await.register_worker_stream(requests).await.unwrap().into_inner();
    let mut count = 0;
    while answers.message().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2, "one answer for each message");
    let id = WorkerId(5);
    let holds = |blocks: &[i64]| WorkerCall::Holds {
        worker: id,
        blocks: vec![(mem(), blocks.iter().copied().map(BlockId).collect())],
    };
    let begin = Registration {
        worker: id,
        lease: LeaseRule::NotNeeded,
        capacity_bytes: BTreeMap::from([("MEM".into(), 100)]),
        used_bytes: BTreeMap::from([("MEM".into(), 7)]),
        lost_storage: BTreeMap::new(),
        build: ("2.9.6".into(), "r".into()),
        vcpus: 4,
    };
    let expected = [WorkerCall::Begin(Box::new(begin)), holds(&[1, 2]), holds(&[3]), WorkerCall::End { worker: id }];
    let seen: Vec<Seen> = running.namespace.seen.lock().clone();
    assert_eq!(seen, expected.map(Seen::Worker));
}

#[tokio::test]
async fn a_refused_registration_ends_with_the_refusal() {
    let running = start_simple().await;
    running.will_answer(Err(FsError::new(ErrorKind::NotFound, "No worker with workerId 5 is found")));
    let request = RegisterWorkerPRequest { worker_id: Some(5), ..RegisterWorkerPRequest::default() };
    let answers = worker(&running).await.register_worker_stream(tokio_stream::iter([request.clone()])).await;
    let refused = match answers {
        Err(refused) => refused,
        Ok(mut answers) => answers.get_mut().message().await.unwrap_err(),
    };
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "No worker with workerId 5 is found"));
    assert_eq!(running.namespace.seen.lock().len(), 1, "nothing follows the refusal");
    worker(&running).await.register_worker(request).await.unwrap_err();
    let Seen::Worker(WorkerCall::Begin(unary)) = running.last_seen() else { panic!("no registration") };
    assert_eq!(unary.lease, LeaseRule::Needed);
}

#[tokio::test]
async fn a_standby_takes_what_workers_report() {
    let running = start_simple().await;
    *running.namespace.is_primary.lock() = false;
    let mut worker = worker(&running).await;
    running.will_answer(Ok(Answer::Worker(WorkerAnswer::Id(WorkerId(9)))));
    let address = WorkerNetAddress { host: Some("w".into()), rpc_port: Some(29999), ..WorkerNetAddress::default() };
    let request = GetWorkerIdPRequest { worker_net_address: Some(address), options: None };
    assert_eq!(worker.get_worker_id(request).await.unwrap().into_inner().worker_id(), 9);
    let Seen::Worker(WorkerCall::GetId { address, fresh }) = running.last_seen() else { panic!("no question") };
    assert_eq!((address.endpoint().as_str(), fresh.0 >= 0), ("w:29999", true));

    running.will_answer(Ok(Answer::Worker(WorkerAnswer::Command(Command::Free(vec![BlockId(1), BlockId(2)])))));
    let request = BlockHeartbeatPRequest {
        worker_id: Some(9),
        used_bytes_on_tiers: tiers(7),
        removed_block_ids: vec![4],
        added_blocks: in_memory(&[5]),
        ..BlockHeartbeatPRequest::default()
    };
    let command = worker.block_heartbeat(request).await.unwrap().into_inner().command.unwrap();
    assert_eq!((command.command_type(), command.data), (CommandType::Free, vec![1, 2]));
    let Seen::Worker(WorkerCall::Heartbeat(heartbeat)) = running.last_seen() else { panic!("no heartbeat") };
    assert_eq!((heartbeat.removed, heartbeat.added), (vec![BlockId(4)], vec![(mem(), vec![BlockId(5)])]));

    let mut clients =
        BlockMasterClientServiceClient::new(open_authenticated(&running.address, &identity("root")).await.unwrap());
    let refused = clients.get_worker_info_list(GetWorkerInfoListPOptions::default()).await.unwrap_err();
    assert_eq!(refused.message(), "GetWorkerInfoList is not supported on standby master");
}

#[tokio::test]
async fn a_commit_is_a_change() {
    let running = start_simple().await;
    let request = CommitBlockPRequest {
        worker_id: Some(5),
        used_bytes_on_tier: Some(70),
        tier_alias: Some("MEM".into()),
        block_id: Some(16_777_216),
        length: Some(12),
        options: None,
        medium_type: Some("MEM".into()),
    };
    worker(&running).await.commit_block(request).await.unwrap();
    let copy = NewCopy { worker: WorkerId(5), place: mem(), used_on_tier: 70 };
    let commit = CommitBlock { block: BlockId(16_777_216), length: 12, copy: Some(copy) };
    let Seen::Submit(request) = running.last_seen() else { panic!("no change") };
    assert_eq!(request.operation, Operation::CommitBlock(commit));
}

#[tokio::test]
async fn a_new_block_has_an_id() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::NewBlock(BlockId(16_777_217))));
    let request = GetNewBlockIdForFilePRequest { path: Some("/f".into()), options: None };
    let mut file_system = running.file_system().await;
    assert_eq!(file_system.get_new_block_id_for_file(request).await.unwrap().into_inner().id(), 16_777_217);
    let Seen::Submit(request) = running.last_seen() else { panic!("no change") };
    assert_eq!(request.operation, Operation::NewBlock(NewBlock { path: path("/f") }));
}

#[tokio::test]
async fn workers_are_shown_as_they_are_asked_for() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::Workers(vec![info(1, WorkerState::Live), info(2, WorkerState::Lost)])));
    let mut client = client(&running).await;
    let list = client.get_worker_info_list(GetWorkerInfoListPOptions::default()).await.unwrap().into_inner();
    let [one] = &list.worker_infos[..] else { panic!("one is live: {list:?}") };
    assert_eq!((one.id(), one.state(), one.capacity_bytes(), one.used_bytes()), (1, "ACTIVE", 1100, 10));
    assert_eq!((one.last_contact_sec(), one.start_time_ms(), one.num_v_cpu()), (2, 77, 4));
    assert_eq!(one.address.as_ref().unwrap().host(), "w1");

    let options = GetWorkerReportPOptions {
        addresses: Vec::new(),
        field_ranges: vec![WorkerInfoField::State.into()],
        worker_range: Some(WorkerRange::Lost.into()),
    };
    let report = client.get_worker_report(options).await.unwrap().into_inner();
    let [lost] = &report.worker_infos[..] else { panic!("one is lost: {report:?}") };
    assert_eq!((lost.state(), lost.id, lost.capacity_bytes), ("LOST", None, None));

    let capacity = client.get_capacity_bytes(GetCapacityBytesPOptions {}).await.unwrap().into_inner();
    let used = client.get_used_bytes(GetUsedBytesPOptions {}).await.unwrap().into_inner();
    assert_eq!((capacity.bytes(), used.bytes()), (1100, 10), "of those that are there");
    let Seen::Query(_, asked) = running.last_seen() else { panic!("no question") };
    assert_eq!(asked, Query::KnownWorkers, "safe mode refuses only who asks for the list");
}

#[tokio::test]
async fn a_block_is_shown_with_its_copies() {
    let running = start_simple().await;
    let address = WorkerAddress { host: "w".into(), ..WorkerAddress::default() };
    let copy = BlockLocation { worker: WorkerId(5), address, tier_alias: "MEM".into(), medium_type: "MEM".into() };
    running.will_answer(Ok(Answer::Block(BlockStatus { id: BlockId(7), length: 12, locations: vec![copy] })));
    let request = GetBlockInfoPRequest { block_id: Some(7), options: None };
    let shown = client(&running).await.get_block_info(request).await.unwrap().into_inner().block_info.unwrap();
    assert_eq!((shown.block_id(), shown.length(), shown.locations[0].worker_id()), (7, 12, 5));
    let Seen::Query(_, Query::BlockInfo { block }) = running.last_seen() else { panic!("no question") };
    assert_eq!(block, BlockId(7));
}

#[tokio::test]
async fn a_worker_asks_for_pinned_files_and_mounts() {
    let running = start_simple().await;
    let mut worker = FileSystemMasterWorkerServiceClient::new(running.connect().await);
    running.will_answer(Ok(Answer::Files(vec![InodeId(33_554_431)])));
    let pinned = worker.get_pinned_file_ids(GetPinnedFileIdsPRequest::default()).await.unwrap().into_inner();
    assert_eq!(pinned.pinned_file_ids, [33_554_431]);
    let mount = AddMountPoint {
        path: path("/m"),
        ufs_path: "hdfs://nn/a".into(),
        read_only: true,
        shared: false,
        properties: Vec::new(),
        mount_id: 7,
    };
    let root = AddMountPoint { path: path("/"), read_only: false, mount_id: 1, ..mount.clone() };
    running.will_answer(Ok(Answer::Ufs(Some(Box::new(mount)))));
    let request = |mount_id| GetUfsInfoPRequest { mount_id: Some(mount_id), options: None };
    let ufs = worker.get_ufs_info(request(7)).await.unwrap().into_inner().ufs_info.unwrap();
    let options = ufs.properties.clone().unwrap();
    assert_eq!((ufs.uri(), options.read_only(), options.common_options), ("hdfs://nn/a", true, None));
    running.will_answer(Ok(Answer::Ufs(Some(Box::new(root)))));
    let ufs = worker.get_ufs_info(request(1)).await.unwrap().into_inner().ufs_info.unwrap();
    let common = ufs.properties.unwrap().common_options.unwrap();
    assert_eq!((common.ttl, common.ttl_action()), (Some(-1), TtlAction::Free));
    running.will_answer(Ok(Answer::Ufs(None)));
    assert_eq!(worker.get_ufs_info(request(2)).await.unwrap().into_inner().ufs_info.unwrap().uri, None);
}
