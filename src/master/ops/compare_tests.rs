//! What becomes of inodes when the UFS shows something else than what was loaded.

use super::tests::{entries_of, new_file, path, run, started, with};
use super::*;
use crate::journal::entry::{DeleteFile, Entry, UpdateInode};
use crate::types::{AclEntry, AlluxioPath, ContentHash, InodeId, SetAclAction, TtlAction};

const ROOT: &str = "hdfs://nn:9000/alluxio";
/// After all that the tests make, whose time is 2,000.
const LATER: Millis = Millis(2_500);

fn file(length: i64, modification_time_ms: i64) -> UfsFacts {
    UfsFacts {
        directory: false,
        length,
        block_size_bytes: 100,
        owner: "ann".into(),
        group: "users".into(),
        mode: 0o640,
        modification_time_ms,
        etag: None,
    }
}

fn directory() -> UfsFacts {
    UfsFacts { directory: true, ..file(0, 7) }
}

fn seen(found: &[(&str, UfsFacts)], gone: &[&str], compared: Option<Millis>) -> Load {
    let found: Vec<_> = found.iter().map(|(text, facts)| (path(text), facts.clone())).collect();
    let gone: Vec<_> = gone.iter().map(|text| path(text)).collect();
    let first = found.first().map(|(path, _)| path).or(gone.first()).cloned().unwrap_or_else(AlluxioPath::root);
    let uri = format!("{ROOT}{first}");
    Load { gone, compared, ..Load::of(found, (first, uri)) }
}

fn load(load: Load) -> Operation {
    Operation::Ufs(UfsOperation::Load(load))
}

/// A namespace with `/d/`, `/d/f` of 250 bytes, and `/g` of 10, loaded.
fn loaded() -> MasterState {
    let mut state = started();
    let found = [("/d", directory()), ("/d/f", file(250, 77)), ("/g", file(10, 77))];
    run(&mut state, load(seen(&found, &[], None))).unwrap();
    state
}

/// Decides and applies it, at 3,000.
fn compare(state: &mut MasterState, seen: Load) {
    for entry in entries_of(state, load(seen)) {
        state.apply(&entry).unwrap();
    }
}

fn id(state: &MasterState, text: &str) -> InodeId {
    inode_at(state, &path(text)).unwrap().id
}

fn names(state: &MasterState, text: &str) -> Vec<String> {
    state.inodes().children(id(state, text)).map(|child| state.inodes().name(&child).to_owned()).collect()
}

#[test]
fn what_is_the_same_stays_and_what_is_not_compared_is_not_looked_at() {
    let state = loaded();
    let same = [("/d", directory()), ("/d/f", file(250, 77)), ("/g", file(10, 77))];
    assert_eq!(entries_of(&state, load(seen(&same, &[], Some(LATER)))), []);
    let other = [("/g", file(9, 99))];
    assert_eq!(entries_of(&state, load(seen(&other, &[], None))), []);
}

#[test]
fn another_content_replaces_the_file_and_its_blocks() {
    for other in [file(250, 78), file(250, 76), file(251, 77)] {
        let mut state = loaded();
        let before = id(&state, "/d/f");
        compare(&mut state, seen(&[("/d/f", other.clone())], &[], Some(LATER)));
        let after = inode_at(&state, &path("/d/f")).unwrap();
        assert_ne!(after.id, before);
        assert_eq!(state.blocks().of_container(before.container()).count(), 0);
        assert_eq!(state.inodes().extras(&after).content_hash, other.content_hash());
        state.verify().unwrap();
    }
}

#[test]
fn what_is_gone_goes_with_all_below_it() {
    let mut state = loaded();
    let entries = entries_of(&state, load(seen(&[], &["/g"], Some(LATER))));
    let gone = DeleteFile { id: id(&state, "/g"), op_time_ms: 3_000, alluxio_only: true, path: path("/g") };
    assert_eq!(entries.last(), Some(&Entry::DeleteFile(gone)));
    compare(&mut state, seen(&[], &["/d", "/nope"], Some(LATER)));
    assert_eq!(names(&state, "/"), ["g"]);
    state.verify().unwrap();
}

#[test]
fn a_directory_in_the_place_of_a_file_and_the_other_way_round() {
    let mut state = loaded();
    compare(&mut state, seen(&[("/d", file(1, 1)), ("/g", directory())], &[], Some(LATER)));
    assert!(!inode_at(&state, &path("/d")).unwrap().is_directory());
    assert!(inode_at(&state, &path("/g")).unwrap().is_directory());
    state.verify().unwrap();
}

/// Seen later, in a UFS that is used as `alluxio`.
fn owned(text: &str, facts: UfsFacts) -> Load {
    Load { ufs_user: Some("alluxio".into()), ..seen(&[(text, facts)], &[], Some(LATER)) }
}

fn change(state: &MasterState, text: &str) -> UpdateInode {
    UpdateInode::of(id(state, text))
}

