//! What the operating system says of this process.

use super::table::readings;
use crate::types::time::{boot_now, wall_now};

readings! {
    /// The process itself.
    ProcessFigures {
        resident_memory_bytes: u64, Gauge "ResidentMemoryBytes", "Bytes of memory that the process occupies.";
        cpu_seconds: f64, Counter "CpuSeconds", "Seconds of processor time that the process has used.";
        open_fds: u64, Gauge "OpenFds", "Files and connections that are open.";
        max_fds: u64, Gauge "MaxFds", "Files and connections that may be open.";
        start_time_seconds: f64, Gauge "StartTimeSeconds", "When the process began, in seconds since 1970.";
        uptime_seconds: f64, Gauge "UptimeSeconds", "Seconds since the process began.";
    }
}

impl ProcessFigures {
    /// As they are now; what cannot be read is left out.
    pub fn read() -> ProcessFigures {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name of the program, in brackets, may hold anything; field 3 follows its end.
        let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = rustix::param::clock_ticks_per_second();
        let seconds = |ticks_of: u64| ticks_of as f64 / ticks as f64;
        let since_boot = boot_now().since(crate::types::time::Boot::default()).as_secs_f64();
        let uptime = field(22).map(|started| (since_boot - seconds(started)).max(0.0));
        let pages = std::fs::read_to_string("/proc/self/statm").ok();
        let resident = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<u64>().ok());
        let open = std::fs::read_dir("/proc/self/fd").map(|fds| fds.count() as u64).ok();
        ProcessFigures {
            resident_memory_bytes: resident.map(|pages| pages * rustix::param::page_size() as u64),
            cpu_seconds: field(14).zip(field(15)).map(|(user, system)| seconds(user + system)),
            // The one that reads the folder is not counted.
            open_fds: open.map(|open| open.saturating_sub(1)),
            max_fds: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
            start_time_seconds: uptime.map(|uptime| wall_now().0 as f64 / 1000.0 - uptime),
            uptime_seconds: uptime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn the_operating_system_tells_all_of_it() {
        let before = ProcessFigures::read();
        assert!(before.resident_memory_bytes.is_some_and(|bytes| bytes > 1 << 20), "{before:?}");
        assert!(before.uptime_seconds.is_some_and(|seconds| (0.0..3600.0).contains(&seconds)), "{before:?}");
        let now = wall_now().0 as f64 / 1000.0;
        assert!(before.start_time_seconds.is_some_and(|at| now - at < 3600.0 && at <= now), "{before:?}");
        assert!(before.cpu_seconds.is_some() && before.max_fds >= before.open_fds, "{before:?}");
        let open: Vec<File> = (0..50).filter_map(|_| File::open("/dev/null").ok()).collect();
        // Other tests open and close files meanwhile.
        let after = ProcessFigures::read();
        assert!(after.open_fds >= Some(50), "{after:?} {}", open.len());
    }
}
