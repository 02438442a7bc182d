use super::*;
use crate::conf::{Role, Sources};
use crate::election::{Contender, SharedElection};
use crate::tools::journal_scan;
use crate::tools::sample_journal::{CLUSTER, GENESIS, SampleJournal, format, segment};

fn conf() -> Conf {
    Conf::load(&Sources { role: Role::User, environment: Default::default(), command_line: Vec::new() }).unwrap()
}

/// A journal, and the epoch node after its last answer.
struct World {
    store: crate::journal::folder::MemoryStore,
    election: SharedElection,
}

impl World {
    /// Of a journal of which only segments and checkpoints are damaged.
    fn tool<'a>(&'a self, conf: &'a Conf, latch: &'a dyn Latch, format: &'a Format, incarnation: String) -> Repair<'a> {
        let store = &self.store;
        Repair { conf, store, latch, format, format_lost: None, durable_lost: None, incarnation }
    }

    async fn new(journal: &SampleJournal) -> World {
        World::with_node(journal, journal.node()).await
    }

    async fn with_node(journal: &SampleJournal, node: EpochNode) -> World {
        let world = World { store: journal.store(), election: SharedElection::default() };
        let master = world.latch("aaaaaaaaaaaa");
        master.create_epoch(&node).await.unwrap();
        world
    }

    fn latch(&self, incarnation: &str) -> impl Latch + use<> {
        self.election.contender(Contender::new(CLUSTER, incarnation).unwrap(), "a:1")
    }

    async fn node(&self) -> EpochNode {
        self.latch("cccccccccccc").read_epoch().await.unwrap().unwrap().value
    }

    /// Repairs it; what was said.
    async fn repair(&self, consent: Consent) -> (Result<(), RepairError>, String) {
        let latch = self.latch("bbbbbbbbbbbb");
        let (conf, format) = (conf(), format());
        let incarnation = "bbbbbbbbbbbb".to_owned();
        let format_lost = match folder_identity::identify(&self.store).await {
            Err(IdentityError::FormatLost { reason, .. }) => Some(reason),
            _ => None,
        };
        let repair = Repair { format_lost, ..self.tool(&conf, &latch, &format, incarnation) };
        let mut output = Vec::new();
        let outcome = repair.run(consent, &mut output).await;
        latch.leave().await;
        (outcome, String::from_utf8(output).unwrap())
    }

    async fn verify(&self) -> Result<Report, VerifyError> {
        let told = takeover::told(&self.node().await);
        journal_verify::verify(&self.store, &format(), told, Writers::AreOver).await
    }

    /// Repairs it, if there is need, and returns the state that a master would serve then.
    async fn repaired(&self) -> (Position, u64) {
        if let Ok(report) = self.verify().await {
            return (report.end, report.digest);
        }
        let (outcome, said) = self.repair(Consent::Given).await;
        outcome.unwrap_or_else(|error| panic!("{}\n{said}", with_reason(&error)));
        let report = self.verify().await.unwrap();
        assert_eq!(report.durable, Ok(report.end));
        assert!(self.node().await.released);
        (report.end, report.digest)
    }
}

fn damaged(mut journal: SampleJournal, name: SegmentId, at: usize) -> SampleJournal {
    journal.segments.get_mut(&name).unwrap()[at] ^= 0x20;
    journal
}

#[tokio::test]
async fn a_whole_journal_is_not_repaired() {
    let journal = SampleJournal::long();
    let world = World::new(&journal).await;
    let (outcome, said) = world.repair(Consent::Given).await;
    assert!(matches!(outcome, Err(RepairError::NothingWrong { end, .. }) if end == journal.end()), "{outcome:?}");
    assert_eq!(said, "");
    assert_eq!(world.store.list().await.unwrap().segments.len(), 4);
    // The epoch is released with what was known before, so masters start at once, and know the same.
    let node = world.node().await;
    assert!(node.released && node.epoch == 5);
    assert_eq!((node.segments, node.segments_of(), node.durable_sequence), (1, 4, 15));
    world.verify().await.unwrap();
}