#[test]
fn owner_group_and_mode_of_what_was_loaded_are_those_of_the_ufs() {
    let state = loaded();
    let other = UfsFacts { owner: "alluxio".into(), mode: 0o600, ..file(10, 77) };
    let taken = UpdateInode { owner: Some("alluxio".into()), mode: Some(0o600), ..change(&state, "/g") };
    assert_eq!(entries_of(&state, load(owned("/g", other.clone()))), [Entry::UpdateInode(taken)]);
    let later = UfsFacts { modification_time_ms: 99, group: "staff".into(), ..directory() };
    let taken = UpdateInode { group: Some("staff".into()), ..change(&state, "/d") };
    assert_eq!(entries_of(&state, load(owned("/d", later))), [Entry::UpdateInode(taken)]);
    // What a UFS does not tell, or does not keep, is no other one.
    let untold = UfsFacts { owner: String::new(), group: String::new(), ..file(10, 77) };
    assert_eq!(entries_of(&state, load(owned("/g", untold))), []);
    assert_eq!(entries_of(&state, load(seen(&[("/g", other)], &[], Some(LATER)))), []);
    let root = UfsFacts { owner: "bob".into(), mode: 0o700, ..directory() };
    let of_root = Load { seen_at: (path("/"), ROOT.into()), ..owned("/", root) };
    assert_eq!(entries_of(&state, load(of_root)), [], "whose the root is, who formats decides");
}

#[test]
fn a_mode_beside_an_access_list_stays_and_that_of_another_content_comes_with_it() {
    let mut state = loaded();
    let entries = vec![AclEntry::parse("user:eve:rw-").unwrap()];
    let set = SetAcl { path: path("/d/f"), action: SetAclAction::Modify, entries, recursive: false };
    run(&mut state, Operation::SetAcl(set)).unwrap();
    let other = UfsFacts { owner: "bob".into(), mode: 0o600, ..file(250, 77) };
    let taken = UpdateInode { owner: Some("bob".into()), ..change(&state, "/d/f") };
    assert_eq!(entries_of(&state, load(owned("/d/f", other))), [Entry::UpdateInode(taken)]);
    let other = UfsFacts { owner: "bob".into(), mode: 0o600, ..file(11, 78) };
    compare(&mut state, owned("/g", other));
    let inode = inode_at(&state, &path("/g")).unwrap();
    assert_eq!((state.inodes().owner(&inode), inode.mode), ("bob", 0o600));
}

#[test]
fn what_was_made_here_may_have_had_another_owner_from_the_beginning() {
    let mut state = started();
    let write_type = WriteType::Through;
    run(&mut state, Operation::CreateFile(CreateFile { write_type, ..new_file("/w") })).unwrap();
    let complete = CompleteFile { ufs_length: Some(5), ..CompleteFile::of(path("/w")) };
    run(&mut state, Operation::CompleteFile(complete)).unwrap();
    let noted = Load { own: Some(id(&state, "/w")), ..seen(&[("/w", file(5, 2_100))], &[], None) };
    run(&mut state, load(noted)).unwrap();
    let mode = inode_at(&state, &path("/w")).unwrap().mode;
    let other = UfsFacts { owner: "bob".into(), mode, ..file(5, 2_100) };
    assert_eq!(entries_of(&state, load(owned("/w", other.clone()))), []);
    let taken = UpdateInode { mode: Some(0o604), ..change(&state, "/w") };
    assert_eq!(entries_of(&state, load(owned("/w", UfsFacts { mode: 0o604, ..other }))), [Entry::UpdateInode(taken)]);

    let made = UfsDirectory {
        id: None,
        path: path("/m"),
        ufs_path: format!("{ROOT}/m"),
        owner: "ann".into(),
        group: "users".into(),
        mode: 0o750,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
    };
    let begin = UfsOperation::Begin(Box::new(Operation::Ufs(UfsOperation::Persist(made))));
    let Ok(Answer::Begun(inode)) = run(&mut state, Operation::Ufs(begin)) else { panic!("it begins") };
    run(&mut state, Operation::Ufs(UfsOperation::Commit(inode))).unwrap();
    let not_given_away = UfsFacts { owner: "alluxio".into(), mode: 0o750, ..directory() };
    assert_eq!(entries_of(&state, load(owned("/m", not_given_away))), []);
    let given = UfsFacts { owner: "bob".into(), mode: 0o750, ..directory() };
    let now = inode_at(&state, &path("/m")).unwrap();
    let group = Some("users".to_owned()).filter(|group| group != state.inodes().group(&now));
    let taken = UpdateInode { owner: Some("bob".into()), group, ..change(&state, "/m") };
    assert_eq!(entries_of(&state, load(owned("/m", given))), [Entry::UpdateInode(taken)]);
}

