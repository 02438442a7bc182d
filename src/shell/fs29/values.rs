//! Pure. Sizes, times and modes as 2.9 reads and shows them.

use crate::types::texts;

/// A number of bytes in the first unit in which it is at most 5 × 1024; bytes are whole, the rest has two decimals.
// Compatible: 2.9 FormatUtils, getSizeFromBytes; tests/shell, fs-05-stat-du-count-test of 2.9.6.
pub fn size(bytes: i64) -> String {
    const PB: i64 = 1 << 50;
    match bytes {
        ..=5120 => format!("{bytes}B"),
        _ if bytes > 5120 * PB => format!("{:.2}EB", bytes as f64 / (1024 * PB) as f64),
        _ => texts::size(bytes),
    }
}

/// Bytes, as `1024`, `4KB` or `1g`.
///
/// # Errors
/// It is none.
// Compatible: 2.9 FormatUtils, parseSpaceSize.
pub(super) fn space(text: &str) -> Result<i64, String> {
    let wrong = || format!("Fail to parse {text} to bytes");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].to_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "ki" | "kib" => 1 << 10,
        "m" | "mb" | "mi" | "mib" => 1 << 20,
        "g" | "gb" | "gi" | "gib" => 1 << 30,
        "t" | "tb" | "ti" | "tib" => 1 << 40,
        "p" | "pb" | "pi" | "pib" => 1_i64 << 50,
        _ => return Err(wrong()),
    };
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    Ok((number * unit as f64 + 0.0001) as i64)
}

/// A count of bytes to show, which is more than none.
///
/// # Errors
/// It is none.
pub(super) fn bytes(text: Option<&str>) -> Result<i64, String> {
    // What is shown unless it is said (2.9.6 HeadCommand, TailCommand), which count with 32 bits.
    let bytes = text.map_or(Ok(1024), space)?;
    if bytes as i32 > 0 { Ok(i64::from(bytes as i32)) } else { Err("specified bytes must be > 0".into()) }
}

/// Milliseconds, as `100`, `5s` or `2d`.
///
/// # Errors
/// It is none.
// Compatible: 2.9 FormatUtils, parseTimeSize.
pub fn time(text: &str) -> Result<i64, String> {
    let wrong = || format!("Fail to parse {text} to milliseconds");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_lowercase().as_str() {
        "" | "ms" | "millisecond" => 1,
        "s" | "sec" | "second" => 1000,
        "m" | "min" | "minute" => 60_000,
        "h" | "hr" | "hour" => 3_600_000,
        "d" | "day" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: i64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// Whether a word says yes, as Java reads it.
pub(super) fn yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// Permission bits, as `755` or `u=rwx,go=rx`.
///
/// # Errors
/// It is no mode.
// Compatible: 2.9 ModeParser; tests/shell, fs-06-perm-acl of 2.9.6.
pub(super) fn mode(text: &str) -> Result<u16, String> {
    if text.trim().is_empty() {
        return Err(format!("Invalid mode {text}"));
    }
    match i16::from_str_radix(text, 8) {
        Ok(bits) => match u16::try_from(bits) {
            Ok(bits) if bits <= 0o777 => Ok(bits),
            // Compatible: not with 2.9, which takes bits that mean nothing.
            _ => Err(format!("Invalid mode {text}")),
        },
        Err(_) => text.split(',').try_fold(0, |bits, part| Ok(bits | segment(text, part)?)),
    }
}

fn segment(text: &str, part: &str) -> Result<u16, String> {
    let wrong = format!("Invalid mode {text} - contains invalid segment {part}");
    let Some((who, what)) = part.split_once('=').filter(|(_, what)| !what.is_empty() && !what.contains('=')) else {
        return Err(wrong);
    };
    let mut mask = 0;
    for letter in who.chars() {
        mask |= match letter {
            'u' => 0o700,
            'g' => 0o070,
            'o' => 0o007,
            'a' => 0o777,
            _ => return Err(format!("{wrong} which has invalid targets {who}")),
        };
    }
    let mut bits = 0;
    for letter in what.chars() {
        bits |= match letter {
            'r' => 0o444,
            'w' => 0o222,
            'x' => 0o111,
            _ => return Err(format!("{wrong} which has invalid permissions {what}")),
        };
    }
    Ok(mask & bits)
}

#[cfg(test)]
mod tests {
    use super::{bytes, mode, size, space, time};

    #[test]
    fn sizes_are_those_of_2_9() {
        assert_eq!([size(0), size(-1), size(5120), size(5121)], ["0B", "-1B", "5120B", "5.00KB"]);
        assert_eq!([size(7885), size(i64::MAX)], ["7.70KB", "8.00EB"]);
        assert_eq!([space("12"), space("4KB"), space("1g")], [Ok(12), Ok(4096), Ok(1 << 30)]);
        assert_eq!(space("x"), Err("Fail to parse x to bytes".into()));
        assert_eq!((bytes(None), bytes(Some("2k"))), (Ok(1024), Ok(2048)));
        assert!(bytes(Some("0")).is_err() && bytes(Some("4GB")).is_err());
    }

    #[test]
    fn times_are_those_of_2_9() {
        assert_eq!(
            [time("100"), time("1h"), time("2d"), time("-1")],
            [Ok(100), Ok(3_600_000), Ok(172_800_000), Ok(-1)]
        );
        assert!(time("abc").is_err() && time("5 s").is_err() && time("9223372036854775807d").is_err());
    }

    #[test]
    fn modes_are_numbers_or_say_who_may_what() {
        assert_eq!([mode("644"), mode("u=rwx,go=rx"), mode("a=r,u=w")], [Ok(0o644), Ok(0o755), Ok(0o644)]);
        assert_eq!(mode("u+w"), Err("Invalid mode u+w - contains invalid segment u+w".into()));
        assert_eq!(mode("999"), Err("Invalid mode 999 - contains invalid segment 999".into()));
        assert!(mode("z=r").is_err_and(|text| text.ends_with("which has invalid targets z")));
        assert!(mode("u=q").is_err_and(|text| text.ends_with("which has invalid permissions q")));
        assert!(mode("1777").is_err() && mode("-1").is_err() && mode("").is_err());
    }
}
