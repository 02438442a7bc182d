//! A worker over loopback: its wire, its blocks, what its master hears.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bed;
#[path = "../harness/free_port.rs"]
mod free_port;
mod overflow;

use std::sync::Arc;

use alluxio::proto::alluxio::grpc::{Command, CommandType};
use alluxio::rpc::block_writer::{BlockWrite, BlockWriter, UfsFile};
use alluxio::rpc::local_block::{CreateLocalBlock, OpenLocalBlock};
use alluxio::rpc::worker::{Keep, UfsBlock, Wait};
use alluxio::types::{BlockId, ErrorKind, WorkerAddress};
use bed::{Bed, Master, block_write, content, read_with, wait};
use bytes::Bytes;
use free_port::free_port;
use rustix::fs::inotify;

/// Block 0 of a file.
fn block(file: i64) -> BlockId {
    BlockId::of(file, 0)
}

/// A file of the UFS as one block.
fn in_ufs(bed: &Bed, name: &str, length: usize, keep: Keep) -> Option<UfsBlock> {
    let path = bed.ufs(name).display().to_string();
    Some(UfsBlock { path: Some(path), offset_in_file: 0, length: length as i64, mount_id: 1, keep })
}

fn command(kind: CommandType, data: &[i64]) -> Option<Command> {
    Some(Command { command_type: Some(kind.into()), data: data.to_vec() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_known_to_the_master_when_its_writer_is_told() {
    let bed = Bed::new(64 << 20).await;
    let written = content(3_500_000, 1);
    bed.write(block(1), &written).await.unwrap();
    assert_eq!(bed.told(|told| told.commits.clone()), [(block(1).0, 3_500_000)]);
    assert_eq!(std::fs::read(bed.data().join(block(1).0.to_string())).unwrap(), written);
    assert!(bed.read(block(1), 0, 3_500_000, None).await.unwrap() == written);
    assert!(bed.read(block(1), 1_234_567, 1_500_000, None).await.unwrap() == written[1_234_567..2_734_567]);
    bed.until("a heartbeat with the block", |told| told.blocks.contains(&block(1).0)).await;
    assert!(bed.writing().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_block_is_a_block() {
    let bed = Bed::new(1 << 20).await;
    bed.write(block(1), b"").await.unwrap();
    assert_eq!(bed.told(|told| told.commits.clone()), [(block(1).0, 0)]);
    bed.read(block(1), 0, 1, None).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_is_answered_and_a_wrong_offset_refused() {
    let bed = Bed::new(64 << 20).await;
    let mut writer = BlockWriter::open(&bed.client().await, &block_write(block(1)));
    writer.write(Bytes::from_static(b"hello")).await.unwrap();
    writer.flush().await.unwrap();
    let [path] = <[_; 1]>::try_from(bed.writing()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"hello");
    drop(writer);
    wait("what was given up is gone", || bed.writing().is_empty()).await;
    assert_eq!(bed.told(|told| told.commits.clone()), []);
    // The id is free again.
    bed.write(block(1), b"hello").await.unwrap();
    let again = bed.write(block(1), b"hello").await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::AlreadyExists, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_master_refuses_leaves_nothing() {
    let bed = Bed::new(64 << 20).await;
    bed.told(|told| told.refuse_commits = Some(tonic::Status::not_found("Block 5 does not exist.")));
    let refused = bed.write(block(1), b"hello").await.unwrap_err();
    let expected = format!("Failed to commit block with blockId {} to master: Block 5 does not exist.", block(1).0);
    assert_eq!((refused.kind, refused.message), (ErrorKind::NotFound, expected));
    assert!(!bed.data().join(block(1).0.to_string()).exists() && bed.writing().is_empty());
    assert_eq!(bed.read(block(1), 0, 5, None).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_for_a_master_that_knows_the_worker() {
    let bed = Bed::new(64 << 20).await;
    bed.told(|told| told.refuse_commits = Some(tonic::Status::not_found("No worker with workerId 4711 is found")));
    let (written, ()) = tokio::join!(bed.write(block(1), b"hello"), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        bed.told(|told| told.refuse_commits = None);
    });
    written.unwrap();
    assert_eq!(bed.told(|told| told.commits.clone()), [(block(1).0, 5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_client_writes_and_reads_the_files_itself() {
    let bed = Bed::new(1 << 20).await;
    let client = bed.client().await;
    let mut created = CreateLocalBlock::open(&client, block(1), 10, false).await.unwrap();
    std::fs::write(created.path(), b"0123456789").unwrap();
    created.reserve(5).await.unwrap();
    std::fs::write(created.path(), b"0123456789abcde").unwrap();
    let full = created.reserve(1 << 20).await.unwrap_err();
    assert_eq!(full.kind, ErrorKind::ResourceExhausted, "{full}");
    wait("what failed is gone", || bed.writing().is_empty()).await;
    let created = CreateLocalBlock::open(&client, block(1), 10, false).await.unwrap();
    std::fs::write(created.path(), b"0123456789").unwrap();
    created.commit().await.unwrap();
    assert_eq!(bed.told(|told| told.commits.clone()), [(block(1).0, 10)]);
    let opened = OpenLocalBlock::open(&client, block(1), false).await.unwrap();
    let path = opened.path().to_owned();
    client.remove_block(block(1)).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"0123456789", "it stays while it is open");
    drop(opened);
    wait("it goes with its last reader", || !path.exists()).await;
    let missing = OpenLocalBlock::open(&client, block(1), false).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_block_is_fetched_once_however_many_read_it() {
    const LENGTH: usize = 9_000_001;
    let bed = Arc::new(Bed::new(64 << 20).await);
    let written = Arc::new(content(LENGTH, 2));
    std::fs::write(bed.ufs("cold"), &*written).unwrap();
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watch, bed.ufs("cold"), inotify::WatchFlags::OPEN).unwrap();
    let client = bed.client().await;
    let readers: Vec<_> = (0..200)
        .map(|_| {
            let (client, written) = (client.clone(), Arc::clone(&written));
            let ufs = in_ufs(&bed, "cold", LENGTH, Keep::Copy);
            tokio::spawn(async move {
                assert!(read_with(&client, block(1), 0, LENGTH as i64, ufs).await.unwrap() == *written);
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    bed.until("a commit", |told| told.commits == [(block(1).0, LENGTH as i64)]).await;
    let mut events = [std::mem::MaybeUninit::uninit(); 4096];
    let mut opened = 0;
    let mut reader = inotify::Reader::new(&watch, &mut events);
    while reader.next().is_ok() {
        opened += 1;
    }
    assert_eq!(opened, 1, "the UFS was read once");
    assert_eq!(bed.told(|told| told.mounts_asked), 1);
    std::fs::remove_file(bed.ufs("cold")).unwrap();
    assert!(bed.read(block(1), 0, LENGTH as i64, None).await.unwrap() == *written);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_without_being_kept_stays_in_the_ufs() {
    let bed = Bed::new(64 << 20).await;
    let written = content(3_000_000, 3);
    std::fs::write(bed.ufs("cold"), &written).unwrap();
    let ufs = || in_ufs(&bed, "cold", 3_000_000, Keep::Nothing);
    assert!(bed.read(block(1), 2_000_000, 1_000_000, ufs()).await.unwrap() == written[2_000_000..]);
    assert_eq!(bed.told(|told| told.commits.clone()), []);
    // No room is no reason not to read.
    let small = Bed::new(1 << 20).await;
    std::fs::write(small.ufs("cold"), &written).unwrap();
    let ufs = in_ufs(&small, "cold", 3_000_000, Keep::Copy);
    assert!(small.read(block(1), 0, 3_000_000, ufs).await.unwrap() == written);
    assert_eq!(small.told(|told| told.commits.clone()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_a_part_of_its_file() {
    let bed = Bed::new(64 << 20).await;
    let written = content(5_000_000, 4);
    std::fs::write(bed.ufs("cold"), &written).unwrap();
    let path = bed.ufs("cold").display().to_string();
    let second =
        UfsBlock { path: Some(path), offset_in_file: 2_000_000, length: 2_000_000, mount_id: 1, keep: Keep::Copy };
    let id = BlockId::of(1, 1);
    assert!(bed.read(id, 500_000, 1_500_000, Some(second)).await.unwrap() == written[2_500_000..4_000_000]);
    bed.until("a commit", |told| told.commits == [(id.0, 2_000_000)]).await;
    // Readers find it a moment after the master was told.
    let kept = async {
        loop {
            match bed.read(id, 0, 2_000_000, None).await {
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
                Ok(bytes) => break bytes,
            }
        }
    };
    assert!(tokio::time::timeout(bed::LIMIT, kept).await.unwrap() == written[2_000_000..4_000_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_became_shorter_is_not_kept_as_the_block() {
    let bed = Bed::new(64 << 20).await;
    std::fs::write(bed.ufs("cold"), b"hello").unwrap();
    let short = bed.read(block(1), 0, 10, in_ufs(&bed, "cold", 10, Keep::Copy)).await.unwrap_err();
    assert!(!short.message.is_empty());
    wait("nothing is left", || bed.writing().is_empty()).await;
    assert_eq!(bed.told(|told| told.commits.clone()), []);
    assert_eq!(bed.read(block(1), 0, 5, None).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_below_a_mount_is_read_and_written() {
    let bed = Bed::new(64 << 20).await;
    let outside = bed.folder.path().join("secret");
    std::fs::write(&outside, b"secret").unwrap();
    let mut ufs = in_ufs(&bed, "x", 6, Keep::Copy).unwrap();
    for path in [outside.display().to_string(), bed.ufs("../secret").display().to_string()] {
        ufs.path = Some(path);
        let refused = bed.read(block(1), 0, 6, Some(ufs.clone())).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::PermissionDenied, "{refused}");
    }
    ufs.mount_id = 2;
    let refused = bed.read(block(1), 0, 6, Some(ufs)).await.unwrap_err();
    assert_eq!((refused.kind, refused.message.as_str()), (ErrorKind::NotFound, "Mount Id 2 does not exist."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_ufs_is_there_when_its_writer_is_told_and_not_before_it_gives_up() {
    let bed = Bed::new(1 << 20).await;
    let file = |name: &str| {
        let path = bed.ufs(name).display().to_string();
        BlockWrite::UfsFile(UfsFile { path, mount_id: 1, owner: String::new(), group: String::new(), mode: 0o640 })
    };
    let written = content(2_500_000, 5);
    let mut writer = BlockWriter::open(&bed.client().await, &file("a/b"));
    for chunk in written.chunks(1 << 20) {
        writer.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    writer.flush().await.unwrap();
    writer.commit().await.unwrap();
    assert!(std::fs::read(bed.ufs("a/b")).unwrap() == written);
    let empty = BlockWriter::open(&bed.client().await, &file("empty"));
    empty.commit().await.unwrap();
    assert_eq!(std::fs::read(bed.ufs("empty")).unwrap(), b"");
    let mut given_up = BlockWriter::open(&bed.client().await, &file("given-up"));
    given_up.write(Bytes::from_static(b"hello")).await.unwrap();
    given_up.flush().await.unwrap();
    drop(given_up);
    wait("it is taken away", || !bed.ufs("given-up").exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_cached_from_another_worker() {
    let (one, two) = (Bed::new(64 << 20).await, Bed::new(64 << 20).await);
    let written = content(3_000_000, 6);
    one.write(block(1), &written).await.unwrap();
    let nowhere = in_ufs(&two, "nowhere", 3_000_000, Keep::Copy).unwrap();
    two.client().await.cache(block(1), 3_000_000, &nowhere, &one.address, Wait::ForTheCopy).await.unwrap();
    assert_eq!(two.told(|told| told.commits.clone()), [(block(1).0, 3_000_000)]);
    assert!(two.read(block(1), 0, 3_000_000, None).await.unwrap() == written);
    // As a master wants a second copy of what is in no UFS.
    one.write(block(3), b"hello").await.unwrap();
    let alone = UfsBlock { path: None, ..nowhere.clone() };
    two.client().await.cache(block(3), 5, &alone, &one.address, Wait::ForTheCopy).await.unwrap();
    assert_eq!(two.read(block(3), 0, 5, None).await.unwrap(), b"hello");
    let gone = WorkerAddress { rpc_port: 1, data_port: 1, ..one.address.clone() };
    two.client().await.cache(block(2), 5, &nowhere, &gone, Wait::ForTheCopy).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_worker_drops_the_oldest_that_is_in_the_ufs_and_nothing_else() {
    let bed = Bed::new(3 << 20).await;
    let one = content(1 << 20, 7);
    for file in 1..=3 {
        bed.write(block(file), &one).await.unwrap();
    }
    let refused = bed.write(block(4), &one).await.unwrap_err();
    let begin = format!("Not enough space left on worker 127.0.0.1 to store blockId {}: ", block(4).0);
    assert!(refused.message.starts_with(&begin), "{refused}");
    assert_eq!(refused.kind, ErrorKind::ResourceExhausted);
    wait("what failed is gone", || bed.writing().is_empty()).await;
    bed.told(|told| {
        told.persisted.extend([1, 3]);
        told.pinned = vec![1];
    });
    // Once the list of pins is known, the third is the only one that may go.
    let mut written = Err(refused);
    for _ in 0..100 {
        written = bed.write(block(4), &one).await;
        if written.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    written.unwrap();
    for (file, there) in [(1, true), (2, true), (3, false), (4, true)] {
        assert_eq!(bed.read(block(file), 0, 1 << 20, None).await.is_ok(), there, "file {file}");
    }
    bed.until("the master knows", |told| told.blocks == [1, 2, 4].map(|file| block(file).0).into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_obeys_and_registers_anew() {
    let bed = Bed::new(64 << 20).await;
    bed.write(block(1), b"one").await.unwrap();
    bed.write(block(2), b"two").await.unwrap();
    bed.until("both", |told| told.blocks.len() == 2).await;
    bed.told(|told| told.command = command(CommandType::Free, &[block(1).0, block(7).0]));
    bed.until("the free block is gone", |told| told.blocks == [block(2).0].into()).await;
    assert_eq!(bed.read(block(1), 0, 3, None).await.unwrap_err().kind, ErrorKind::NotFound);
    let before = bed.told(|told| {
        told.command = command(CommandType::Register, &[]);
        told.blocks.clear();
        told.registrations
    });
    bed.until("registered anew", |told| told.registrations > before && told.blocks == [block(2).0].into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_crashed_finds_its_blocks_and_forgets_what_was_being_written() {
    let mut bed = Bed::new(64 << 20).await;
    bed.write(block(1), b"hello").await.unwrap();
    let mut writer = BlockWriter::open(&bed.client().await, &block_write(block(2)));
    writer.write(Bytes::from_static(b"half")).await.unwrap();
    writer.flush().await.unwrap();
    bed.restart().await;
    assert!(bed.writing().is_empty());
    assert_eq!(bed.told(|told| told.blocks.clone()), [block(1).0].into());
    assert_eq!(bed.read(block(1), 0, 5, None).await.unwrap(), b"hello");
    writer.commit().await.unwrap_err();
    bed.write(block(2), b"whole").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_leaves_no_copy_behind() {
    let bed = Bed::new(64 << 20).await;
    bed.told(|told| {
        told.blocks.insert(block(1).0);
        told.refuse_commits = Some(tonic::Status::unavailable("the answer was lost"));
    });
    bed.write(block(1), b"hello").await.unwrap_err();
    bed.until("the master hears that the block is not there", |told| told.blocks.is_empty()).await;
    bed.told(|told| told.refuse_commits = None);
    bed.write(block(1), b"hello").await.unwrap();
    bed.until("the master knows the block", |told| told.blocks.contains(&block(1).0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_lost_its_end_is_read_from_the_ufs() {
    let mut bed = Bed::new(64 << 20).await;
    std::fs::write(bed.ufs("f"), b"hello").unwrap();
    for file in [1, 2] {
        bed.write(block(file), b"hello").await.unwrap();
        std::fs::write(bed.data().join(block(file).0.to_string()), b"he").unwrap();
    }
    bed.told(|told| told.persisted.insert(1));
    bed.restart().await;
    assert_eq!(bed.read(block(1), 0, 5, in_ufs(&bed, "f", 5, Keep::Copy)).await.unwrap(), b"hello");
    wait("it is kept anew", || bed.data().join(block(1).0.to_string()).metadata().is_ok_and(|meta| meta.len() == 5))
        .await;
    // What the master does not know to be in the UFS is not given up because a client says so.
    bed.read(block(2), 0, 5, in_ufs(&bed, "f", 5, Keep::Copy)).await.unwrap_err();
    assert_eq!(std::fs::read(bed.data().join(block(2).0.to_string())).unwrap(), b"he");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_a_master_reports_to_the_others_at_once() {
    let other = Master::default();
    let port = other.serve().await;
    let bed = Bed::with(64 << 20, |first| {
        let masters = format!("alluxio.master.rpc.addresses=127.0.0.1:{first},127.0.0.1:{port}");
        vec![masters, "alluxio.worker.block.heartbeat.interval=1h".to_owned()]
    })
    .await;
    bed.until("the first heartbeat", |told| told.heartbeats > 0).await;
    wait("the first heartbeat at the other", || other.0.lock().heartbeats > 0).await;
    // It notices with its next heartbeat, which brings news.
    other.0.lock().refuse_heartbeats = true;
    bed.write(block(1), b"hello").await.unwrap();
    let before = bed.told(|told| told.heartbeats);
    bed.until("many heartbeats", |told| told.heartbeats > before + 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_worker() {
    let bed = Bed::new(64 << 20).await;
    bed.write(block(1), b"hello").await.unwrap();
    let ramdisk = bed.folder.path().join("ramdisk");
    let expected = format!("cannot use the folder {}: another worker uses it", ramdisk.display());
    for (command, expected) in [("worker", expected), ("formatWorker", "another worker uses it".into())] {
        let home = bed.folder.path().join("home");
        let mut other = std::process::Command::new(env!("CARGO_BIN_EXE_alluxio"));
        other.arg(command).arg("-Dalluxio.master.hostname=127.0.0.1").arg("-Dalluxio.worker.hostname=127.0.0.1");
        other
            .arg(format!("-Dalluxio.worker.rpc.port={}", free_port("127.0.0.1")))
            .arg("-Dalluxio.worker.bind.host=127.0.0.1");
        other.arg(format!("-Dalluxio.worker.web.port={}", free_port("127.0.0.1")));
        other.arg(format!("-Dalluxio.worker.tieredstore.level0.dirs.path={}", ramdisk.display()));
        other.env_clear().env("ALLUXIO_HOME", &home).env("ALLUXIO_LOGS_DIR", home.join("logs"));
        let mut child = other.stderr(std::process::Stdio::piped()).spawn().unwrap();
        let ends = async {
            while child.try_wait().unwrap().is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(bed::LIMIT, ends).await;
        // One that goes on has not been refused.
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(&expected), "{command}: {text}");
    }
    assert_eq!(bed.read(block(1), 0, 5, None).await.unwrap(), b"hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_lives_without_its_folder() {
    let bed = Bed::new(64 << 20).await;
    bed.write(block(1), b"hello").await.unwrap();
    let (ramdisk, away) = (bed.folder.path().join("ramdisk"), bed.folder.path().join("away"));
    std::fs::rename(&ramdisk, &away).unwrap();
    let refused = bed.write(block(2), b"hello").await.unwrap_err();
    assert!(refused.message.starts_with("cannot create the block file"), "{refused}");
    assert_eq!(bed.read(block(1), 0, 5, None).await.unwrap_err().kind, ErrorKind::NotFound);
    std::fs::write(bed.ufs("cold"), b"hello").unwrap();
    assert_eq!(bed.read(block(1), 0, 5, in_ufs(&bed, "cold", 5, Keep::Copy)).await.unwrap(), b"hello");
    bed.until("the master knows", |told| told.blocks.is_empty()).await;
    std::fs::create_dir(&ramdisk).unwrap();
    bed.write(block(2), b"hello").await.unwrap();
}
