use super::*;
use crate::journal::entry::Replication;
use crate::tools::legacy::layout;
use crate::types::{PersistenceState, TtlAction};
use prost::Message;

/// A file of the journal of a real 1.2.0 master.
fn golden(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/legacy-journals/v0-1.2.0/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The journal of the master as it was while it ran, or after a restart had written checkpoints.
fn read(when: &str, has_logs: bool) -> Whole {
    let mut gathered = Gathered::default();
    for master in ["FileSystemMaster", "BlockMaster"] {
        let mut expected = None;
        let file = |name: &str| format!("{when}/{master}/{name}");
        gathered.numbered("c", &golden(&file("checkpoint.data")), Ending::Whole, &mut expected).unwrap();
        if has_logs {
            gathered.numbered("l", &golden(&file("log.out")), Ending::MayBeTorn, &mut expected).unwrap();
        }
    }
    gathered.finish(when).unwrap()
}

/// A line for everything that answers show, by path.
fn lines(whole: &Whole) -> Vec<String> {
    let made = whole
        .state
        .portable_entries(whole.ids)
        .filter(|entry| !matches!(entry, Entry::BlockContainerIdGenerator { .. }));
    // 1.x knows no access times.
    let without_access = |mut entry: Entry| {
        match &mut entry {
            Entry::InodeDirectory(directory) => directory.access_time_ms = 0,
            Entry::InodeFile(file) => file.access_time_ms = 0,
            _ => {}
        }
        format!("{entry:?}")
    };
    let mut lines: Vec<String> = made.map(without_access).collect();
    lines.sort();
    lines
}

#[test]
fn the_journal_of_1_2_0_gives_what_its_master_answered() {
    let whole = read("running", true);
    let at = |path: &str| {
        let path = crate::types::AlluxioPath::parse(path).unwrap();
        whole.state.inodes().get(translate::at_path(&whole.state, &path).unwrap()).unwrap()
    };
    // As answers.txt has it.
    let big = at("/a/b/big.bin");
    assert_eq!((big.id, big.pinned, big.mode), (InodeId(67_108_863), true, 420));
    assert_eq!(big.persistence, PersistenceState::Persisted);
    assert_eq!((big.creation_time_ms, big.modification_time_ms), (1_795_294_542_353, 1_795_294_563_946));
    let InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication } = big.kind else {
        panic!("a file")
    };
    assert_eq!((length, block_size_bytes, blocks, completed, cacheable), (300_000, 536_870_912, 1, true, true));
    assert_eq!(replication, Replication { min: 1, ..Replication::USUAL });
    assert_eq!(whole.state.blocks().length(BlockId(50_331_648)), Some(300_000));
    let renamed = at("/c/d/renamed.txt");
    assert_eq!((renamed.id, renamed.persistence), (InodeId(50_331_647), PersistenceState::NotPersisted));
    assert_eq!(renamed.modification_time_ms, 1_795_294_540_115);
    assert_eq!((renamed.ttl_ms, renamed.ttl_action), (-1, TtlAction::Delete));
    assert_eq!(at("/c").mode, 0o750);
    assert!(matches!(at("/mnt").kind, InodeKind::Directory { mount_point: true, children: 1, .. }));
    let mounts: Vec<_> =
        whole.state.mounts().iter().map(|m| (m.path.as_str(), m.ufs_path.as_str(), m.mount_id)).collect();
    assert_eq!(mounts, [("/mnt", "hdfs://localhost:20820/other", 2)]);
    assert_eq!(at("/后/中文文件").id, InodeId(117_440_511));
    assert_eq!(whole.state.inodes().count(), 12 + 1);
    assert_eq!(whole.state.blocks().count(), 3);
}

