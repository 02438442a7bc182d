//! The local files of the recordings.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder with the files that the recordings copy from, which is the current one as long as the process lives.
pub struct Fixture {
    folder: TempDir,
}

impl Fixture {
    pub fn enter() -> Fixture {
        let folder = TempDir::new().unwrap();
        let lines: String = (0..500).map(|number| format!("line {number:05}\n")).collect();
        for (path, text) in [
            ("hello.txt", "hello alluxio\n"),
            ("empty.txt", ""),
            ("big.txt", &lines),
            ("ldir/a.txt", "a\n"),
            ("ldir/b.txt", "bb\n"),
            ("ldir/sub/c.txt", "ccc\n"),
        ] {
            write(folder.path(), path, text);
        }
        fs::create_dir(folder.path().join("emptydir")).unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        Fixture { folder }
    }

    /// As the shell names it.
    pub fn path(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }
}

/// Writes `text` to `path` below `folder`, with the folders above it.
pub fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
