//! Checkpoints that are whole, cut, changed anywhere, or of another version.

use super::{CheckpointOrigin, PREFIX_BYTES};
use crate::journal::chain::Position;
use crate::master::state::MasterState;
use crate::types::{InodeId, SequenceNumber};
use bytes::Bytes;

fn origin() -> CheckpointOrigin {
    let position = Position { sequence: SequenceNumber(77), hash: 0xdead_beef };
    CheckpointOrigin { position, genesis: 42, cluster_id: "cluster-ü".into() }
}

fn whole() -> (MasterState, Vec<u8>) {
    let state = crate::master::state::tests::grown();
    let bytes = state.to_checkpoint(&origin()).concat();
    (state, bytes)
}

fn refused(bytes: Vec<u8>) -> String {
    MasterState::from_checkpoint(&Bytes::from(bytes)).unwrap_err().to_string()
}

#[test]
fn a_checkpoint_gives_the_state_back_and_it_goes_on() {
    let (mut state, bytes) = whole();
    let (mut loaded, of) = MasterState::from_checkpoint(&Bytes::from(bytes)).unwrap();
    assert_eq!(of, origin());
    assert_eq!(loaded.digest(), state.digest());
    assert_eq!(loaded.persist_time(InodeId::of_file(2)), Some(77));
    assert_eq!(loaded.inodes().extras(&loaded.inodes().get(InodeId::of_file(1)).unwrap()).xattr["k"], [7; 300]);
    assert_eq!((loaded.admin().ufs_modes().len(), loaded.admin().sync_points().len()), (1, 1));
    for entry in crate::master::state::tests::further() {
        state.apply(&entry).unwrap();
        loaded.apply(&entry).unwrap();
    }
    assert_eq!(loaded.digest(), state.digest());
    loaded.verify().unwrap();
}

#[test]
fn only_what_an_older_version_does_not_know_makes_a_checkpoint_that_it_cannot_read() {
    let bytes = MasterState::new().to_checkpoint(&origin()).concat();
    assert_eq!((bytes[8], whole().1[8]), (3, 4));
}

#[test]
fn an_empty_state_has_a_checkpoint_too() {
    let bytes = MasterState::new().to_checkpoint(&origin()).concat();
    let (loaded, _) = MasterState::from_checkpoint(&Bytes::from(bytes)).unwrap();
    assert_eq!(loaded.digest(), MasterState::new().digest());
}

#[test]
fn a_snapshot_is_written_while_the_state_goes_on() {
    let (mut state, bytes) = whole();
    let pieces = state.to_checkpoint(&origin());
    for entry in crate::master::state::tests::further() {
        state.apply(&entry).unwrap();
    }
    assert_eq!(pieces.concat(), bytes);
}

#[test]
fn a_cut_or_longer_file_is_refused() {
    let (_, bytes) = whole();
    for end in (0..PREFIX_BYTES + 8).chain((PREFIX_BYTES + 8..bytes.len()).step_by(7_001)) {
        refused(bytes[..end].to_vec());
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(refused(longer).contains("the file should have"));
}

#[test]
fn a_change_of_any_byte_is_found() {
    let (_, bytes) = whole();
    for at in (0..300).chain((300..bytes.len()).step_by(4_001)) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let reason = refused(changed);
        assert!(reason.starts_with("checkpoint "), "byte {at}: {reason}");
    }
}

#[test]
fn what_is_no_checkpoint_is_told_from_a_newer_one() {
    let (_, mut bytes) = whole();
    assert_eq!(refused(b"ALX".to_vec()), "checkpoint header: the file has only 3 bytes");
    assert_eq!(refused(vec![0; 100]), "checkpoint header: the file does not begin as a checkpoint does");
    for version in [2, 5] {
        bytes[8] = version;
        let reason = format!(
            "checkpoint header: version {version} of checkpoints is not known, only 3 to 4; use the program that wrote it"
        );
        assert_eq!(refused(bytes.clone()), reason);
    }
}
