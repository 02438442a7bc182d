//! Who may delete what, and what a deletion changes beside the inodes.

use super::tests::{chmod, entries_of, mv, new_file, path, refusal, rm, run, settings, stat, user, with};
use super::ufs_tests::loaded;
use super::*;
use crate::journal::entry::{AddMountPoint, DeleteFile, Entry, UpdateInodeDirectory};
use crate::types::ErrorKind;

/// A mount at a directory that is there.
fn mounted(state: &mut MasterState, text: &str, read_only: bool) {
    let mount = AddMountPoint {
        path: path(text),
        ufs_path: format!("/under{text}"),
        read_only,
        shared: false,
        properties: Vec::new(),
        mount_id: 1_000 + stat(state, text).id.0,
    };
    state.apply(&Entry::AddMountPoint(mount)).unwrap();
}

/// Alice owns nothing, and may do what everybody may.
fn by_alice(state: &MasterState, delete: Delete) -> Result<Decision, FsError> {
    let request = Request { caller: user("alice", &[]), operation_id: None, operation: Operation::Delete(delete) };
    decide(state, &Workers::default(), &request, Millis(9_000), &settings())
}

fn tree(text: &str) -> Delete {
    Delete { recursive: true, ..Delete::of(path(text)) }
}

#[test]
fn a_tree_is_deleted_by_who_may_write_everything_in_it() {
    let mut state = with(&["/d/", "/d/a/", "/d/a/f", "/d/b/", "/d/b/c/", "/d/b/c/g", "/d/h"]);
    for text in ["/", "/d", "/d/a/f", "/d/b", "/d/b/c", "/d/h"] {
        chmod(&mut state, text, 0o777);
    }
    let denied = |access: &str, path: &str, at: &str, mode: &str| {
        format!(
            "{path} (Permission denied: user=alice, access={access}, path={path}: failed at {at}, inode owner=root, \
             inode group=root, inode mode={mode})"
        )
    };
    let a = denied("-w-", "/d/a", "a", "rwxr-xr-x");
    let g = denied("-w-", "/d/b/c/g", "g", "rw-r--r--");
    let kept = ["/d/b/c", "/d/b", "/d"].map(|path| format!("{path} (Directory not empty)")).join(", ");
    let message = format!("Failed to delete 5 paths from the under file system: {a}, {g}, {kept}");
    let refused = by_alice(&state, tree("/d")).unwrap_err();
    assert_eq!(
        (refused.kind, refused.message),
        (ErrorKind::FailedPrecondition, message),
        "of /d/a its file is not told"
    );
    chmod(&mut state, "/d/a", 0o777);
    chmod(&mut state, "/d/b/c", 0o776);
    let g = denied("--x", "/d/b/c/g", "c", "rwxrwxrw-");
    let refused = by_alice(&state, tree("/d")).unwrap_err();
    assert!(refused.message.contains(&format!("system: {g}, /d/b/c (Directory")), "{refused}");
    chmod(&mut state, "/d/b/c", 0o777);
    chmod(&mut state, "/d/b/c/g", 0o602);
    assert!(by_alice(&state, tree("/d")).is_ok());
}

