//! Registrations, heartbeats, loss and safe mode, call by call.

use super::*;
use crate::master::worker_call::{LostStorage, TierBytes};
use crate::master::worker_entry::JUDGED_AT_ONCE;
use crate::types::ErrorKind;

const LIMITS: WorkerLimits = WorkerLimits { timeout: Duration::from_secs(300), connect_wait: Duration::from_secs(5) };

fn at(seconds: u64) -> Boot {
    Boot::from_start(Duration::from_secs(1_000 + seconds))
}

fn address(host: &str) -> WorkerAddress {
    WorkerAddress { host: host.into(), rpc_port: 29999, data_port: 29999, ..WorkerAddress::default() }
}

fn mem(blocks: &[i64]) -> PlacedBlocks {
    let place = Place { tier_alias: "MEM".into(), medium_type: "MEM".into() };
    vec![(place, blocks.iter().copied().map(BlockId).collect())]
}

fn take(workers: &mut Workers, call: WorkerCall, known: Known<'_>, now: Boot) -> Result<WorkerAnswer, FsError> {
    workers.take(call, known, now, Millis(77))
}

fn registration(worker: WorkerId, lease: LeaseRule) -> WorkerCall {
    WorkerCall::Begin(Box::new(Registration {
        worker,
        lease,
        capacity_bytes: TierBytes::from([("MEM".to_owned(), 100)]),
        used_bytes: TierBytes::new(),
        lost_storage: LostStorage::new(),
        build: ("2.9.6".into(), "r".into()),
        vcpus: 4,
    }))
}

fn register(workers: &mut Workers, host: &str, id: i64, blocks: &[i64], now: Boot) -> WorkerId {
    let answer = take(workers, WorkerCall::GetId { address: address(host), fresh: WorkerId(id) }, Known::Nothing, now);
    let Ok(WorkerAnswer::Id(worker)) = answer else { panic!("{answer:?}") };
    let calls = [
        registration(worker, LeaseRule::NotNeeded),
        WorkerCall::Holds { worker, blocks: mem(blocks) },
        WorkerCall::End { worker },
    ];
    for call in calls {
        assert_eq!(take(workers, call, Known::Nothing, now), Ok(WorkerAnswer::Taken));
    }
    worker
}

fn beat(
    workers: &mut Workers,
    worker: WorkerId,
    removed: &[i64],
    added: &[i64],
    known: Known<'_>,
    now: Boot,
) -> Command {
    let heartbeat = Heartbeat {
        worker,
        capacity_bytes: TierBytes::new(),
        used_bytes: TierBytes::from([("MEM".to_owned(), 7)]),
        lost_storage: LostStorage::new(),
        removed: removed.iter().copied().map(BlockId).collect(),
        added: mem(added),
    };
    match take(workers, WorkerCall::Heartbeat(Box::new(heartbeat)), known, now) {
        Ok(WorkerAnswer::Command(command)) => command,
        other => panic!("{other:?}"),
    }
}

fn holders(workers: &Workers, block: i64) -> Vec<i64> {
    workers.locations(BlockId(block)).iter().map(|location| location.worker.0).collect()
}

#[test]
fn an_address_keeps_its_id_and_its_copies() {
    let mut workers = Workers::default();
    assert_eq!(register(&mut workers, "a", 1, &[10, 11], at(0)), WorkerId(1));
    assert_eq!(register(&mut workers, "b", 2, &[11], at(0)), WorkerId(2));
    assert_eq!((holders(&workers, 10), holders(&workers, 11)), (vec![1], vec![1, 2]));
    assert_eq!(register(&mut workers, "a", 3, &[11, 12], at(1)), WorkerId(1));
    assert_eq!((holders(&workers, 10), holders(&workers, 11), holders(&workers, 12)), (vec![], vec![1, 2], vec![1]));
    let info = workers.infos().next().unwrap();
    assert_eq!((info.id, info.state, info.blocks, info.start_time), (WorkerId(1), WorkerState::Live, 2, Millis(77)));
    assert_eq!(info.capacity_bytes["MEM"], 100);
}

