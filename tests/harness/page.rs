//! Pages of servers, asked for as a browser does, and what is on them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// No page takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

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

    /// The body, which is JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
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

/// Asks the server there.
pub fn ask(host: &str, port: u16, method: &str, path: &str) -> Answer {
    ask_with(host, port, method, path, "")
}

/// The same, with headers, each with the end of its line.
pub fn ask_with(host: &str, port: u16, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect((host, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {host}:{port}\r\n{headers}\r\n").unwrap();
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