#[test]
fn what_is_in_alluxio_alone_or_came_after_the_look_stays() {
    let mut state = loaded();
    run(&mut state, Operation::CreateFile(CreateFile { write_type: WriteType::MustCache, ..new_file("/d/mine") }))
        .unwrap();
    assert_eq!(entries_of(&state, load(seen(&[("/d/mine", file(5, 5))], &[], Some(LATER)))), []);
    assert_eq!(entries_of(&state, load(seen(&[], &["/d/mine", "/d"], Some(LATER)))), [], "a writer is at work below");
    // Made at 2,000, and the UFS was looked at before, or in the same millisecond.
    for earlier in [Millis(1_999), Millis(2_000)] {
        assert_eq!(entries_of(&state, load(seen(&[("/g", file(9, 9))], &["/d/f"], Some(earlier)))), []);
    }
    let alone = with(&["/mine/", "/f"]);
    assert_eq!(entries_of(&alone, load(seen(&[], &["/mine", "/f"], Some(LATER)))), []);
}

#[test]
fn a_file_written_here_is_known_by_its_length_until_its_content_is_noted() {
    let mut state = started();
    let write_type = WriteType::Through;
    run(&mut state, Operation::CreateFile(CreateFile { write_type, ..new_file("/w") })).unwrap();
    let complete = CompleteFile { ufs_length: Some(5), ..CompleteFile::of(path("/w")) };
    run(&mut state, Operation::CompleteFile(complete)).unwrap();
    let inode = inode_at(&state, &path("/w")).unwrap();
    let content_hash = Some(ContentHash::LengthAndTime { length: 5, modification_time_ms: 2_100 });
    let noted = UpdateInode { content_hash, ..UpdateInode::of(inode.id) };
    let same = [("/w", file(5, 2_100))];
    assert_eq!(entries_of(&state, load(seen(&same, &[], Some(LATER)))), [Entry::UpdateInode(noted.clone())]);
    let at_level_1 = Load { keeps_content: false, ..seen(&same, &[], Some(LATER)) };
    assert_eq!(entries_of(&state, load(at_level_1)), []);
    let is_replaced = |state: &MasterState, facts: UfsFacts| {
        let entries = entries_of(state, load(seen(&[("/w", facts)], &[], Some(LATER))));
        matches!(&entries[..], [.., Entry::InodeFile(_)])
    };
    assert!(is_replaced(&state, file(4, 2_100)));
    // What this master put there is noted, and never judged.
    let own = |facts, id| Load { own: Some(id), ..seen(&[("/w", facts)], &[], None) };
    assert_eq!(entries_of(&state, load(own(file(5, 2_100), inode.id))), [Entry::UpdateInode(noted.clone())]);
    assert_eq!(entries_of(&state, load(own(file(4, 2_100), inode.id))), []);
    assert_eq!(entries_of(&state, load(own(file(5, 2_100), InodeId::of_file(77)))), []);
    // Once it is noted, another time is another content, an earlier one, too.
    state.apply(&Entry::UpdateInode(noted)).unwrap();
    assert_eq!(entries_of(&state, load(seen(&same, &[], Some(LATER)))), []);
    assert!(is_replaced(&state, file(5, 2_099)) && is_replaced(&state, file(5, 2_101)));
}

#[test]
fn names_that_no_look_shows_and_a_clock_that_went_back_take_nothing_away() {
    let mut state = loaded();
    let hidden = format!("/d/{}", crate::types::ufs_names::PERSISTENCE_FOLDER);
    run(&mut state, load(seen(&[(&hidden, directory())], &[], None))).unwrap();
    assert_eq!(entries_of(&state, load(seen(&[], &[&hidden], Some(LATER)))), []);
    let future = Some(Millis(3_001));
    assert_eq!(entries_of(&state, load(seen(&[], &["/g", "/d"], future))), []);
}

#[test]
fn mount_points_and_what_holds_them_stay() {
    let mut state = loaded();
    let mount = crate::journal::entry::AddMountPoint {
        path: path("/d/m"),
        mount_id: 9,
        ufs_path: "hdfs://nn:9000/other".into(),
        read_only: false,
        shared: true,
        properties: Default::default(),
    };
    let mounted = [("/d/m", directory())];
    run(&mut state, load(seen(&mounted, &[], None))).unwrap();
    state.apply(&Entry::AddMountPoint(mount)).unwrap();
    assert_eq!(entries_of(&state, load(seen(&[], &["/d", "/d/m"], Some(LATER)))), []);
    let other = UfsFacts { mode: 0o700, ..directory() };
    let of_mount = Load { seen_at: (path("/d/m"), "hdfs://nn:9000/other".into()), ..owned("/d/m", other.clone()) };
    let taken = UpdateInode { mode: Some(0o707), ..change(&state, "/d/m") };
    assert_eq!(entries_of(&state, load(of_mount)), [Entry::UpdateInode(taken)]);
    let listed = Load { seen_at: (path("/d"), format!("{ROOT}/d")), ..owned("/d/m", other) };
    assert_eq!(entries_of(&state, load(listed)), [], "what a mount hides is another one");
}
