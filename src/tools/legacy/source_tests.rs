//! Journals of real masters of 1.4.0 (layout v0) and 1.8.1 (layout v1), against what these masters answered about every
//! path, field by field. `commands.txt` beside them says what was done.
use super::*;
use crate::journal::entry::AddMountPoint;
use crate::master::state::{Inode, InodeKind, MasterState, ufs_path};
use crate::types::{AlluxioPath, BlockId, TtlAction};
use std::collections::BTreeMap;

/// What both masters had at the root.
const ROOT_UFS: &str = "/srv/ufs";

fn golden(name: &str) -> String {
    format!("{}/tests/data/legacy-journals/{name}", env!("CARGO_MANIFEST_DIR"))
}

async fn read(name: &str) -> (Generation, Whole) {
    read_journal(UfsSettings::usual(), &golden(name)).await.unwrap()
}

/// Names and values by path; mounts begin with `mount `.
type Answers = BTreeMap<String, BTreeMap<String, String>>;

fn answers(name: &str) -> Answers {
    let text = std::fs::read_to_string(golden(name)).unwrap();
    let line = |line: &str| {
        let mut parts = line.split(" | ");
        let path = parts.next().unwrap().to_owned();
        let fields = parts.map(|part| part.split_once('=').unwrap());
        (path, fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    };
    text.lines().map(line).collect()
}

/// The same as a state has it.
fn answers_of(state: &MasterState) -> Answers {
    let mut answers: Answers = BTreeMap::new();
    for inode in state.inodes().iter() {
        let path = state.path_of(inode.id).unwrap();
        let fields = fields_of(state, &inode, &path);
        answers.insert(escaped(path.as_str()), fields.map(|(name, value)| (name.to_owned(), value)).into());
    }
    let root = AddMountPoint {
        path: AlluxioPath::root(),
        ufs_path: ROOT_UFS.to_owned(),
        read_only: false,
        shared: false,
        properties: Vec::new(),
        mount_id: 1,
    };
    for mount in state.mounts().iter().chain([&root]) {
        let properties: Vec<String> = mount.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fields = [
            ("ufs", mount.ufs_path.clone()),
            ("readOnly", mount.read_only.to_string()),
            ("shared", mount.shared.to_string()),
            ("properties", format!("{{{}}}", properties.join(", "))),
        ];
        let name = format!("mount {}", mount.path.as_str());
        answers.insert(name, fields.map(|(name, value)| (name.to_owned(), value)).into());
    }
    answers
}

fn fields_of(state: &MasterState, inode: &Inode, path: &AlluxioPath) -> [(&'static str, String); 21] {
    let (ufs, mount_id) = match state.mounts().resolve(path) {
        Some(mount) => (ufs_path(&mount.ufs_path, &mount.path, path), mount.mount_id),
        None => (ufs_path(ROOT_UFS, &AlluxioPath::root(), path), 1),
    };
    let inodes = state.inodes();
    let (length, block, completed, cacheable, mount, blocks) = match inode.kind {
        InodeKind::Directory { children, mount_point, .. } => (children.cast_signed(), 0, true, false, mount_point, 0),
        InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, .. } => {
            (length, block_size_bytes, completed, cacheable, false, blocks)
        }
    };
    let blocks: Vec<BlockId> = (0..i64::from(blocks)).map(|n| BlockId::of(inode.id.container(), n)).collect();
    let lengths = blocks.iter().enumerate().filter_map(|(n, id)| {
        let length = state.blocks().length(*id)?;
        Some(format!("{}:{}+{length}", id.0, n as i64 * block))
    });
    let ids: Vec<String> = blocks.iter().map(|id| id.0.to_string()).collect();
    let action = match inode.ttl_action {
        TtlAction::Delete => "DELETE",
        TtlAction::Free => "FREE",
        TtlAction::DeleteAlluxio => "DELETE_ALLUXIO",
    };
    let persisted = inode.persistence.text() == "PERSISTED";
    [
        ("id", inode.id.0.to_string()),
        ("ufs", escaped(&ufs)),
        ("length", length.to_string()),
        ("block", block.to_string()),
        ("created", inode.creation_time_ms.to_string()),
        ("modified", inode.modification_time_ms.to_string()),
        ("completed", completed.to_string()),
        ("folder", inode.is_directory().to_string()),
        ("pinned", inode.pinned.to_string()),
        ("cacheable", cacheable.to_string()),
        ("persisted", persisted.to_string()),
        ("state", inode.persistence.text().to_owned()),
        ("blocks", format!("[{}]", ids.join(", "))),
        ("lengths", lengths.collect::<Vec<_>>().join(" ")),
        ("ttl", inode.ttl_ms.to_string()),
        ("action", action.to_owned()),
        ("owner", inodes.owner(inode).to_owned()),
        ("group", inodes.group(inode).to_owned()),
        ("mode", format!("{:o}", inode.mode)),
        ("mount", mount.to_string()),
        ("mountId", mount_id.to_string()),
    ]
}

/// As the answers have names that would break their lines.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('|', "\\p")
}

