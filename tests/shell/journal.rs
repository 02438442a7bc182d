//! The journal of a real master, damaged: it is verified, read, repaired and copied, and masters start on the outcome.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alluxio::types::time::boot_now;
use tempfile::TempDir;

use crate::free_port::free_port;

const LIMIT: Duration = Duration::from_secs(30);

/// A folder with journals, and the ports of the master that uses one of them.
struct Site {
    folder: TempDir,
    port: u16,
    web: u16,
}

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Site {
    fn new() -> Site {
        Site { folder: TempDir::new().unwrap(), port: free_port("127.0.0.1"), web: free_port("127.0.0.1") }
    }

    fn journal(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, journal: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
        let folder = self.folder.path();
        command.args(words).env_clear().env("ALLUXIO_HOME", folder).stdin(Stdio::null());
        command.env("ALLUXIO_CONF_DIR", folder).env("ALLUXIO_LOGS_DIR", folder.join("logs"));
        fs::create_dir_all(folder.join("ufs")).unwrap();
        for property in [
            String::from("alluxio.master.hostname=127.0.0.1"),
            format!("alluxio.master.rpc.port={}", self.port),
            format!("alluxio.master.web.port={}", self.web),
            format!("alluxio.master.journal.folder={}", self.journal(journal).display()),
            format!("alluxio.underfs.address={}", folder.join("ufs").display()),
        ] {
            command.arg(format!("-D{property}"));
        }
        command
    }

    fn run(&self, journal: &str, words: &[&str]) -> Ended {
        let output = self.command(journal, words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// What a command that succeeds prints.
    fn said(&self, journal: &str, words: &[&str]) -> String {
        let ended = self.run(journal, words);
        assert_eq!(ended.code, 0, "{words:?}: {}{}", ended.stdout, ended.stderr);
        ended.stdout
    }

    fn start(&self, journal: &str) -> Child {
        self.start_with(journal, &["master"])
    }

    fn start_with(&self, journal: &str, words: &[&str]) -> Child {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("out")).unwrap();
        let mut command = self.command(journal, words);
        let mut master = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let began = boot_now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = master.try_wait().unwrap();
            let log = || fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
            assert!(ended.is_none() && boot_now().since(began) < LIMIT, "the master does not serve: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        master
    }

    fn stop(&self, mut master: Child) {
        let pid = rustix::process::Pid::from_child(&master);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(master.wait().unwrap().success());
    }

    /// The directories that a master serves from this journal, and then one more.
    fn served(&self, journal: &str) -> Vec<String> {
        let master = self.start(journal);
        let listed = self.said(journal, &["fs", "ls", "/"]);
        self.said(journal, &["fs", "mkdir", "/after"]);
        self.stop(master);
        let paths = listed.lines().filter_map(|line| line.split_whitespace().last());
        paths.map(str::to_owned).filter(|path| path != "/after").collect()
    }

    /// A journal in which twenty directories were made one after the other.
    fn with_directories(self) -> Site {
        self.said("journal", &["format"]);
        let master = self.start("journal");
        for path in names() {
            self.said("journal", &["fs", "mkdir", &path]);
        }
        self.stop(master);
        self
    }
}

fn names() -> Vec<String> {
    (0..20).map(|n| format!("/d{n:02}")).collect()
}

/// The segment with most in it.
fn largest(journal: &Path) -> PathBuf {
    let epochs = fs::read_dir(journal.join("epochs")).unwrap();
    let files = epochs.flat_map(|epoch| fs::read_dir(epoch.unwrap().path()).unwrap()).map(|file| file.unwrap().path());
    files.max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap()
}

#[test]
fn a_damaged_journal_is_repaired_and_served() {
    let site = Site::new().with_directories();
    assert!(site.said("journal", &["journal", "verify"]).ends_with("The journal is whole.\n"));
    let records = site.said("journal", &["readJournal", "--json"]);
    assert!(names().iter().all(|path| records.contains(&format!("\"path\":\"{path}\""))), "{records}");
    let refused = site.run("journal", &["journal", "repair", "--yes"]);
    assert!(refused.code == 1 && refused.stderr.contains("there is nothing to repair"), "{}", refused.stderr);

    let segment = largest(&site.journal("journal"));
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let verified = site.run("journal", &["journal", "verify"]);
    assert_eq!(verified.code, 1);
    assert!(verified.stderr.contains(".log is damaged at byte "), "{}", verified.stderr);
    assert!(verified.stdout.contains("which were acknowledged.") && verified.stdout.contains("whole again from byte "));
    let read = site.run("journal", &["journal", "read"]);
    assert!(read.code == 1 && read.stdout.contains("name=\"d00\"") && read.stderr.starts_with("shown up to record "));
    assert_ne!(site.run("journal", &["master"]).code, 0);

    let asked = site.run("journal", &["journal", "repair"]);
    assert!(asked.code == 1 && asked.stderr.contains("give --yes"), "{}", asked.stderr);
    assert_eq!(fs::read(&segment).unwrap(), bytes);
    let repaired = site.said("journal", &["journal", "repair", "--yes"]);
    assert!(repaired.contains("Lost: records ") && repaired.ends_with("The journal is whole.\n"), "{repaired}");
    let kept = fs::read_dir(site.journal("journal")).unwrap().map(|entry| entry.unwrap().path());
    let kept =
        kept.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with("damaged-")).unwrap();
    assert!(repaired.contains(&format!("kept as it was in {}", kept.display())), "{repaired}");
    assert_eq!(fs::read(largest(&kept)).unwrap(), bytes);
    assert!(site.said("journal", &["journal", "verify"]).ends_with("The journal is whole.\n"));
    let served = site.served("journal");
    assert!((1..20).contains(&served.len()), "{served:?}");
    assert_eq!(served, names()[..served.len()]);
    // Also after it was served from.
    assert!(site.said("journal", &["journal", "verify"]).ends_with("The journal is whole.\n"));
}

#[test]
fn a_journal_that_ends_in_zeros_is_repaired_up_to_them() {
    let site = Site::new().with_directories();
    let segment = largest(&site.journal("journal"));
    let mut bytes = fs::read(&segment).unwrap();
    let from = bytes.len() - 1000;
    bytes[from..].fill(0);
    fs::write(&segment, &bytes).unwrap();
    let verified = site.run("journal", &["journal", "verify"]);
    assert!(verified.code == 1 && verified.stderr.starts_with("the journal is damaged: "), "{}", verified.stderr);
    site.said("journal", &["journal", "repair", "--yes"]);
    let served = site.served("journal");
    assert!((15..20).contains(&served.len()), "{served:?}");
    assert_eq!(served, names()[..served.len()]);
}

#[test]
fn a_copy_is_served_like_the_journal_itself() {
    let site = Site::new().with_directories();
    let (from, to) = (site.journal("journal"), site.journal("copy"));
    let words = ["journal", "copy", from.to_str().unwrap(), to.to_str().unwrap()];
    let said = site.said("journal", &words);
    assert!(said.contains(&format!("alluxio.master.journal.folder={}\n", to.display())), "{said}");
    let again = site.run("journal", &words);
    assert!(again.code == 1 && again.stderr.contains("holds a journal already"), "{}", again.stderr);
    assert_eq!(site.served("copy"), names());
    let master = site.start("journal");
    let in_use = site.run("copy", &["journal", "copy", from.to_str().unwrap(), site.journal("x").to_str().unwrap()]);
    assert!(in_use.code == 1 && in_use.stderr.contains("another process uses it"), "{}", in_use.stderr);
    let in_use = site.run("journal", &["journal", "repair", "--yes"]);
    assert!(in_use.code == 1 && in_use.stderr.contains("another process uses it"), "{}", in_use.stderr);
    site.stop(master);
}

#[test]
fn a_journal_that_nobody_knows_the_end_of_is_repaired_before_it_is_served() {
    for damage in [None, Some("rubbish")] {
        let site = Site::new().with_directories();
        let durable = site.journal("journal").join("DURABLE");
        let lose = || match damage {
            None => fs::remove_file(&durable).unwrap(),
            Some(text) => fs::write(&durable, text).unwrap(),
        };
        lose();
        let refuses = || {
            let refused = site.run("journal", &["master"]);
            let advice = "it says how far the journal was acknowledged. bin/alluxio journal verify";
            assert!(refused.code == 1 && refused.stderr.contains(advice), "{}: {}", refused.code, refused.stderr);
        };
        refuses();
        let verified = site.run("journal", &["journal", "verify"]);
        let text = "the acknowledged end was not compared, because ";
        assert!(verified.code == 1 && verified.stdout.contains(text), "{}{}", verified.stdout, verified.stderr);
        // Nobody agrees.
        let asked = site.run("journal", &["journal", "repair"]);
        assert!(asked.code == 1 && asked.stderr.contains("nothing was changed"), "{}{}", asked.stdout, asked.stderr);
        refuses();
        let repaired = site.said("journal", &["journal", "repair", "--yes"]);
        assert!(repaired.contains("what is there counts as all that was acknowledged"), "{repaired}");
        assert_eq!(durable.with_extension("damaged").exists(), damage.is_some());
        assert!(site.said("journal", &["journal", "verify"]).ends_with("The journal is whole.\n"));
        assert_eq!(site.served("journal"), names());
    }
}

#[test]
fn what_is_half_finished_or_newer_is_refused_by_masters_and_tools_alike() {
    let site = Site::new().with_directories();
    let format = site.journal("journal").join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    let to = site.journal("to").display().to_string();
    let from = site.journal("journal").display().to_string();
    for (layout, expected) in [("layout=0", "was not finished"), ("layout=2", "use the version that wrote it")] {
        fs::write(&format, text.replace("layout=1", layout)).unwrap();
        let export = &["journal", "export", to.as_str()][..];
        let copy = &["journal", "copy", from.as_str(), to.as_str()];
        for words in [&["master"][..], &["journal", "verify"], &["journal", "repair", "--yes"], export, copy] {
            let refused = site.run("journal", words);
            assert!(refused.code == 1 && refused.stderr.contains(expected), "{layout} {words:?}: {}", refused.stderr);
        }
    }
    fs::write(&format, format!("{text}layout=1\n")).unwrap();
    let refused = site.run("journal", &["journal", "verify"]);
    assert!(refused.code == 1 && refused.stderr.contains("two lines layout="), "{}", refused.stderr);
    fs::write(&format, text).unwrap();
    assert_eq!(site.served("journal"), names());
}

#[test]
fn folders_that_are_gone_are_made_again_and_a_journal_without_its_name_is_not_formatted_away() {
    let site = Site::new().with_directories();
    let master = site.start("journal");
    site.said("journal", &["fsadmin", "journal", "checkpoint"]);
    site.stop(master);
    let folder = site.journal("journal");
    fs::remove_dir_all(folder.join("epochs")).unwrap();
    let refused = site.run("journal", &["master"]);
    let told = "/epochs is gone from the journal: bin/alluxio journal verify tells what is left, and bin/alluxio journal repair";
    assert!(refused.code == 1 && refused.stderr.contains(told), "{}", refused.stderr);
    // Of the checkpoint alone nobody knows whose it is.
    let format = fs::read(folder.join("FORMAT")).unwrap();
    fs::remove_file(folder.join("FORMAT")).unwrap();
    for words in [&["master"][..], &["journal", "verify"], &["journal", "repair", "--yes"]] {
        let refused = site.run("journal", words);
        let told = "put FORMAT back from a copy; bin/alluxio format would delete what is there";
        assert!(refused.code == 1 && refused.stderr.contains(told), "{words:?}: {}", refused.stderr);
    }
    fs::write(folder.join("FORMAT"), format).unwrap();
    site.said("journal", &["journal", "repair", "--yes"]);
    assert_eq!(site.served("journal"), names());
}

#[test]
fn whoever_deletes_the_lock_lets_nobody_else_in() {
    let site = Site::new().with_directories();
    let master = site.start("journal");
    site.said("journal", &["fs", "ls", "/"]);
    fs::remove_file(site.journal("journal").join("LOCK")).unwrap();
    let refused = site.run("journal", &["journal", "verify"]);
    assert!(refused.code == 1 && refused.stderr.contains("another process uses it"), "{}", refused.stderr);
    site.stop(master);
}

#[test]
fn a_leader_whose_segment_is_deleted_saves_what_it_has_and_ends() {
    let site = Site::new().with_directories();
    let mut master = site.start("journal");
    site.said("journal", &["fs", "mkdir", "/zz"]);
    // It has to have seen the segment.
    std::thread::sleep(Duration::from_millis(2_500));
    let epochs = fs::read_dir(site.journal("journal").join("epochs")).unwrap();
    let newest = epochs
        .map(|epoch| epoch.unwrap().path())
        .max_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap());
    fs::remove_dir_all(newest.unwrap()).unwrap();
    assert!(!master.wait().unwrap().success());
    let log = fs::read_to_string(site.folder.path().join("out")).unwrap();
    let logged = fs::read_to_string(site.folder.path().join("logs/master.log")).unwrap_or_default();
    assert!((log + &logged).contains("was deleted from the journal folder"), "{logged}");
    site.said("journal", &["journal", "repair", "--yes"]);
    let mut all = names();
    all.push("/zz".to_owned());
    assert_eq!(site.served("journal"), all);
}

