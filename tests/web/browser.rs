//! Every page in Chromium, on a desk and in a hand, in light and dark: no complaint on its console, nothing from other
//! hosts, nothing that is wider than the screen. With `WEB_SCREENSHOTS=DIR` the pictures are kept.
//!
//! Chromium is spoken to through two pipes (`--remote-debugging-pipe`): messages of JSON, each with a zero behind it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::bed::Bed;

/// Its pipes are to be the files 3 and 4.
const WITH_PIPES: &str = "exec 3<&0 4>&1; exec \"$0\" \"$@\" </dev/null >/dev/null 2>&1";

struct Chromium {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: String,
    next_id: u64,
    /// What it told without being asked.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    fn start() -> Chromium {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", WITH_PIPES, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
        command.args(["--no-first-run", "--disable-background-networking", "--disable-component-update"]);
        command.args(["--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let (session, events) = (String::new(), Vec::new());
        let mut chromium = Chromium { process, to, from, session, next_id: 0, events, _profile: profile };
        let target = chromium.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let session = chromium.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        chromium.session = session["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Network", "Runtime", "Log"] {
            chromium.call(&format!("{domain}.enable"), json!({}));
        }
        chromium
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let mut message = json!({"id": self.next_id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        write!(self.to, "{message}\0").unwrap();
        loop {
            let told = self.read();
            if told["id"] == json!(self.next_id) {
                assert!(told.get("error").is_none(), "{method}: {told}");
                return told["result"].clone();
            }
            self.events.push(told);
        }
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        self.from.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "Chromium has ended: is it installed? (Debian: apt-get install chromium)");
        serde_json::from_slice(&message).unwrap()
    }

    /// Opens a page, and waits until it is all there. What it told on the way.
    fn open(&mut self, url: &str) -> Vec<Value> {
        self.events.clear();
        self.call("Page.navigate", json!({"url": url}));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let told = self.read();
            self.events.push(told);
        }
        std::mem::take(&mut self.events)
    }

    fn evaluate(&mut self, script: &str) -> Value {
        self.call("Runtime.evaluate", json!({"expression": script, "returnByValue": true}))["result"]["value"].clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = write!(self.to, "{}\0", json!({"id": 0, "method": "Browser.close"}));
        let _ = self.process.wait();
    }
}

/// What is wrong with what a page told while it was loaded.
fn complaints(events: &[Value], origin: &str) -> Vec<String> {
    let complaint = |event: &Value| match event["method"].as_str().unwrap_or_default() {
        "Network.requestWillBeSent" => {
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            (!url.starts_with(origin)).then(|| format!("asks {url}"))
        }
        "Log.entryAdded" | "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" => Some(event["params"].to_string()),
        "Network.loadingFailed" => Some(event["params"].to_string()),
        _ => None,
    };
    events.iter().filter_map(complaint).collect()
}

#[test]
#[ignore = "needs Chromium; scripts/test"]
fn every_page_is_fit_to_be_seen() {
    let bed = Bed::up(&[]);
    let long = "a-name-that-is-much-longer-than-any-telephone-is-wide-".repeat(3);
    for name in ["<script>alert(1)<", "a blank", "中文 \"quoted\"", &long] {
        std::fs::create_dir(bed.ufs(name)).unwrap();
    }
    bed.alluxio(&["fs", "copyFromLocal", concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md"), "/dir/file.md"]);
    let mut of_master = vec!["/home", "/browse", "/browse?path=/dir/file.md", "/configuration", "/workers", "/memory"];
    of_master.extend(["/browseLogs", "/browseLogs?path=/master.log", "/masters", "/metricsui", "/home?refresh=on"]);
    let of_worker =
        ["/home", "/blockInfo", "/blockInfo?path=/dir/file.md", "/browseLogs", "/configuration", "/metricsui"];
    let pages = of_master.iter().map(|page| (bed.web, *page)).chain(of_worker.map(|page| (bed.worker_web, page)));
    let pages: Vec<(u16, &str)> = pages.collect();

    let mut chromium = Chromium::start();
    for (width, height, mobile) in [(1280, 800, false), (768, 1024, true), (390, 844, true)] {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        chromium.call("Emulation.setDeviceMetricsOverride", size);
        for scheme in ["light", "dark"] {
            let media = json!([{"name": "prefers-color-scheme", "value": scheme}]);
            chromium.call("Emulation.setEmulatedMedia", json!({"features": media}));
            let mut grounds = std::collections::BTreeSet::new();
            for (port, page) in &pages {
                let origin = format!("http://127.0.0.1:{port}/");
                let events = chromium.open(&format!("http://127.0.0.1:{port}{page}"));
                let wrong = complaints(&events, &origin);
                assert!(wrong.is_empty(), "{page} at {width} {scheme}: {wrong:?}");
                let overflow = chromium.evaluate("document.documentElement.scrollWidth - innerWidth");
                assert!(overflow.as_i64().unwrap() <= 0, "{page} is {overflow} too wide at {width}");
                let ground = chromium.evaluate("getComputedStyle(document.body).backgroundColor");
                grounds.insert(ground.as_str().unwrap().to_owned());
                let loose = chromium.evaluate(
                    "document.querySelectorAll('h1').length + '/' + \
                     [...document.querySelectorAll('input:not([type=hidden])')].filter(i => !i.labels.length).length",
                );
                assert_eq!(loose, "1/0", "{page}: one heading, and a label for each field");
                keep(&mut chromium, &format!("{port}{page}-{width}-{scheme}"), &[bed.web, bed.worker_web]);
            }
            assert_eq!(grounds.len(), 1, "{grounds:?}");
            let ground = grounds.pop_first().unwrap();
            let is_dark =
                ground.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).all(|n: u32| n < 64);
            assert_eq!(is_dark, scheme == "dark", "{ground}");
        }
    }
    // The first stop of the tabulator leads past the menu.
    chromium.open(&format!("http://127.0.0.1:{}/home", bed.web));
    for kind in ["keyDown", "keyUp"] {
        chromium.call("Input.dispatchKeyEvent", json!({"type": kind, "key": "Tab", "windowsVirtualKeyCode": 9}));
    }
    assert_eq!(chromium.evaluate("document.activeElement.getAttribute('href')"), "#content");
}

#[test]
#[ignore = "needs Chromium; scripts/test"]
fn a_page_refreshes_itself_and_those_it_leads_to() {
    let bed = Bed::up(&["alluxio.web.refresh.interval=1s"]);
    let mut chromium = Chromium::start();
    let count = "document.querySelector('dl.counts dd').textContent";
    chromium.open(&format!("http://127.0.0.1:{}/metricsui?refresh=on", bed.web));
    let before = chromium.evaluate(count);
    bed.alluxio(&["fs", "mkdir", "/new"]);
    // Nobody touches it.
    while !chromium.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
        let told = chromium.read();
        chromium.events.push(told);
    }
    assert_ne!(chromium.evaluate(count), before, "directories that were made");
    let others = chromium.evaluate("[...document.querySelectorAll('nav li:not(.refresh) a')].map(a => a.search)");
    let others = others.as_array().unwrap();
    assert!(others.len() > 5 && others.iter().all(|search| search.as_str().unwrap().ends_with("refresh=on")));
}

/// Keeps a picture of the page, if that is wished.
fn keep(chromium: &mut Chromium, name: &str, ports: &[u16; 2]) {
    let Some(folder) = std::env::var_os("WEB_SCREENSHOTS") else { return };
    let name = name.replace(&ports[0].to_string(), "master").replace(&ports[1].to_string(), "worker");
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
    let picture = chromium.call("Page.captureScreenshot", json!({"captureBeyondViewport": false}));
    let decoder = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut decoder = decoder.unwrap();
    let mut input = decoder.stdin.take().unwrap();
    let text = picture["data"].as_str().unwrap().to_owned();
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let bytes = decoder.wait_with_output().unwrap().stdout;
    writing.join().unwrap();
    std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
}
