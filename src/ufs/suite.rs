//! What every UFS promises, as one suite of behaviours. Each backend runs all of it: memory and local in the unit
//! tests, HDFS in `tests/hdfs_store.rs`, S3 in `tests/s3`, which include this file. What an object storage does not keep,
//! owners, modes and times of directories, is not asked of it.

use crate::ufs::{Ufs, UfsAttributes, UfsDeletion, UfsErrorKind, UfsOwnership, UfsStatus};
use bytes::Bytes;
use std::sync::Arc;

/// An empty directory of a UFS.
pub trait Place: Send + Sync {
    /// A client.
    fn client(&self) -> Arc<dyn Ufs>;

    /// URI of the directory.
    fn root(&self) -> String;
}

/// Makes a test of each behaviour; `$place` is a future of a fresh [`Place`]. The caller has `suite` in scope, and
/// may give an attribute for all of the tests.
macro_rules! every_behaviour {
    ($place:expr) => {
        suite::every_behaviour!($place, #[cfg(test)]);
    };
    ($place:expr, # $attribute:tt) => {
        suite::every_behaviour! { $place, $attribute;
            a_file_is_read_back_from_any_byte,
            a_file_of_many_writes_is_whole,
            an_empty_file_is_a_file,
            create_replaces_a_file_and_makes_parents,
            a_file_that_is_not_closed_goes_away,
            mkdir_makes_parents_and_may_be_repeated,
            a_listing_is_ordered_and_of_one_level,
            odd_names_are_names,
            rename_moves_a_file_and_a_tree,
            rename_replaces_nothing,
            delete_takes_what_it_was_told_and_no_more,
            mode_can_be_changed,
            what_is_not_there_is_not_found,
            a_file_is_no_directory,
        }
    };
    ($place:expr, $attribute:tt; $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #$attribute
            async fn $name() {
                let limit = std::time::Duration::from_secs(90);
                let place = $place.await;
                let run = suite::$name(suite::Place::client(&place), suite::Place::root(&place));
                tokio::time::timeout(limit, run).await.expect("the behaviour ends within its limit");
            }
        )*
    };
}
pub(crate) use every_behaviour;

/// Whose file it is does not matter.
pub fn ownership(mode: u16) -> UfsOwnership {
    UfsOwnership { owner: String::new(), group: String::new(), mode }
}

async fn write(ufs: &dyn Ufs, path: &str, content: &[u8]) {
    let mut writer = ufs.create(path, &ownership(0o640)).await.unwrap();
    writer.write(Bytes::copy_from_slice(content)).await.unwrap();
    writer.close().await.unwrap();
}

async fn read(ufs: &dyn Ufs, path: &str, offset: u64, bytes_max: usize) -> Vec<u8> {
    let mut reader = ufs.open(path, offset).await.unwrap();
    let mut content = Vec::new();
    loop {
        let bytes = reader.read(bytes_max).await.unwrap();
        assert!(bytes.len() <= bytes_max);
        if bytes.is_empty() {
            return content;
        }
        content.extend_from_slice(&bytes);
    }
}

async fn names(ufs: &dyn Ufs, path: &str) -> Vec<String> {
    ufs.list(path).await.unwrap().into_iter().map(|status| status.name).collect()
}

async fn status(ufs: &dyn Ufs, path: &str) -> UfsStatus {
    ufs.status(path).await.unwrap().unwrap_or_else(|| panic!("{path} is there"))
}

/// The mode that it has by now.
fn mode_of(ufs: &dyn Ufs, status: &UfsStatus, mode: u16) -> u16 {
    if ufs.is_object_storage() { status.mode } else { mode }
}

pub async fn a_file_is_read_back_from_any_byte(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/f");
    write(&*ufs, &path, b"0123456789").await;
    assert_eq!(read(&*ufs, &path, 0, 100).await, b"0123456789");
    assert_eq!(read(&*ufs, &path, 0, 3).await, b"0123456789");
    assert_eq!(read(&*ufs, &path, 7, 2).await, b"789");
    assert_eq!(read(&*ufs, &path, 10, 2).await, b"");
    assert_eq!(read(&*ufs, &path, 99, 2).await, b"");
    let status = status(&*ufs, &path).await;
    let mode = mode_of(&*ufs, &status, 0o640);
    assert_eq!((status.name.as_str(), status.directory, status.length, status.mode), ("f", false, 10, mode));
    assert!(status.owner.is_empty() || ufs.is_object_storage() || ufs.user() == Some(status.owner.clone()));
    assert_eq!(ufs.user().is_none(), ufs.is_object_storage());
    let time = status.modification_time_ms;
    let hash = status.etag.clone().unwrap_or_else(|| format!("(len:10, modtime:{time})"));
    assert_eq!((status.content_hash(), ufs.is_object_storage()), (hash, status.etag.is_some()));
}

