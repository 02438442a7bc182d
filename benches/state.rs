//! What the state costs: `cargo bench --bench state -- [millions of files] [random]`. One line per figure, by the CPU
//! time of the one thread that works. With `FILL=folder`, which is a local journal with a checkpoint that no master uses,
//! nothing is measured: that state becomes the one of its newest checkpoint (`scripts/bench restart`, `scripts/bench scale`).
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement may panic")]

use alluxio::journal::chain::Position;
use alluxio::journal::entry::{Entry, InodeDirectory, InodeFile, Replication, UpdateInode};
use alluxio::journal::entry_codec::{decode_entries, encode_entries};
use alluxio::journal::folder::JournalStore;
use alluxio::journal::folder::local::{LocalSettings, LocalStore};
use alluxio::master::ops::{self, Caller, Operation, Query, Request, Settings};
use alluxio::master::state::{CheckpointOrigin, Footprint, MasterState};
use alluxio::master::workers::Workers;
use alluxio::types::time::Millis;
use alluxio::types::{AlluxioPath, InodeId, PersistenceState, TtlAction};
use std::hint::black_box;
use std::path::PathBuf;

/// Unless `FILES_PER_DIRECTORY` says otherwise.
const FILES_PER_DIRECTORY: u64 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let millions: f64 = arguments.iter().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1.0);
    let directories = (millions * 1e6) as u64 / FILES_PER_DIRECTORY;
    if let Some(folder) = std::env::var_os("FILL") {
        return fill(folder.into(), (millions * 1e6) as u64);
    }
    let is_random = arguments.iter().any(|argument| argument == "random");
    measure(directories, if is_random { Order::Random } else { Order::ByName });
}

#[tokio::main(flavor = "current_thread")]
async fn fill(folder: PathBuf, files: u64) {
    let per_directory = std::env::var("FILES_PER_DIRECTORY").map_or(FILES_PER_DIRECTORY, |text| text.parse().unwrap());
    let store = LocalStore::new(LocalSettings::new(folder));
    let id = *store.list().await.unwrap().checkpoints.last().expect("the journal has a checkpoint");
    let (_, origin) = MasterState::from_checkpoint(&store.read_checkpoint(id).await.unwrap()).unwrap();
    let mut state = MasterState::new();
    for batch in batches(&mut state, files / per_directory, per_directory, Order::ByName) {
        batch.iter().for_each(|entry| state.apply(entry).unwrap());
    }
    store.delete_checkpoint(id).await.unwrap();
    store.write_checkpoint(id, "bench", state.to_checkpoint(&origin)).await.unwrap();
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    /// Directory after directory, names ascending.
    ByName,
    /// All directories at once, names at random.
    Random,
}

fn measure(directories: u64, order: Order) {
    let files = directories * FILES_PER_DIRECTORY;
    println!("{files} files, {order:?}");
    let mut state = MasterState::new();
    let before = rss_bytes();
    let mut entries = 0;
    let mut took = 0.0;
    let mut encoded = 0.0;
    let mut decoded = 0.0;
    let mut bytes = 0;
    for batch in batches(&mut state, directories, FILES_PER_DIRECTORY, order) {
        let start = Instant::now();
        let wire = encode_entries(&batch);
        encoded += start.elapsed().as_secs_f64();
        bytes += wire.len();
        let start = Instant::now();
        let read = decode_entries(&wire).unwrap();
        decoded += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for entry in &read {
            state.apply(entry).unwrap();
        }
        took += start.elapsed().as_secs_f64();
        entries += batch.len();
    }
    let rate = |seconds: f64| entries as f64 / seconds;
    println!("  apply              {:>12.0} entries/s", rate(took));
    println!("  encode             {:>12.0} entries/s, {} bytes each", rate(encoded), bytes / entries);
    println!("  decode             {:>12.0} entries/s", rate(decoded));
    println!("  memory             {:>12.1} bytes of RSS per file", (rss_bytes() - before) as f64 / files as f64);
    snapshots(&mut state);
    operations(&mut state, directories);
    checkpoint(&state, files);
}

