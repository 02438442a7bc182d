//! When the pages are there, and what a bad client can do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::bed::{Bed, ask};

#[test]
fn a_port_that_is_taken_is_told_at_start() {
    let bed = Bed::new(&[]);
    for (server, kind, port) in [
        ("master", "web", bed.web),
        ("worker", "web", bed.worker_web),
        ("master", "rpc", bed.master),
        ("worker", "rpc", bed.worker),
    ] {
        let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let output = bed.command(&[server]).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let reason = format!(
            "cannot listen on 127.0.0.1:{port}; stop the process that listens there, or choose another alluxio.{server}.{kind}.port"
        );
        assert!(!output.status.success() && text.contains(&reason), "{server} {kind}: {text}");
        assert!(text.contains("Address already in use"), "{text}");
        drop(taken);
    }
}

#[test]
fn the_port_of_the_pages_ends_with_their_server_and_comes_back() {
    let mut bed = Bed::with_master(&[]);
    assert!(bed.get("/home").text().contains("primary"));
    let epoch = |bed: &Bed| bed.get("/masters").term("Epoch:").parse::<u64>().unwrap();
    let before = epoch(&bed);
    bed.kill();
    assert!(TcpStream::connect(("127.0.0.1", bed.web)).is_err(), "who is gone has no pages");
    bed.start("master");
    bed.listens(bed.web);
    let masters = bed.get("/masters");
    assert_eq!(masters.cells("Role"), ["primary"]);
    assert_eq!(masters.cells("Lag (records)"), ["0"]);
    assert_eq!(masters.cells("Address"), [format!("127.0.0.1:{} (this one)", bed.master)]);
    assert!(epoch(&bed) > before);
}

#[test]
fn clients_that_hang_hinder_nobody() {
    let bed = Bed::with_master(&[]);
    let mut hanging: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(("127.0.0.1", bed.web)).unwrap()).collect();
    for stream in &mut hanging[..50] {
        stream.write_all(b"GET /home HTTP/1.1\r\nHost: x\r\n").unwrap();
    }
    let began = Instant::now();
    assert_eq!(bed.get("/home").status, 200);
    bed.alluxio(&["fs", "mkdir", "/while"]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // They are given up in the end.
    let stream = &mut hanging[0];
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(5) && waited < Duration::from_secs(30), "{waited:?}");
}

#[test]
fn pages_can_be_turned_off() {
    let bed = Bed::with_master(&["alluxio.web.ui.enabled=false"]);
    for path in ["/", "/home", "/style.css", "/browse"] {
        assert_eq!(ask(bed.web, "GET", path).status, 404, "{path}");
    }
}
