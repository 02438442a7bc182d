//! Entries that fit change what they say; entries that do not are named and change nothing.

use super::super::tests::{directory, file, grown, path};
use crate::journal::entry::{
    DeleteFile, Entry, InodeDirectory, InodeFile, Rename, Replication, UnlinkTree, UpdateInode, UpdateInodeDirectory,
    UpdateInodeFile,
};
use crate::master::state::{Inode, InodeKind, MasterState};
use crate::types::{BlockId, InodeId, PersistenceState, TtlAction};

const FILE: InodeId = InodeId(33_554_431);

fn delete(id: InodeId) -> Entry {
    Entry::DeleteFile(DeleteFile { id, op_time_ms: 50, alluxio_only: false, path: path("/x") })
}

fn rename(id: i64, new_parent: i64, new_name: &str) -> Entry {
    Entry::Rename(Rename {
        id: InodeId(id),
        new_parent: InodeId(new_parent),
        new_name: new_name.into(),
        op_time_ms: 60,
        path: path("/x"),
        new_path: path("/y"),
    })
}

fn unlink(id: i64) -> Entry {
    Entry::UnlinkTree(UnlinkTree { id: InodeId(id), op_time_ms: 70, path: path("/x") })
}

fn get(state: &MasterState, id: InodeId) -> Inode {
    state.inodes().get(id).unwrap()
}

fn applied(entries: &[Entry]) -> MasterState {
    let mut state = grown();
    entries.iter().for_each(|entry| state.apply(entry).unwrap());
    state.verify().unwrap();
    state
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let named = |name: &str, id: i64, parent: i64| directory(id, parent, name);
    let with_blocks = |blocks: &[i64]| {
        let Entry::InodeFile(file) = file(3, 1, "n") else { unreachable!() };
        Entry::InodeFile(InodeFile { blocks: blocks.iter().copied().map(BlockId).collect(), ..file })
    };
    let rows: Vec<(Entry, &str)> = vec![
        (named("a", 3, 0), "new directory 3 /a: the id is taken, or the name \"a\" in directory 0"),
        (named("n", 2, 0), "new directory 2 /n: the id is taken, or the name \"n\" in directory 0"),
        (named("n", 3, 99), "new directory 3 /n: inode 99 does not exist"),
        (named("n", 3, FILE.0), "new directory 3 /n: inode 33554431 is not a directory"),
        (named("n", FILE.0, 0), "new directory 33554431 /n: the id was not given to a directory"),
        (named("n", 0, 0), "new directory 0 /n: the root is the first inode, without name and parent"),
        (file(5_000, 0, "n"), "new file 83902857215 /n: container 5000 is not reserved"),
        (with_blocks(&[4]), "new file 67108863 /n: block 4 stands where 50331648 belongs"),
        (Entry::UpdateInode(UpdateInode::of(InodeId(99))), "update of inode 99: inode 99 does not exist"),
        (Entry::UpdateInodeFile(UpdateInodeFile::of(InodeId(1))), "update of file 1: it is a directory"),
        (
            Entry::UpdateInodeDirectory(UpdateInodeDirectory {
                id: FILE,
                mount_point: None,
                direct_children_loaded: None,
                default_acl: None,
            }),
            "update of directory 33554431: inode 33554431 is not a directory",
        ),
        (delete(InodeId(99)), "delete of inode 99 /x: inode 99 does not exist"),
        (delete(InodeId(1)), "delete of inode 1 /x: it has 2 children"),
        (delete(InodeId::ROOT), "delete of inode 0 /x: it has 2 children"),
        (rename(1, 2, "n"), "rename of inode 1 /x to /y: a directory cannot be moved below itself"),
        (rename(1, 1, "n"), "rename of inode 1 /x to /y: a directory cannot be moved below itself"),
        (rename(2, 0, "a"), "rename of inode 2 /x to /y: the name \"a\" is taken in directory 0"),
        (rename(2, 0, "a/b"), "rename of inode 2 /x to /y: the name is no single component"),
        (rename(0, 1, "n"), "rename of inode 0 /x to /y: inode -1 does not exist"),
        (unlink(0), "unlink of tree 0 /x: inode -1 does not exist"),
        (unlink(FILE.0), "unlink of tree 33554431 /x: inode 33554431 is not a directory"),
        (Entry::CollectTree { ids: vec![InodeId(2)] }, "collection of inode 2: it is not in an unlinked tree"),
        (Entry::ClusterInfo { cluster_id: "other".into() }, "cluster info: this is cluster c, not other"),
        (
            Entry::BlockContainerIdGenerator { next_container: 5 },
            "container id generator 5: 1001 containers are reserved already",
        ),
        (
            Entry::InodeDirectoryIdGenerator { container: 0, sequence: 1 },
            "directory id generator 0, 1: directory ids run backwards",
        ),
        (
            Entry::InodeDirectoryIdGenerator { container: 2_000, sequence: 1 },
            "directory id generator 2000, 1: container 2000 is not reserved",
        ),
    ];
    for (entry, expected) in rows {
        let mut state = grown();
        assert_eq!(state.apply(&entry).unwrap_err().to_string(), expected, "{entry:?}");
        assert_eq!(state.digest(), grown().digest(), "{entry:?}");
        state.verify().unwrap();
    }
}