fn snapshots(state: &mut MasterState) {
    let start = Instant::now();
    let snapshot = state.clone();
    println!("  snapshot           {:>12.1} µs", start.elapsed().as_secs_f64() * 1e6);
    let update = Entry::UpdateInode(UpdateInode { mode: Some(0o711), ..UpdateInode::of(InodeId::ROOT) });
    let start = Instant::now();
    state.apply(&update).unwrap();
    println!("  first write after  {:>12.1} µs", start.elapsed().as_secs_f64() * 1e6);
    let start = Instant::now();
    let digest = snapshot.digest();
    println!("  digest             {:>12.2} s ({digest:016x})", start.elapsed().as_secs_f64());
}

fn operations(state: &mut MasterState, directories: u64) {
    let settings = Settings {
        permission_checking: true,
        super_group: "supergroup".into(),
        umask: 0o022,
        root_ufs: "hdfs://nn/alluxio".into(),
        root_options: Default::default(),
        never_persisted: Vec::new(),
        journal: String::new(),
    };
    let caller = Caller { user: "alice".into(), groups: vec!["users".into()] };
    let root = Caller { user: "root".into(), groups: vec!["root".into()] };
    let mut random = Random(7);
    let count = 300_000;
    let start = Instant::now();
    for _ in 0..count {
        let directory = random.below(directories);
        let path = AlluxioPath::parse(&format!("/{}/{}", directory_name(directory), file_name(random.below(1000))));
        let query = Query::GetStatus { path: path.unwrap() };
        black_box(ops::query(state, &Workers::default(), &caller, &query, &settings, &mut Footprint::off()).unwrap());
    }
    println!("  getStatus          {:>12.0} /s at random", count as f64 / start.elapsed().as_secs_f64());
    let start = Instant::now();
    for _ in 0..1_000 {
        let path = AlluxioPath::parse(&format!("/{}", directory_name(random.below(directories)))).unwrap();
        let query = Query::ListStatus { path, recursive: false };
        black_box(ops::query(state, &Workers::default(), &caller, &query, &settings, &mut Footprint::off()).unwrap());
    }
    println!("  listStatus(1000)   {:>12.0} /s", 1e3 / start.elapsed().as_secs_f64());
    let count = 100_000;
    let start = Instant::now();
    for number in 0..count {
        let path = format!("/{}/new-{number}", directory_name(random.below(directories)));
        let create = ops::CreateDirectory {
            path: AlluxioPath::parse(&path).unwrap(),
            recursive: false,
            allow_exists: false,
            mode: 0o755,
            write_type: ops::WriteType::MustCache,
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            xattr: Default::default(),
        };
        let operation_id = Some(alluxio::types::OperationId { high: random.next(), low: random.next() });
        let request = Request { caller: root.clone(), operation_id, operation: Operation::CreateDirectory(create) };
        let decision = ops::decide(state, &Workers::default(), &request, Millis(2_000), &settings).unwrap();
        for entry in &decision.entries {
            state.apply(entry).unwrap();
        }
    }
    println!(
        "  mkdir, applied     {:>12.0} /s at random, operation id kept",
        count as f64 / start.elapsed().as_secs_f64()
    );
}

fn checkpoint(state: &MasterState, files: u64) {
    let origin = CheckpointOrigin { position: Position::START, genesis: 1, cluster_id: "bench".into() };
    let start = Instant::now();
    let pieces = state.to_checkpoint(&origin);
    println!("  checkpoint made    {:>12.2} s", start.elapsed().as_secs_f64());
    let bytes = bytes::Bytes::from(pieces.concat());
    println!("  checkpoint size    {:>12.1} bytes per file", bytes.len() as f64 / files as f64);
    let start = Instant::now();
    let (loaded, _) = MasterState::from_checkpoint(&bytes).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("  checkpoint loaded  {:>12.0} inodes/s", loaded.inodes().count() as f64 / seconds);
    let start = Instant::now();
    loaded.verify().unwrap();
    println!("    of it verifying  {:>12.2} s of {seconds:.2} s", start.elapsed().as_secs_f64());
}

