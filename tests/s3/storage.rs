//! What only S3 has, beside the suite.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use crate::harness::free_port;
use crate::server::Bucket;
use crate::types::Properties;
use crate::ufs::{Ufs, UfsClients, UfsDeletion, UfsErrorKind, UfsSettings};
use crate::ufs_suite::{Place, ownership};

/// A directory in a bucket of its own.
pub struct Folder {
    pub bucket: Bucket,
    ufs: Arc<dyn Ufs>,
}

impl Place for Folder {
    fn client(&self) -> Arc<dyn Ufs> {
        self.ufs.clone()
    }

    fn root(&self) -> String {
        format!("s3://{}/top", self.bucket.name)
    }
}

pub async fn place() -> Folder {
    let bucket = tokio::task::spawn_blocking(Bucket::new).await.unwrap();
    let ufs = client(&bucket.endpoint(), &bucket.name, &[]);
    let folder = Folder { bucket, ufs };
    folder.ufs.mkdir(&folder.root(), &ownership(0o755)).await.unwrap();
    folder
}

fn client(endpoint: &str, bucket: &str, more: &[(&str, &str)]) -> Arc<dyn Ufs> {
    let preset = [("s3a.accessKeyId", "key"), ("s3a.secretKey", "hush"), ("alluxio.underfs.s3.endpoint", endpoint)];
    let all = preset.iter().chain(more);
    let properties: Properties = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = UfsSettings { deadline: Duration::from_secs(60), ..UfsSettings::usual() };
    UfsClients::new(settings).of_mount(&format!("s3://{bucket}/"), &properties).unwrap()
}

async fn read(ufs: &dyn Ufs, path: &str, offset: u64) -> Vec<u8> {
    let mut reader = ufs.open(path, offset).await.unwrap();
    let mut content = Vec::new();
    loop {
        let bytes = reader.read(1 << 20).await.unwrap();
        if bytes.is_empty() {
            return content;
        }
        content.extend_from_slice(&bytes);
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 7 + at / 65_537) as u8).collect()
}

