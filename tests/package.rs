//! The package that `scripts/package` makes: what is in it, and a node that runs from it without the clone.
//!
//! Needs the package, so a plain `cargo test` leaves this out; `scripts/test` runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The oldest glibc that Rust's own library runs on, and that the program is linked for.
const GLIBC: (u32, u32) = (2, 17);
const TOP: &str = concat!("alluxio-", env!("CARGO_PKG_VERSION"));

fn package() -> PathBuf {
    let package = std::env::var("ALLUXIO_TEST_PACKAGE").unwrap_or_default();
    assert!(
        !package.is_empty(),
        "ALLUXIO_TEST_PACKAGE is not set: run scripts/test, or name what scripts/package has made"
    );
    package.into()
}

fn tar(words: &[&str]) -> String {
    let output = Command::new("tar").args(words).env("TZ", "UTC").output().unwrap();
    assert!(output.status.success(), "tar {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs a package: scripts/test"]
fn the_package_holds_what_a_node_needs_with_owners_and_times_of_no_machine() {
    let package = package();
    assert_eq!(package.file_name().unwrap().to_str().unwrap(), format!("{TOP}-bin.tar.gz"));
    let listing = tar(&["-tvzf", package.to_str().unwrap(), "--numeric-owner", "--full-time"]);
    let columns: Vec<Vec<&str>> = listing.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(columns.len() > 10, "{listing}");
    for line in &columns {
        assert_eq!(line[1], "0/0", "{line:?}");
        assert_eq!(line[3..5], columns[0][3..5], "one time for all: {line:?}");
    }
    let names: Vec<&str> = columns.iter().map(|line| line[5].trim_end_matches('/')).collect();
    assert!(names.is_sorted(), "{names:?}");
    let executable = ["bin/alluxio", "bin/alluxio-start.sh", "bin/alluxio-stop.sh", "libexec/alluxio"];
    let plain =
        ["libexec/alluxio-config.sh", "conf/log4rs.yaml", "README.md", "CHANGELOG.md", "LICENSE", "docs/properties.md"];
    let files = executable.map(|name| (name, "-rwxr-xr-x")).into_iter().chain(plain.map(|name| (name, "-rw-r--r--")));
    for (name, mode) in files {
        let line = columns.iter().find(|line| line[5] == format!("{TOP}/{name}"));
        assert_eq!(line.unwrap_or_else(|| panic!("{name} in {listing}"))[0], mode, "{name}");
    }
}

#[test]
#[ignore = "needs a package: scripts/test"]
fn the_program_asks_for_no_newer_glibc_than_it_says() {
    let folder = tempfile::tempdir().unwrap();
    tar(&["-xzf", package().to_str().unwrap(), "-C", folder.path().to_str().unwrap()]);
    let program = folder.path().join(TOP).join("libexec/alluxio");
    let output = Command::new("objdump").arg("-T").arg(&program).output().expect("objdump (binutils)");
    let symbols = String::from_utf8(output.stdout).unwrap();
    let versions = symbols.split("GLIBC_").skip(1).map(|rest| {
        let version = rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap();
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap_or(0))
    });
    let newest = versions.max().expect("it uses glibc");
    assert!(newest <= GLIBC, "{newest:?}");
}

/// A package unpacked under a path with blanks.
struct Node {
    folder: tempfile::TempDir,
    /// Its blocks are in memory.
    ram: tempfile::TempDir,
}

impl Node {
    fn unpack() -> Node {
        let folder = tempfile::Builder::new().prefix("alluxio package ").tempdir().unwrap();
        let ram = tempfile::Builder::new().prefix("alluxio-package-").tempdir_in("/dev/shm").unwrap();
        tar(&["-xzf", package().to_str().unwrap(), "-C", folder.path().to_str().unwrap()]);
        let node = Node { folder, ram };
        let ports: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let keys = ["master.rpc", "master.web", "worker.rpc", "worker.web"];
        let site = keys.iter().zip(&ports);
        let site = site.map(|(key, port)| format!("alluxio.{key}.port={}\n", port.local_addr().unwrap().port()));
        fs::write(node.home().join("conf/alluxio-site.properties"), site.collect::<String>()).unwrap();
        let environment =
            format!("ALLUXIO_MASTER_HOSTNAME=localhost\nALLUXIO_RAM_FOLDER='{}'\n", node.ram.path().display());
        fs::write(node.home().join("conf/alluxio-env.sh"), environment).unwrap();
        node
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join(TOP)
    }

    /// Runs a script of `bin` with nothing in the environment but what a login gives, in another folder.
    fn run(&self, script: &str, words: &[&str]) -> Output {
        let mut command = Command::new(self.home().join("bin").join(script));
        command.args(words).current_dir("/").env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.folder.path());
        command.output().unwrap()
    }

    /// The same, which must succeed; what it says.
    fn says(&self, script: &str, words: &[&str]) -> String {
        let output = self.run(script, words);
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(output.status.success(), "{script} {words:?}: {text}{}", self.logs());
        text
    }

    fn logs(&self) -> String {
        let log = |name| fs::read_to_string(self.home().join("logs").join(name)).unwrap_or_default();
        ["master.log", "worker.log"].map(log).concat()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for server in ["worker", "master"] {
            self.run("alluxio-stop.sh", &[server]);
        }
    }
}

#[test]
#[ignore = "needs a package: scripts/test"]
fn a_node_runs_from_the_package_under_a_path_with_blanks_without_the_clone() {
    let node = Node::unpack();
    assert!(node.says("alluxio", &["version"]).starts_with("Alluxio version: "));
    node.says("alluxio", &["format"]);
    node.says("alluxio-start.sh", &["master"]);
    node.says("alluxio-start.sh", &["worker", "NoMount"]);
    assert_eq!(node.says("alluxio", &["fs", "mkdir", "/test"]), "Successfully created directory /test\n");
    let readme = node.home().join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let copied = node.says("alluxio", &["fs", "copyFromLocal", readme.to_str().unwrap(), "/test/README.md"]);
    assert_eq!(copied, format!("Copied {} to /test/README.md\n", readme.display()));
    assert!(node.says("alluxio", &["fs", "ls", "/test"]).trim_end().ends_with("/test/README.md"));
    assert_eq!(node.says("alluxio", &["fs", "cat", "/test/README.md"]), text);
    node.says("alluxio-stop.sh", &["worker"]);
    node.says("alluxio-stop.sh", &["master"]);
    assert!(!node.run("alluxio", &["fs", "-Dalluxio.user.rpc.retry.max.duration=1s", "ls", "/"]).status.success());
}