pub async fn a_file_of_many_writes_is_whole(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/f");
    let mut writer = ufs.create(&path, &ownership(0o644)).await.unwrap();
    let mut expected = Vec::new();
    for number in 0..50_u32 {
        let piece: Vec<u8> = (0..number * 997 % 70_001).map(|byte| (byte + number) as u8).collect();
        expected.extend_from_slice(&piece);
        writer.write(piece.into()).await.unwrap();
    }
    writer.close().await.unwrap();
    assert!(read(&*ufs, &path, 0, 65_536).await == expected);
    assert!(read(&*ufs, &path, 100_001, 1 << 20).await == expected[100_001..]);
}

pub async fn an_empty_file_is_a_file(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/f");
    ufs.create(&path, &ownership(0o644)).await.unwrap().close().await.unwrap();
    assert_eq!(read(&*ufs, &path, 0, 10).await, b"");
    let status = status(&*ufs, &path).await;
    assert_eq!((status.directory, status.length), (false, 0));
}

pub async fn create_replaces_a_file_and_makes_parents(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/a/b/f");
    write(&*ufs, &path, b"the first content").await;
    write(&*ufs, &path, b"second").await;
    assert_eq!(read(&*ufs, &path, 0, 100).await, b"second");
    assert!(status(&*ufs, &format!("{root}/a/b")).await.directory);
    let refused = ufs.create(&format!("{root}/a"), &ownership(0o644)).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused.kind, UfsErrorKind::WrongType | UfsErrorKind::AlreadyExists), "{refused}");
    assert_eq!(names(&*ufs, &root).await, ["a"]);
}

