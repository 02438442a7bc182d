use super::super::event::Told;
use super::super::ops::{
    Caller, CommitBlock, CreateDirectory, CreateFile, Delete, NewBlock, NewCopy, Operation, WriteType,
};
use super::super::role::FencingMode;
use super::super::worker_call::{Command, WorkerAnswer, WorkerCall};
use super::super::worker_call::{Heartbeat, LeaseRule, LostStorage, Place, Registration, TierBytes};
use super::*;
use crate::election::{CallFailed, EpochNode, LatchCall, LatchReply, Observation, OwnNode, Participant, Versioned};
use crate::journal::chain::SegmentHeader;
use crate::journal::codec;
use crate::journal::folder::Length;
use crate::journal::tailer::Ask;
use crate::journal::writer::WriterEffect;
use crate::types::{AlluxioPath, BlockId, TtlAction, WorkerAddress, WorkerId};

const FORMATTED: SegmentId = SegmentId { epoch: 1, index: 0 };
const FIRST: SegmentId = SegmentId { epoch: 2, index: 0 };
const SECOND: SegmentId = SegmentId { epoch: 2, index: 1 };
const ROOM: u64 = 1 << 20;

fn settings(mode: FencingMode) -> DriverSettings {
    let role = RoleSettings {
        mode,
        lease: Duration::from_secs(2),
        address: "host:19998".into(),
        incarnation: "000000000001".into(),
    };
    DriverSettings {
        role,
        cluster_id: "c".into(),
        limits: WriterLimits { segment_bytes: 1 << 16, unacknowledged_bytes: 1 << 16, flights: 1 },
        ops: ops::Settings {
            permission_checking: true,
            super_group: "supergroup".into(),
            umask: 0o022,
            root_ufs: "/ufs".into(),
            root_options: Default::default(),
            never_persisted: Vec::new(),
            journal: String::new(),
        },
        root_owner: "root".into(),
        root_group: "root".into(),
        checkpoints: CheckpointLimits { entries: 1000, bytes: 1 << 30, age: Duration::from_secs(3600) },
        workers: WorkerLimits { timeout: Duration::from_secs(300), connect_wait: Duration::from_secs(5) },
    }
}

/// What `alluxio format` leaves in the first segment.
fn formatted() -> bytes::Bytes {
    let header = SegmentHeader {
        cluster_id: "c".into(),
        genesis: 7,
        segment: FORMATTED,
        base: None,
        through: SequenceNumber(0),
    };
    let mut bytes = Vec::new();
    codec::encode_header(&mut bytes, &header);
    bytes.into()
}

/// One driver, its state and its clock. Who waits for an answer is a word.
struct Bench {
    driver: Driver<&'static str>,
    core: Core,
    ms: u64,
    /// Version of the epoch node.
    version: i32,
}

impl Bench {
    fn step(&mut self, event: Event<&'static str>) -> Vec<Effect<&'static str>> {
        let now = Boot::from_start(Duration::from_millis(self.ms));
        self.driver.step(&mut self.core, event, now, Millis(1_700_000_000_000))
    }

    /// A master that has claimed, created its first segment and appended to it; neither is answered yet.
    fn taking_over(mode: FencingMode) -> Bench {
        let driver = Driver::new(settings(mode), Arc::default(), Position::START, None);
        let mut bench = Bench { driver, core: Core::default(), ms: 1_000_000, version: 1 };
        let mut effects = bench.step(Event::Tick);
        let mut replies: VecDeque<_> = effects.iter().filter_map(|effect| bench.reply(effect)).collect();
        while let Some(reply) = replies.pop_front() {
            effects = bench.step(reply);
            replies.extend(effects.iter().filter_map(|effect| bench.reply(effect)));
        }
        assert!(appends(&effects, FIRST), "{effects:?}");
        assert!(renewal_of(&effects, 1), "{effects:?}");
        bench
    }

    /// What the world says to a master on its way to its first append.
    fn reply(&self, effect: &Effect<&'static str>) -> Option<Event<&'static str>> {
        let bytes = formatted();
        Some(match effect {
            Effect::Tail(ask @ Ask::List) => Event::Tail(*ask, Told::Listed(vec![FORMATTED])),
            Effect::Tail(ask @ Ask::Length(_)) => Event::Tail(*ask, Told::Length(Length::Closed(bytes.len() as u64))),
            Effect::Tail(ask @ Ask::Read { .. }) => Event::Tail(*ask, Told::Bytes(bytes)),
            Effect::Latch(LatchCall::Join) => Event::Latch(LatchReply::Joined(Ok(OwnNode("b".into())))),
            Effect::Latch(LatchCall::Observe) => {
                let value = EpochNode { epoch: 1, released: true, segments: 1, ..EpochNode::default() };
                let participants = vec![Participant { node: "b".into(), address: "host:19998".into() }];
                let epoch = Some(Versioned { value, version: self.version });
                Event::Latch(LatchReply::Observed(Ok(Observation { epoch, participants, interrupted: false })))
            }
            Effect::Latch(LatchCall::Claim { version, .. }) => Event::Latch(LatchReply::Claimed(Ok(version + 1))),
            Effect::Write(WriterEffect::Create(segment)) => Event::Created(*segment, Ok(ROOM)),
            _ => return None,
        })
    }

    fn serving(mode: FencingMode) -> Bench {
        let mut bench = Bench::taking_over(mode);
        bench.version = 2;
        let mut effects = bench.flushed(FIRST);
        while !effects.iter().any(|effect| matches!(effect, Effect::Serving { epoch: 2, .. })) {
            effects = bench.renewed();
        }
        bench.step(Event::Latch(LatchReply::Published(Ok(()))));
        bench
    }

    fn flushed(&mut self, segment: SegmentId) -> Vec<Effect<&'static str>> {
        self.step(Event::Appended(segment, Ok(())))
    }

    fn renewed(&mut self) -> Vec<Effect<&'static str>> {
        self.version += 1;
        self.step(Event::Latch(LatchReply::Renewed(Ok(self.version))))
    }

