//! `docs/walkthrough.md`, typed line by line, and what is seen then in the processes of the hosts and on web pages.

use crate::cluster::{ALLUXIO_HOSTS, Cluster, project};
use crate::guide::Guide;

#[test]
#[ignore = "needs root, Java and a package: scripts/test"]
fn the_first_document_word_for_word() {
    let cluster = Cluster::up();
    // What runs when the document begins.
    cluster.on("server08", "bin/alluxio format").expect_success();
    cluster.on("server08", "bin/alluxio-start.sh local").expect_success();

    let mut guide = Guide::read(project());
    stop_what_runs(&cluster, &mut guide);
    format_and_start(&cluster, &mut guide);
    let listed = make_and_list_directories(&cluster, &mut guide);
    stop_the_leader(&cluster, &mut guide, &listed);
    start_it_again(&cluster, &mut guide, &listed);
    guide.ends();

    cluster.on("server08", "bin/alluxio-stop.sh all").expect_success();
    for host in ALLUXIO_HOSTS {
        assert_eq!(cluster.running(host), [0, 0], "{host}");
    }
}

fn stop_what_runs(cluster: &Cluster, guide: &mut Guide) {
    assert_eq!(cluster.running("server08"), [1, 1]);
    guide.next(cluster, "server08", "bin/alluxio-stop.sh all");
    assert_eq!(cluster.running("server08"), [0, 0]);
}

fn format_and_start(cluster: &Cluster, guide: &mut Guide) {
    guide.next(cluster, "server08", "bin/alluxio format");
    let started = guide.next(cluster, "server08", "bin/alluxio-start.sh all");
    assert_eq!(ALLUXIO_HOSTS.map(|host| cluster.running(host)), [[0, 1], [0, 1], [1, 1]], "{started}");
    let log = cluster.on("server08", "cat logs/task.log").stdout;
    for host in ALLUXIO_HOSTS {
        assert!(log.contains(&format!("[{host}] Starting worker @ {host}. Logging to ")), "{log}");
        let mounted = cluster.on(host, "stat -f -c %T /mnt/ramdisk");
        assert_eq!(mounted.stdout, "ramfs\n", "the memory of {host} is mounted: {mounted}");
    }
    guide.next(cluster, "server06", "bin/alluxio-start.sh master");
    assert_eq!(cluster.running("server06"), [1, 1]);
    assert!(cluster.refuses_web("server06"), "a standby has no web pages");
    assert!(cluster.has_pages("server08"));
    for host in ALLUXIO_HOSTS {
        let page = cluster.page(host, 30000, "/home");
        assert!(page.as_ref().is_some_and(|page| page.contains(host)), "the worker of {host} has pages: {page:?}");
    }
}

/// Makes two directories and lists the root, in the shell and on the web page; what the shell says.
fn make_and_list_directories(cluster: &Cluster, guide: &mut Guide) -> String {
    guide.next(cluster, "server08", "bin/alluxio fs mkdir /default_tests_files");
    guide.next(cluster, "server08", "bin/alluxio fs mkdir /test");
    let listed = guide.next(cluster, "server08", "bin/alluxio fs ls /").stdout;
    assert_page_lists(cluster, "server08", &listed);
    listed
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

fn stop_the_leader(cluster: &Cluster, guide: &mut Guide, listed: &str) {
    guide.next(cluster, "server08", "bin/alluxio-stop.sh master");
    cluster.wait_for_pages("server06");
    assert!(cluster.refuses_web("server08"));
    assert_eq!(guide.next(cluster, "server06", "bin/alluxio fs ls /").stdout, listed, "with the times from before");
    guide.next(cluster, "server06", "bin/alluxio fs leader");
    assert_page_lists(cluster, "server06", listed);
}

fn start_it_again(cluster: &Cluster, guide: &mut Guide, listed: &str) {
    guide.next(cluster, "server08", "bin/alluxio-start.sh master");
    guide.next(cluster, "server08", "bin/alluxio fs leader");
    assert!(cluster.refuses_web("server08"), "it is the standby now");
    assert!(cluster.has_pages("server06"));
    guide.next(cluster, "server06", "bin/alluxio-stop.sh master");
    cluster.wait_for_pages("server08");
    assert_eq!(guide.next(cluster, "server08", "bin/alluxio fs ls /").stdout, listed, "with the times from before");
    guide.next(cluster, "server08", "bin/alluxio fs leader");
}
