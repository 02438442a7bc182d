//! An S3 server for all tests of this process, and what others do with its buckets: plain HTTP, nothing of ours.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::harness::{free_port, wait_for};

const HOST: &str = "127.0.0.1";
/// Python takes its time on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// That it is signed is enough for moto.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=other/20260101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=0\r\n";

/// Ends with its standard input, which ends with the tests.
const SERVER: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', sys.argv[1], '-p', sys.argv[2]])
";

/// A bucket that no other test uses.
pub struct Bucket {
    pub name: String,
    port: u16,
}

impl Bucket {
    pub fn new() -> Bucket {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let port = running();
        let name = format!("bucket-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let bucket = Bucket { name, port };
        bucket.ask("PUT", "", b"");
        bucket
    }

    pub fn endpoint(&self) -> String {
        format!("http://{HOST}:{}", self.port)
    }

    pub fn put(&self, key: &str, content: &[u8]) {
        self.ask("PUT", &format!("/{key}"), content);
    }

    pub fn get(&self, key: &str) -> Vec<u8> {
        self.ask("GET", &format!("/{key}"), b"")
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<String> {
        let listed = String::from_utf8(self.ask("GET", "?list-type=2", b"")).unwrap();
        let keys = listed.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned());
        keys.collect()
    }

    /// How many uploads in parts have begun and not ended.
    pub fn uploads(&self) -> usize {
        String::from_utf8(self.ask("GET", "?uploads", b"")).unwrap().matches("<UploadId>").count()
    }

    /// The content of an answer of success.
    fn ask(&self, method: &str, rest: &str, body: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect((HOST, self.port)).unwrap();
        let Bucket { name, port } = self;
        let length = body.len();
        // Of version 1.0, so that the answer ends with the connection and has no chunks.
        let head = format!(
            "{method} /{name}{rest} HTTP/1.0\r\nHost: {HOST}:{port}\r\nContent-Length: {length}\r\n{SIGNED}\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let first = String::from_utf8_lossy(&answer[..end]).lines().next().unwrap().to_owned();
        assert!(first.contains(" 20"), "{method} /{name}{rest}: {first}");
        answer.split_off(end + 4)
    }
}

/// The port of the server, started when it is first asked for.
fn running() -> u16 {
    static SERVER_OF_ALL: OnceLock<(Child, u16)> = OnceLock::new();
    let (_, port) = SERVER_OF_ALL.get_or_init(|| {
        let port = free_port(HOST);
        let python = std::env::var("ALLUXIO_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
        let words = ["-c", SERVER, HOST, &port.to_string()];
        let mut command = Command::new(&python);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {python}: {error}"));
        wait_for("the S3 server", START_LIMIT, || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "no S3 server: {python} needs moto[server] from PyPI (scripts/test installs it)");
            TcpStream::connect((HOST, port)).is_ok().then_some(())
        });
        (child, port)
    });
    *port
}