#[tokio::test]
async fn nothing_is_changed_while_nobody_agrees_or_masters_run() {
    let journal = damaged(SampleJournal::long(), segment(4, 0), 300);
    let world = World::new(&journal).await;
    let before = world.store.list().await.unwrap();
    let (outcome, said) = world.repair(Consent::Asked(|| Ok(false))).await;
    assert!(matches!(outcome, Err(RepairError::NotAgreed)), "{outcome:?}");
    assert!(said.contains("is damaged at byte") && said.contains("Lost: records"), "{said}");
    let master = world.latch("dddddddddddd");
    master.join().await.unwrap();
    let (outcome, said) = world.repair(Consent::Given).await;
    let in_use = matches!(&outcome, Err(RepairError::Takeover(TakeoverError::InUse { masters })) if masters == "a:1");
    assert!(in_use && said.is_empty(), "{outcome:?}");
    assert_eq!(world.store.list().await.unwrap(), before);
    assert!(world.node().await.released);
}

#[tokio::test]
async fn a_damaged_journal_is_servable_afterwards_and_what_is_lost_is_said() {
    let mut journal = SampleJournal::long();
    journal.checkpoints.pop_last();
    let bytes = journal.segments[&segment(2, 1)].len();
    let world = World::new(&damaged(journal.clone(), segment(2, 1), bytes - 100)).await;
    let (outcome, said) = world.repair(Consent::Given).await;
    outcome.unwrap();
    let report = world.verify().await.unwrap();
    assert!(journal.has(report.end, report.digest) && report.end.sequence.0 >= 8, "{report:?}");
    let lost = format!("Lost: records {} to 15, {} in all", report.end.sequence.next(), 15 - report.end.sequence.0);
    assert!(said.contains(&lost), "{said}");
    assert!(said.contains("kept as it was in memory/damaged-2"), "{said}");
    assert_eq!((report.epoch, report.segments), (5, 1));
    assert_eq!(world.store.list().await.unwrap().checkpoints.len(), 1);
    let node = world.node().await;
    assert_eq!((node.segments, node.segments_of(), node.genesis), (1, 5, GENESIS));
    // Once more: there is nothing left to do.
    let (outcome, _) = world.repair(Consent::Given).await;
    assert!(matches!(outcome, Err(RepairError::NothingWrong { .. })), "{outcome:?}");
}

#[tokio::test]
async fn damage_before_a_checkpoint_costs_nothing() {
    let journal = SampleJournal::long();
    let world = World::new(&damaged(journal.clone(), segment(1, 0), 200)).await;
    let (outcome, said) = world.repair(Consent::Given).await;
    outcome.unwrap();
    assert!(said.contains("Nothing is lost of what is known to be acknowledged."), "{said}");
    let report = world.verify().await.unwrap();
    assert_eq!(report.end, journal.end());
    assert!(journal.has(report.end, report.digest));
}

#[tokio::test]
async fn an_epoch_node_that_knows_more_is_believed_to_have_lost_records() {
    let journal = SampleJournal::long();
    let mut node = journal.node();
    (node.durable_sequence, node.durable_hash) = (20, 9);
    let world = World::with_node(&journal, node).await;
    let (outcome, said) = world.repair(Consent::Given).await;
    outcome.unwrap();
    assert!(said.contains("Lost: records 16 to 20, 5 in all, which were acknowledged."), "{said}");
    assert_eq!(world.verify().await.unwrap().end, journal.end());
    // One that tells of a later history, which is not there.
    let node = EpochNode { genesis: 99, epoch: 9, segments: 1, durable_sequence: 7, ..journal.node() };
    let world = World::with_node(&journal, node).await;
    assert_eq!(world.repaired().await.0, journal.end());
    assert_eq!(world.node().await.genesis, GENESIS);
}

