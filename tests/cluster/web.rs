//! The pages of several masters: who leads, how far each is, what a standby tells.

use std::time::Duration;

use alluxio::types::texts::size;
use alluxio::types::time::boot_now;
use rustix::process::Signal;

use crate::harness::{COMMAND_LIMIT, Cluster, Master, Services, project, run, wait_for};
use crate::page::{Answer, ask};

fn get(master: &Master, path: &str) -> Answer {
    ask(&master.host, master.web_port, "GET", path)
}

fn address(master: &Master) -> String {
    format!("{}:{}", master.host, master.port)
}

/// The cell with that label in the row of a master.
fn cell(page: &Answer, master: &Master, label: &str) -> String {
    let addresses = page.cells("Address");
    let row = addresses.iter().position(|shown| shown.split(' ').next() == Some(&address(master)));
    page.cells(label)[row.unwrap_or_else(|| panic!("{} is not in {addresses:?}", address(master)))].clone()
}

/// A figure in the text for Prometheus, if it is told.
fn told(master: &Master, name: &str) -> Option<String> {
    let text = get(master, "/metrics").text();
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
}

fn figure(master: &Master, name: &str) -> String {
    told(master, name).unwrap_or_else(|| panic!("{} does not tell {name}", master.host))
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn every_master_tells_who_leads_and_how_far_all_are() {
    let cluster = Cluster::new(3, &[("alluxio.standby.master.web.enabled", "true")]);
    cluster.up();
    let leader = cluster.leader();
    cluster.fs(&["mkdir", "/a", "/b", "/c"]).expect_success();
    let all = &cluster.masters;
    for shown in all {
        // A standby follows.
        let page = wait_for("all to be level", COMMAND_LIMIT, || {
            let page = get(shown, "/masters");
            let is_level = page.cells("Lag (records)") == ["0"; 3] && page.cells("Journal Position")[0] != "0";
            is_level.then_some(page)
        });
        assert_eq!(page.cells("Role").iter().filter(|role| *role == "primary").count(), 1);
        assert_eq!(cell(&page, &all[leader], "Role"), "primary");
        assert!(page.cells("Address").contains(&format!("{} (this one)", address(shown))), "{page:?}");
        assert_eq!(page.term("Claimed by:"), address(&all[leader]));
        for master in all {
            let position = cell(&page, master, "Journal Position");
            assert_eq!(position, figure(master, "alluxio_master_journal_position "), "{}", master.host);
        }
        assert_eq!(page.term("Epoch:"), figure(shown, "alluxio_master_epoch "));
    }

    let report = all[leader].alluxio(&["info", "report", "masters"]).expect_success().stdout.clone();
    for (index, master) in all.iter().enumerate() {
        let state = if index == leader { "PRIMARY" } else { "STANDBY" };
        let line = report.lines().find(|line| line.contains(&format!(" {} ", address(master)))).expect(&report);
        assert!(line.contains(state) && line.ends_with(" 0"), "{report}");
        if index != leader {
            let lag = format!("alluxio_master_standby_lag{{address=\"{}\"}} ", address(master));
            assert_eq!(figure(&all[leader], &lag), "0");
        }
    }
    assert_ne!(
        wait_for("the size of the journal", COMMAND_LIMIT, || told(&all[leader], "alluxio_master_journal_bytes ")),
        "0"
    );
    let summary = all[leader].alluxio(&["fsadmin", "report"]).expect_success().stdout.clone();
    assert!(summary.contains("    Zookeeper Enabled: true\n"), "{summary}");
    assert_eq!(summary.lines().filter(|line| line.contains(" STANDBY ")).count(), 2, "{summary}");

    let standby = &all[(leader + 1) % 3];
    assert_eq!(get(standby, "/health").text().trim(), r#"{"healthy":true,"role":"standby"}"#);
    assert_eq!(get(standby, "/ready").text().trim(), r#"{"ready":true,"role":"standby"}"#);
    assert_eq!(figure(standby, "alluxio_master_is_primary "), "0");
    let home = get(standby, "/home");
    assert!(home.status == 200 && home.text().contains(">standby<"), "{home:?}");
    for path in ["/browse", "/workers", "/memory", "/v1/api/master/file/list_status?path=/"] {
        let refused = get(standby, path);
        assert!(matches!(refused.status, 500 | 503), "{path}: {refused:?}");
        assert!(refused.text().contains("standby") || refused.text().contains("primary"), "{path}: {refused:?}");
    }

    // One that hangs does not hold up the page of another.
    standby.signal(Signal::STOP);
    let began = boot_now();
    let page = get(&all[leader], "/masters");
    assert!(boot_now().since(began) < Duration::from_secs(5));
    assert_eq!(cell(&page, standby, "Journal Position"), "does not tell");
    assert_eq!(cell(&page, standby, "Lag (records)"), "does not tell");
    standby.signal(Signal::CONT);

    let epoch: u64 = page.term("Epoch:").parse().unwrap();
    all[leader].stop().expect_success();
    let next = cluster.leader();
    assert_ne!(next, leader);
    let page = get(&all[next], "/masters");
    assert_eq!(cell(&page, &all[next], "Role"), "primary");
    assert!(page.term("Epoch:").parse::<u64>().unwrap() > epoch);
    assert_eq!(page.cells("Address").len(), 2, "who was stopped does not contend");
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_size_of_the_ufs_is_that_of_hdfs() {
    let services = Services::from_environment();
    let cluster = Cluster::new(1, &[("alluxio.master.mount.table.root.ufs", &services.hdfs)]);
    cluster.up();
    let df = project().join("scripts/testbed");
    let folder = services.folder.to_string_lossy();
    let told = run(&df, &["hdfs", "-df", "/", "--dir", &folder], &[], COMMAND_LIMIT);
    let columns: Vec<i64> = told.stdout.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [capacity, used, _] = columns[..] else { panic!("{told}") };
    let rest = |call| get(&cluster.masters[0], &format!("/v1/api/master/{call}")).json().as_i64().unwrap();
    assert_eq!(rest("ufs_capacity_bytes"), capacity);
    assert!(rest("ufs_used_bytes") >= used && rest("ufs_free_bytes") > 0);
    // An idle cluster shows it, too.
    let shown = wait_for("the overview", COMMAND_LIMIT, || {
        let page = get(&cluster.masters[0], "/home");
        page.text().contains("UnderFS Capacity:").then(|| page.term("UnderFS Capacity:"))
    });
    assert_eq!(shown, size(capacity));
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_port_of_the_pages_moves_with_the_lead() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let leader = cluster.leader();
    let listens = |master: &Master| std::net::TcpStream::connect((master.host.as_str(), master.web_port)).is_ok();
    let (first, second) = (&cluster.masters[leader], &cluster.masters[1 - leader]);
    assert!(get(first, "/home").text().contains(">primary<"));
    assert!(!listens(second));
    first.stop().expect_success();
    wait_for("the pages of the other", COMMAND_LIMIT, || listens(second).then_some(()));
    assert!(!listens(first));
    assert_eq!(get(second, "/masters").cells("Role"), ["primary"]);
}
