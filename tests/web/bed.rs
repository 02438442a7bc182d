//! A master and a worker as processes, with ports of their own, and what asks for their pages.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::free_port::free_port;

/// Nothing here takes longer, unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Ends with the test.
pub struct Bed {
    /// Everything of the servers: `conf`, `logs`, `ufs`, `ram`, `journal`.
    pub folder: tempfile::TempDir,
    pub master: u16,
    pub worker: u16,
    /// The port of the pages of the master.
    pub web: u16,
    pub worker_web: u16,
    properties: Vec<String>,
    processes: Vec<Child>,
}

impl Bed {
    /// Formatted; nothing runs.
    pub fn new(own: &[&str]) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        for name in ["conf", "logs", "ufs"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let [master, web, worker, worker_web] = [(); 4].map(|()| free_port("127.0.0.1"));
        let in_folder = |name: &str| folder.path().join(name).display().to_string();
        let mut properties: Vec<String> = [
            ("master.hostname", "127.0.0.1".into()),
            ("master.bind.host", "127.0.0.1".into()),
            ("master.rpc.port", master.to_string()),
            ("master.web.bind.host", "127.0.0.1".into()),
            ("master.web.port", web.to_string()),
            ("worker.hostname", "127.0.0.1".into()),
            ("worker.rpc.port", worker.to_string()),
            ("worker.web.bind.host", "127.0.0.1".into()),
            ("worker.web.port", worker_web.to_string()),
            ("worker.ramdisk.size", "64MB".into()),
            ("worker.tieredstore.level0.dirs.path", in_folder("ram")),
            ("underfs.address", in_folder("ufs")),
            ("master.journal.folder", in_folder("journal")),
            ("user.block.size.bytes.default", "16KB".into()),
        ]
        .into_iter()
        .map(|(name, value): (&str, String)| format!("-Dalluxio.{name}={value}"))
        .collect();
        properties.extend(own.iter().map(|property| format!("-D{property}")));
        let bed = Bed { folder, master, worker, web, worker_web, properties, processes: Vec::new() };
        bed.alluxio(&["format"]);
        bed
    }

    /// A master and a worker that serve, with pages.
    pub fn up(own: &[&str]) -> Bed {
        let mut bed = Bed::new(own);
        bed.start("master");
        bed.listens(bed.web);
        bed.start("worker");
        bed.listens(bed.worker_web);
        bed.until("the worker has registered", || {
            bed.get("/workers").text().contains(&format!("127.0.0.1:{}", bed.worker)).then_some(())
        });
        bed
    }

    /// Starts a server in this folder.
    pub fn start(&mut self, server: &str) {
        let process = self.command(&[server]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.processes.push(process);
    }

    /// Ends the server that was started last.
    pub fn kill(&mut self) {
        let mut process = self.processes.pop().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
        command.env_clear().env("ALLUXIO_HOME", self.folder.path()).args(words).args(&self.properties);
        command
    }

    /// Runs a command that succeeds; what it says.
    pub fn alluxio(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A file in the UFS.
    pub fn ufs(&self, name: &str) -> PathBuf {
        self.folder.path().join("ufs").join(name)
    }

    /// A page of the master.
    pub fn get(&self, path: &str) -> Answer {
        ask(self.web, "GET", path)
    }

    /// A page of the worker.
    pub fn get_of_worker(&self, path: &str) -> Answer {
        ask(self.worker_web, "GET", path)
    }

    pub fn listens(&self, port: u16) {
        self.until(&format!("something listens at {port}"), || TcpStream::connect(("127.0.0.1", port)).ok());
    }

    /// Waits until there is something.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            if began.elapsed() > LIMIT {
                let log = |name: &str| read_all(&self.folder.path().join("logs").join(name));
                panic!("waited in vain: {what}\n{}\n{}", log("master.log"), log("worker.log"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// By name in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of a page.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The values of all cells with that label, as they are shown.
    pub fn cells(&self, label: &str) -> Vec<String> {
        let text = self.text();
        let label = format!("data-label=\"{label}\"");
        let parts = text.split(&label).skip(1);
        parts.map(|part| shown(&part[part.find('>').unwrap() + 1..part.find("</t").unwrap()])).collect()
    }

    /// What stands behind a term of a list.
    pub fn term(&self, term: &str) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<dt>{term}</dt><dd")).unwrap_or_else(|| panic!("no {term}: {text}"));
        shown(&rest[rest.find('>').unwrap() + 1..rest.find("</dd>").unwrap()])
    }

    /// The targets of all links.
    pub fn links(&self) -> Vec<String> {
        self.text().split("href=\"").skip(1).map(|part| unescaped(part.split('"').next().unwrap())).collect()
    }
}

/// HTML without its tags, entities and breaks.
fn shown(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text += part.split_once('>').map_or(part, |(_, text)| text);
    }
    unescaped(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescaped(text: &str) -> String {
    let entities = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// Asks a server on this machine.
pub fn ask(port: u16, method: &str, path: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers: BTreeMap<String, String> = headers.map(|(name, value)| (name.to_lowercase(), value.into())).collect();
    let body = bytes[end + 4..].to_vec();
    assert!(!headers.contains_key("transfer-encoding"), "pages and downloads have a length: {headers:?}");
    Answer { status, headers, body }
}

/// Content of a file, if there is one.
pub fn read_all(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
