//! A master of 2.9.6 and one of ours, each alone with a local journal, in folders of their own.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::free_port::free_port;
use tempfile::TempDir;

/// Files of the UFS of the root have blocks of this size.
const BLOCK: &str = "-Dalluxio.user.block.size.bytes.default=1KB";
const LIMIT: Duration = Duration::from_secs(90);

/// A folder with `ufs`, for the root, and `other`, to be mounted.
pub fn folder_with_ufs() -> TempDir {
    let folder = TempDir::new().unwrap();
    let files = [("ufs/f1", 1000), ("ufs/f2", 3000), ("ufs/d/e/g", 2500), ("other/main/x/f", 1024), ("other/sub/h", 1)];
    for (file, length) in files {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, vec![b'x'; length]).unwrap();
    }
    fs::create_dir_all(folder.path().join("other/other-sub")).unwrap();
    fs::write(folder.path().join("other/other-sub/gone"), b"y").unwrap();
    folder
}

/// Copies a folder with all below it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The only backup in a folder. 2.9 has another file beside it, which says that it is whole.
pub fn only_file_in(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "gz"));
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name))
}

/// What a command wrote to its output; what it complained about, if it failed.
fn outcome(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stdout) + &text(output.stderr)) }
}

/// A master of 2.9.6 that does not run.
pub struct Java {
    folder: PathBuf,
    port: u16,
    other: PathBuf,
}

impl Java {
    pub fn new(at: &Path, name: &str, metastore: &str, journal: &Path) -> Java {
        let [port, web] = [(); 2].map(|()| free_port("127.0.0.1"));
        let folder = at.join(name);
        fs::create_dir_all(folder.join("conf")).unwrap();
        let here = folder.display();
        let properties = format!(
            "alluxio.home={here}\nalluxio.work.dir={here}/data\nalluxio.master.hostname=127.0.0.1\n\
             alluxio.master.rpc.port={port}\nalluxio.master.web.port={web}\nalluxio.master.journal.type=UFS\n\
             alluxio.master.journal.folder={}\nalluxio.master.mount.table.root.ufs={}\n\
             alluxio.master.metastore={metastore}\n\
             alluxio.master.worker.connect.wait.time=1ms\nalluxio.master.update.check.enabled=false\n\
             alluxio.user.block.size.bytes.default=1KB\n",
            journal.display(),
            at.join("ufs").display(),
        );
        fs::write(folder.join("conf/alluxio-site.properties"), properties).unwrap();
        let log4j = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/log4j.properties");
        fs::copy(log4j, folder.join("conf/log4j.properties")).unwrap();
        Java { folder, port, other: at.join("other") }
    }

    fn does(&self, action: &str) {
        outcome(script("java-master").arg(action).arg(&self.folder)).unwrap();
    }

    pub fn format(&self) {
        self.does("format");
    }

    pub fn start(&self) -> Running<'_> {
        self.start_with(&[])
    }

    /// Starts it on an empty journal with that backup.
    pub fn start_from(&self, backup: &Path) -> Running<'_> {
        self.start_with(&[
            &format!("-Dalluxio.master.journal.init.from.backup=file://{}", backup.display()),
            // It would load anew what has no fingerprint, under new ids.
            "-Dalluxio.master.journal.sync.root.after.init.from.backup=false",
        ])
    }

    fn start_with(&self, properties: &[&str]) -> Running<'_> {
        let log = File::create(self.folder.join("out")).unwrap();
        let mut command = script("java-master");
        command.arg("run").arg(&self.folder).args(properties).stdout(log.try_clone().unwrap()).stderr(log);
        Running::of(command.spawn().unwrap(), self.port, Some(self), self.folder.join("out"))
    }
}

/// A master of ours that does not run.
pub struct Ours {
    folder: PathBuf,
    port: u16,
    web: u16,
}

impl Ours {
    /// Its UFS is `ufs` beside its folder.
    pub fn new(folder: &Path) -> Ours {
        fs::create_dir_all(folder).unwrap();
        let [port, web] = [(); 2].map(|()| free_port("127.0.0.1"));
        Ours { folder: folder.to_owned(), port, web }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
        command.args(words).env_clear().env("ALLUXIO_HOME", &self.folder);
        command.env("ALLUXIO_CONF_DIR", &self.folder).env("ALLUXIO_LOGS_DIR", self.folder.join("logs"));
        for property in [
            "alluxio.master.hostname=127.0.0.1".to_owned(),
            format!("alluxio.master.rpc.port={}", self.port),
            format!("alluxio.master.web.port={}", self.web),
            // As 1.2.0 has it, whose journal knows no owners.
            "alluxio.security.authorization.permission.enabled=false".to_owned(),
            format!("alluxio.master.journal.folder={}", self.folder.join("journal").display()),
            format!("alluxio.underfs.address={}", self.folder.parent().unwrap().join("ufs").display()),
        ] {
            command.arg(format!("-D{property}"));
        }
        command
    }

    /// Runs a command to its end.
    pub fn alluxio(&self, words: &[&str]) -> Result<String, String> {
        outcome(&mut self.command(words))
    }

    pub fn start(&self) -> Running<'_> {
        let log = File::create(self.folder.join("out")).unwrap();
        let mut command = self.command(&["master"]);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Running::of(command.spawn().unwrap(), self.port, None, self.folder.join("out"))
    }
}

/// A master that serves, for as long as this is kept.
pub struct Running<'a> {
    process: Child,
    port: u16,
    java: Option<&'a Java>,
}

impl<'a> Running<'a> {
    #[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
    fn of(mut process: Child, port: u16, java: Option<&'a Java>, log: PathBuf) -> Running<'a> {
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(process.try_wait().unwrap().is_none(), "the master has ended: {}", said());
            assert!(begin.elapsed() < LIMIT, "nothing listens: {}", said());
            std::thread::yield_now();
        }
        Running { process, port, java }
    }

    fn client(&self, words: &[&str]) -> String {
        let mut command = script("java-client");
        command.args(["-Dalluxio.master.hostname=127.0.0.1", BLOCK]);
        command.arg(format!("-Dalluxio.master.rpc.port={}", self.port)).args(words);
        outcome(&mut command).unwrap()
    }

    /// Makes a namespace of many kinds.
    pub fn make(&self) {
        let other = self.java.expect("2.9.6 makes it").other.display().to_string();
        self.client(&["make", &other]);
    }

    /// All that is answered about every path and mount.
    pub fn tree(&self) -> String {
        self.client(&["tree"])
    }

    /// What the shell of ours answers there.
    pub fn fs(&self, words: &[&str]) -> String {
        self.shell("fs", words)
    }

    /// The same of its other face.
    pub fn fsadmin(&self, words: &[&str]) -> String {
        self.shell("fsadmin", words)
    }

    fn shell(&self, face: &str, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
        command.env_clear().arg(face).args(words).arg("-Dalluxio.master.hostname=127.0.0.1");
        outcome(command.arg(format!("-Dalluxio.master.rpc.port={}", self.port))).unwrap()
    }

    /// Has the Java master write checkpoints.
    pub fn checkpoint(&self) {
        self.java.expect("2.9.6 is asked").does("checkpoint");
    }

    /// Has the Java master write a backup, and gives its file.
    pub fn backup(&self) -> PathBuf {
        let java = self.java.expect("2.9.6 is asked");
        java.does("backup");
        only_file_in(&java.folder.join("backups"))
    }

    /// Ends it as an operator would.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