/// A line for each field that differs: `path field: ours, theirs`. 1.4.0 has no ids of mounts, and does not tell of mounts.
fn differences(state: &MasterState, theirs: &Answers) -> Vec<String> {
    let mut ours = answers_of(state);
    let tells_of_mounts = theirs.keys().any(|name| name.starts_with("mount "));
    if !tells_of_mounts {
        ours.retain(|name, _| !name.starts_with("mount "));
    }
    let none = BTreeMap::new();
    let mut differ = Vec::new();
    let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        let (mine, other) = (ours.get(name).unwrap_or(&none), theirs.get(name).unwrap_or(&none));
        for field in mine.keys().chain(other.keys().filter(|field| !mine.contains_key(*field))) {
            if mine.get(field) != other.get(field) && (tells_of_mounts || field != "mountId") {
                let [mine, other] = [mine, other].map(|fields| fields.get(field).map_or("nothing", String::as_str));
                differ.push(format!("{name} {field}: {mine}, {other}"));
            }
        }
    }
    differ
}

/// The answers of a master as its journal was copied, but for `untold`: what it had not journaled, and had forgotten after
/// the next start.
async fn assert_told(journal: &str, theirs: &str, generation: Generation, untold: &[&str]) {
    let (found, whole) = read(journal).await;
    assert_eq!(found, generation);
    let theirs = answers(theirs);
    assert!(theirs.len() > 70, "{}", theirs.len());
    assert_eq!(differences(&whole.state, &theirs), untold, "{journal}: ours, theirs");
    whole.state.verify().unwrap();
}

/// Directories that a master of v0 makes in the UFS with the first file that is persisted there are in no entry.
#[tokio::test]
async fn the_journal_of_1_4_0_gives_what_its_master_answered() {
    let untold = [
        "/a persisted: false, true",
        "/a state: NOT_PERSISTED, PERSISTED",
        "/a/incomplete blocks: [], [419430400, 419430401, 419430402]",
        "/later persisted: false, true",
        "/later state: NOT_PERSISTED, PERSISTED",
    ];
    assert_told("v0-1.4.0/running", "v0-1.4.0/answers.txt", Generation::V0, &untold).await;
    assert_told("v0-1.4.0/after-restart", "v0-1.4.0/answers-after-restart.txt", Generation::V0, &[]).await;
    let untold = [
        "/later persisted: false, true",
        "/later state: NOT_PERSISTED, PERSISTED",
        "/moved-to persisted: false, true",
        "/moved-to state: NOT_PERSISTED, PERSISTED",
        "/moved-to/deeper persisted: false, true",
        "/moved-to/deeper state: NOT_PERSISTED, PERSISTED",
        "/moved-to/deeper/er persisted: false, true",
        "/moved-to/deeper/er state: NOT_PERSISTED, PERSISTED",
    ];
    assert_told("v0-1.4.0/later", "v0-1.4.0/answers-later.txt", Generation::V0, &untold).await;
}

/// Logs alone, a checkpoint, a checkpoint with logs behind it, and a backup.
#[tokio::test]
async fn the_journal_of_1_8_1_gives_what_its_master_answered() {
    let untold = ["/a/incomplete blocks: [], [469762048, 469762049, 469762050]"];
    assert_told("v1-1.8.1/running", "v1-1.8.1/answers.txt", Generation::V1, &untold).await;
    assert_told("v1-1.8.1/after-restart", "v1-1.8.1/answers-after-restart.txt", Generation::V1, &[]).await;
    assert_told("v1-1.8.1/later", "v1-1.8.1/answers-later.txt", Generation::V1, &[]).await;
    assert_told("v1-1.8.1/backup.gz", "v1-1.8.1/answers-later.txt", Generation::Backup, &[]).await;
}

/// Without it no file would have its blocks.
#[tokio::test]
async fn a_journal_without_the_blocks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["checkpoints", "logs"] {
        let part = format!("FileSystemMaster/v1/{part}");
        let (from, to) = (golden(&format!("v1-1.8.1/after-restart/{part}")), folder.path().join(part));
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).into_iter().flatten().map(|file| file.unwrap()) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let refused = read_journal(UfsSettings::usual(), folder.path().to_str().unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("BlockMaster is missing, which has the blocks of all files"), "{refused}");
}
