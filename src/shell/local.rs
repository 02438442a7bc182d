//! Files of the machine on which the shell runs.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rand::Rng;
use tokio::task::JoinHandle;

use super::pattern;

/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// The content of a file. One chunk is read ahead while its user works on the one before.
pub(super) struct Chunks {
    /// None at the end.
    ahead: Option<JoinHandle<(File, io::Result<Vec<u8>>)>>,
}

impl Chunks {
    pub(super) fn new(file: File) -> Chunks {
        Chunks { ahead: Some(read_ahead(file)) }
    }

    /// The next bytes; none at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(ahead) = self.ahead.take() else { return Ok(None) };
        let (file, chunk) = ahead.await.expect("reading does not panic, and nobody aborts it");
        let chunk = chunk?;
        if chunk.is_empty() {
            return Ok(None);
        }
        self.ahead = Some(read_ahead(file));
        Ok(Some(chunk.into()))
    }
}

fn read_ahead(file: File) -> JoinHandle<(File, io::Result<Vec<u8>>)> {
    tokio::task::spawn_blocking(move || {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES as usize);
        let read = (&file).take(CHUNK_BYTES).read_to_end(&mut chunk);
        (file, read.map(|_| chunk))
    })
}

/// Whether `path` stands for others.
pub(super) fn is_pattern(path: &str) -> bool {
    path.contains('*')
}

/// The files and directories that `path` stands for, by name: itself, if it is there, or what its wildcards match.
pub(super) fn expand(path: &str) -> Vec<PathBuf> {
    if !is_pattern(path) {
        let path = PathBuf::from(path);
        return if path.exists() { vec![path] } else { Vec::new() };
    }
    let mut found = vec![PathBuf::from(if path.starts_with('/') { "/" } else { "" })];
    for name in path.split('/').filter(|name| !name.is_empty()) {
        found = found.iter().flat_map(|place| matching(place, name)).collect();
    }
    found.sort();
    found
}

fn matching(place: &Path, name: &str) -> Vec<PathBuf> {
    if !is_pattern(name) {
        let path = place.join(name);
        return if path.exists() { vec![path] } else { Vec::new() };
    }
    let here = if place.as_os_str().is_empty() { Path::new(".") } else { place };
    // What cannot be listed holds nothing that matches.
    let Ok(entries) = fs::read_dir(here) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|found| pattern::matches(name, found)).map(|found| place.join(found)).collect()
}

/// `path` as java.io.File shows it: without repeated slashes and one at the end.
pub(super) fn normal(path: &str) -> String {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let start = if path.starts_with('/') { "/" } else { "" };
    format!("{start}{}", names.join("/"))
}

/// `path` from the root, otherwise as it is: `.` and `..` stay.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let Ok(here) = std::env::current_dir() else { return path.to_owned() };
    match path.to_str() {
        Some("") => here,
        // Joined, a path would lose what is `.` in it.
        Some(text) if !path.is_absolute() => PathBuf::from(format!("{}/{text}", here.display())),
        _ => path.to_owned(),
    }
}

/// A name that nobody else has.
pub(super) fn random_name() -> String {
    let mut random = rand::rng();
    (0..8).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect()
}

/// What the operating system says about `error`, without a number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Chunks, expand, reason};

    #[test]
    fn wildcards_stand_for_local_files() {
        let folder = tempfile::TempDir::new().unwrap();
        for name in ["b.txt", "a.txt", "c.md", "sub/d.txt"] {
            fs::create_dir_all(folder.path().join("sub")).unwrap();
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let at = |name: &str| format!("{}/{name}", folder.path().display());
        let found = |pattern: &str| -> Vec<String> {
            expand(&at(pattern)).iter().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(found("*.txt"), [at("a.txt"), at("b.txt")]);
        assert_eq!(found("*/d*"), [at("sub/d.txt")]);
        assert_eq!(found("c.md"), [at("c.md")]);
        assert!(found("nothing").is_empty() && found("x*").is_empty());
    }

    #[tokio::test]
    async fn a_file_comes_in_chunks() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("f");
        let content: Vec<u8> = (0..(5 << 19) + 7).map(|byte| byte as u8).collect();
        fs::write(&path, &content).unwrap();
        let mut chunks = Chunks::new(fs::File::open(&path).unwrap());
        let mut lengths = Vec::new();
        let mut read = Vec::new();
        while let Some(chunk) = chunks.next().await.unwrap() {
            lengths.push(chunk.len());
            read.extend_from_slice(&chunk);
        }
        assert_eq!(lengths, [1 << 20, 1 << 20, (1 << 19) + 7]);
        assert!(read == content);
    }

    #[test]
    fn a_reason_has_no_number() {
        let error = fs::File::open("/no/such/file").unwrap_err();
        assert_eq!(reason(&error), "No such file or directory");
    }
}
