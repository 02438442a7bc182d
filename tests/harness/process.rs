//! Commands with a limit, and waiting for a state.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alluxio::types::time::boot_now;
use tempfile::NamedTempFile;

/// Pause between two looks at a state that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What became of a command.
#[derive(Debug)]
pub struct Outcome {
    /// The command as one would type it.
    pub command: String,
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn success(&self) -> bool {
        self.code == 0
    }

    pub fn expect_success(&self) -> &Outcome {
        assert!(self.success(), "{self}");
        self
    }

    /// Failed with a code that is no crash, and says all of these words on the terminal.
    pub fn expect_refusal(&self, words: &[&str]) -> &Outcome {
        assert!(self.code > 0 && self.code != 101, "a refusal, no success and no panic: {self}");
        let text = format!("{}{}", self.stdout, self.stderr);
        assert!(!text.contains("panicked"), "{self}");
        for word in words {
            assert!(text.contains(word), "`{word}` in: {self}");
        }
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\n{}{}[exit {}]", self.command, self.stdout, self.stderr, self.code)
    }
}

/// A command under way. Its output goes to files, so that a server it leaves behind cannot hold a pipe open.
pub struct Running {
    command: String,
    child: Child,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

/// Starts a command. Alluxio's variables of the caller's environment are not passed on.
pub fn start(program: &Path, words: &[&str], environment: &[(&str, &str)]) -> Running {
    let (stdout, stderr) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null());
    command.stdout(stdout.reopen().unwrap()).stderr(stderr.reopen().unwrap());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ALLUXIO_")) {
        command.env_remove(name);
    }
    command.envs(environment.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value))));
    let child = command.spawn().unwrap_or_else(|e| panic!("cannot start {}: {e}", program.display()));
    let name = program.file_name().unwrap().to_string_lossy();
    Running { command: format!("{name} {}", words.join(" ")), child, stdout, stderr }
}

/// Runs a command to its end.
pub fn run(program: &Path, words: &[&str], environment: &[(&str, &str)], limit: Duration) -> Outcome {
    start(program, words, environment).wait(limit)
}

impl Running {
    /// Waits for its end; a command that exceeds the limit is killed and fails the test.
    pub fn wait(mut self, limit: Duration) -> Outcome {
        let began = boot_now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if boot_now().since(began) > limit {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("hangs: no end after {limit:?}: {}", self.outcome(-1));
            }
            std::thread::sleep(LOOK_AGAIN);
        };
        self.outcome(status.code().unwrap_or(-1))
    }

    /// What it has written to standard output so far.
    pub fn output(&self) -> String {
        text(&self.stdout)
    }

    /// Whether it has a file below `folder` open.
    pub fn has_open_below(&self, folder: &Path) -> bool {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()).any(|file| file.starts_with(folder))
    }

    /// Ends it, as Ctrl-C does.
    pub fn interrupt(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
        self.output()
    }

    fn outcome(&self, code: i32) -> Outcome {
        Outcome { command: self.command.clone(), code, stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

fn text(file: &NamedTempFile) -> String {
    String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned()
}

/// Looks again and again until there is a value; fails the test after the limit.
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = boot_now();
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(boot_now().since(began) < limit, "waited {limit:?} in vain for {what}");
        std::thread::sleep(LOOK_AGAIN);
    }
}
