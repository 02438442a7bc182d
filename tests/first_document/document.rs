//! What the guide has its reader type, in its order, and what is seen then.

use crate::cluster::{ALLUXIO_HOSTS, Cluster};

#[test]
#[ignore = "needs root, Java and a package: scripts/test"]
fn the_first_document_word_for_word() {
    let cluster = Cluster::up();
    // What runs when the document begins.
    cluster.on("server08", "bin/alluxio format").expect_success();
    cluster.on("server08", "bin/alluxio-start.sh local").expect_success();

    stop_what_runs(&cluster);
    format_and_start(&cluster);
    let listed = make_and_list_a_directory(&cluster);
    stop_the_leader(&cluster, &listed);
    start_it_again(&cluster, &listed);

    cluster.on("server08", "bin/alluxio-stop.sh all").expect_success();
    for host in ALLUXIO_HOSTS {
        assert_eq!(cluster.running(host), [0, 0], "{host}");
    }
}

fn stop_what_runs(cluster: &Cluster) {
    let stopped = cluster.on("server08", "bin/alluxio-stop.sh all");
    let log = cluster.home.join("logs/task.log");
    let expected = format!(
        "Killed 1 processes on server08\nKilled 1 processes on server08\nWaiting for WORKERS tasks to finish...\n\
         All WORKERS tasks finished, please analyze the log at {}.\n",
        log.display()
    );
    assert_eq!(stopped.expect_success().stdout, expected, "{stopped}");
    assert_eq!(cluster.running("server08"), [0, 0]);
}

fn format_and_start(cluster: &Cluster) {
    let formatted = cluster.on("server08", "bin/alluxio format");
    assert!(formatted.expect_success().stdout.contains("Formatting Alluxio Master @ server08\n"), "{formatted}");
    let started = cluster.on("server08", "bin/alluxio-start.sh all");
    assert!(started.expect_success().stdout.contains("Starting master @ server08. Logging to "), "{started}");
    assert_eq!(ALLUXIO_HOSTS.map(|host| cluster.running(host)), [[0, 1], [0, 1], [1, 1]], "{started}");
    let log = cluster.on("server08", "cat logs/task.log").stdout;
    for host in ALLUXIO_HOSTS {
        assert!(log.contains(&format!("[{host}] Starting worker @ {host}. Logging to ")), "{log}");
    }
    for host in ALLUXIO_HOSTS {
        let mounted = cluster.on(host, "stat -f -c %T /mnt/ramdisk");
        assert_eq!(mounted.stdout, "ramfs\n", "the memory of {host} is mounted: {mounted}");
    }
    let started = cluster.on("server06", "bin/alluxio-start.sh master");
    assert!(started.expect_success().stdout.starts_with("Starting master @ server06. Logging to "), "{started}");
    assert_eq!(cluster.running("server06"), [1, 1]);
    assert!(!cluster.has_pages("server06"), "a standby has no web pages");
    assert!(cluster.has_pages("server08"));
}

/// Lists the root, in the shell and on the web page; what the shell says.
fn make_and_list_a_directory(cluster: &Cluster) -> String {
    let made = cluster.on("server08", "bin/alluxio fs mkdir /test");
    assert_eq!(made.expect_success().stdout, "Successfully created directory /test\n");
    cluster.on("server08", "bin/alluxio fs mkdir /default_tests_files").expect_success();
    let listed = cluster.on("server08", "bin/alluxio fs ls /");
    let lines: Vec<Vec<&str>> = listed.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let [first, second] = &lines[..] else { panic!("{listed}") };
    assert_eq!([first[0], first[3], first[4]], ["0.00B", "Directory", "/default_tests_files"], "{listed}");
    assert_eq!([second[0], second[3], second[4]], ["0.00B", "Directory", "/test"], "{listed}");
    assert_page_lists(cluster, "server08", &listed.stdout);
    listed.stdout
}

/// The page of a master has the lines of `fs ls`: the paths, and the times to the millisecond.
fn assert_page_lists(cluster: &Cluster, host: &str, listed: &str) {
    let page = cluster.page(host, 19999, "/browse?path=/").unwrap_or_else(|| panic!("{host} has web pages"));
    for line in listed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (time, path) = (format!("{} {}", words[1], words[2]), words[4]);
        assert!(page.contains(&time), "{time} in {page}");
        assert!(page.contains(&format!("/browse?path={path}\"")), "a link to {path} in {page}");
    }
}

fn stop_the_leader(cluster: &Cluster, listed: &str) {
    let stopped = cluster.on("server08", "bin/alluxio-stop.sh master");
    assert_eq!(stopped.expect_success().stdout, "Killed 1 processes on server08\n", "{stopped}");
    cluster.wait_for_pages("server06");
    assert!(!cluster.has_pages("server08"));
    let again = cluster.on("server06", "bin/alluxio fs ls /");
    assert_eq!(again.expect_success().stdout, listed, "{again}");
    assert_page_lists(cluster, "server06", listed);
}

fn start_it_again(cluster: &Cluster, listed: &str) {
    cluster.on("server08", "bin/alluxio-start.sh master").expect_success();
    assert_eq!(cluster.on("server08", "bin/alluxio fs leader").stdout, "server06\n");
    assert!(!cluster.has_pages("server08"), "it is the standby now");
    assert!(cluster.has_pages("server06"));
    cluster.on("server06", "bin/alluxio-stop.sh master").expect_success();
    cluster.wait_for_pages("server08");
    let back = cluster.on("server08", "bin/alluxio fs ls /");
    assert_eq!(back.expect_success().stdout, listed, "{back}");
}
