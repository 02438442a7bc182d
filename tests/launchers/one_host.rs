//! The launchers with the real program: a master and a worker on this host.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::installation::{Installation, Outcome, outcome, wait_until};

const NOWHERE: &str = "#!/bin/sh\necho \"ssh is not needed on one host: $*\" >&2\nexit 255\n";

/// An installation with the real program, ports of its own, and blocks in memory. Its servers end with the test.
struct Host {
    installed: Installation,
    ram: PathBuf,
}

impl Host {
    fn new() -> Host {
        let installed = Installation::new();
        std::fs::remove_file(installed.path("libexec/alluxio")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_alluxio"), installed.path("libexec/alluxio")).unwrap();
        installed.executable("stand-ins/ssh", NOWHERE);
        let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [master, master_web, worker, worker_web] =
            listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        let ram = tempfile::Builder::new().prefix("alluxio-launchers").tempdir_in("/dev/shm").unwrap().keep();
        let environment = format!(
            "ALLUXIO_MASTER_HOSTNAME=localhost\nALLUXIO_RAM_FOLDER={}\nALLUXIO_WORKER_MEMORY_SIZE=16MB\n\
             ALLUXIO_JAVA_OPTS='-Dalluxio.master.port={master} -Dalluxio.worker.port={worker} \
             -Dalluxio.worker.web.port={worker_web} -Dalluxio.master.web.port={master_web} \
             -Dalluxio.user.block.size.bytes.default=1MB'\n",
            ram.display()
        );
        installed.write("conf/alluxio-env.sh", &environment);
        installed.write("conf/workers", "localhost # and no other\n");
        Host { installed, ram }
    }

    fn run(&self, line: &str) -> Outcome {
        self.installed.run(line)
    }

    /// Runs it, and it must go well.
    fn expect(&self, line: &str, stdout: &str) {
        assert_eq!(self.run(line), outcome(stdout, "", 0), "{line}");
    }

    /// Runs it in the background. Its output goes to `output`.
    fn begin(&self, line: &str) -> Child {
        self.installed.begin(&format!("exec {line} >output 2>&1"))
    }

    /// The process of a server, if it lives.
    fn pid(&self, server: &str) -> Option<Pid> {
        let pid = Pid::from_raw(self.installed.read(&format!("logs/{server}.pid")).trim().parse().ok()?)?;
        test_kill_process(pid).is_ok().then_some(pid)
    }

    fn kill(&self, server: &str) {
        kill_process(self.pid(server).unwrap(), Signal::KILL).unwrap();
        wait_until(|| self.pid(server).is_none());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let stopped = self.run("bin/alluxio-stop.sh all");
        if std::thread::panicking() {
            eprintln!("{stopped:?}\n{}", self.installed.read("logs/task.log"));
        }
        let _ = std::fs::remove_dir_all(&self.ram);
    }
}

fn killed(count: usize) -> String {
    format!("Killed {count} processes on {}\n", rustix::system::uname().nodename().to_str().unwrap())
}

fn stopped(count: usize) -> String {
    format!("{0}{0}{1}", killed(count), tasks("WORKERS"))
}

fn tasks(whose: &str) -> String {
    format!(
        "Waiting for {whose} tasks to finish...\n\
         All {whose} tasks finished, please analyze the log at H/logs/task.log.\n"
    )
}

const MASTER: &str = "Starting master @ localhost. Logging to H/logs\n";

#[test]
fn a_cluster_of_one_host_is_formatted_started_and_stopped() {
    let host = Host::new();
    host.expect("bin/alluxio-stop.sh all", &stopped(0));
    host.expect("bin/alluxio format", &format!("{}Formatting Alluxio Master @ localhost\n", tasks("MASTER")));
    host.expect("bin/alluxio-start.sh all NoMount", &format!("{}{MASTER}{}", stopped(0), tasks("MASTER")));
    host.expect("bin/alluxio fs mkdir /test", "Successfully created directory /test\n");
    let listed = host.run("bin/alluxio fs ls /").stdout;
    assert!(listed.ends_with("Directory      /test\n"), "{listed}");
    host.expect("bin/alluxio fs copyFromLocal conf/workers /test", "Copied conf/workers to /test\n");

    // While a master runs, nothing is formatted: the worker keeps what is nowhere else.
    let logged = host.installed.task_log();
    let refused = host.run("bin/alluxio format");
    assert!(refused.stderr.contains("another process uses it") && refused.code == 1, "{refused:?}");
    assert_eq!(host.installed.task_log(), logged);
    host.expect("bin/alluxio fs cat /test/workers", "localhost # and no other\n");

    // Another installation has other servers.
    let other = Host::new();
    other.expect("bin/alluxio-stop.sh all", &stopped(0));
    let again = host.run("bin/alluxio-start.sh workers NoMount");
    assert_eq!((again.stdout, again.code), (tasks("MASTER"), 1));
    assert!(again.stderr.starts_with("localhost: failed with exit code 1: worker is already running with pid "));

    host.expect("bin/alluxio-stop.sh all", &stopped(1));
    host.expect("bin/alluxio-start.sh local NoMount -f", &local_formatted());
    host.expect("bin/alluxio fs ls /", "");
    assert!(host.pid("worker").is_some());
}

fn local_formatted() -> String {
    let worker = host_name();
    format!(
        "{}{}Formatting Alluxio Master @ localhost\n{MASTER}Starting worker @ {worker}. Logging to H/logs\n",
        stopped(0),
        tasks("MASTER")
    )
}

/// As launchers tell it.
fn host_name() -> String {
    let output = Command::new("bash").args(["-c", "hostname -f 2>/dev/null || uname -n"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_worker_that_died_is_restarted() {
    let host = Host::new();
    assert_eq!(host.run("bin/alluxio-start.sh local NoMount -f").code, 0);
    host.expect("bin/alluxio-start.sh restart_worker", "");
    host.kill("worker");
    let restarted = format!("Restarting worker @ {}. Logging to H/logs\n", host_name());
    host.expect("bin/alluxio-start.sh restart_worker", &restarted);
    host.kill("worker");
    host.expect("bin/alluxio-start.sh restart_workers", &tasks("MASTER"));
    assert!(host.pid("worker").is_some());
    host.expect("bin/alluxio killAll AlluxioWorker", &killed(1));
    assert!(host.pid("worker").is_none() && host.pid("master").is_some());
    host.expect("bin/alluxio-start.sh -N all NoMount", &format!("The master is running already.\n{}", tasks("MASTER")));
}

#[test]
fn safe_keeps_a_master_running_until_it_is_told_to_end() {
    let host = Host::new();
    assert_eq!(host.run("bin/alluxio format").code, 0);
    let mut safe = host.begin("bin/alluxio-start.sh safe");
    let told = |text: &str| host.installed.read("output").matches(text).count();
    wait_until(|| told("Alluxio is running... \n") > 0);
    // Its master dies with it.
    host.kill("master-guardian");
    wait_until(|| told("Restarting the system master...\nStarting master @ localhost. Logging to H/logs\n") == 2);
    wait_until(|| host.pid("master").is_some());
    kill_process(Pid::from_child(&safe), Signal::TERM).unwrap();
    assert!(!safe.wait().unwrap().success());
    host.expect("bin/alluxio-stop.sh master", &killed(1));
}

#[test]
fn who_waits_ends_with_the_server() {
    let host = Host::new();
    assert_eq!(host.run("bin/alluxio format").code, 0);
    let mut waiting = host.begin("bin/alluxio-start.sh -w master");
    wait_until(|| host.run("bin/alluxio fs ls /").code == 0);
    assert!(waiting.try_wait().unwrap().is_none());
    host.expect("bin/alluxio-stop.sh master", &killed(1));
    assert!(waiting.wait().unwrap().success());
}
