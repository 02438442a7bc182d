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
    /// That of the recordings of 1.2.0.
    pub fn enter() -> Fixture {
        let lines: String = (0..500).map(|number| format!("line {number:05}\n")).collect();
        let fixture = Fixture::make(
            "",
            &[
                ("hello.txt", "hello alluxio\n"),
                ("empty.txt", ""),
                ("big.txt", &lines),
                ("ldir/a.txt", "a\n"),
                ("ldir/b.txt", "bb\n"),
                ("ldir/sub/c.txt", "ccc\n"),
                ("with space.txt", "x\n"),
                ("some.properties", "k=v\n"),
                ("none.properties", ""),
            ],
        );
        fs::create_dir(fixture.path().join("emptydir")).unwrap();
        fixture
    }

    /// That of the recordings of 2.9.6: `local` has the files, `run` is the current folder.
    pub fn enter_2_9() -> Fixture {
        let lines: String = (1..=300).map(|number| format!("line {number}\n")).collect();
        Fixture::make(
            "run",
            &[
                ("local/hello.txt", "hello\nworld\n"),
                ("local/ten.txt", &lines),
                ("local/dir/a.txt", "a\n"),
                ("local/dir/sub/b.txt", "bb\n"),
            ],
        )
    }

    fn make(current: &str, files: &[(&str, &str)]) -> Fixture {
        let folder = TempDir::new().unwrap();
        for (path, text) in files {
            write(folder.path(), path, text);
        }
        let current = folder.path().join(current);
        fs::create_dir_all(&current).unwrap();
        // The process has one current folder, and tests run side by side.
        let alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        std::env::set_current_dir(current).unwrap();
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
