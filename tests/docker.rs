//! The image and the cluster of `docker/`, as far as it shows without an engine: what they name is there, and the first
//! process of a container does what its comment says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[path = "harness/process.rs"]
#[allow(dead_code, reason = "the cluster tests use the rest")]
mod process;

use process::{Outcome, run, start, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap()
}

#[test]
fn what_the_image_copies_is_there_and_is_sent_to_the_engine() {
    let dockerfile = read("docker/Dockerfile");
    let ignore = read("docker/Dockerfile.dockerignore");
    let copies =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    let sources: Vec<&str> = copies.map(|copy| copy.split_once(' ').unwrap().0).collect();
    assert_eq!(sources, ["target/package/alluxio-*-bin.tar.gz"]);
    let sent: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(sent, sources);
    for called in ["HEALTHCHECK", "ENTRYPOINT"] {
        let line = dockerfile.lines().find(|line| line.starts_with(called)).unwrap();
        let path = line.split('"').nth(1).unwrap();
        assert!(read(path.trim_start_matches("/opt/alluxio/")).starts_with("#!/usr/bin/env bash\n"), "{path}");
    }
}

#[test]
fn every_property_that_the_cluster_sets_has_an_effect() {
    let (compose, properties, variables) =
        (read("docker/compose.yaml"), read("docs/properties.md"), read("docs/configuration.md"));
    let keys = compose.lines().filter_map(|line| line.trim().split_once(": "));
    let keys: BTreeSet<&str> = keys.map(|(key, _)| key).filter(|key| key.starts_with("ALLUXIO_")).collect();
    assert!(keys.len() > 4, "{keys:?}");
    for key in keys {
        let property = key.to_lowercase().replace('_', ".");
        let known = properties.contains(&format!("`{property}`")) || variables.contains(&format!("`{key}`"));
        assert!(known, "{key}");
    }
}

/// An installation as the image has it.
struct Container {
    folder: tempfile::TempDir,
}

impl Container {
    fn new() -> Container {
        let container = Container { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "libexec", "conf", "docker"] {
            let to = container.folder.path().join(folder);
            fs::create_dir(&to).unwrap();
            for entry in fs::read_dir(project().join(folder)).unwrap().map(|entry| entry.unwrap()) {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        fs::rename(
            container.folder.path().join("docker/log4rs.yaml"),
            container.folder.path().join("conf/log4rs.yaml"),
        )
        .unwrap();
        let program = container.folder.path().join("libexec/alluxio");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_alluxio"), program).unwrap();
        fs::create_dir(container.folder.path().join("logs")).unwrap();
        container
    }

    fn run(&self, script: &str, words: &[&str], environment: &[(&str, &str)]) -> Outcome {
        run(&self.folder.path().join("docker").join(script), words, environment, LIMIT)
    }
}

#[test]
fn any_property_can_be_given_as_a_variable() {
    let container = Container::new();
    let get = |key: &str, environment: &[(&str, &str)]| {
        let outcome = container.run("entrypoint.sh", &["getConf", key], environment);
        outcome.expect_success().stdout.trim_end().to_owned()
    };
    let value = "it's \"a\" $(b)  \\c";
    assert_eq!(get("alluxio.security.login.username", &[("ALLUXIO_SECURITY_LOGIN_USERNAME", value)]), value);
    assert_eq!(get("alluxio.zookeeper.address", &[("ALLUXIO_ZOOKEEPER_ADDRESS", "a:1,b:2")]), "a:1,b:2");
    let both = [("ALLUXIO_MASTER_RPC_PORT", "1234"), ("ALLUXIO_JAVA_OPTS", "-Dalluxio.master.rpc.port=1235")];
    assert_eq!(get("alluxio.master.rpc.port", &both), "1235");
    assert_eq!(get("alluxio.worker.ramdisk.size", &[("ALLUXIO_WORKER_MEMORY_SIZE", "3MB")]), "3MB");
    let wrong = container.run("entrypoint.sh", &["getConf"], &[("ALLUXIO_MASTER_RPC_PORT", "abc")]);
    wrong.expect_refusal(&["alluxio.master.rpc.port = abc"]);
}

#[test]
fn a_container_is_healthy_while_its_server_takes_connections() {
    let container = Container::new();
    container.run("healthcheck.sh", &[], &[]).expect_success();
    let free = || std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port().to_string();
    let (rpc, web) = (free(), free());
    let blocks = container.folder.path().join("blocks").display().to_string();
    let environment = [
        ("ALLUXIO_MASTER_RPC_PORT", rpc.as_str()),
        ("ALLUXIO_MASTER_WEB_PORT", web.as_str()),
        ("ALLUXIO_RAM_FOLDER", blocks.as_str()),
        // It has a place in the log of the image, too.
        ("ALLUXIO_MASTER_AUDIT_LOGGING_ENABLED", "true"),
    ];
    container.run("entrypoint.sh", &["format"], &environment).expect_success();
    let script = container.folder.path().join("docker/entrypoint.sh");
    let master = start(&script, &["master"], &environment);
    let healthy = || container.run("healthcheck.sh", &[], &environment).success();
    wait_for("the container to be healthy", LIMIT, || healthy().then_some(()));
    // The guardian passes the signal on, and ends when its master has ended.
    master.interrupt();
    let checked = container.run("healthcheck.sh", &[], &environment);
    assert!(!checked.success(), "{checked}");
}
