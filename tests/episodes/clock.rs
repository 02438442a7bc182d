//! A wall clock for each host of a master, which can be stepped: processes that are started with a library before libc
//! read it instead of this machine's. Their monotonic and boot clocks stay as they are. (A JVM hangs under the library.)

use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster::project;
use crate::hosts::from_debian;

/// The clock of a host.
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// As this machine's; `folder` is the host's own.
    pub fn new(folder: &Path) -> Clock {
        let library = from_debian("faketime_library", project());
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
