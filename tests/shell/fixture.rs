//! The local files of the recordings.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempDir;

/// A folder with the files that the recordings copy from, which is the current one as long as this lives.
pub struct Fixture {
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

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
            ("with space.txt", "x\n"),
            ("some.properties", "k=v\n"),
            ("none.properties", ""),
        ] {
            write(folder.path(), path, text);
        }
        fs::create_dir(folder.path().join("emptydir")).unwrap();
        // The process has one current folder, and tests run side by side.
        let alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        std::env::set_current_dir(folder.path()).unwrap();
        Fixture { folder, _alone: alone }
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
