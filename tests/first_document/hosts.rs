//! Hosts of a small network on this machine: namespaces with a bridge between them.
//!
//! They have no names on this machine and hang on the pipe of their first process (`host.sh`), so they end with the
//! test, however it ends. What a killed test leaves is its folder, which the next one removes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::process::{Outcome, run, wait_for};

/// How long a host may take to come up.
const UP_LIMIT: Duration = Duration::from_secs(20);
/// What the folders of all runs begin with.
const FOLDER: &str = "alluxio-first-document-";
/// The network of the hosts; the number of a host is that in its name.
const NETWORK: &str = "10.86.0";
/// Number of this machine in that network.
const SELF: &str = "1";

/// Programs that the hosts are made with, and where they come from.
const NEEDED: [(&str, &str); 5] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
    ("ssh", "openssh-client"),
    ("hostname", "hostname"),
];

/// The hosts and the bridge between them.
pub struct Network {
    /// Folder of this run. Below it lies a folder for each host, by its name; `opt` is, on each host, the host's own.
    pub folder: PathBuf,
    /// Locked as long as the run lives.
    _owner: File,
    bridge: Namespace,
    hosts: BTreeMap<String, Namespace>,
}

/// The namespaces of one host, as long as this lives.
struct Namespace {
    child: Child,
    /// The first process within, as this machine counts.
    pid: u32,
}

impl Network {
    /// Brings up hosts with these names, which end with a number of their own.
    pub fn up(names: &[&str], project: &Path) -> Network {
        let root = rustix::process::geteuid().is_root();
        assert!(root, "the walkthrough makes namespaces, mounts and a network: run it as root, e.g. with sudo -E");
        for (program, package) in NEEDED {
            let found = run(Path::new("bash"), &["-c", &format!("command -v {program}")], &[], UP_LIMIT);
            assert!(
                found.success(),
                "no {program}: the walkthrough needs it (Debian, Ubuntu: apt-get install {package})"
            );
        }
        remove_leftovers();
        let folder = tempfile::Builder::new().prefix(FOLDER).tempdir().unwrap().keep();
        let owner = File::create(folder.join("owner")).unwrap();
        flock(&owner, FlockOperation::NonBlockingLockExclusive).unwrap();
        fs::create_dir(folder.join("opt")).unwrap();
        write_etc(&folder.join("etc"), names);
        let sshd = prepare_ssh(&folder.join("ssh"), project);

        let bridge = Namespace::start(&folder.join("bridge.log"), &["--net"], &["cat"]);
        bridge.ip("link add bridge type bridge");
        bridge.ip(&format!("address add {NETWORK}.{SELF}/24 dev bridge"));
        bridge.ip("link set bridge up");
        let hosts = names.iter().map(|name| {
            fs::create_dir_all(folder.join(name)).unwrap();
            let script = project.join("tests/first_document/host.sh");
            let words = [Path::new("bash"), &script, Path::new(name), &folder, project, &sshd];
            let words = words.map(|word| word.to_str().unwrap());
            let spaces = ["--net", "--mount", "--uts", "--ipc", "--pid", "--mount-proc"];
            ((*name).to_owned(), Namespace::start(&folder.join(name).join("host.log"), &spaces, &words))
        });
        let hosts = hosts.collect();
        let network = Network { folder, _owner: owner, bridge, hosts };
        for (name, host) in &network.hosts {
            network.connect(name, host);
        }
        network
    }

    /// A cable from the bridge to the host; waits until the host is ready.
    fn connect(&self, name: &str, host: &Namespace) {
        self.bridge.ip(&format!("link add {name} type veth peer name eth0 netns {}", host.pid));
        self.bridge.ip(&format!("link set {name} master bridge up"));
        host.ip(&format!("address add {}/24 dev eth0", address(name)));
        host.ip("link set eth0 up");
        let log = self.folder.join(name).join("host.log");
        let what = format!("{name} to come up; {}", log.display());
        wait_for(&what, UP_LIMIT, || fs::read_to_string(&log).unwrap().ends_with("ready\n").then_some(()));
    }

    /// Moves the calling thread, and what it starts from now on, to the network of the hosts.
    pub fn enter(&self) {
        let network = File::open(format!("/proc/{}/ns/net", self.bridge.pid)).unwrap();
        let kind = Some(rustix::thread::LinkNameSpaceType::Network);
        rustix::thread::move_into_link_name_space(network.as_fd(), kind).unwrap();
    }

    /// What one host sends does not arrive at another any more. Without a host, what the clients on this machine send.
    pub fn cut(&self, from: Option<&str>, to: &str) {
        self.drop_at(to, "input", &format!("ip saddr {}", from.map_or_else(clients, address)));
    }

    /// What is sent to a port of a host does not arrive any more.
    pub fn close_port(&self, host: &str, port: u16) {
        self.drop_at(host, "input", &format!("tcp dport {port}"));
    }

    /// What a host sends to the clients on this machine does not arrive any more.
    pub fn mute_to_clients(&self, from: &str) {
        self.drop_at(from, "output", &format!("ip daddr {}", clients()));
    }

    fn drop_at(&self, host: &str, hook: &str, what: &str) {
        let line = format!(
            "nft 'add table inet cut; add chain inet cut {hook} {{ type filter hook {hook} priority 0; }}; \
             add rule inet cut {hook} {what} drop'"
        );
        self.type_on(host, &line, UP_LIMIT).expect_success();
    }