    /// Has the directory `/who` made.
    fn mkdir(&mut self, who: &'static str) -> Vec<Effect<&'static str>> {
        let operation = Operation::CreateDirectory(CreateDirectory {
            path: AlluxioPath::parse(&format!("/{who}")).unwrap(),
            recursive: false,
            allow_exists: false,
            mode: 0o755,
            write_type: WriteType::MustCache,
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            xattr: Default::default(),
        });
        self.submit(who, operation)
    }
}

/// Who was answered, well.
fn answered(effects: &[Effect<&'static str>]) -> Vec<&'static str> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Answer(who, Ok(_)) = effect { Some(*who) } else { None })
        .collect()
}

fn appends(effects: &[Effect<&'static str>], to: SegmentId) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Write(WriterEffect::Append { segment, .. }) if *segment == to))
}

/// Whether a renewal is sent that names so many segments.
fn renewal_of(effects: &[Effect<&'static str>], segments: u32) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Latch(LatchCall::Renew { node, .. }) if node.segments == segments))
}

fn releases(effects: &[Effect<&'static str>]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Latch(LatchCall::Release { .. })))
}

#[test]
fn segments_of_another_cluster_are_not_followed() {
    let settings = DriverSettings { cluster_id: "d".into(), ..settings(FencingMode::Lease) };
    let driver = Driver::new(settings, Arc::default(), Position::START, None);
    let mut bench = Bench { driver, core: Core::default(), ms: 1_000_000, version: 1 };
    let mut events = VecDeque::from([Event::Tick]);
    let mut exits = Vec::new();
    while let Some(event) = events.pop_front() {
        let effects = bench.step(event);
        events.extend(effects.iter().filter_map(|effect| bench.reply(effect)));
        exits.extend(
            effects.into_iter().filter_map(|effect| if let Effect::Exit(why) = effect { Some(why) } else { None }),
        );
    }
    assert!(
        matches!(&exits[..], [Exit::Unfit(text)] if text.contains("of the cluster c, but FORMAT names \"d\"")),
        "{exits:?}"
    );
}

#[test]
fn nobody_is_served_before_the_first_segment_is_registered() {
    let mut bench = Bench::taking_over(FencingMode::Lease);
    let effects = bench.flushed(FIRST);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Serving { .. })), "{effects:?}");
    let effects = bench.renewed();
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Serving { epoch: 2, .. })), "{effects:?}");
}

#[test]
fn the_first_answer_from_a_new_segment_leaves_after_a_renewal_that_named_it() {
    let mut bench = Bench::serving(FencingMode::Lease);
    assert!(appends(&bench.mkdir("one"), FIRST));
    let effects = bench.step(Event::Appended(FIRST, Err("the pipeline broke".into())));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Write(WriterEffect::Create(SECOND)))), "{effects:?}");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Recover(FIRST))), "standbys read it: {effects:?}");
    let effects = bench.step(Event::Created(SECOND, Ok(ROOM)));
    assert!(appends(&effects, SECOND) && renewal_of(&effects, 2), "{effects:?}");
    assert_eq!(answered(&bench.flushed(SECOND)), [""; 0]);
    assert_eq!(answered(&bench.renewed()), ["one"]);
}