#[tokio::test]
async fn a_repair_that_died_is_repeated() {
    let journal = damaged(SampleJournal::long(), segment(4, 0), 300);
    let world = World::new(&journal).await;
    let claimed = {
        let latch = world.latch("eeeeeeeeeeee");
        let claimed = takeover::claim(&conf(), &latch, &world.store, "eeeeeeeeeeee").await.unwrap();
        let (conf, format) = (conf(), format());
        let incarnation = "eeeeeeeeeeee".to_owned();
        let repair = world.tool(&conf, &latch, &format, incarnation);
        let plan = repair.salvage(&claimed.node, &mut Vec::new()).await.unwrap();
        repair.checkpoint(&plan, "damaged-1").await.unwrap();
        let segment = SegmentId { epoch: claimed.node.epoch, index: 0 };
        let base = base(&plan, claimed.node.epoch);
        let (cluster_id, genesis, through) = (CLUSTER.to_owned(), GENESIS, plan.end.sequence);
        takeover::begin(&world.store, &SegmentHeader { cluster_id, genesis, segment, base, through }).await.unwrap();
        repair.set_aside(JournalFile::Segment(crate::tools::sample_journal::segment(1, 0)), "damaged-1").await.unwrap();
        latch.leave().await;
        (claimed, plan.end)
    };
    let (end, digest) = world.repaired().await;
    assert_eq!(end, claimed.1);
    assert!(journal.has(end, digest));
}

/// FORMAT gone or damaged, in a local folder.
#[tokio::test]
async fn format_is_written_again_for_the_cluster_of_the_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let property = format!("alluxio.master.journal.folder={}", path.display());
    let sources = Sources { role: Role::User, environment: Default::default(), command_line: vec![property] };
    let conf = Conf::load(&sources).unwrap();
    crate::tools::format::run(&conf).await.unwrap();
    let file = path.join("FORMAT");
    let before = std::fs::read_to_string(&file).unwrap();
    let cluster = before.lines().find_map(|line| line.strip_prefix("cluster_id=")).unwrap();
    for damage in [None, Some("layout=1\nfeature"), Some("layout=1\nfeature_level=one\ncluster_id=x\n")] {
        match damage {
            None => std::fs::remove_file(&file).unwrap(),
            Some(text) => std::fs::write(&file, text).unwrap(),
        }
        let error = journal_verify::run(&conf).await.unwrap_err();
        assert!(matches!(&error, VerifyError::Identity(IdentityError::FormatLost { .. })), "{error:?}");
        let (text, mut said) = (error.to_string(), Vec::new());
        assert!(text.contains(cluster) && text.contains("bin/alluxio journal repair"), "{text}");
        let refused = run(&conf, Consent::Asked(|| Ok(false)), &mut said).await;
        assert!(matches!(refused, Err(RepairError::NotAgreed)), "{refused:?}");
        assert_ne!(std::fs::read_to_string(&file).ok().as_deref(), Some(&*before));
        run(&conf, Consent::Given, &mut said).await.unwrap();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("the repair writes it again") && said.ends_with("The journal is whole.\n"), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    }
    let whole = run(&conf, Consent::Given, &mut Vec::new()).await;
    assert!(matches!(whole, Err(RepairError::NothingWrong { .. })), "{whole:?}");
    // Who formats it all the same meets those who still use it.
    std::fs::remove_file(&file).unwrap();
    crate::tools::format::run(&conf).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}

/// FORMAT and a segment.
#[tokio::test]
async fn a_lost_format_and_other_damage_are_repaired_at_once() {
    let world = World::new(&damaged(SampleJournal::long(), segment(4, 0), 300)).await;
    let latch = world.latch("bbbbbbbbbbbb");
    let (conf, format, format_lost) = (conf(), format(), Some("is gone".to_owned()));
    let incarnation = "bbbbbbbbbbbb".to_owned();
    let repair = Repair { format_lost, ..world.tool(&conf, &latch, &format, incarnation) };
    let mut said = Vec::new();
    repair.run(Consent::Given, &mut said).await.unwrap();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("FORMAT is gone") && said.contains("Lost: records"), "{said}");
    world.verify().await.unwrap();
}