    /// Everything arrives again at a host that was cut off from another.
    pub fn mend(&self, to: &str) {
        self.type_on(to, "! nft list table inet cut >/dev/null 2>&1 || nft delete table inet cut", UP_LIMIT)
            .expect_success();
    }

    /// Pulls the cable of a host, or puts it back.
    pub fn link(&self, name: &str, state: Link) {
        let state = match state {
            Link::Up => "up",
            Link::Down => "down",
        };
        self.bridge.ip(&format!("link set {name} {state}"));
    }

    /// Types a line into a shell of root on a host, which has nothing in its environment but what a login gives.
    pub fn type_on(&self, name: &str, line: &str, limit: Duration) -> Outcome {
        let pid = self.hosts[name].pid.to_string();
        let home = std::env::var("HOME").unwrap();
        let home = format!("HOME={home}");
        let login =
            ["env", "-i", "USER=root", &home, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
        let enter = ["--target", &pid, "--net", "--mount", "--uts", "--ipc", "--pid"];
        let mut outcome =
            run(Path::new("nsenter"), &[&enter, login.as_slice(), &["bash", "-c", line]].concat(), &[], limit);
        outcome.command = format!("{name}: {line}");
        outcome
    }

    /// Command lines of all processes of a host, words apart by blanks.
    pub fn processes(&self, name: &str) -> Vec<String> {
        let network = fs::read_link(format!("/proc/{}/ns/net", self.hosts[name].pid)).unwrap();
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        let ours = processes.filter(|process| fs::read_link(process.join("ns/net")).is_ok_and(|of| of == network));
        let lines = ours.filter_map(|process| fs::read_to_string(process.join("cmdline")).ok());
        lines.map(|line| line.replace('\0', " ").trim().to_owned()).collect()
    }
}

/// State of a cable.
#[derive(Clone, Copy)]
pub enum Link {
    Up,
    Down,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.hosts.clear();
        if std::thread::panicking() {
            eprintln!("the folder is kept until the next run: {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Namespace {
    /// Runs a command as the first process of new namespaces.
    fn start(log: &Path, spaces: &[&str], words: &[&str]) -> Namespace {
        let output = File::create(log).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--fork", "--kill-child"]).args(spaces).arg("--").args(words);
        command.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let pid = wait_for("the first process of a namespace", UP_LIMIT, || {
            fs::read_to_string(&children).ok()?.trim().parse().ok()
        });
        Namespace { child, pid }
    }

    /// `ip` within its network.
    fn ip(&self, words: &str) {
        let pid = self.pid.to_string();
        let words: Vec<_> = ["--target", &pid, "--net", "ip"].into_iter().chain(words.split(' ')).collect();
        run(Path::new("nsenter"), &words, &[], UP_LIMIT).expect_success();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The address of a host.
pub fn address(name: &str) -> String {
    format!("{NETWORK}.{}", name.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0'))
}

/// The address of this machine in the network of the hosts.
fn clients() -> String {
    format!("{NETWORK}.{SELF}")
}

/// Folders of runs that were killed: nobody holds their lock.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap() {
        let folder = entry.unwrap().path();
        let ours = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FOLDER));
        let Some(owner) = ours.then(|| File::open(folder.join("owner")).ok()).flatten() else { continue };
        if flock(&owner, FlockOperation::NonBlockingLockExclusive).is_ok() {
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}

/// Who is who on these hosts. The user that sshd needs is not on every machine; a locked root may not log in.
fn write_etc(folder: &Path, names: &[&str]) {
    fs::create_dir(folder).unwrap();
    let hosts: String = names.iter().map(|name| format!("{} {name}\n", address(name))).collect();
    fs::write(folder.join("hosts"), format!("127.0.0.1 localhost\n{hosts}")).unwrap();
    fs::write(folder.join("resolv.conf"), "").unwrap();
    let mut users = fs::read_to_string("/etc/passwd").unwrap();
    if !users.contains("\nsshd:") {
        users += "sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n";
    }
    fs::write(folder.join("passwd"), users).unwrap();
    fs::write(folder.join("shadow"), "root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n").unwrap();
}

/// Keys and configuration of all hosts; the path of sshd.
fn prepare_ssh(folder: &Path, project: &Path) -> PathBuf {
    fs::create_dir(folder).unwrap();
    for name in ["key", "host_key"] {
        let path = folder.join(name);
        let words = ["-q", "-t", "ed25519", "-N", "", "-f", path.to_str().unwrap()];
        run(Path::new("ssh-keygen"), &words, &[], UP_LIMIT).expect_success();
    }
    let config = format!(
        "HostKey {}\nPidFile none\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\nUseDNS no\n",
        folder.join("host_key").display()
    );
    fs::write(folder.join("sshd_config"), config).unwrap();
    from_debian("sshd_command", project)
}

/// The path of what a host needs; fetched if the machine does not have it.
pub fn from_debian(function: &str, project: &Path) -> PathBuf {
    let find = format!("cd '{}' && . scripts/testbed.d/debian.sh && {function}", project.display());
    let found = run(Path::new("bash"), &["-c", &find], &[], 6 * UP_LIMIT);
    found.expect_success().stdout.trim().into()
}