/// The journal of a namespace in batches of about a thousand entries, as `decide` would make them.
fn batches(
    state: &mut MasterState,
    directories: u64,
    per_directory: u64,
    order: Order,
) -> impl Iterator<Item = Vec<Entry>> + use<> {
    let mut ids = state.ids();
    let mut first = ops::bootstrap(state, "root", "root", Millis(1_000), "bench".into(), 0);
    ids.take_directory(&mut Vec::new());
    let ids_of_directories: Vec<InodeId> = (0..directories)
        .map(|number| {
            let id = ids.take_directory(&mut first);
            first.push(directory(id, number));
            id
        })
        .collect();
    let mut random = Random(42);
    let mut made = 0;
    let files = directories * per_directory;
    // A step that is prime to the number of files visits each once.
    let step = (files / 2 + random.below(files / 4)) | 1;
    let step = (step..).find(|step| greatest_common_divisor(*step, files) == 1).unwrap();
    let rest = std::iter::from_fn(move || {
        let mut batch = Vec::new();
        while made < files && batch.len() < 1_000 {
            let number =
                if order == Order::ByName { made } else { (made as u128 * step as u128 % files as u128) as u64 };
            let parent = ids_of_directories[(number / per_directory) as usize];
            batch.push(Entry::UpdateInode(UpdateInode {
                modification_time_ms: Some(1_000),
                access_time_ms: Some(1_000),
                ..UpdateInode::of(parent)
            }));
            let id = ids.take_file(&mut batch);
            batch.push(file(id, parent, number / per_directory, number % per_directory));
            made += 1;
        }
        (!batch.is_empty()).then_some(batch)
    });
    std::iter::once(first).chain(rest)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn directory_name(number: u64) -> String {
    format!("directory-{number:06}")
}

fn file_name(number: u64) -> String {
    format!("file-{number:011}")
}

fn directory(id: InodeId, number: u64) -> Entry {
    let name = directory_name(number);
    Entry::InodeDirectory(InodeDirectory {
        id,
        parent: InodeId::ROOT,
        path: AlluxioPath::root().join(&name),
        name,
        creation_time_ms: 1_000,
        modification_time_ms: 1_000,
        access_time_ms: 1_000,
        owner: "alice".into(),
        group: "users".into(),
        mode: 0o755,
        persistence: PersistenceState::NotPersisted,
        pinned: false,
        mount_point: false,
        direct_children_loaded: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        extras: None,
    })
}

fn file(id: InodeId, parent: InodeId, directory: u64, number: u64) -> Entry {
    let name = file_name(number);
    Entry::InodeFile(InodeFile {
        id,
        parent,
        path: AlluxioPath::root().join(&directory_name(directory)).join(&name),
        name,
        creation_time_ms: 1_000,
        modification_time_ms: 1_000,
        access_time_ms: 1_000,
        owner: "alice".into(),
        group: "users".into(),
        mode: 0o644,
        persistence: PersistenceState::NotPersisted,
        pinned: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        length: 0,
        block_size_bytes: 64 << 20,
        completed: true,
        cacheable: true,
        blocks: vec![alluxio::types::BlockId::of(id.container(), 0)],
        replication: Replication::USUAL,
        extras: None,
    })
}

/// A point on the clock of this thread's work: other processes on the machine do not count.
struct Instant(rustix::time::Timespec);

impl Instant {
    fn now() -> Instant {
        Instant(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime))
    }

    fn elapsed(&self) -> std::time::Duration {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let nanoseconds = (now.tv_sec - self.0.tv_sec) * 1_000_000_000 + (now.tv_nsec - self.0.tv_nsec);
        std::time::Duration::from_nanos(nanoseconds.unsigned_abs())
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end.max(1)
    }
}

fn rss_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