/// The record whose frame this byte belongs to; none for a header or a record without entries.
fn record_at(journal: &SampleJournal, name: SegmentId, at: usize) -> Option<u64> {
    let scan = journal_scan::scan(name, &journal.segments[&name].clone().into());
    let mut records = scan.runs[0].records.iter();
    let found = records.find(|found| (found.offset..found.end()).contains(&(at as u64)));
    found.map(|found| found.position.sequence.0)
}

/// The heart of it: whatever a disk does to one byte of the journal, what is served afterwards is a state that the history
/// went through, and the last one that can be known.
#[tokio::test]
async fn whatever_byte_is_changed_no_wrong_state_is_served() {
    let whole = SampleJournal::long();
    for name in whole.segments.keys().copied() {
        for at in (0..whole.segments[&name].len()).step_by(3) {
            let (end, digest) = World::new(&damaged(whole.clone(), name, at)).await.repaired().await;
            assert!(whole.has(end, digest), "{name} byte {at}: {end}");
            // The checkpoint of record 9 covers what is before it.
            let last = record_at(&whole, name, at).filter(|n| *n > 9).map_or(15, |n| n - 1);
            assert_eq!(end.sequence.0, last, "{name} byte {at}");
        }
    }
}

#[tokio::test]
async fn wherever_a_segment_is_cut_no_wrong_state_is_served() {
    let whole = SampleJournal::long();
    for name in whole.segments.keys() {
        for cut in (0..whole.segments[name].len()).step_by(5) {
            for zeros in [0, 64] {
                let mut journal = whole.clone();
                let bytes = journal.segments.get_mut(name).unwrap();
                bytes.truncate(cut);
                bytes.resize(cut + zeros, 0);
                let (end, digest) = World::new(&journal).await.repaired().await;
                assert!(whole.has(end, digest), "{name} cut at {cut}: {end}");
                assert!(end.sequence.0 >= 9, "{name} cut at {cut}: {end}");
            }
        }
        let mut journal = whole.clone();
        journal.segments.remove(name);
        let (end, digest) = World::new(&journal).await.repaired().await;
        assert!(whole.has(end, digest) && end.sequence.0 >= 9, "without {name}: {end}");
    }
}

#[tokio::test]
async fn whatever_byte_of_a_checkpoint_is_changed_no_wrong_state_is_served() {
    let mut whole = SampleJournal::long();
    whole.collect_before(segment(2, 1));
    whole.checkpoint(13);
    for id in whole.checkpoints.keys() {
        let length = whole.checkpoints[id].len();
        for at in (0..400).chain((400..length).step_by(4099)) {
            let mut journal = whole.clone();
            journal.checkpoints.get_mut(id).unwrap()[at] ^= 1;
            let world = World::new(&journal).await;
            let (end, digest) = world.repaired().await;
            assert_eq!(end, whole.end(), "{id} byte {at}");
            assert!(whole.has(end, digest), "{id} byte {at}");
        }
    }
}

#[tokio::test]
async fn a_format_of_another_cluster_is_not_repaired_over() {
    let journal = SampleJournal::long();
    let world = World::new(&journal).await;
    let latch = world.latch("bbbbbbbbbbbb");
    let format = Format { cluster_id: CLUSTER.replace("0c6f", "0c6e"), ..format() };
    let conf = conf();
    let incarnation = "bbbbbbbbbbbb".to_owned();
    let repair = world.tool(&conf, &latch, &format, incarnation);
    let outcome = repair.run(Consent::Given, &mut Vec::new()).await;
    assert!(matches!(&outcome, Err(RepairError::OtherCluster { found, .. }) if found == CLUSTER), "{outcome:?}");
    assert_eq!(world.store.list().await.unwrap().segments.len(), 4);
}
