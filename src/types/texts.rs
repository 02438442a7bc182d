//! Sizes, times and modes as users read them: in the shell and on web pages.

use chrono::{DateTime, TimeZone};

use super::FileStatus;

/// A number of bytes with two decimals, in the first unit in which it is at most 5 × 1024.
///
/// Compatible: 1.2.0 FormatUtils, which rounds halves up: 5,248 bytes are 5.13KB.
pub fn size(bytes: i64) -> String {
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

/// `3 day(s), 4 hour(s), 5 minute(s), and 6 second(s)`, as in 1.2.0.
pub fn uptime(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days} day(s), {hours} hour(s), {minutes} minute(s), and {} second(s)", seconds % 60)
}

/// `MM-dd-yyyy HH:mm:ss:SSS` in `zone`.
pub fn time<Z: TimeZone>(ms: i64, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    match DateTime::from_timestamp_millis(ms) {
        Some(utc) => utc.with_timezone(zone).format("%m-%d-%Y %H:%M:%S:%3f").to_string(),
        None => format!("{ms} ms"),
    }
}

/// `drwxr-xr-x`
pub fn mode(status: &FileStatus) -> String {
    let kind = if status.folder { 'd' } else { '-' };
    let bit = |at: usize, letter: char| if status.mode >> (8 - at) & 1 == 1 { letter } else { '-' };
    std::iter::once(kind).chain("rwxrwxrwx".chars().enumerate().map(|(at, letter)| bit(at, letter))).collect()
}

#[cfg(test)]
mod tests {
    use super::{size, time};
    use chrono::{FixedOffset, Utc};

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