#[test]
fn a_heartbeat_says_what_came_and_went() {
    let mut workers = Workers::default();
    let worker = register(&mut workers, "a", 1, &[10, 11], at(0));
    assert_eq!(beat(&mut workers, worker, &[10], &[12], Known::OwnOrders, at(1)), Command::Nothing);
    assert_eq!((holders(&workers, 10), holders(&workers, 11), holders(&workers, 12)), (vec![], vec![1], vec![1]));
    assert_eq!(workers.infos().next().unwrap().used_bytes["MEM"], 7);
    assert_eq!(beat(&mut workers, WorkerId(9), &[], &[], Known::OwnOrders, at(1)), Command::Register);
}

#[test]
fn what_is_to_be_dropped_is_said_until_it_is_gone_and_only_by_a_primary() {
    let mut workers = Workers::default();
    let worker = register(&mut workers, "a", 1, &[10, 11], at(0));
    workers.drop_copies(BlockId(10));
    workers.drop_copies(BlockId(99));
    assert_eq!(beat(&mut workers, worker, &[], &[], Known::Nothing, at(1)), Command::Nothing);
    for second in 2..4 {
        let command = beat(&mut workers, worker, &[], &[], Known::OwnOrders, at(second));
        assert_eq!(command, Command::Free(vec![BlockId(10)]));
    }
    assert_eq!(beat(&mut workers, worker, &[10], &[], Known::OwnOrders, at(5)), Command::Nothing);
}

#[test]
fn a_block_that_no_file_has_is_dropped_by_who_knows_all() {
    let mut workers = Workers::default();
    let worker = register(&mut workers, "a", 1, &[10, 11], at(0));
    let is_known = |block: BlockId| block == BlockId(11);
    assert_eq!(beat(&mut workers, worker, &[], &[], Known::OwnOrders, at(1)), Command::Nothing);
    assert_eq!(
        beat(&mut workers, worker, &[], &[12], Known::All(&is_known), at(2)),
        Command::Free(vec![BlockId(10), BlockId(12)])
    );
    let place = Place { tier_alias: "MEM".into(), medium_type: "MEM".into() };
    workers.committed(worker, BlockId(13), place.clone(), 9, true);
    workers.committed(worker, BlockId(14), place, 9, false);
    assert_eq!(beat(&mut workers, worker, &[10, 12], &[], Known::OwnOrders, at(3)), Command::Free(vec![BlockId(14)]));
    assert_eq!(holders(&workers, 13), [1]);
}

#[test]
fn all_blocks_are_judged_in_turn() {
    let mut workers = Workers::default();
    let many: Vec<i64> = (0..JUDGED_AT_ONCE as i64 + 10).collect();
    let worker = register(&mut workers, "a", 1, &many, at(0));
    let last = *many.last().unwrap();
    let asked = std::cell::Cell::new(0);
    let is_known = |block: BlockId| {
        asked.set(asked.get() + 1);
        block.0 != last
    };
    // However many heartbeats come, the loop has this much to do for a worker.
    for millis in (0..1000).step_by(100) {
        let now = at(1) + Duration::from_millis(millis);
        assert_eq!(beat(&mut workers, worker, &[], &[], Known::All(&is_known), now), Command::Nothing);
    }
    assert_eq!(asked.get(), JUDGED_AT_ONCE);
    let second = beat(&mut workers, worker, &[], &[], Known::All(&is_known), at(2));
    assert_eq!(second, Command::Free(vec![BlockId(last)]));
}

