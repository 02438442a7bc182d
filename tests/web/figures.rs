//! What a worker has counted, told as figures and as REST, and the level of its log.

use alluxio::types::time::boot_now;
use serde_json::{Value, json};

use crate::bed::{Bed, LIMIT};

fn json_of(bed: &Bed, path: &str) -> Value {
    bed.get_of_worker(path).json()
}

#[test]
fn a_worker_counts_what_was_written_and_read() {
    let bed = Bed::up(&["alluxio.user.short.circuit.enabled=false"]);
    let source = bed.folder.path().join("40000");
    std::fs::write(&source, vec![7; 40_000]).unwrap();
    bed.alluxio(&["fs", "copyFromLocal", source.to_str().unwrap(), "/f"]);
    assert_eq!(bed.alluxio(&["fs", "cat", "/f"]).len(), 40_000);
    let counted = json_of(&bed, "/v1/api/worker/metrics");
    // Blocks of 16 KB.
    for (name, count) in [
        ("BlocksCached", 3),
        ("BlocksWrittenRemote", 3),
        ("BytesWrittenRemote", 40_000),
        ("BlocksReadRemote", 3),
        ("BlocksAccessed", 3),
        ("BytesReadRemote", 40_000),
        ("BlocksWrittenLocal", 0),
        ("BlocksReadLocal", 0),
        ("BlocksDeleted", 0),
        ("BlocksCanceled", 0),
    ] {
        assert_eq!(counted[name], json!(count), "{name}: {counted}");
    }
    let page = bed.get_of_worker("/metricsui");
    assert_eq!((page.term("Blocks Cached"), page.term("Bytes Read Remotely")), ("3".into(), "40000".into()));
    let configuration = bed.get_of_worker("/configuration").text();
    assert!(configuration.contains("alluxio.user.short.circuit.enabled"), "{configuration}");
    let text = bed.get_of_worker("/metrics").text();
    assert!(text.contains("\nalluxio_worker_blocks_cached_total 3\n"), "{text}");
    assert!(text.contains("\nalluxio_worker_capacity_used 40000\n"), "{text}");
    assert_eq!(json_of(&bed, "/metrics/json/")["gauges"]["worker.BlocksHeld"], json!({ "value": 3 }));
    assert_eq!(json_of(&bed, "/v1/api/worker/used_bytes"), json!(40_000));
    assert_eq!(json_of(&bed, "/v1/api/worker/used_bytes_on_tiers"), json!({ "MEM": 40_000 }));
    assert_eq!(json_of(&bed, "/v1/api/worker/rpc_address"), json!(format!("127.0.0.1:{}", bed.worker)));
    assert_eq!(json_of(&bed, "/health"), json!({ "healthy": true, "role": "worker" }));
    assert_eq!(json_of(&bed, "/ready"), json!({ "ready": true, "role": "worker" }));
    assert_eq!(bed.get_of_worker("/v1/api/worker/block/read_block?blockId=1").status, 404);
    bed.alluxio(&["fs", "rm", "/f"]);
    bed.until("its blocks are dropped", || {
        (json_of(&bed, "/v1/api/worker/metrics")["BlocksDeleted"] == json!(3)).then_some(())
    });
}

#[test]
fn what_local_clients_do_is_counted_as_such() {
    let bed = Bed::up(&[]);
    let source = bed.folder.path().join("40000");
    std::fs::write(&source, vec![7; 40_000]).unwrap();
    bed.alluxio(&["fs", "copyFromLocal", source.to_str().unwrap(), "/f"]);
    assert_eq!(bed.alluxio(&["fs", "cat", "/f"]).len(), 40_000);
    let counted = json_of(&bed, "/v1/api/worker/metrics");
    let told = |name: &str| counted[name].as_u64().unwrap();
    assert_eq!((told("BlocksWrittenLocal"), told("BytesWrittenLocal")), (3, 40_000));
    assert_eq!((told("BlocksReadLocal"), told("BytesReadLocal")), (3, 40_000));
    assert_eq!((told("BlocksWrittenRemote"), told("BytesReadRemote")), (0, 0));
}

#[test]
fn what_comes_from_and_goes_to_the_ufs_is_counted() {
    let bed = Bed::up(&["alluxio.user.file.writetype.default=CACHE_THROUGH"]);
    let source = bed.folder.path().join("10000");
    std::fs::write(&source, vec![7; 10_000]).unwrap();
    bed.alluxio(&["fs", "copyFromLocal", source.to_str().unwrap(), "/f"]);
    std::fs::write(bed.ufs("g"), vec![8; 12_000]).unwrap();
    assert_eq!(bed.alluxio(&["fs", "cat", "/g"]).len(), 12_000);
    let counted = json_of(&bed, "/v1/api/worker/metrics");
    assert_eq!((&counted["BytesWrittenUfs"], &counted["BytesReadUfs"]), (&json!(10_000), &json!(12_000)));
}

#[test]
fn log_level_is_told_and_set_at_all_servers() {
    let bed = Bed::up(&[]);
    let (master, worker) = (bed.web, bed.worker_web);
    let told = bed.alluxio(&["logLevel", "--logName=alluxio"]);
    let expected = |level: &str, message: &str| {
        format!(
            "127.0.0.1:{master}[master]LogInfo{{{level}, alluxio, {message}}}\n\
             127.0.0.1:{worker}[worker]LogInfo{{{level}, alluxio, {message}}}\n"
        )
    };
    assert_eq!(told, expected("INFO", ""));
    let set = bed.alluxio(&["logLevel", "--logName=alluxio", "--level=DEBUG"]);
    assert_eq!(set, expected("DEBUG", "Setting Level to DEBUG"));
    let target = format!("--target=127.0.0.1:{worker}");
    let one = bed.alluxio(&["logLevel", "--logName", "alluxio", &target, "--level", "WARN"]);
    assert_eq!(
        one,
        format!(
            "Role inferred from port: 127.0.0.1:{worker}[worker]\n\
             127.0.0.1:{worker}[worker]LogInfo{{WARN, alluxio, Setting Level to WARN}}\n"
        )
    );
    let refused = bed.command(&["logLevel"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let (out, err) = (String::from_utf8(refused.stdout).unwrap(), String::from_utf8(refused.stderr).unwrap());
    assert_eq!(err, "Unable to parse input args: Missing required option: logName\n");
    assert!(out.starts_with("usage: logLevel [--level <arg>] --logName <arg> [--target <arg>]\n"), "{out}");
    let began = boot_now();
    let nobody = bed.command(&["logLevel", "--logName=a", "--target=127.0.0.1:1:worker"]).output().unwrap();
    assert!(boot_now().since(began) < LIMIT);
    let err = String::from_utf8(nobody.stderr).unwrap();
    let expected = "Failed to set log level:\ncannot ask the web port of the worker at 127.0.0.1:1: ";
    assert!(nobody.status.code() == Some(1) && err.starts_with(expected), "{err}");
}
