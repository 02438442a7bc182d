//! A folder with the launchers of this clone, and stand-ins for what they call.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a command left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

pub fn outcome(stdout: &str, stderr: &str, code: i32) -> Outcome {
    Outcome { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code }
}

/// Nothing here takes longer, unless it hangs.
const TRIES: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(20);

pub fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..TRIES {
        if done() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("it takes too long");
}

/// The environment of the program, as it shows it.
pub const ENVIRONMENT: &str = "ALLUXIO_CONF_DIR=H/conf\nALLUXIO_HOME=H\nALLUXIO_LOGS_DIR=H/logs\n";

/// Tells its arguments, and with `SHOW` its environment. Servers run when they were started; `here` is this host.
const PROGRAM: &str = r#"#!/bin/sh
home="$(cd "$(dirname "$0")/.." && pwd -P)"
case "$1 $2" in
  "process this-host") [ "$3" = localhost ] || [ "$3" = here ]; exit ;;
  "process running") [ -e "$home/running-$3" ]; exit ;;
  "process may-format") exit ${FAKE_MAY_FORMAT:-0} ;;
  "getConf --source") echo ${FAKE_SOURCE:-DEFAULT}; exit ;;
  "getConf alluxio.worker.tieredstore.level0.alias") echo ${FAKE_TIER:-MEM}; exit ;;
  "getConf alluxio.worker.tieredstore.level0.dirs.path") echo /mnt/ramdisk; exit ;;
  "getConf alluxio.worker.ramdisk.size") echo 1GB; exit ;;
esac
echo "arguments:" "$@"
[ -z "$SHOW" ] || env | grep '^ALLUXIO_' | sort
case "$1 $2" in
  "process start") [ "${FAKE_EXIT:-0}" != 0 ] || touch "$home/running-$3" ;;
  "process stop") rm -f "$home/running-$3" ;;
esac
exit ${FAKE_EXIT:-0}
"#;

/// Reaches hosts as their names say: `down`, `nokey`, `wrong`, `new`, `full`, `denied`, `silent`, `bare`. Any other becomes the command, in an
/// environment of its own as a login has it.
const SSH: &str = r#"#!/bin/bash
echo "$*" >>"${0%/*}/ssh-calls"
while [[ "$1" == -* ]]; do if [[ "$1" == -o ]]; then shift; fi; shift; done
host="$1"; shift
case "$host" in
  down) echo "ssh: connect to host down port 22: Connection timed out" >&2; exit 255 ;;
  nokey) echo "someone@nokey: Permission denied (publickey,password)." >&2; exit 255 ;;
  wrong) echo "ssh: Could not resolve hostname wrong: Name or service not known" >&2; exit 255 ;;
  full) printf 'Starting worker @ full\ncannot make the folder: No space left on device (os error 28)\nworker failed to start (exit code 1); see logs\n'; exit 1 ;;
  new) printf 'key changed\nHost key verification failed.\n' >&2; exit 255 ;;
  denied) printf 'cannot make the folder /r: Permission denied (os error 13)\nMount failed, not starting worker\n'; exit 1 ;;
  silent) exit 3 ;;
  bare) eval "set -- $*"; echo "bash: line 1: $1: No such file or directory" >&2; exit 127 ;;
esac
exec env -i PATH="$PATH" SSH_HOST="$host" sh -c "exec $*"
"#;

/// An installation with the scripts of this clone, a program and other commands of the test's.
pub struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    /// Its folder has a blank in its name.
    pub fn new() -> Installation {
        let installation = Installation { folder: tempfile::Builder::new().prefix("my alluxio").tempdir().unwrap() };
        for folder in ["bin", "libexec", "conf"] {
            std::fs::create_dir(installation.path(folder)).unwrap();
            for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
                let from = entry.unwrap().path();
                std::fs::copy(&from, installation.path(folder).join(from.file_name().unwrap())).unwrap();
            }
        }
        installation.executable("libexec/alluxio", PROGRAM);
        installation.executable("stand-ins/ssh", SSH);
        installation
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        std::fs::write(self.path(file), text).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        self.shown(std::fs::read(self.path(file)).unwrap_or_default())
    }

    /// A command: of the installation, or in the folder `stand-ins` before all others.
    pub fn executable(&self, file: &str, script: &str) {
        self.write(file, script);
        std::fs::set_permissions(self.path(file), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Stand-ins that tell how they were called, in the file `calls`, and succeed.
    pub fn tell_calls_of(&self, commands: &[&str]) {
        for command in commands {
            let script = format!("#!/bin/bash\necho \"{command} $*\" >>\"${{0%/*}}/../calls\"\n");
            self.executable(&format!("stand-ins/{command}"), &script);
        }
    }

    /// Runs a line of shell in the installation. The folder is shown as `H`.
    pub fn run(&self, line: &str) -> Outcome {
        self.end_of(self.begin(line))
    }

    /// Begins a line of shell. Without more than one command in it, the process is that of the command.
    pub fn begin(&self, line: &str) -> Child {
        let path = std::env::var("PATH").unwrap();
        // A test that runs in the background may be one that hears of no SIGINT.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "bash", "-c", line]).current_dir(self.folder.path()).env_clear();
        command.env("PATH", format!("{}:{path}", self.path("stand-ins").display()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for the end of what was begun.
    pub fn end_of(&self, begun: Child) -> Outcome {
        let output = begun.wait_with_output().unwrap();
        // As shells tell of a signal.
        let code = output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap();
        Outcome { stdout: self.shown(output.stdout), stderr: self.shown(output.stderr), code }
    }

    /// As `run`; the program shows its environment.
    pub fn run_shown(&self, line: &str) -> Outcome {
        self.run(&format!("export SHOW=1; {line}"))
    }

    /// The lines of task.log without those that tell the time.
    pub fn task_log(&self) -> Vec<String> {
        let log = self.read("logs/task.log");
        log.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect()
    }

    fn shown(&self, bytes: Vec<u8>) -> String {
        let home = self.folder.path().canonicalize().unwrap();
        String::from_utf8(bytes).unwrap().replace(home.to_str().unwrap(), "H")
    }
}