#[test]
fn a_silent_worker_is_lost_with_its_copies_and_comes_back_by_registering() {
    let mut workers = Workers::default();
    let worker = register(&mut workers, "a", 1, &[10], at(0));
    workers
        .take(WorkerCall::GetId { address: address("c"), fresh: WorkerId(3) }, Known::Nothing, at(0), Millis(1))
        .unwrap();
    assert_eq!(workers.pass(&LIMITS, at(300)), Vec::<String>::new());
    assert_eq!(holders(&workers, 10), [1]);
    let notes = workers.pass(&LIMITS, at(302));
    assert_eq!(notes, ["lost a worker id=1 address=a:29999 blocks=1 silent_s=302"]);
    assert_eq!((holders(&workers, 10), workers.is_live(worker)), (vec![], false));
    assert_eq!(workers.infos().map(|info| info.state).collect::<Vec<_>>(), [WorkerState::Lost]);
    assert_eq!(beat(&mut workers, worker, &[], &[], Known::Nothing, at(303)), Command::Register);
    assert_eq!(register(&mut workers, "a", 4, &[10], at(304)), worker);
    assert_eq!(holders(&workers, 10), [1]);
    workers.pass(&LIMITS, at(700));
    workers.pass(&LIMITS, at(304 + 300 + 1800 + 1));
    assert_eq!(workers.infos().count(), 0, "forgotten after half an hour more");
    assert_eq!(register(&mut workers, "a", 5, &[], at(2500)), WorkerId(5));
}

#[test]
fn a_unary_registration_needs_a_lease() {
    let mut workers = Workers::default();
    let id = |workers: &mut Workers, n: i64| {
        take(
            workers,
            WorkerCall::GetId { address: address(&n.to_string()), fresh: WorkerId(n) },
            Known::Nothing,
            at(0),
        )
        .unwrap();
        WorkerId(n)
    };
    let allowed = |workers: &mut Workers, worker, now| {
        let lease = take(workers, WorkerCall::RequestLease { worker }, Known::Nothing, now).unwrap();
        matches!(lease, WorkerAnswer::Lease { allowed: true, .. })
    };
    let first = id(&mut workers, 0);
    let refused = take(&mut workers, registration(first, LeaseRule::Needed), Known::Nothing, at(0)).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    let text = "Worker 0 does not have a lease or the lease has expired. The worker should acquire a new lease and retry to register.";
    assert_eq!(refused.message, text);
    for n in 0..LEASES_MAX as i64 {
        let worker = id(&mut workers, n);
        assert!(allowed(&mut workers, worker, at(0)));
    }
    let one_more = id(&mut workers, 100);
    assert!(!allowed(&mut workers, one_more, at(1)), "all leases are taken");
    assert!(allowed(&mut workers, first, at(1)), "a lease is told again");
    assert_eq!(
        take(&mut workers, registration(first, LeaseRule::Needed), Known::Nothing, at(1)),
        Ok(WorkerAnswer::Taken)
    );
    take(&mut workers, WorkerCall::End { worker: first }, Known::Nothing, at(1)).unwrap();
    assert!(allowed(&mut workers, one_more, at(1)), "a registration gives its lease back");
    assert!(allowed(&mut workers, first, at(61)), "leases end");
}

#[test]
fn who_has_no_id_cannot_register() {
    let mut workers = Workers::default();
    let refused =
        take(&mut workers, registration(WorkerId(5), LeaseRule::NotNeeded), Known::Nothing, at(0)).unwrap_err();
    assert_eq!((refused.kind, refused.message.as_str()), (ErrorKind::NotFound, "No worker with workerId 5 is found"));
}

#[test]
fn safe_mode_ends_with_its_time_or_when_all_known_workers_have_reported() {
    let mut unknown = Workers::default();
    unknown.begin_to_serve(&LIMITS, at(0));
    register(&mut unknown, "a", 1, &[], at(1));
    assert!(unknown.is_in_safe_mode(), "others may come");
    unknown.pass(&LIMITS, at(5));
    assert!(!unknown.is_in_safe_mode());

    let mut known = Workers::default();
    let (a, b) = (register(&mut known, "a", 1, &[], at(0)), register(&mut known, "b", 2, &[], at(0)));
    known.begin_to_serve(&LIMITS, at(1));
    beat(&mut known, a, &[], &[], Known::OwnOrders, at(2));
    assert!(known.is_in_safe_mode());
    beat(&mut known, b, &[], &[], Known::OwnOrders, at(2));
    assert!(!known.is_in_safe_mode());
}

fn decommission(workers: &mut Workers, host: &str, disable: bool) -> Result<WorkerAnswer, FsError> {
    take(workers, WorkerCall::Decommission { host: host.into(), web_port: 0, disable }, Known::OwnOrders, at(2))
}