#[test]
fn a_master_that_is_started_without_the_launcher_begins_with_a_backup_too() {
    let site = Site::new().with_directories();
    let master = site.start("journal");
    let backups = site.folder.path().join("backups");
    fs::create_dir(&backups).unwrap();
    site.said("journal", &["fsadmin", "backup", backups.to_str().unwrap(), "--local"]);
    site.stop(master);
    let made: Vec<PathBuf> = fs::read_dir(&backups).unwrap().map(|file| file.unwrap().path()).collect();
    let [backup] = &made[..] else { panic!("{made:?}") };
    let property = |backup: &Path| format!("-Dalluxio.master.journal.init.from.backup={}", backup.display());
    site.said("second", &["format"]);
    let refused = site.run("second", &["master", &property(Path::new("/nowhere.gz"))]);
    assert!(refused.code == 1 && refused.stderr.contains("/nowhere.gz"), "{}", refused.stderr);
    let master = site.start_with("second", &["master", &property(backup)]);
    let listed = site.said("second", &["fs", "ls", "/"]);
    assert!(names().iter().all(|name| listed.contains(name)), "{listed}");
    site.stop(master);
    // It holds a namespace now, which stays.
    let master = site.start_with("second", &["master", &property(backup)]);
    site.said("second", &["fs", "ls", "/"]);
    site.stop(master);
    assert_eq!(site.served("second"), names());
}