#[test]
fn a_segment_that_cannot_be_closed_is_recovered() {
    let mut bench = Bench::serving(FencingMode::Lease);
    let effects = bench.step(Event::NotClosed(FORMATTED));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Recover(FORMATTED))), "{effects:?}");
}

#[test]
fn an_answer_waits_for_its_flush_and_then_nobody_waits_for_its_change() {
    let mut bench = Bench::serving(FencingMode::Lease);
    assert!(bench.core.in_flight.is_empty(), "what made the root is settled");
    assert_eq!(answered(&bench.mkdir("one")), [""; 0]);
    assert!(!bench.core.in_flight.is_empty());
    assert_eq!(answered(&bench.flushed(FIRST)), ["one"]);
    assert!(bench.core.in_flight.is_empty(), "what was answered is settled");
}

#[test]
fn an_answer_whose_flush_outlives_the_lease_waits_for_the_next_renewal() {
    let mut bench = Bench::serving(FencingMode::Lease);
    bench.mkdir("one");
    bench.ms += 2_000;
    let effects = bench.flushed(FIRST);
    assert!(answered(&effects).is_empty() && renewal_of(&effects, 1), "{effects:?}");
    assert_eq!(answered(&bench.renewed()), ["one"]);
}

#[test]
fn a_leader_that_is_stopped_releases_after_its_last_flush() {
    let mut bench = Bench::serving(FencingMode::Lease);
    bench.mkdir("one");
    bench.mkdir("two");
    assert!(!releases(&bench.step(Event::Stop)));
    assert!(!releases(&bench.step(Event::Tick)));
    let effects = bench.flushed(FIRST);
    assert_eq!(answered(&effects), ["one"]);
    assert!(!releases(&effects) && appends(&effects, FIRST), "two is flushed behind it: {effects:?}");
    assert!(!releases(&bench.step(Event::Tick)));
    assert_eq!(answered(&bench.flushed(FIRST)), ["two"]);
    assert!(releases(&bench.step(Event::Tick)));
}

#[test]
fn a_leader_that_is_stopped_releases_after_its_last_answer() {
    let mut bench = Bench::serving(FencingMode::Confirm);
    bench.mkdir("one");
    assert!(renewal_of(&bench.flushed(FIRST), 1));
    bench.mkdir("two");
    bench.flushed(FIRST);
    assert!(!releases(&bench.step(Event::Stop)));
    // That renewal was sent before the flush of two: it confirms one only.
    let effects = bench.renewed();
    assert_eq!(answered(&effects), ["one"]);
    assert!(!releases(&effects) && renewal_of(&effects, 1), "{effects:?}");
    assert_eq!(answered(&bench.renewed()), ["two"]);
    assert!(releases(&bench.step(Event::Tick)));
    assert_eq!(answered(&bench.mkdir("three")), [""; 0], "nothing is taken any more");
}

#[test]
fn a_leader_whose_last_flush_hangs_ends_without_a_release() {
    let mut bench = Bench::serving(FencingMode::Lease);
    bench.mkdir("one");
    bench.step(Event::Stop);
    assert!(!releases(&bench.step(Event::Tick)));
    bench.ms += 5_000;
    let effects = bench.step(Event::Tick);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Exit(Exit::Stopped))), "{effects:?}");
    assert!(!releases(&effects) && answered(&effects).is_empty(), "{effects:?}");
}

#[test]
fn a_leader_that_is_stopped_before_it_serves_marks_nothing_any_more() {
    let mut bench = Bench::taking_over(FencingMode::Lease);
    bench.renewed(); // which names its first segment
    assert!(releases(&bench.step(Event::Stop)));
    // The release may have taken effect, and another lead without what is flushed now.
    bench.ms += 100;
    let effects = bench.flushed(FIRST);
    assert!(!appends(&effects, FIRST), "a mark of what nobody was answered: {effects:?}");
    bench.ms += 100;
    let effects = bench.step(Event::Tick);
    assert!(!appends(&effects, FIRST) && answered(&effects).is_empty(), "{effects:?}");
}

#[test]
fn a_refused_renewal_ends_the_process_and_no_flush_is_answered_any_more() {
    let mut bench = Bench::serving(FencingMode::Lease);
    bench.mkdir("one");
    bench.ms += 500;
    assert!(renewal_of(&bench.step(Event::Tick), 1));
    let refused = CallFailed::Refused("another owner".into());
    let effects = bench.step(Event::Latch(LatchReply::Renewed(Err(refused))));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Exit(Exit::Fenced(_)))), "{effects:?}");
    assert_eq!(answered(&bench.flushed(FIRST)), [""; 0]);
}

