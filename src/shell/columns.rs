//! Pure. The columns of `ls` in 1.2.0: sizes, times, modes.

use chrono::{DateTime, TimeZone};

use crate::types::FileStatus;

/// A line of `ls`, with mode, owner and group where permissions matter.
///
/// Compatible: 1.2.0 LsCommand. A path shorter than five characters is padded too: tests/shell, 05-ls, 19-permissions.
pub(super) fn ls_line<Z: TimeZone>(status: &FileStatus, show_owners: bool, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let size = size(status.length);
    let created = time(status.creation_time_ms, zone);
    let state = match (status.folder, status.in_memory_percentage) {
        (true, _) => "Directory",
        (false, 100) => "In Memory",
        (false, _) => "Not In Memory",
    };
    let rest = format!("{size:<10}{created:<25}{state:<15}{:<5}", status.path.as_str());
    if show_owners { format!("{:<15}{:<15}{:<15}{rest}", mode(status), status.owner, status.group) } else { rest }
}

/// A number of bytes with two decimals, in the first unit in which it is at most 5 × 1024.
///
/// Compatible: 1.2.0 FormatUtils, which rounds halves up: 5,248 bytes are 5.13KB.
fn size(bytes: i64) -> String {
    let bytes = i128::from(bytes);
    let mut unit = 1_i128;
    let mut names = ["B", "KB", "MB", "GB", "TB", "PB"].iter();
    let mut name = "B";
    for next in names.by_ref() {
        name = next;
        if bytes <= 5 * 1024 * unit {
            break;
        }
        if name != "PB" {
            unit *= 1024;
        }
    }
    let hundredths = (bytes * 200 + unit) / (2 * unit);
    format!("{}.{:02}{name}", hundredths / 100, hundredths % 100)
}

/// `MM-dd-yyyy HH:mm:ss:SSS` in `zone`.
fn time<Z: TimeZone>(ms: i64, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    match DateTime::from_timestamp_millis(ms) {
        Some(utc) => utc.with_timezone(zone).format("%m-%d-%Y %H:%M:%S:%3f").to_string(),
        None => format!("{ms} ms"),
    }
}

/// `drwxr-xr-x`
fn mode(status: &FileStatus) -> String {
    let kind = if status.folder { 'd' } else { '-' };
    let bit = |at: usize, letter: char| if status.mode >> (8 - at) & 1 == 1 { letter } else { '-' };
    std::iter::once(kind).chain("rwxrwxrwx".chars().enumerate().map(|(at, letter)| bit(at, letter))).collect()
}

#[cfg(test)]
mod tests {
    use super::{ls_line, size, time};
    use crate::types::{AlluxioPath, FileStatus, InodeId, PersistenceState, TtlAction};
    use chrono::{FixedOffset, Utc};

    fn status(path: &str, folder: bool, length: i64) -> FileStatus {
        FileStatus {
            id: InodeId(1),
            path: AlluxioPath::parse(path).unwrap(),
            ufs_path: String::new(),
            length,
            block_size_bytes: 0,
            creation_time_ms: 1_795_292_202_803,
            modification_time_ms: 0,
            access_time_ms: 0,
            folder,
            completed: true,
            cacheable: true,
            pinned: false,
            mount_point: false,
            mount_id: 1,
            owner: "root".into(),
            group: "supergroup".into(),
            mode: 0o755,
            persistence: PersistenceState::NotPersisted,
            ttl_ms: -1,
            ttl_action: TtlAction::Delete,
            replication_min: 0,
            replication_max: -1,
            blocks: Vec::new(),
            in_alluxio_percentage: 100,
            in_memory_percentage: 100,
        }
    }

    #[test]
    fn the_lines_are_those_of_1_2_0() {
        let file = status("/d1/hello.txt", false, 14);
        assert_eq!(ls_line(&file, false, &Utc), "14.00B    11-21-2026 20:16:42:803  In Memory      /d1/hello.txt");
        assert_eq!(
            ls_line(&status("/d1", true, 5), false, &Utc),
            "5.00B     11-21-2026 20:16:42:803  Directory      /d1  "
        );
        assert_eq!(
            ls_line(&status("/p1", true, 1), true, &Utc),
            "drwxr-xr-x     root           supergroup     1.00B     11-21-2026 20:16:42:803  Directory      /p1  "
        );
        let freed = FileStatus { in_memory_percentage: 0, ..file };
        assert_eq!(ls_line(&freed, false, &Utc), "14.00B    11-21-2026 20:16:42:803  Not In Memory  /d1/hello.txt");
    }

    #[test]
    fn sizes_keep_their_unit_up_to_five_thousand_and_round_halves_up() {
        assert_eq!(size(0), "0.00B");
        assert_eq!(size(5120), "5120.00B");
        assert_eq!(size(5121), "5.00KB");
        assert_eq!(size(5248), "5.13KB");
        assert_eq!(size(5500), "5.37KB");
        assert_eq!(size(300_000), "292.97KB");
        assert_eq!(size(6 << 20), "6.00MB");
        assert_eq!(size(6 << 50), "6.00PB");
        assert_eq!(size(i64::MAX), "8192.00PB");
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let east = FixedOffset::east_opt(8 * 3600).unwrap();
        assert_eq!(time(1_795_292_202_803, &east), "11-22-2026 04:16:42:803");
        assert_eq!(time(5, &Utc), "01-01-1970 00:00:00:005");
        assert_eq!(time(i64::MAX, &Utc), "9223372036854775807 ms");
    }
}
