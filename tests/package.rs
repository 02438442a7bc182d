//! The package that `scripts/package` makes: what is in it, and a node that runs from it without the clone.
//!
//! Needs the package, so a plain `cargo test` leaves this out; `scripts/test` runs it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

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
    let plain = [
        "libexec/alluxio-config.sh",
        "conf/log4rs.yaml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "THIRD-PARTY.txt",
        "docs/properties.md",
    ];
    let files = executable.map(|name| (name, "-rwxr-xr-x")).into_iter().chain(plain.map(|name| (name, "-rw-r--r--")));
    for (name, mode) in files {
        let line = columns.iter().find(|line| line[5] == format!("{TOP}/{name}"));
        assert_eq!(line.unwrap_or_else(|| panic!("{name} in {listing}"))[0], mode, "{name}");
    }
}

#[test]
#[ignore = "needs a package: scripts/test"]
fn every_link_of_a_document_leads_to_what_is_in_the_package() {
    let node = Node::unpack();
    let home = node.home();
    let documents = fs::read_dir(home.join("docs")).unwrap().chain(fs::read_dir(&home).unwrap());
    let documents =
        documents.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "md"));
    let mut followed = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            let path = document.parent().unwrap().join(link);
            assert!(path.exists(), "{link} of {}", document.display());
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed}");
}

#[test]
#[ignore = "needs a package: scripts/test"]
fn the_licences_of_all_crates_are_in_the_package() {
    let text = fs::read_to_string(Node::unpack().home().join("THIRD-PARTY.txt")).unwrap();
    let words = ["tree", "--locked", "--edges", "normal", "--prefix", "none"];
    let tree = String::from_utf8(Command::new("cargo").args(words).output().unwrap().stdout).unwrap();
    let crates = tree.lines().skip(1).filter(|line| !line.is_empty());
    for line in crates {
        let (name, rest) = line.split_once(" v").unwrap();
        let version = rest.split(' ').next().unwrap();
        let lines = text.lines().filter(|line| line.starts_with(&format!("{name} {version}")));
        // In the list, and with a text, or the place where it is from.
        assert!(lines.count() >= 2, "{line}");
    }
    for licence in
        ["Apache License", "Permission is hereby granted, free of charge", "Redistribution and use in source"]
    {
        assert!(text.contains(licence), "{licence}");
    }
}

/// What panics name are files of crates, not where the machine that built it has them.
#[test]
#[ignore = "needs a package: scripts/test"]
fn the_program_names_no_folder_of_the_machine_that_built_it() {
    let program = fs::read(Node::unpack().home().join("libexec/alluxio")).unwrap();
    let holds = |text: &str| program.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("/src/runtime/"), "files of tokio are named");
    let home = std::env::var("HOME").unwrap();
    for folder in ["/registry/src/", &format!("{home}/"), concat!(env!("CARGO_MANIFEST_DIR"), "/")] {
        assert!(!holds(folder), "{folder}");
    }
}

/// A package unpacked under a path with blanks.
struct Node {
    folder: tempfile::TempDir,
    /// Its blocks are in memory.
    ram: tempfile::TempDir,
    /// Stands for `/etc/nsswitch.conf`.
    services: Option<PathBuf>,
}

impl Node {
    fn unpack() -> Node {
        let folder = tempfile::Builder::new().prefix("alluxio package ").tempdir().unwrap();
        let ram = tempfile::Builder::new().prefix("alluxio-package-").tempdir_in("/dev/shm").unwrap();
        tar(&["-xzf", package().to_str().unwrap(), "-C", folder.path().to_str().unwrap()]);
        let node = Node { folder, ram, services: None };
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
        let script = self.home().join("bin").join(script);
        let mut command = match &self.services {
            None => Command::new(script),
            Some(services) => {
                let mut command = Command::new("unshare");
                let line = "mount --bind \"$0\" /etc/nsswitch.conf && exec \"$@\"";
                command.args(["--mount", "sh", "-c", line]).args([services, &script]);
                command
            }
        };
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
    runs(&Node::unpack());
}

/// Master, worker and client on the oldest glibc that the program is linked for.
#[cfg(target_arch = "x86_64")]
#[test]
#[ignore = "needs a package, npm and root: scripts/test"]
fn a_node_runs_on_glibc_2_17() {
    let mut node = Node::unpack();
    let program = node.home().join("libexec/alluxio");
    let made = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/old-glibc")).arg(program).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // Other modules of this machine are for its own glibc.
    let services = node.folder.path().join("nsswitch.conf");
    fs::write(&services, "passwd: files\ngroup: files\nhosts: files dns\n").unwrap();
    node.services = Some(services);
    node.says("alluxio", &["format"]);
    node.says("alluxio-start.sh", &["master"]);
    let pid = fs::read_to_string(node.home().join("logs/master.pid")).unwrap();
    let loaded = fs::read_to_string(format!("/proc/{}/maps", pid.trim())).unwrap();
    let libc: Vec<_> = loaded.lines().filter(|line| line.contains("/libc")).collect();
    assert!(!libc.is_empty() && libc.iter().all(|line| line.ends_with("/libc-2.17.so")), "{libc:?}");
    node.says("alluxio-stop.sh", &["master"]);
    runs(&node);
}

fn runs(node: &Node) {
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
