//! A wall clock for each host of a master, which can be stepped: processes that are started with a library before libc
//! read it instead of this machine's. Their monotonic and boot clocks stay as they are. (A JVM hangs under the library.)

use std::fs;
use std::path::{Path, PathBuf};

/// The clock of a host.
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// As this machine's; `folder` is the host's own.
    pub fn new(folder: &Path) -> Clock {
        let folders = ["/usr/lib64", "/usr/lib"].into_iter().flat_map(|folder| {
            let below = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
            std::iter::once(PathBuf::from(folder)).chain(below)
        });
        let mut found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).filter(|file| file.exists());
        let library =
            found.next().expect("no libfaketimeMT.so.1: install it (Debian, Ubuntu: apt-get install faketime)");
        let clock = Clock { library, file: folder.join("clock") };
        clock.step(0);
        clock
    }

    /// Has it be ahead of this machine's by so many seconds, or behind it; seen within a second.
    pub fn step(&self, seconds: i64) {
        fs::write(&self.file, format!("{seconds:+}\n")).unwrap();
    }

    /// What a command line begins with that is to have this clock.
    pub fn prefix(&self) -> String {
        format!(
            "export LD_PRELOAD={} FAKETIME_TIMESTAMP_FILE={} FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
             FAKETIME_DONT_RESET=1; ",
            self.library.display(),
            self.file.display()
        )
    }
}
