//! The store on a folder that vanishes.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::{Begun, BlockStore, DirectorySettings, StoreSettings, WritableBlock};
use crate::types::BlockId;
use crate::worker::store::StoreError;

const ONE: BlockId = BlockId(1 << 24);
const TWO: BlockId = BlockId(2 << 24);

fn open(folder: &Path) -> Arc<BlockStore> {
    let directory = DirectorySettings { tier: 0, path: folder.join("ramdisk"), capacity_bytes: 100 };
    BlockStore::open(StoreSettings {
        tier_aliases: vec!["MEM".into()],
        directories: vec![directory],
        data_folder: "/alluxioworker/".into(),
        worker: "w1".into(),
    })
    .unwrap()
}

fn begin(store: &Arc<BlockStore>, block: BlockId, bytes: u64) -> WritableBlock {
    match store.begin(0x1234, block, bytes).unwrap() {
        Begun::Block(writable) => writable,
        Begun::Ask(files) => panic!("asks for {files:?}"),
    }
}

fn write(store: &Arc<BlockStore>, block: BlockId, bytes: &[u8]) {
    let mut writable = begin(store, block, bytes.len() as u64);
    writable.write(bytes).unwrap();
    writable.place().unwrap().publish();
}

fn content(store: &Arc<BlockStore>, block: BlockId) -> Vec<u8> {
    let mut content = Vec::new();
    store.read(block).unwrap().file.read_to_end(&mut content).unwrap();
    content
}

fn used(store: &BlockStore) -> u64 {
    store.usage()[0].1
}

#[test]
fn files_lie_where_workers_of_2_9_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writable = begin(&store, ONE, 5);
    let data = folder.path().join("ramdisk/alluxioworker");
    assert_eq!(writable.path(), data.join(".tmp_blocks/564/1234-16777216"));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(writable.path()), 0o777);
    assert_eq!(mode(writable.path().parent().unwrap()), 0o777);
    assert_eq!((mode(&data), mode(&folder.path().join("ramdisk"))), (0o777, 0o1777));
    writable.write(b"hello").unwrap();
    writable.place().unwrap().publish();
    assert_eq!(std::fs::read(data.join("16777216")).unwrap(), b"hello");
    assert_eq!(content(&store, ONE), b"hello");
    assert_eq!(used(&store), 5);
}

#[test]
fn a_restart_finds_the_blocks_and_deletes_what_sessions_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write(&store, ONE, b"hello");
    let abandoned = begin(&store, TWO, 10);
    let left = abandoned.path().to_owned();
    std::mem::forget(abandoned);
    assert!(left.exists());
    let store = open(folder.path());
    assert!(!left.exists());
    assert_eq!(content(&store, ONE), b"hello");
    assert_eq!(used(&store), 5);
    assert_eq!(store.report().0, [(ONE, 0)]);
}

#[test]
fn a_foreign_file_is_no_block() {
    let folder = tempfile::tempdir().unwrap();
    write(&open(folder.path()), ONE, b"hello");
    let data = folder.path().join("ramdisk/alluxioworker");
    for name in ["+16777216", "016777216", "-5", "33554432.tmp", "x"] {
        std::fs::write(data.join(name), b"foreign").unwrap();
    }
    std::fs::create_dir(data.join("33554432")).unwrap();
    let store = open(folder.path());
    assert_eq!((store.report().0, used(&store)), (vec![(ONE, 0)], 5));
    assert_eq!(content(&store, ONE), b"hello");
}

#[test]
fn what_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut writable = begin(&store, ONE, 10);
    writable.write(b"hello").unwrap();
    let path = writable.path().to_owned();
    drop(writable);
    assert!(!path.exists());
    let mut writable = begin(&store, ONE, 10);
    writable.write(b"hello").unwrap();
    let placed = writable.place().unwrap();
    assert!(matches!(store.read(ONE), Err(StoreError::NoBlock(_))));
    drop(placed);
    assert!(!folder.path().join("ramdisk/alluxioworker/16777216").exists());
    assert_eq!(used(&store), 0);
}

#[test]
fn a_reader_keeps_the_block_that_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write(&store, ONE, b"hello");
    let reader = store.read(ONE).unwrap();
    assert!(store.remove(ONE));
    assert!(!store.has(ONE) && reader.path.exists());
    assert!(matches!(store.begin(7, ONE, 1), Err(StoreError::Exists(ONE))));
    let path = reader.path.clone();
    drop(reader);
    assert!(!path.exists());
    assert_eq!(used(&store), 0);
    write(&store, ONE, b"again");
    assert_eq!(content(&store, ONE), b"again");
}

#[test]
fn room_is_made_by_what_is_in_the_ufs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write(&store, ONE, &[1; 60]);
    let Ok(Begun::Ask(files)) = store.begin(7, TWO, 60) else { panic!("must ask first") };
    assert_eq!(files, [1]);
    store.judge(1, false);
    let refused = store.begin(7, TWO, 60).unwrap_err().to_string();
    assert!(refused.starts_with("Not enough space left on worker w1 to store blockId 33554432: 60 more"), "{refused}");
    store.judge(1, true);
    store.pins_listed(1, std::collections::BTreeSet::new());
    write(&store, TWO, &[2; 60]);
    assert!(!store.has(ONE) && !folder.path().join("ramdisk/alluxioworker/16777216").exists());
    assert_eq!(used(&store), 60);
}

#[test]
fn a_vanished_file_or_folder_is_told_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write(&store, ONE, b"hello");
    let ramdisk = folder.path().join("ramdisk");
    std::fs::rename(&ramdisk, folder.path().join("away")).unwrap();
    assert!(matches!(store.read(ONE), Err(StoreError::NoBlock(ONE))));
    assert_eq!(used(&store), 0);
    let refused = store.begin(7, TWO, 1).unwrap_err().to_string();
    assert!(refused.starts_with("cannot create the block file") && refused.contains("alluxioworker"), "{refused}");
    assert!(!ramdisk.exists(), "a RAM folder that is away is not replaced by one on the disk");
    std::fs::create_dir(&ramdisk).unwrap();
    write(&store, TWO, b"back");
    assert_eq!(content(&store, TWO), b"back");
}

#[test]
fn a_block_of_another_length_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write(&store, ONE, b"hello");
    std::fs::write(folder.path().join("ramdisk/alluxioworker/16777216"), b"hell").unwrap();
    assert!(matches!(store.read(ONE), Err(StoreError::NoBlock(ONE))));
    assert!(!store.has(ONE));
}