#[test]
fn delete_and_rename_raise_the_times_of_parents() {
    let state = applied(&[delete(FILE)]);
    assert_eq!((get(&state, InodeId(1)).children(), get(&state, InodeId(1)).modification_time_ms), (1, 50));
    assert_eq!(state.inodes().get(FILE), None);
    let state = applied(&[rename(2, 0, "n")]);
    let times = |id| (get(&state, id).children(), get(&state, id).modification_time_ms, get(&state, id).access_time_ms);
    assert_eq!((times(InodeId(1)), times(InodeId::ROOT)), ((1, 60, 60), (3, 60, 60)));
    assert_eq!(get(&state, InodeId(2)).modification_time_ms, 10, "its own stay");
    assert_eq!(state.inodes().child(InodeId::ROOT, "n").map(|inode| inode.id), Some(InodeId(2)));
    assert_eq!(state.last_time().0, 60);
}

#[test]
fn times_go_back_only_when_told() {
    let update = |time, overwrite| {
        Entry::UpdateInode(UpdateInode {
            modification_time_ms: Some(time),
            overwrite_modification_time: overwrite,
            access_time_ms: Some(time),
            overwrite_access_time: overwrite,
            ..UpdateInode::of(FILE)
        })
    };
    let times = |entry| {
        let inode = get(&applied(&[entry]), FILE);
        (inode.modification_time_ms, inode.access_time_ms)
    };
    assert_eq!(times(update(5, None)), (10, 10));
    assert_eq!(times(update(5, Some(true))), (5, 5));
    assert_eq!(times(update(15, Some(false))), (15, 15));
}

#[test]
fn an_update_sets_what_it_names() {
    let update = UpdateInode {
        owner: Some("bob".into()),
        group: Some(String::new()),
        mode: Some(0o700),
        persistence: Some(PersistenceState::Lost),
        ttl_ms: Some(5),
        ttl_action: Some(TtlAction::DeleteAlluxio),
        ..UpdateInode::of(InodeId(1))
    };
    let state = applied(&[Entry::UpdateInode(update)]);
    let inode = get(&state, InodeId(1));
    assert_eq!((state.inodes().owner(&inode), state.inodes().group(&inode)), ("bob", "g"), "an empty group is none");
    assert_eq!((inode.mode, inode.persistence, inode.ttl_ms), (0o700, PersistenceState::Lost, 5));
    assert_eq!(inode.ttl_action, TtlAction::DeleteAlluxio);
}

#[test]
fn pinning_keeps_at_least_one_copy() {
    let replication = |entries: &[Entry]| match get(&applied(entries), FILE).kind {
        InodeKind::File { replication, .. } => replication,
        InodeKind::Directory { .. } => unreachable!(),
    };
    let pin = |pinned| Entry::UpdateInode(UpdateInode { pinned: Some(pinned), ..UpdateInode::of(FILE) });
    let none = UpdateInodeFile { replication_max: Some(0), ..UpdateInodeFile::of(FILE) };
    assert_eq!(replication(&[pin(true)]), Replication { min: 1, max: -1, durable: 1 });
    assert_eq!(replication(&[Entry::UpdateInodeFile(none), pin(true)]), Replication { min: 1, max: -1, durable: 1 });
    assert_eq!(replication(&[pin(true), pin(false)]), Replication::USUAL);
}

#[test]
fn a_completed_file_has_its_blocks() {
    let blocks = [BlockId(16_777_216), BlockId(16_777_217)].to_vec();
    let update = UpdateInodeFile { length: Some(100), completed: Some(true), blocks, ..UpdateInodeFile::of(FILE) };
    let state = applied(&[Entry::UpdateInodeFile(update)]);
    let InodeKind::File { length, blocks, completed, .. } = get(&state, FILE).kind else { unreachable!() };
    assert_eq!((length, blocks, completed), (100, 2, true));
}

#[test]
fn an_unlinked_tree_is_collected_children_first() {
    let mut state = applied(&[unlink(1)]);
    assert_eq!(get(&state, InodeId::ROOT).children(), 1);
    let early = Entry::CollectTree { ids: vec![InodeId(1)] };
    assert_eq!(state.apply(&early).unwrap_err().to_string(), "collection of inode 1: it has 2 children");
    state.apply(&Entry::CollectTree { ids: vec![InodeId(2), FILE, InodeId(1)] }).unwrap();
    assert_eq!(state.inodes().count(), 2);
    assert!(state.unlinked().is_empty());
    state.verify().unwrap();
}

#[test]
fn a_second_root_is_refused() {
    let Entry::InodeDirectory(root) = directory(0, -1, "") else { unreachable!() };
    let root = Entry::InodeDirectory(InodeDirectory { path: path("/"), ..root });
    assert!(grown().apply(&root).is_err());
}