#[test]
fn of_many_refusals_twenty_are_told() {
    let names: Vec<String> = (0..30).map(|n| format!("/d/f{n:02}")).collect();
    let paths: Vec<&str> = ["/d/"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut state = with(&paths);
    chmod(&mut state, "/", 0o777);
    chmod(&mut state, "/d", 0o777);
    let refused = by_alice(&state, tree("/d")).unwrap_err();
    assert!(refused.message.starts_with("Failed to delete 31 paths from the under file system: /d/f00 ("), "{refused}");
    assert!(refused.message.ends_with("...(only 20 errors shown)") && !refused.message.contains("f20"), "{refused}");
}

/// Nobody waits while they are checked.
#[test]
fn rights_in_a_large_tree_are_checked_before_it_is_decided() {
    let names: Vec<String> = (0..1_001).map(|n| format!("/d/f{n:04}")).collect();
    let paths: Vec<&str> = ["/d/"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut state = with(&paths);
    for text in ["/", "/d"].into_iter().chain(names[..1_000].iter().map(String::as_str)) {
        chmod(&mut state, text, 0o777);
    }
    let alice = user("alice", &[]);
    assert!(is_not_yet(&by_alice(&state, tree("/d")).unwrap_err()));
    let request = Request { caller: alice.clone(), operation_id: None, operation: Operation::Delete(tree("/d")) };
    let next = |request: &Request| prepare(&state, &settings(), request, Millis(9_000), Attempt::Refused, &|_| true);
    assert_eq!(next(&request), Preparation::CheckRights(path("/d")));
    let refused = check_rights_below(&state, &alice, &settings(), &path("/d")).unwrap_err();
    assert!(
        refused.message.starts_with("Failed to delete 2 paths from the under file system: /d/f1000 ("),
        "{refused}"
    );
    let checked = check_rights_below(&state, &user("root", &[]), &settings(), &path("/d")).unwrap();
    assert_eq!(checked, RightsBelow::Checked(stat(&state, "/d").id));
    let checked = Delete { rights_below: checked, ..tree("/d") };
    assert!(by_alice(&state, checked.clone()).is_ok());
    let of_another = Delete { rights_below: RightsBelow::Checked(stat(&state, "/").id), ..tree("/d") };
    assert!(is_not_yet(&by_alice(&state, of_another).unwrap_err()), "another tree has come there");
    let request = Request { caller: alice, operation_id: None, operation: Operation::Delete(checked) };
    assert_eq!(next(&request), Preparation::Submit);
}

#[test]
fn a_mount_point_stays_where_it_is() {
    let mut state = loaded(&["/d/", "/d/n/", "/e/"]);
    mounted(&mut state, "/d/n", false);
    let refused = |source: &str, target: &str| refusal(&state, mv(source, target)).1;
    assert_eq!(refused("/d", "/d/x"), "Cannot rename because /d is a prefix of /d/x");
    assert_eq!(refused("/d", "/e"), "Cannot rename because destination already exists. src: /d dst: /e");
    assert_eq!(refused("/d", "/f"), "Renaming /d would move the mount point /d/n");
}

#[test]
fn below_a_read_only_mount_only_alluxio_forgets() {
    let mut state = loaded(&["/m/", "/m/a/", "/m/a/f", "/d/", "/d/n/"]);
    mounted(&mut state, "/m", true);
    mounted(&mut state, "/d/n", true);
    let not_allowed = "A write operation on /m/a under a readonly mount point /m is not allowed";
    assert_eq!(refusal(&state, rm("/m/a", true)), (ErrorKind::PermissionDenied, not_allowed.to_owned()));
    let forget = Operation::Delete(Delete { alluxio_only: true, ..tree("/m/a") });
    assert!(!entries_of(&state, forget).is_empty());
    let with_mounts = Operation::Delete(Delete { delete_mount_points: true, ..tree("/d") });
    let message = "Cannot delete directory /d. Failed to delete children: A write operation on /d/n under a readonly mount \
                   point MountInfo{AlluxioURI=/d/n, UfsURI=/under/d/n} is not allowed";
    assert_eq!(refusal(&state, with_mounts), (ErrorKind::PermissionDenied, message.to_owned()));
    let message =
        "Cannot delete path /d which is or contains a mount point without --deleteMountPoint/-m option specified";
    assert_eq!(refusal(&state, rm("/d", true)), (ErrorKind::PermissionDenied, message.to_owned()));
}

#[test]
fn an_empty_mount_point_goes_like_a_directory() {
    let mut state = loaded(&["/d/", "/d/n/"]);
    mounted(&mut state, "/d/n", false);
    run(&mut state, rm("/d/n", false)).unwrap();
    assert!(state.mounts().at(&path("/d/n")).is_none());
    state.verify().unwrap();
}

#[test]
fn what_only_alluxio_forgets_may_be_looked_for_again() {
    let state = loaded(&["/d/", "/d/f"]);
    let d = stat(&state, "/d").id;
    let last = |syncs_parent| {
        let delete = Delete { alluxio_only: true, syncs_parent, ..Delete::of(path("/d/f")) };
        entries_of(&state, Operation::Delete(delete)).pop().unwrap()
    };
    for syncs in [true, false] {
        let direct_children_loaded = Some(!syncs);
        let loaded = UpdateInodeDirectory { direct_children_loaded, ..UpdateInodeDirectory::of(d) };
        assert_eq!(last(Some(syncs)), Entry::UpdateInodeDirectory(loaded));
    }
    assert!(matches!(last(None), Entry::DeleteFile(_)));
}

#[test]
fn what_is_written_to_alluxio_alone_replaces_nothing_in_the_ufs() {
    for (write_type, in_alluxio_alone) in [
        (WriteType::MustCache, true),
        (WriteType::AsyncThrough, true),
        (WriteType::CacheThrough, false),
        (WriteType::Through, false),
    ] {
        let state = loaded(&["/f"]);
        let old = stat(&state, "/f").id;
        let create = Operation::CreateFile(CreateFile { overwrite: true, write_type, ..new_file("/f") });
        if !in_alluxio_alone {
            assert!(is_not_yet(&run(&mut state.clone(), create).unwrap_err()), "{write_type:?}");
            continue;
        }
        let mut deleted = entries_of(&state, create).into_iter().filter_map(|entry| match entry {
            Entry::DeleteFile(DeleteFile { id, alluxio_only, .. }) => Some((id, alluxio_only)),
            _ => None,
        });
        assert_eq!(deleted.next(), Some((old, true)), "{write_type:?}");
    }
}
