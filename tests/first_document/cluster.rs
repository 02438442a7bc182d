//! The cluster of the document: the package under the same folder on server06 to server08, and its configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::guide;
use crate::hdfs::Hdfs;
use crate::hosts::Network;
use crate::process::{Outcome, run, wait_for};
use crate::services;

/// Where a master has its web pages.
const MASTER_WEB_PORT: u16 = 19999;
/// Where the package is unpacked.
pub const ALLUXIO_HOSTS: [&str; 3] = ["server06", "server07", "server08"];
const HOSTS: [&str; 6] = ["server03", "server04", "server05", "server06", "server07", "server08"];
/// How long a typed command may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(90);

/// Root of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All hosts, with ZooKeeper and HDFS running, the package unpacked and nothing of it started.
pub struct Cluster {
    pub network: Network,
    /// The folder of the package, the same on each host.
    pub home: PathBuf,
}

impl Cluster {
    pub fn up() -> Cluster {
        let project = project();
        let package = std::env::var("ALLUXIO_TEST_PACKAGE").unwrap_or_default();
        assert!(
            !package.is_empty(),
            "ALLUXIO_TEST_PACKAGE is not set: run scripts/test, or name what scripts/package has made"
        );
        let network = Network::up(&HOSTS, project);
        services::start(&network, project, &Hdfs::on(&["server03"], &["server03"]));
        let top = format!("alluxio-{}", env!("CARGO_PKG_VERSION"));
        for host in ALLUXIO_HOSTS {
            let opt = network.folder.join(host).join("opt");
            let words = ["-xzf", &package, "-C", opt.to_str().unwrap()];
            run(Path::new("tar"), &words, &[], LIMIT).expect_success();
            configure(host, &opt.join(&top));
        }
        let home = network.folder.join("opt").join(top);
        Cluster { network, home }
    }

    /// Types a line on a host, in the folder of the package.
    pub fn on(&self, host: &str, line: &str) -> Outcome {
        let outcome = self.network.type_on(host, &format!("cd '{}' && {line}", self.home.display()), LIMIT);
        Outcome { command: format!("{host}: {line}"), ..outcome }
    }

    /// How many masters and workers run on a host.
    pub fn running(&self, host: &str) -> [usize; 2] {
        let processes = self.network.processes(host);
        ["alluxio.master.AlluxioMaster", "alluxio.worker.AlluxioWorker"]
            .map(|name| processes.iter().filter(|line| line.starts_with(name)).count())
    }

    /// What another host gets from a web port, not all of it if the server ends meanwhile; none if it refuses connections.
    pub fn page(&self, host: &str, port: u16, path: &str) -> Option<String> {
        let ask = format!("GET {path} HTTP/1.0\\r\\nHost: {host}\\r\\n\\r\\n");
        let line = format!("exec 3<>/dev/tcp/{host}/{port} && printf '{ask}' >&3 && cat <&3");
        let answer = self.network.type_on("server05", &line, LIMIT);
        (!answer.stderr.contains("Connection refused")).then_some(answer.stdout)
    }

    /// Whether a master refuses connections to its web port, as a standby does.
    pub fn refuses_web(&self, host: &str) -> bool {
        self.page(host, MASTER_WEB_PORT, "/home").is_none()
    }

    /// Whether a master shows its pages. One that has just come to lead, or no longer does, may say that it cannot.
    pub fn has_pages(&self, host: &str) -> bool {
        self.page(host, MASTER_WEB_PORT, "/home").is_some_and(|page| page.starts_with("HTTP/1.0 200 OK\r\n"))
    }

    pub fn wait_for_pages(&self, host: &str) {
        wait_for(&format!("the web pages of {host}"), LIMIT, || self.has_pages(host).then_some(()));
    }
}

/// As the document configures it: only the host name differs.
fn configure(host: &str, home: &Path) {
    let (environment, workers) = guide::configuration(project());
    let environment = match host {
        "server06" => environment.replacen("=server08\n", "=server06\n", 1),
        _ => environment,
    };
    fs::write(home.join("conf/alluxio-env.sh"), environment).unwrap();
    fs::write(home.join("conf/workers"), workers).unwrap();
}