impl Bench {
    fn submit(&mut self, who: &'static str, operation: Operation) -> Vec<Effect<&'static str>> {
        let caller = Caller { user: "root".into(), groups: vec!["root".into()] };
        self.step(Event::Submit(vec![(who, Request { caller, operation_id: None, operation })]))
    }

    /// Registers a worker that holds these blocks.
    fn register(&mut self, blocks: &[BlockId]) {
        let worker = WorkerId(5);
        let registration = Registration {
            worker,
            lease: LeaseRule::NotNeeded,
            capacity_bytes: TierBytes::new(),
            used_bytes: TierBytes::new(),
            lost_storage: LostStorage::new(),
            build: (String::new(), String::new()),
            vcpus: 1,
        };
        let calls = [
            WorkerCall::GetId { address: WorkerAddress::default(), fresh: worker },
            WorkerCall::Begin(Box::new(registration)),
            WorkerCall::Holds { worker, blocks: vec![(mem(), blocks.to_vec())] },
            WorkerCall::End { worker },
        ];
        for call in calls {
            assert!(command_in(&self.step(Event::Worker("worker", call))).is_none());
        }
    }

    fn beat(&mut self) -> Option<Command> {
        let heartbeat = Heartbeat {
            worker: WorkerId(5),
            capacity_bytes: TierBytes::new(),
            used_bytes: TierBytes::new(),
            lost_storage: LostStorage::new(),
            removed: Vec::new(),
            added: Vec::new(),
        };
        command_in(&self.step(Event::Worker("worker", WorkerCall::Heartbeat(Box::new(heartbeat)))))
    }
}

fn mem() -> Place {
    Place { tier_alias: "MEM".into(), medium_type: "MEM".into() }
}

/// What the worker is told.
fn command_in(effects: &[Effect<&'static str>]) -> Option<Command> {
    effects.iter().find_map(|effect| match effect {
        Effect::Answer("worker", Ok(Answer::Worker(WorkerAnswer::Command(command)))) => Some(command.clone()),
        _ => None,
    })
}

#[test]
fn a_worker_drops_a_block_only_when_its_deletion_is_answered_for() {
    let mut bench = Bench::serving(FencingMode::Lease);
    bench.register(&[]);
    let path = || AlluxioPath::parse("/f").unwrap();
    let create = CreateFile {
        path: path(),
        recursive: false,
        overwrite: false,
        mode: 0o644,
        block_size_bytes: 64,
        write_type: WriteType::MustCache,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        replication_min: 0,
        replication_max: -1,
        replication_durable: 1,
        persistence_wait_ms: 0,
        xattr: Default::default(),
    };
    bench.submit("client", Operation::CreateFile(create));
    bench.flushed(FIRST);
    bench.submit("client", Operation::NewBlock(NewBlock { path: path() }));
    bench.flushed(FIRST);
    let block = BlockId::of(ops::first_container(7) + 1, 0);
    let copy = Some(NewCopy { worker: WorkerId(5), place: mem(), used_on_tier: 5 });
    bench.submit("client", Operation::CommitBlock(CommitBlock { block, length: 5, copy }));
    bench.flushed(FIRST);
    assert_eq!(bench.core.state.blocks().length(block), Some(5));
    assert_eq!(bench.beat(), Some(Command::Nothing));

    bench.submit("client", Operation::Delete(Delete::of(path())));
    assert_eq!(bench.beat(), None, "the deletion may still be lost");
    let effects = bench.flushed(FIRST);
    assert_eq!(command_in(&effects), Some(Command::Free(vec![block])), "{effects:?}");
}

#[test]
fn only_who_has_led_for_a_while_orders_unknown_blocks_away() {
    let unknown = BlockId::of(77, 0);
    let mut bench = Bench::taking_over(FencingMode::Lease);
    bench.register(&[unknown]);
    assert_eq!(bench.beat(), Some(Command::Nothing), "it does not lead yet");

    let mut bench = Bench::serving(FencingMode::Confirm);
    bench.register(&[unknown]);
    assert_eq!(bench.beat(), Some(Command::Nothing), "somebody may still commit it");
    bench.ms += 61_000;
    let told = bench.beat().or_else(|| {
        bench.flushed(FIRST);
        (0..3).find_map(|_| command_in(&bench.renewed()))
    });
    assert_eq!(told, Some(Command::Free(vec![unknown])), "under a confirmed lease");
}

#[path = "driver_give_way_tests.rs"]
mod give_way;