#[test]
fn a_decommissioned_worker_is_read_from_until_another_has_a_copy_and_comes_back_by_registering() {
    let mut workers = Workers::default();
    let (a, b) = (register(&mut workers, "a", 1, &[10, 11], at(0)), register(&mut workers, "b", 2, &[11], at(0)));
    assert_eq!(decommission(&mut workers, "a", false), Ok(WorkerAnswer::Taken));
    assert_eq!((holders(&workers, 10), holders(&workers, 11)), (vec![1], vec![2]));
    let states = |workers: &Workers| workers.infos().map(|info| info.state).collect::<Vec<_>>();
    assert_eq!(states(&workers), [WorkerState::Decommissioned, WorkerState::Live]);
    // It ends what it has begun, and is told nothing else.
    workers.drop_copies(BlockId(10));
    assert_eq!(beat(&mut workers, a, &[10], &[12], Known::OwnOrders, at(3)), Command::Decommissioned);
    assert_eq!((holders(&workers, 10), holders(&workers, 12), workers.is_live(a)), (vec![], vec![1], true));
    // Silent for too long it stays what it is, without its copies; the other one is lost.
    workers.pass(&LIMITS, at(400));
    assert_eq!(
        (states(&workers), holders(&workers, 12)),
        (vec![WorkerState::Decommissioned, WorkerState::Lost], vec![])
    );
    assert_eq!(register(&mut workers, "a", 9, &[12], at(401)), a);
    assert_eq!(beat(&mut workers, a, &[], &[], Known::OwnOrders, at(402)), Command::Nothing);
    // A lost one can be, too; one that is forgotten cannot.
    assert_eq!(decommission(&mut workers, "b", false), Ok(WorkerAnswer::Taken));
    workers.pass(&LIMITS, at(400 + 31 * 60));
    let text = decommission(&mut workers, "b", false).unwrap_err();
    assert_eq!((text.kind, text.message.as_str(), b), (ErrorKind::NotFound, "Worker b:0 not found", WorkerId(2)));
}

#[test]
fn a_disabled_worker_is_refused_until_it_is_enabled() {
    let mut workers = Workers::default();
    let id = register(&mut workers, "a", 1, &[10], at(0));
    decommission(&mut workers, "a", true).unwrap();
    assert_eq!(workers.infos().next().map(|info| info.state), Some(WorkerState::Disabled));
    assert_eq!(beat(&mut workers, id, &[], &[], Known::OwnOrders, at(3)), Command::Disabled);
    let refused = take(&mut workers, registration(id, LeaseRule::NotNeeded), Known::OwnOrders, at(4)).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    assert!(refused.message.starts_with("Worker with address a:29999 is manually decommissioned"), "{refused:?}");
    // Registering does not make it less decommissioned.
    assert_eq!(beat(&mut workers, id, &[], &[], Known::OwnOrders, at(5)), Command::Disabled);
    let enable = WorkerCall::Enable { host: "a".into(), web_port: 0 };
    assert_eq!(take(&mut workers, enable, Known::OwnOrders, at(6)), Ok(WorkerAnswer::Taken));
    assert_eq!(beat(&mut workers, id, &[], &[], Known::OwnOrders, at(7)), Command::Decommissioned);
    assert_eq!(register(&mut workers, "a", 5, &[10], at(8)), id);
    assert_eq!(beat(&mut workers, id, &[], &[], Known::OwnOrders, at(9)), Command::Nothing);
}

#[test]
fn a_worker_that_is_not_registered_yet_cannot_be_decommissioned() {
    let mut workers = Workers::default();
    take(&mut workers, WorkerCall::GetId { address: address("a"), fresh: WorkerId(1) }, Known::OwnOrders, at(0))
        .unwrap();
    let refused = decommission(&mut workers, "a", true).unwrap_err();
    let text = "Attempting to decommission an unregistered worker a:0. Please wait until this worker is registered.";
    assert_eq!((refused.kind, refused.message.as_str()), (ErrorKind::NotFound, text));
}