async fn write(ufs: &dyn Ufs, path: &str, content: &[u8]) {
    let mut writer = ufs.create(path, &ownership(0o644)).await.unwrap();
    for piece in content.chunks(1 << 20) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    writer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn a_long_file_goes_in_parts_and_keeps_its_etag_when_it_is_moved() {
    let Folder { bucket, ufs } = place().await;
    let path = |name: &str| format!("s3://{}/top/{name}", bucket.name);
    let written = content(19 << 20);
    write(&*ufs, &path("long"), &written).await;
    let before = ufs.status(&path("long")).await.unwrap().unwrap();
    let hash = before.content_hash();
    assert!(hash.ends_with("-3"), "three parts: {hash}");
    assert!(read(&*ufs, &path("long"), 0).await == written);
    assert!(read(&*ufs, &path("long"), 9_000_001).await == written[9_000_001..]);
    ufs.rename(&path("long"), &path("moved")).await.unwrap();
    assert_eq!(ufs.status(&path("moved")).await.unwrap().unwrap().content_hash(), hash);
    assert!(bucket.get("top/moved") == written);
    assert_eq!((bucket.keys(), bucket.uploads()), (vec!["top/".to_owned(), "top/moved".into()], 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn a_long_file_is_not_there_before_it_is_closed_and_leaves_no_parts_when_it_is_dropped() {
    let Folder { bucket, ufs } = place().await;
    let path = format!("s3://{}/top/long", bucket.name);
    let mut writer = ufs.create(&path, &ownership(0o644)).await.unwrap();
    writer.write(content(10 << 20).into()).await.unwrap();
    assert_eq!((ufs.status(&path).await.unwrap(), bucket.uploads()), (None, 1));
    drop(writer);
    let gone = async {
        while bucket.uploads() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(60), gone).await.expect("the parts are dropped");
    assert_eq!(bucket.keys(), ["top/"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn what_others_put_there_has_directories_without_objects() {
    let Folder { bucket, ufs } = place().await;
    for key in ["top/a/b/f", "top/a//odd", "top/a/./dot", "top/x", "top/x/below"] {
        bucket.put(key, b"content");
    }
    let path = |name: &str| format!("s3://{}/top/{name}", bucket.name);
    let listed = |name: &str| {
        let (ufs, path) = (ufs.clone(), path(name));
        async move { Vec::from_iter(ufs.list(&path).await.unwrap().into_iter().map(|s| (s.name, s.directory))) }
    };
    assert_eq!(listed("a").await, [("b".to_owned(), true)]);
    // A file and a directory: a path is one of them.
    assert_eq!(listed("").await, [("a".to_owned(), true), ("x".into(), false)]);
    assert!(!ufs.status(&path("x")).await.unwrap().unwrap().directory);
    let directory = ufs.status(&path("a")).await.unwrap().unwrap();
    assert_eq!((directory.directory, directory.modification_time_ms, directory.mode), (true, 0, 0o700));
    // What was a directory is one still when the last thing in it is gone.
    ufs.delete(&path("a/b/f"), UfsDeletion::File).await.unwrap();
    assert!(bucket.keys().contains(&"top/a/b/".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn a_tree_of_more_keys_than_an_answer_has_is_listed_moved_and_deleted() {
    let Folder { bucket, ufs } = place().await;
    let names: Vec<String> = (0..1_203).map(|number| format!("top/d/{number:04}")).collect();
    for name in &names {
        bucket.put(name, b"");
    }
    let path = |name: &str| format!("s3://{}/top/{name}", bucket.name);
    assert_eq!(ufs.list(&path("d")).await.unwrap().len(), names.len());
    ufs.rename(&path("d"), &path("e")).await.unwrap();
    assert_eq!(ufs.status(&path("d")).await.unwrap(), None);
    let moved: Vec<String> = ufs.list(&path("e")).await.unwrap().into_iter().map(|status| status.name).collect();
    assert_eq!(moved, Vec::from_iter(names.iter().map(|name| name["top/d/".len()..].to_owned())));
    ufs.delete(&path("e"), UfsDeletion::Tree).await.unwrap();
    assert_eq!(bucket.keys(), ["top/"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn a_rename_and_a_deletion_that_were_cut_short_go_on() {
    let Folder { bucket, ufs } = place().await;
    let path = |name: &str| format!("s3://{}/top/{name}", bucket.name);
    let names: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
    for name in &names {
        bucket.put(&format!("top/d/{name}"), name.as_bytes());
    }
    // Given up after more and more time, until it is done.
    let mut patience = Duration::from_millis(5);
    let mut cut = 0;
    while ufs.status(&path("d")).await.unwrap().is_some() {
        let half_done = ufs.status(&path("e")).await.unwrap().is_some();
        let (from, to) = (path("d"), path("e"));
        let renaming = if half_done { ufs.resume_rename(&from, &to) } else { ufs.rename(&from, &to) };
        match timeout(patience, renaming).await {
            Ok(renamed) => renamed.unwrap(),
            Err(_) => cut += 1,
        }
        patience *= 2;
    }
    assert!(cut > 0);
    for name in &names {
        assert_eq!(bucket.get(&format!("top/e/{name}")), name.as_bytes());
    }
    assert!(!bucket.keys().iter().any(|key| key.starts_with("top/d/")), "{:?}", bucket.keys());
    let taken = ufs.rename(&path("e"), &path("")).await.unwrap_err();
    assert_eq!(taken.kind, UfsErrorKind::AlreadyExists, "{taken}");
    let mut patience = Duration::from_millis(5);
    while ufs.status(&path("e")).await.unwrap().is_some() {
        if let Ok(deleted) = timeout(patience, ufs.delete(&path("e"), UfsDeletion::Tree)).await {
            deleted.unwrap();
        }
        patience *= 2;
    }
    assert_eq!(bucket.keys(), ["top/"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn a_reader_notices_that_the_file_is_another_one() {
    let Folder { bucket, ufs } = place().await;
    let path = format!("s3://{}/top/f", bucket.name);
    bucket.put("top/f", b"the first content");
    let mut reader = ufs.open(&path, 4).await.unwrap();
    bucket.put("top/f", b"another");
    let error = reader.read(100).await.unwrap_err();
    assert!(error.to_string().contains("it was replaced meanwhile"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn what_cannot_be_reached_is_told_with_the_bucket_the_reason_and_what_to_do() {
    let Folder { bucket, .. } = place().await;
    let endpoint = bucket.endpoint();
    let ufs = client(&endpoint, "no-such-bucket", &[]);
    for path in ["s3://no-such-bucket/a", "s3://no-such-bucket/"] {
        let error = ufs.status(path).await.unwrap_err();
        // Not as absent: else all that was loaded from it would be gone.
        assert_eq!(error.kind, UfsErrorKind::Refused, "{error}");
        let start = format!("cannot look at {path}: bucket no-such-bucket at {endpoint}: NoSuchBucket: ");
        let end = "create the bucket, or check its name and alluxio.underfs.s3.endpoint";
        assert!(error.to_string().starts_with(&start) && error.to_string().ends_with(end), "{error}");
    }
    let nowhere = format!("http://127.0.0.1:{}", free_port("127.0.0.1"));
    let error = client(&nowhere, "b", &[]).list("s3://b/a").await.unwrap_err();
    assert_eq!(error.kind, UfsErrorKind::Unavailable, "{error}");
    for part in [&*nowhere, "bucket b", "refused", "check alluxio.underfs.s3.endpoint"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(!error.to_string().contains("X-Amz"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn what_others_put_where_something_is_moved_to_is_not_overwritten() {
    let Folder { bucket, ufs } = place().await;
    let path = |name: &str| format!("s3://{}/top/{name}", bucket.name);
    for (key, content) in [("d/a", "1"), ("d/b", "2"), ("e/b", "3"), ("f", "4"), ("g", "5")] {
        bucket.put(&format!("top/{key}"), content.as_bytes());
    }
    for (from, to, taken) in [("d", "e", "top/e/b"), ("f", "g", "top/g")] {
        let refused = ufs.resume_rename(&path(from), &path(to)).await.unwrap_err();
        assert_eq!(refused.kind, UfsErrorKind::AlreadyExists, "{refused}");
        assert!(refused.to_string().contains(&format!("another object has come to {taken} meanwhile")), "{refused}");
    }
    let content = |key: &str| bucket.get(&format!("top/{key}"));
    assert_eq!(["d/a", "d/b", "e/b", "f", "g"].map(content), [b"1", b"2", b"3", b"4", b"5"].map(|text| text.to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: scripts/test"]
async fn a_directory_is_not_moved_when_an_object_in_it_cannot_be() {
    let Folder { bucket, ufs } = place().await;
    let path = |name: &str| format!("s3://{}/top/{name}", bucket.name);
    bucket.put("top/d/a", b"1");
    let long = "l".repeat(1_000);
    bucket.put(&format!("top/d/{long}"), b"2");
    let refused = ufs.rename(&path("d"), &path(&"m".repeat(100))).await.unwrap_err();
    assert_eq!(refused.kind, UfsErrorKind::Invalid, "{refused}");
    assert!(refused.to_string().contains("its new key would have more than 1,024 bytes"), "{refused}");
    assert_eq!(bucket.keys(), ["top/".to_owned(), "top/d/a".to_owned(), format!("top/d/{long}")]);
}
