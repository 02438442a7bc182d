//! Masters and workers on S3, by what users have: the site file, the shell, the bucket.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{COMMAND_LIMIT, Cluster, Services, Worker, free_port, wait_for};
use crate::server::Bucket;

const REMOTE: &str = "-Dalluxio.user.short.circuit.enabled=false";
const SMALL_BLOCKS: &str = "-Dalluxio.user.block.size.bytes.default=4MB";
const SECRET: &str = "hush-hush";

/// One master and one worker of ours.
struct Bed {
    worker: Worker,
    cluster: Cluster,
    folder: TempDir,
}

impl Bed {
    fn up(settings: &[(&str, &str)]) -> Bed {
        let none = Services { zookeeper: String::new(), hdfs: String::new(), folder: PathBuf::new() };
        let cluster = Cluster::alone_beside(none, settings);
        cluster.up();
        let worker = Worker::new(&cluster, "worker", "256MB");
        worker.start().expect_success();
        let bed = Bed { worker, cluster, folder: tempfile::tempdir().unwrap() };
        let content: Vec<u8> = (0..9_500_000_u32).flat_map(|number| (number as u8).to_le_bytes()).collect();
        fs::write(bed.at("source"), content).unwrap();
        bed
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn source(&self) -> Vec<u8> {
        fs::read(self.at("source")).unwrap()
    }

    fn write(&self, kind: &str, path: &str) {
        let kind = format!("-Dalluxio.user.file.writetype.default={kind}");
        self.cluster.fs(&[REMOTE, SMALL_BLOCKS, &kind, "copyFromLocal", &self.at("source"), path]).expect_success();
    }

    /// What a file holds, of which no worker has anything.
    fn read_cold(&self, path: &str) -> Vec<u8> {
        self.cluster.fs(&["free", "/"]).expect_success();
        wait_for("blocks to go", COMMAND_LIMIT, || self.worker.blocks().is_empty().then_some(()));
        self.read(path)
    }

    fn read(&self, path: &str) -> Vec<u8> {
        let got = self.at("got");
        let _ = fs::remove_file(&got); // there may be one from before
        self.cluster.fs(&[REMOTE, "copyToLocal", path, &got]).expect_success();
        fs::read(&got).unwrap()
    }

    /// Writes, reads, renames and deletes below `/` or a mount point, which is `top/` of the bucket.
    fn works_on(&self, bucket: &Bucket, at: &str) {
        let path = |name: &str| format!("{at}/{name}");
        let source = self.source();
        self.write("CACHE_THROUGH", &path("a/written"));
        assert!(bucket.get("top/a/written") == source);
        assert!(self.read_cold(&path("a/written")) == source);
        self.write("THROUGH", &path("a/through"));
        assert!(self.read(&path("a/through")) == source);
        self.write("ASYNC_THROUGH", &path("a/later"));
        wait_for("a file that is persisted", COMMAND_LIMIT, || {
            let info = self.cluster.fs(&["fileInfo", &path("a/later")]).stdout;
            info.contains("persistenceState=PERSISTED").then_some(())
        });
        assert!(bucket.get("top/a/later") == source);
        bucket.put("top/by/others/file", b"from elsewhere");
        let listed = self.cluster.fs(&["ls", &path("by/others")]);
        assert!(listed.expect_success().stdout.contains("/by/others/file"), "{}", listed.stdout);
        assert_eq!(self.read(&path("by/others/file")), b"from elsewhere");
        self.cluster.fs(&["mv", &path("a"), &path("b")]).expect_success();
        self.cluster.fs(&["mv", &path("by/others/file"), &path("b/file")]).expect_success();
        assert_eq!(bucket.get("top/b/file"), b"from elsewhere");
        assert!(self.read_cold(&path("b/written")) == source);
        assert!(!bucket.keys().iter().any(|key| key.starts_with("top/a")), "{:?}", bucket.keys());
        self.cluster.fs(&["rm", &path("b/through")]).expect_success();
        assert!(!bucket.keys().contains(&"top/b/through".to_owned()));
        self.cluster.fs(&["chmod", "600", &path("b/written")]).expect_success();
        let through = "-Dalluxio.user.file.writetype.default=CACHE_THROUGH";
        self.cluster.fs(&[through, "mkdir", &path("empty")]).expect_success();
        assert!(bucket.keys().contains(&"top/empty/".to_owned()));
    }

    fn restart_master(&self) {
        self.cluster.masters[0].stop().expect_success();
        self.cluster.masters[0].start().expect_success();
        self.cluster.leader();
    }

    /// The secret stands in no log.
    fn kept_the_secret(&self) {
        let homes = [self.cluster.masters[0].home.clone(), self.worker.home.clone()];
        for file in homes.iter().flat_map(|home| files_of(&home.join("logs"))) {
            let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
            assert!(!text.contains(SECRET) && !text.contains("X-Amz-Signature"), "{}", file.display());
        }
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

#[test]
#[ignore = "needs moto: scripts/test"]
fn the_root_may_lie_in_s3() {
    let bucket = Bucket::new();
    let root = format!("s3a://{}/top", bucket.name);
    let bed = Bed::up(&[
        ("alluxio.master.mount.table.root.ufs", root.as_str()),
        ("alluxio.master.mount.table.root.option.s3a.accessKeyId", "key"),
        ("alluxio.master.mount.table.root.option.s3a.secretKey", SECRET),
        ("alluxio.master.mount.table.root.option.alluxio.underfs.s3.endpoint", &bucket.endpoint()),
    ]);
    bed.works_on(&bucket, "");
    bed.restart_master();
    assert!(bed.read_cold("/b/later") == bed.source());
    bed.cluster.fs(&["rm", "-R", "/b"]).expect_success();
    assert!(!bucket.keys().iter().any(|key| key.starts_with("top/b/")), "{:?}", bucket.keys());
    bed.kept_the_secret();
}

#[test]
#[ignore = "needs moto: scripts/test"]
fn a_mount_has_its_own_keys_and_place() {
    let bucket = Bucket::new();
    // What the site says is wrong for it.
    let nowhere = format!("http://127.0.0.1:{}", free_port("127.0.0.1"));
    let bed = Bed::up(&[("alluxio.underfs.s3.endpoint", &nowhere)]);
    let (secret, endpoint) =
        (format!("s3a.secretKey={SECRET}"), format!("alluxio.underfs.s3.endpoint={}", bucket.endpoint()));
    // The shell of 1.2.0 takes them from a file.
    let options = [
        "-Dalluxio.compatibility=2.9",
        "mount",
        "--option",
        "s3a.accessKeyId=key",
        "--option",
        &secret,
        "--option",
        &endpoint,
    ];
    let mount = |uri: &str| bed.cluster.fs(&[&options, ["/mnt", uri].as_slice()].concat());
    let absent = mount("s3://no-such-bucket/top");
    absent.expect_refusal(&["bucket no-such-bucket at", "NoSuchBucket", "create the bucket"]);
    bed.cluster.fs(&["mount", "/mnt", &format!("s3://{}/top", bucket.name)]).expect_refusal(&[&nowhere, "refused"]);
    bucket.put("top/", b"");
    mount(&format!("s3://{}/top", bucket.name)).expect_success();
    bed.works_on(&bucket, "/mnt");
    let shown = bed.cluster.fs(&["-Dalluxio.compatibility=2.9", "mount"]);
    assert!(shown.expect_success().stdout.contains("/mnt") && !shown.stdout.contains(SECRET), "{}", shown.stdout);
    bed.restart_master();
    assert!(bed.read_cold("/mnt/b/later") == bed.source());
    bed.cluster.fs(&["rm", "-R", "/mnt/b"]).expect_success();
    assert!(!bucket.keys().iter().any(|key| key.starts_with("top/b/")), "{:?}", bucket.keys());
    bed.cluster.fs(&["unmount", "/mnt"]).expect_success();
    assert!(bucket.keys().contains(&"top/empty/".to_owned()));
    bed.kept_the_secret();
}
