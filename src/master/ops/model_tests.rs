//! Random operations against a naive model: a map from the components of a path, whose order is that of a recursive
//! listing. Beside it run a replay, snapshots, checkpoints and the collection of unlinked trees.

use super::tests::{path, settings, started};
use super::*;
use crate::journal::chain::Position;
use crate::journal::entry::Entry;
use crate::journal::entry_codec::{decode_entries, encode_entries};
use crate::master::state::CheckpointOrigin;
use crate::types::{AlluxioPath, ErrorKind, FileStatus, OperationId, TtlAction};
use std::collections::BTreeMap;

type Components = Vec<String>;

/// None for a directory, its mode for a file.
type Model = BTreeMap<Components, Option<u16>>;

struct World {
    seed: u64,
    random: u64,
    state: MasterState,
    replayed: MasterState,
    model: Model,
    clock: i64,
}

impl World {
    fn new(seed: u64) -> World {
        World { seed, random: seed, state: started(), replayed: started(), model: Model::new(), clock: 2_000 }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    /// A path of few names, so that much collides; some share their first eight bytes.
    fn any_path(&mut self) -> Components {
        let names = ["a", "b", "a\u{0}", "ü", "directory-1", "directory-10", "directory-2", "part-00000", "part-00001"];
        let depth = 1 + self.below(4);
        (0..depth).map(|_| names[self.below(names.len() as u64) as usize].to_owned()).collect()
    }

    fn step(&mut self) {
        let target = self.any_path();
        let source = self.any_path();
        let recursive = self.below(3) > 0;
        // The clock runs backwards now and then; times in the state do not.
        self.clock += self.below(10) as i64 - 3;
        let mode = self.below(0o1000) as u16;
        let (operation, expected) = match self.below(10) {
            0..=2 => (mkdir(&target, recursive), self.model_create(&target, recursive, None)),
            3..=5 => (create(&target, recursive, mode), self.model_create(&target, recursive, Some(mode))),
            6 | 7 => (rename(&source, &target), self.model_rename(&source, &target)),
            8 => (delete(&target, recursive), self.model_delete(&target, recursive)),
            _ => (chmod(&target, mode), self.model_chmod(&target, mode)),
        };
        self.run(operation, expected);
    }

    fn run(&mut self, operation: Operation, expected: Result<(), ErrorKind>) {
        let caller = Caller { user: "root".into(), groups: vec!["root".into()] };
        let operation_id = Some(OperationId { high: self.below(1 << 30), low: self.below(1 << 30) });
        let request = Request { caller, operation_id, operation };
        let decided = decide(&self.state, &Workers::default(), &request, Millis(self.clock), &settings());
        assert_eq!(decided.as_ref().map(|_| ()).map_err(|e| e.kind), expected, "seed {}: {request:?}", self.seed);
        let Ok(Decision { entries, answer }) = decided else { return };
        let time = self.state.last_time();
        for entry in decode_entries(&encode_entries(&entries)).unwrap() {
            self.state.apply(&entry).unwrap();
            self.replayed.apply(&entry).unwrap();
        }
        assert!(self.state.last_time() >= time);
        let again = decide(&self.state, &Workers::default(), &request, Millis(self.clock), &settings()).unwrap();
        if !entries.is_empty() && !matches!(request.operation, Operation::SetAttribute(_)) {
            assert_eq!(again, Decision { entries: Vec::new(), answer }, "seed {}: a repetition", self.seed);
        }
    }

    fn through_a_file(&self, target: &Components) -> bool {
        (1..target.len()).any(|end| matches!(self.model.get(&target[..end]), Some(Some(_))))
    }

    fn has_parent(&self, target: &Components) -> bool {
        target.len() == 1 || self.model.contains_key(&target[..target.len() - 1])
    }

    fn below_of(&self, above: &Components) -> Vec<Components> {
        self.model.keys().filter(|key| key.starts_with(above) && *key != above).cloned().collect()
    }

    fn model_create(&mut self, target: &Components, recursive: bool, mode: Option<u16>) -> Result<(), ErrorKind> {
        if self.through_a_file(target) {
            return Err(ErrorKind::InvalidArgument);
        }
        if self.model.contains_key(target) {
            return Err(ErrorKind::AlreadyExists);
        }
        if !recursive && !self.has_parent(target) {
            return Err(ErrorKind::NotFound);
        }
        for end in 1..target.len() {
            self.model.entry(target[..end].to_vec()).or_insert(None);
        }
        self.model.insert(target.clone(), mode);
        Ok(())
    }

    fn model_rename(&mut self, source: &Components, target: &Components) -> Result<(), ErrorKind> {
        if self.through_a_file(source) || self.through_a_file(target) {
            return Err(ErrorKind::InvalidArgument);
        }
        if !self.model.contains_key(source) {
            return Err(ErrorKind::NotFound);
        }
        if source == target {
            return Ok(());
        }
        if target.starts_with(source) {
            return Err(ErrorKind::InvalidArgument);
        }
        if !self.has_parent(target) {
            return Err(ErrorKind::NotFound);
        }
        if self.model.contains_key(target) {
            return Err(ErrorKind::AlreadyExists);
        }
        for old in [self.below_of(source), vec![source.clone()]].concat() {
            let kept = self.model.remove(&old).unwrap();
            self.model.insert([&target[..], &old[source.len()..]].concat(), kept);
        }
        Ok(())
    }

    fn model_delete(&mut self, target: &Components, recursive: bool) -> Result<(), ErrorKind> {
        if self.through_a_file(target) {
            return Err(ErrorKind::InvalidArgument);
        }
        if !self.model.contains_key(target) {
            return Err(ErrorKind::NotFound);
        }
        let below = self.below_of(target);
        if !recursive && !below.is_empty() {
            return Err(ErrorKind::FailedPrecondition);
        }
        self.model.remove(target);
        for path in below {
            self.model.remove(&path);
        }
        Ok(())
    }

    fn model_chmod(&mut self, target: &Components, mode: u16) -> Result<(), ErrorKind> {
        if self.through_a_file(target) {
            return Err(ErrorKind::InvalidArgument);
        }
        match self.model.get_mut(target) {
            None => Err(ErrorKind::NotFound),
            Some(kept) => {
                *kept = kept.map(|_| mode);
                Ok(())
            }
        }
    }

    fn check(&self) {
        assert_eq!(listed(&self.state), expected(&self.model), "seed {}", self.seed);
        assert_eq!(self.state.digest(), self.replayed.digest(), "seed {}", self.seed);
        self.state.verify().unwrap();
        let origin = CheckpointOrigin { position: Position::START, genesis: 3, cluster_id: "c".into() };
        let bytes = bytes::Bytes::from(self.state.to_checkpoint(&origin).concat());
        let (loaded, of) = MasterState::from_checkpoint(&bytes).unwrap();
        assert_eq!((loaded.digest(), of), (self.state.digest(), origin), "seed {}", self.seed);
    }
}

/// Path, number of children or mode of a file, in the order of the listing.
fn listed(state: &MasterState) -> Vec<(String, i64)> {
    let caller = Caller { user: "root".into(), groups: Vec::new() };
    let list = Query::ListStatus { path: AlluxioPath::root(), recursive: true };
    let answer = query(state, &Workers::default(), &caller, &list, &settings(), &mut Footprint::off()).unwrap();
    let Answer::List(list) = answer else { panic!("{answer:?}") };
    let shown = |status: &FileStatus| if status.folder { status.length } else { -i64::from(status.mode) };
    list.statuses.iter().map(|status| (status.path.to_string(), shown(status))).collect()
}

fn expected(model: &Model) -> Vec<(String, i64)> {
    let children = |path: &Components| {
        model.keys().filter(|key| key.len() == path.len() + 1 && key.starts_with(path)).count() as i64
    };
    let shown = |(path, mode): (&Components, &Option<u16>)| {
        (text(path), mode.map_or_else(|| children(path), |mode| -i64::from(mode)))
    };
    model.iter().map(shown).collect()
}

fn text(components: &Components) -> String {
    format!("/{}", components.join("/"))
}

fn mkdir(target: &Components, recursive: bool) -> Operation {
    Operation::CreateDirectory(CreateDirectory {
        path: path(&text(target)),
        recursive,
        allow_exists: false,
        mode: 0o755,
        write_type: WriteType::MustCache,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        xattr: Default::default(),
    })
}

fn create(target: &Components, recursive: bool, mode: u16) -> Operation {
    Operation::CreateFile(CreateFile { mode, recursive, ..super::tests::new_file(&text(target)) })
}

fn rename(source: &Components, target: &Components) -> Operation {
    Operation::Rename(Rename { source: path(&text(source)), target: path(&text(target)) })
}

fn delete(target: &Components, recursive: bool) -> Operation {
    let path = path(&text(target));
    Operation::Delete(Delete { recursive, ..Delete::of(path) })
}

fn chmod(target: &Components, mode: u16) -> Operation {
    Operation::SetAttribute(SetAttribute { mode: Some(mode), ..super::tests::no_attributes(&text(target)) })
}

#[test]
fn it_does_what_a_naive_model_does() {
    for seed in 1..=4 {
        let mut world = World::new(seed);
        let mut snapshots = Vec::new();
        for step in 0..3_000 {
            world.step();
            if step % 300 == 299 {
                world.check();
                snapshots.push((world.state.clone(), world.model.clone()));
            }
            if step % 1_000 == 999 {
                collect_all(&mut world);
            }
        }
        collect_all(&mut world);
        assert_eq!(world.state.inodes().count(), world.model.len() as u64 + 1, "seed {seed}");
        world.check();
        for (state, model) in snapshots {
            assert_eq!(listed(&state), expected(&model), "seed {seed}: a snapshot");
            state.verify().unwrap();
        }
    }
}

fn collect_all(world: &mut World) {
    let before = listed(&world.state);
    loop {
        let entries = collect(&world.state, 5);
        for entry in &entries {
            assert!(matches!(entry, Entry::CollectTree { ids } if ids.len() <= 5));
            world.state.apply(entry).unwrap();
            world.replayed.apply(entry).unwrap();
            world.state.verify().unwrap();
        }
        if entries.is_empty() {
            break;
        }
    }
    assert!(world.state.unlinked().is_empty());
    assert_eq!(listed(&world.state), before, "seed {}: collection is invisible", world.seed);
}