pub async fn a_file_that_is_not_closed_goes_away(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/f");
    let mut writer = ufs.create(&path, &ownership(0o644)).await.unwrap();
    writer.write(Bytes::from_static(b"half")).await.unwrap();
    drop(writer);
    for _ in 0..500 {
        if ufs.status(&path).await.unwrap().is_none() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{path} is still there");
}

pub async fn mkdir_makes_parents_and_may_be_repeated(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/a/b/c");
    ufs.mkdir(&path, &ownership(0o750)).await.unwrap();
    ufs.mkdir(&path, &ownership(0o700)).await.unwrap();
    let status = status(&*ufs, &path).await;
    let mode = mode_of(&*ufs, &status, 0o750);
    assert_eq!((status.name.as_str(), status.directory, status.length, status.mode), ("c", true, 0, mode));
}

pub async fn a_listing_is_ordered_and_of_one_level(ufs: Arc<dyn Ufs>, root: String) {
    for path in ["b", "a.x", "a/inner/deep", "B", "a-z"] {
        write(&*ufs, &format!("{root}/{path}"), b"x").await;
    }
    assert_eq!(names(&*ufs, &root).await, ["B", "a", "a-z", "a.x", "b"]);
    let listed = ufs.list(&format!("{root}/a")).await.unwrap();
    assert_eq!(listed, [status(&*ufs, &format!("{root}/a/inner")).await]);
    let empty = format!("{root}/empty");
    ufs.mkdir(&empty, &ownership(0o755)).await.unwrap();
    assert_eq!(names(&*ufs, &empty).await, Vec::<String>::new());
}

pub async fn odd_names_are_names(ufs: Arc<dyn Ufs>, root: String) {
    let odd = ["a b", "a%20b", "a+b", "a?b#c", "ä", "[x]{y}*", "a\\b"];
    for name in odd {
        write(&*ufs, &format!("{root}/{name}"), name.as_bytes()).await;
    }
    let mut sorted = odd.map(str::to_owned);
    sorted.sort();
    assert_eq!(names(&*ufs, &root).await, sorted);
    for name in odd {
        assert_eq!(read(&*ufs, &format!("{root}/{name}"), 0, 100).await, name.as_bytes());
    }
}

pub async fn rename_moves_a_file_and_a_tree(ufs: Arc<dyn Ufs>, root: String) {
    write(&*ufs, &format!("{root}/a/b/f"), b"x").await;
    ufs.rename(&format!("{root}/a/b/f"), &format!("{root}/g")).await.unwrap();
    assert_eq!(read(&*ufs, &format!("{root}/g"), 0, 10).await, b"x");
    write(&*ufs, &format!("{root}/a/b/h"), b"y").await;
    ufs.rename(&format!("{root}/a"), &format!("{root}/c")).await.unwrap();
    assert_eq!(read(&*ufs, &format!("{root}/c/b/h"), 0, 10).await, b"y");
    assert_eq!(names(&*ufs, &root).await, ["c", "g"]);
}

pub async fn rename_replaces_nothing(ufs: Arc<dyn Ufs>, root: String) {
    write(&*ufs, &format!("{root}/f"), b"f").await;
    write(&*ufs, &format!("{root}/g"), b"g").await;
    ufs.mkdir(&format!("{root}/d"), &ownership(0o755)).await.unwrap();
    ufs.mkdir(&format!("{root}/e"), &ownership(0o755)).await.unwrap();
    for (from, to) in [("f", "g"), ("f", "d"), ("d", "f"), ("d", "e")] {
        let refused = ufs.rename(&format!("{root}/{from}"), &format!("{root}/{to}")).await.unwrap_err();
        assert_eq!(refused.kind, UfsErrorKind::AlreadyExists, "{from} {to}: {refused}");
    }
    let missing = ufs.rename(&format!("{root}/f"), &format!("{root}/no/f")).await.unwrap_err();
    assert_eq!(missing.kind, UfsErrorKind::NotFound, "{missing}");
    ufs.rename(&format!("{root}/d"), &format!("{root}/d/e")).await.unwrap_err();
    assert_eq!(names(&*ufs, &root).await, ["d", "e", "f", "g"]);
    assert_eq!(read(&*ufs, &format!("{root}/g"), 0, 10).await, b"g");
}

pub async fn delete_takes_what_it_was_told_and_no_more(ufs: Arc<dyn Ufs>, root: String) {
    write(&*ufs, &format!("{root}/d/e/f"), b"x").await;
    let at = |name: &str| format!("{root}/{name}");
    let kind = |result: Result<(), crate::ufs::UfsError>| result.unwrap_err().kind;
    assert_eq!(kind(ufs.delete(&at("d"), UfsDeletion::EmptyDirectory).await), UfsErrorKind::NotEmpty);
    assert_eq!(kind(ufs.delete(&at("d"), UfsDeletion::File).await), UfsErrorKind::WrongType);
    assert_eq!(kind(ufs.delete(&at("d/e/f"), UfsDeletion::EmptyDirectory).await), UfsErrorKind::WrongType);
    assert_eq!(kind(ufs.delete(&at("d/e/f"), UfsDeletion::Tree).await), UfsErrorKind::WrongType);
    ufs.delete(&at("d/e/f"), UfsDeletion::File).await.unwrap();
    ufs.delete(&at("d/e"), UfsDeletion::EmptyDirectory).await.unwrap();
    write(&*ufs, &at("d/e/f"), b"x").await;
    ufs.delete(&at("d"), UfsDeletion::Tree).await.unwrap();
    assert_eq!(names(&*ufs, &root).await, Vec::<String>::new());
}

pub async fn mode_can_be_changed(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/f");
    write(&*ufs, &path, b"x").await;
    let before = status(&*ufs, &path).await;
    ufs.set_attributes(&path, &UfsAttributes { mode: Some(0o600), ..UfsAttributes::default() }).await.unwrap();
    let mode = mode_of(&*ufs, &before, 0o600);
    assert_eq!(status(&*ufs, &path).await, UfsStatus { mode, ..before });
}

pub async fn what_is_not_there_is_not_found(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/no");
    assert_eq!(ufs.status(&path).await.unwrap(), None);
    assert_eq!(ufs.status(&format!("{path}/deeper")).await.unwrap(), None);
    let failed = [
        ufs.list(&path).await.map(|_| ()),
        ufs.open(&path, 0).await.map(|_| ()),
        ufs.rename(&path, &format!("{root}/x")).await,
        ufs.delete(&path, UfsDeletion::File).await,
        ufs.delete(&path, UfsDeletion::EmptyDirectory).await,
        ufs.delete(&path, UfsDeletion::Tree).await,
    ];
    let changed = ufs.set_attributes(&path, &UfsAttributes { mode: Some(0o600), ..UfsAttributes::default() }).await;
    for result in failed.into_iter().chain((!ufs.is_object_storage()).then_some(changed)) {
        let error = result.unwrap_err();
        assert_eq!(error.kind, UfsErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("/no"), "{error}");
    }
}

pub async fn a_file_is_no_directory(ufs: Arc<dyn Ufs>, root: String) {
    let path = format!("{root}/f");
    write(&*ufs, &path, b"x").await;
    assert_eq!(ufs.status(&format!("{path}/below")).await.unwrap(), None);
    assert_eq!(ufs.list(&path).await.unwrap_err().kind, UfsErrorKind::WrongType);
    assert_eq!(ufs.mkdir(&path, &ownership(0o755)).await.unwrap_err().kind, UfsErrorKind::AlreadyExists);
    assert_eq!(ufs.mkdir(&format!("{path}/x"), &ownership(0o755)).await.unwrap_err().kind, UfsErrorKind::WrongType);
    assert_eq!(ufs.open(&root, 0).await.map(|_| ()).unwrap_err().kind, UfsErrorKind::WrongType);
}
