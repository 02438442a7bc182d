//! What watches and scripts ask a master over HTTP: metrics, health, the REST of 1.2.0, the level of the log; what the
//! audit log has of it, and the other logs.

use std::io::Write;
use std::net::TcpStream;

use alluxio::metrics::{
    Figures, FlushTimes, MasterCounters, MasterFigures, ProcessFigures, STANDBY_LAG, STANDBY_LAG_MEANING,
    WorkerCounters, WorkerFigures, document,
};
use serde_json::{Value, json};

use crate::bed::{Bed, read_all};
use crate::page::{Answer, ask_with};

impl Bed {
    fn post(&self, path: &str) -> Answer {
        self.ask("POST", path, "Content-Length: 0\r\n")
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        ask_with("127.0.0.1", self.web, method, path, headers)
    }

    fn log(&self, name: &str) -> String {
        read_all(&self.folder.path().join("logs").join(name))
    }
}

#[test]
fn prometheus_and_health_checks_are_answered() {
    let master = Bed::with_master(&[]);
    assert_eq!(master.post("/v1/api/master/file/create_directory?path=/a").status, 200);
    let text = master.get("/metrics");
    assert_eq!(text.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for line in [
        "\nalluxio_master_create_directory_ops_total 1\n",
        "\nalluxio_master_directories_created_total 1\n",
        "\nalluxio_master_paths_total 2\n",
        "\nalluxio_master_is_primary 1\n",
        "\nalluxio_master_workers 0\n",
        "\nalluxio_master_became_primary_total 1\n",
        "\n# TYPE alluxio_master_journal_flush_seconds histogram\n",
        "\n# TYPE process_cpu_seconds counter\n",
    ] {
        assert!(text.text().contains(line), "{line} in {}", text.text());
    }
    let json = master.get("/metrics/json/");
    assert_eq!(json.headers["content-type"], "text/json;charset=utf-8");
    assert_eq!(json.json()["version"], "3.0.0");
    assert_eq!(json.json()["counters"]["master.CreateDirectoryOps"], json!({ "count": 1 }));
    assert_eq!(json.json()["gauges"]["master.PathsTotal"], json!({ "value": 2 }));
    let redirected = master.get("/metrics/json");
    assert_eq!((redirected.status, redirected.headers["location"].as_str()), (302, "/metrics/json/"));
    assert_eq!(master.get("/health").json(), json!({ "healthy": true, "role": "primary" }));
    assert_eq!(master.get("/ready").json(), json!({ "ready": true, "role": "primary" }));
}

#[test]
fn a_digest_stands_for_all_that_a_master_holds() {
    let master = Bed::with_master(&[]);
    let digest = || master.get("/v1/api/master/state_digest").json();
    let before = digest();
    assert_eq!(before["digest"].as_str().unwrap().len(), 16);
    assert_eq!(digest(), before);
    assert_eq!(master.post("/v1/api/master/file/create_directory?path=/a").status, 200);
    let after = digest();
    assert!(after["position"].as_u64() > before["position"].as_u64(), "{after} after {before}");
    assert_ne!(after["digest"], before["digest"]);
}

#[test]
fn the_rest_is_that_of_1_2_0() {
    let master =
        Bed::with_master(&["alluxio.user.block.size.bytes.default=1MB", "alluxio.master.worker.connect.wait.time=0ms"]);
    let rest = |path: &str| master.get(&format!("/v1/api/master/{path}"));
    let post = |path: &str| {
        let answer = master.post(&format!("/v1/api/master/file/{path}"));
        (answer.status, answer.text())
    };
    let done = (200, String::new());
    assert_eq!(rest("rpc_address").json(), json!(format!("127.0.0.1:{}", master.master)));
    assert_eq!(rest("version").json(), json!("1.2.0"));
    assert_eq!(rest("configuration").json()["alluxio.master.web.port"], json!(master.web.to_string()));
    assert_eq!(rest("worker_count").json(), json!(0));
    assert_eq!(rest("worker_info_list").json(), json!([]));
    assert_eq!(rest("file/service_name").json(), json!("FileSystemMasterClient"));
    assert_eq!(post("create_directory?path=/d/e&recursive=true"), done);
    assert_eq!(
        post("create_directory?path=/d/e"),
        (500, "Not allowed to create directory because path already exists: /d/e".into())
    );
    assert_eq!(post("create_directory"), (500, "required 'path' parameter is missing".into()));
    assert_eq!(post("create_directory?path=/x&recursive=maybe").0, 500);
    assert_eq!(post("create_file?path=/d/%E6%96%87%20%3Cf%3E"), done);
    let (status, block) = post("new_block_id_for_file?path=/d/%E6%96%87%20%3Cf%3E");
    assert_eq!((status, block.parse::<i64>().is_ok()), (200, true), "{block}");
    let info = rest("file/status?path=/d/%E6%96%87%20%3Cf%3E").json();
    let shown = (&info["path"], &info["blockSizeBytes"], &info["completed"], &info["blockIds"][0]);
    assert_eq!(shown, (&json!("/d/文 <f>"), &json!(1 << 20), &json!(false), &json!(block.parse::<i64>().unwrap())));
    assert_eq!(post("set_attribute?path=/d&permission=448&pinned=true&recursive=true"), done);
    let info = rest("file/status?path=/d").json();
    assert_eq!((&info["mode"], &info["pinned"], &info["folder"]), (&json!(0o700), &json!(true), &json!(true)));
    assert_eq!(post("rename?srcPath=/d/e&dstPath=/g"), done);
    let names: Vec<Value> =
        rest("file/list_status?path=/").json().as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
    assert_eq!(names, [json!("d"), json!("g")]);
    assert_eq!(rest("file/mount_points").json()["/"]["ufsType"], json!("local"));
    assert_eq!(post("remove?path=/d&recursive=true"), done);
    let missing = rest("file/status?path=/d");
    assert_eq!((missing.status, missing.text().as_str()), (500, "Path \"/d\" does not exist."));
    let counted = rest("metrics").json();
    assert_eq!(
        (&counted["CreateFileOps"], &counted["RenamePathOps"], &counted["DeletePathOps"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let absent = rest("lineage/service_name");
    assert_eq!(
        (absent.status, absent.text().as_str()),
        (404, "there is no GET master/lineage/service_name here, or not in this version")
    );
    let wrong_method = master.get("/v1/api/master/file/remove?path=/g&recursive=true");
    assert_eq!(wrong_method.status, 404);
    // Nor from a page whose name leads here: who owns a name may let it lead anywhere.
    for origin in ["http://evil.example".to_owned(), "null".to_owned(), format!("http://127.0.0.1:{}", master.web)] {
        let from_a_page = format!("Origin: {origin}\r\nContent-Length: 0\r\n");
        let refused = master.ask("POST", "/v1/api/master/file/remove?path=/g", &from_a_page);
        assert_eq!(
            (refused.status, refused.text().as_str()),
            (403, "changes are not taken from web pages"),
            "{origin}"
        );
    }
    assert_eq!(rest("file/status?path=/g").status, 200);
}

#[test]
fn the_level_of_the_log_changes_while_the_master_runs() {
    let master = Bed::with_master(&[]);
    let level = |query: &str| master.post(&format!("/v1/api/master/logLevel?{query}")).json();
    let told = |level: &str, message: &str| json!({ "logName": "alluxio", "level": level, "message": message });
    assert_eq!(level("logName=alluxio"), told("INFO", ""));
    assert_eq!(level("logName=alluxio&level=LOUD"), told("INFO", "Bad level : LOUD"));
    assert_eq!(level("logName=alluxio&level=DEBUG"), told("DEBUG", "Setting Level to DEBUG"));
    assert_eq!(level("logName=alluxio.master.runtime")["level"], "DEBUG");
    assert_eq!(level("logName=root")["level"], "INFO");
    assert_eq!(level("logName=")["message"], "Please specify a correct logName.");
    // A stream that is cut short is said at that level.
    drop(TcpStream::connect(("127.0.0.1", master.web)).map(|mut stream| stream.write_all(b"nonsense\r\n\r\n")));
    master.until("the level has an effect", || master.log("master.log").contains(" DEBUG ").then_some(()));
    assert!(master.log("master.log").contains("changed the level of the log logger=alluxio level=DEBUG"));
}

#[test]
fn a_changed_log4rs_yaml_is_taken_up_if_that_is_wished() {
    let definition =
        include_str!("../../conf/log4rs.yaml").replace("# refresh_rate: 30 seconds", "refresh_rate: 1 seconds");
    let bed = Bed::new(&[]);
    let file = bed.folder.path().join("conf/log4rs.yaml");
    std::fs::write(&file, &definition).unwrap();
    let master = bed.and_master();
    std::fs::write(&file, "appenders: nonsense").unwrap();
    let complaint = "going on with the log as it is";
    master.until("it is complained of", || master.log("master.log").contains(complaint).then_some(()));
    std::fs::write(&file, definition.replace("level: info", "level: debug")).unwrap();
    master.until("it is taken up", || master.log("master.log").contains("took up a changed log4rs.yaml").then_some(()));
    assert_eq!(master.log("master.log").matches(complaint).count(), 1);
}

#[test]
fn commands_have_a_log_of_their_user_once_there_is_something_to_say() {
    let master = Bed::with_master(&[]);
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    let log = || master.log(&format!("user_{user}.log"));
    master.alluxio(&["fs", "ls", "/"]);
    assert_eq!(log(), "");
    master.alluxio(&["fs", "ls", "/", "-Dalluxio.log.level=TRACE"]);
    assert!(!log().is_empty());
}

#[test]
fn the_audit_log_has_a_file_of_its_own() {
    let master = Bed::with_master(&["alluxio.master.audit.logging.enabled=true"]);
    assert_eq!(master.post("/v1/api/master/file/create_directory?path=/a").status, 200);
    let line = master.until("the line is written", || master.log("master_audit.log").lines().next().map(str::to_owned));
    let (time, line) = line.split_at("2026-11-21 20:47:52,347".len());
    assert!(time.starts_with("20"), "{time}");
    assert!(line.starts_with(" INFO  AUDIT_LOG - succeeded=true\tallowed=true\tugi="), "{line}");
    assert!(line.contains("\tip=/127.0.0.1:") && line.contains("\tcmd=mkdir\tsrc=/a\tdst=null\tperm="), "{line}");
    assert!(!master.log("master.log").contains("AUDIT_LOG"));
    let without = Bed::with_master(&[]);
    assert!(!without.folder.path().join("logs/master_audit.log").exists());
}

/// `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_document_is_that_of_the_tables() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let written = std::fs::read_to_string(page).unwrap();
    let (begin, _) = written.split_once("## What a master counts").unwrap();
    let expected = format!(
        "{begin}## What a master counts\n\n{}\nBesides, for Prometheus only, the histogram \
         `alluxio_master_journal_flush_seconds`: {}.\n\n## What is so at a master\n\n{}\nBesides, for Prometheus only \
         and at a primary, the gauge `{STANDBY_LAG}`: {}.\n\n## What a worker counts\n\n{}\n\
         ## What is so at a worker\n\n{}\n## The process\n\n{}",
        document("master", MasterCounters::ROWS),
        FlushTimes::MEANING.to_lowercase(),
        document("master", MasterFigures::ROWS),
        STANDBY_LAG_MEANING.to_lowercase(),
        document("worker", WorkerCounters::ROWS),
        document("worker", WorkerFigures::ROWS),
        document("process", ProcessFigures::ROWS),
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(page, &expected).unwrap();
        return;
    }
    assert_eq!(written, expected, "UPDATE_DOCS=1 cargo test --test web writes docs/metrics.md anew");
}