/// The checkpoint is what 1.2.0 itself made of the logs. It had forgotten when /a/b/big.bin was persisted, which its
/// answers before had shown.
#[test]
fn logs_give_the_state_that_1_2_0_made_of_them() {
    let (running, restarted) = (lines(&read("running", true)), lines(&read("after-restart", false)));
    let differ = running.iter().zip(&restarted).filter(|(a, b)| a != b).map(|(a, _)| a.clone()).collect::<Vec<_>>();
    assert_eq!(running.len(), restarted.len());
    assert!(differ.iter().all(|line| line.contains("big.bin")) && differ.len() == 1, "{differ:#?}");
}

#[test]
fn what_is_made_of_a_state_makes_it_again() {
    let whole = read("running", true);
    let mut again = MasterState::new();
    whole.state.portable_entries(whole.ids).for_each(|entry| again.apply(&entry).unwrap());
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (whole.state.portable_entries(whole.ids).collect(), again.portable_entries(again.ids()).collect());
    assert_eq!(ours, theirs);
    again.verify().unwrap();
}

/// No cut and no changed byte is a panic; a cut of a log that its writer finished is an error; a cut of the one that is
/// written is a state of an earlier moment, or an error.
#[test]
fn cuts_and_changed_bytes_are_told_or_harmless() {
    let (checkpoint, log) =
        (golden("running/FileSystemMaster/checkpoint.data"), golden("running/FileSystemMaster/log.out"));
    let take = |log: &[u8], ending| {
        let mut gathered = Gathered::default();
        let mut expected = None;
        gathered.numbered("c", &checkpoint, Ending::Whole, &mut expected)?;
        gathered.numbered("l", log, ending, &mut expected)?;
        Ok::<_, LegacyError>((gathered.finish("f")?, expected))
    };
    let (_, Some(end)) = take(&log, Ending::MayBeTorn).unwrap() else { panic!("it has entries") };
    for cut in 0..log.len() {
        let told = take(&log[..cut], Ending::Before(end));
        assert!(matches!(told, Err(LegacyError::Truncated { .. })), "cut at {cut}: {told:?}");
        let told = take(&log[..cut], Ending::MayBeTorn);
        assert!(told.is_ok_and(|(_, expected)| expected.is_some_and(|e| e < end)), "cut at {cut}");
        let mut changed = log.clone();
        changed[cut] ^= 0x41;
        // A length that became longer must not hide what is behind it.
        if let Ok((_, expected)) = take(&changed, Ending::MayBeTorn) {
            assert!(expected >= Some(end - 1), "byte {cut}: {expected:?}");
        }
    }
}

#[test]
fn a_gap_and_an_unknown_kind_are_told() {
    let entry = |number, kind: fn(&mut wire::JournalEntry)| {
        let mut entry = wire::JournalEntry { sequence_number: Some(number), ..wire::JournalEntry::default() };
        kind(&mut entry);
        entry.encode_length_delimited_to_vec()
    };
    let generator = |entry: &mut wire::JournalEntry| {
        entry.block_container_id_generator = Some(wire::BlockContainerIdGeneratorEntry { next_container_id: Some(7) });
    };
    let log = [entry(0, generator), entry(2, generator)].concat();
    let told = Gathered::default().numbered("l", &log, Ending::MayBeTorn, &mut Some(0)).unwrap_err();
    assert_eq!(told, LegacyError::Gap { file: "l".into(), from: 1, before: 2 });
    let told = Gathered::default().numbered("l", &[4, 0x08, 0, 0xba, 0x06], Ending::Whole, &mut Some(0)).unwrap_err();
    assert!(matches!(told, LegacyError::Damaged { .. }), "{told}");
    assert_eq!(layout::OPEN_END, i64::MAX);
}

#[test]
fn a_rocks_store_is_told_with_the_way_out() {
    let told = Gathered::default().checkpoint("0x0-0x5", &[0, 0, 0, 0, 0, 0, 0, 3, 1, 2]).unwrap_err();
    assert!(told.to_string().contains("fsadmin backup"), "{told}");
}
