//! How the values of properties are written: numbers, durations, sizes, addresses, words.

use chrono::NaiveTime;
use std::path::PathBuf;
use std::time::Duration;

/// A type that a property can have.
pub trait ParseValue: Sized {
    /// What a value looks like, for people.
    const FORM: &'static str;

    /// Reads a value; the reason when it is none, as a clause that follows the value ("not a …").
    fn parse(text: &str) -> Result<Self, String>;
}

/// Bytes of memory or of a file: `512MB`, `1.5GB`, `4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// After how long what was compared with a UFS is compared again; none for never, written as a negative number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncInterval(pub Option<Duration>);

/// A TCP port that others can be told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port(pub u16);

/// The name or number of a host, without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostname(pub String);

/// Permission bits, written in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Octal(pub u16);

/// How many things may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCapacity(pub u32);

/// A name with its password. Shown nowhere: what is printed for debugging hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(String);

impl Credentials {
    /// `user:password`, for who is to be shown it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(******)")
    }
}

/// An address that is still a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// Name or number of the host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl std::fmt::Display for Hostname {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Declares the words that a property may have as an enum with their spelling.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl ParseValue for $name {
            const FORM: &'static str = one_of!($($word),+);

            fn parse(text: &str) -> Result<$name, String> {
                $(if text.eq_ignore_ascii_case($word) { return Ok($name::$variant); })+
                Err(format!("must be {}", Self::FORM))
            }
        }
    };
}

/// The words as a phrase: `A or B or C`.
macro_rules! one_of {
    ($first:literal $(, $more:literal)*) => { concat!($first $(, " or ", $more)*) };
}

words! {
    /// Whose texts and client defaults are shown.
    Compatibility { /// Release 1.2.0.
        V1_2 = "1.2", /// Release 2.9.
        V2_9 = "2.9" }
}

impl Compatibility {
    /// The release whose version is told.
    pub fn release(self) -> &'static str {
        match self {
            Compatibility::V1_2 => "1.2.0",
            Compatibility::V2_9 => "2.9.6",
        }
    }
}

words! {
    /// Where the journal lives.
    JournalType { /// In a folder that all masters share.
        Ufs = "UFS", /// In the masters themselves.
        Embedded = "EMBEDDED", /// Nowhere.
        Noop = "NOOP" }
}
words! {
    /// What a flush of the journal on HDFS waits for.
    FlushDurability { /// The disks of the whole pipeline.
        Hsync = "hsync", /// The memory of the whole pipeline, as release 1.2.0.
        Hflush = "hflush" }
}
words! {
    /// What proves that a leader still leads.
    FencingMode { /// A lease measured on the local clock.
        Lease = "lease", /// A renewal sent after the flush, without trust in any clock.
        Confirm = "confirm" }
}
words! {
    /// How clients say who they are.
    Authentication { /// They do not.
        NoSasl = "NOSASL", /// By a name that is believed.
        Simple = "SIMPLE", /// By a provider of the operator's.
        Custom = "CUSTOM", /// By Kerberos.
        Kerberos = "KERBEROS" }
}
words! {
    /// Who knows in which groups a user is.
    GroupMapping { /// The operating system of the server.
        OperatingSystem = "alluxio.security.group.provider.ShellBasedUnixGroupsMapping", /// Nobody: each is in a group of its own name.
        Identity = "alluxio.security.group.provider.IdentityUserGroupsMapping" }
}
words! {
    /// Where new data goes.
    WriteType { /// To Alluxio only.
        MustCache = "MUST_CACHE", /// To Alluxio if there is room.
        TryCache = "TRY_CACHE", /// To both before the file is complete.
        CacheThrough = "CACHE_THROUGH", /// To the under store only.
        Through = "THROUGH", /// To Alluxio, later to the under store.
        AsyncThrough = "ASYNC_THROUGH", /// Nowhere.
        None = "NONE" }
}

impl ParseValue for String {
    const FORM: &'static str = "text";
    fn parse(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

impl ParseValue for PathBuf {
    const FORM: &'static str = "a local path";
    fn parse(text: &str) -> Result<PathBuf, String> {
        if text.is_empty() { Err("must be a local path".to_owned()) } else { Ok(PathBuf::from(text)) }
    }
}

impl ParseValue for bool {
    const FORM: &'static str = "true or false";
    fn parse(text: &str) -> Result<bool, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        }
    }
}

impl ParseValue for u64 {
    const FORM: &'static str = "a whole number";
    fn parse(text: &str) -> Result<u64, String> {
        text.parse().map_err(|_| "not a whole number".to_owned())
    }
}

impl ParseValue for u32 {
    const FORM: &'static str = "a whole number";
    fn parse(text: &str) -> Result<u32, String> {
        text.parse().map_err(|_| format!("not a whole number from 0 to {}", u32::MAX))
    }
}

impl ParseValue for SyncInterval {
    const FORM: &'static str = "a duration such as 10s, 1min or 0, or a negative number for never";

    fn parse(text: &str) -> Result<SyncInterval, String> {
        let interval = match text.strip_prefix('-') {
            Some(rest) => Duration::parse(rest).map(|_| None),
            None => Duration::parse(text).map(Some),
        };
        interval.map(SyncInterval).map_err(|_| format!("must be {}", Self::FORM))
    }
}

impl ParseValue for Port {
    const FORM: &'static str = "a port, 1 to 65535";
    fn parse(text: &str) -> Result<Port, String> {
        match text.parse() {
            Ok(port) if port > 0 => Ok(Port(port)),
            _ => Err("not a port number (1 to 65535)".to_owned()),
        }
    }
}

impl ParseValue for QueueCapacity {
    const FORM: &'static str = "a number, 1 to 10000000";
    fn parse(text: &str) -> Result<QueueCapacity, String> {
        match text.parse() {
            Ok(number @ 1..=10_000_000) => Ok(QueueCapacity(number)),
            _ => Err("not a number from 1 to 10000000".to_owned()),
        }
    }
}

impl ParseValue for Hostname {
    const FORM: &'static str = "a host name or IPv4 address without a port";
    fn parse(text: &str) -> Result<Hostname, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if text.is_empty() || !text.chars().all(fits) {
            return Err(format!("must be {}", Self::FORM));
        }
        Ok(Hostname(text.to_owned()))
    }
}

/// Visible ASCII, because what other characters are as bytes depends on the locale of each server.
impl ParseValue for Credentials {
    const FORM: &'static str = "user:password in visible ASCII characters";
    fn parse(text: &str) -> Result<Credentials, String> {
        let whole = text.split_once(':').is_some_and(|(user, password)| !user.is_empty() && !password.is_empty());
        match whole && text.chars().all(|c| c.is_ascii_graphic()) {
            true => Ok(Credentials(text.to_owned())),
            false => Err(format!("must be {}", Self::FORM)),
        }
    }
}

impl ParseValue for Octal {
    const FORM: &'static str = "octal permission bits";
    fn parse(text: &str) -> Result<Octal, String> {
        match u16::from_str_radix(text, 8) {
            Ok(bits) if bits <= 0o777 && text.len() >= 3 && !text.starts_with('+') => Ok(Octal(bits)),
            _ => Err("not permission bits in octal (000 to 777)".to_owned()),
        }
    }
}

impl ParseValue for NaiveTime {
    const FORM: &'static str = "a time of the day such as 05:00";
    fn parse(text: &str) -> Result<NaiveTime, String> {
        NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| format!("not {}", Self::FORM))
    }
}

impl ParseValue for log::LevelFilter {
    const FORM: &'static str = "off, error, warn, info, debug or trace";
    fn parse(text: &str) -> Result<log::LevelFilter, String> {
        text.parse().map_err(|_| format!("must be {}", Self::FORM))
    }
}

impl ParseValue for Bytes {
    const FORM: &'static str = "a size such as 4096, 64MB, 1.5GB";
    fn parse(text: &str) -> Result<Bytes, String> {
        let scale = |unit: &str| match unit {
            "" | "b" => Some(1u64),
            "k" | "kb" => Some(1 << 10),
            "m" | "mb" => Some(1 << 20),
            "g" | "gb" => Some(1 << 30),
            "t" | "tb" => Some(1 << 40),
            "p" | "pb" => Some(1 << 50),
            _ => None,
        };
        scaled(text, scale).map(Bytes).ok_or_else(|| "not a size such as 4096, 64MB or 1.5GB".to_owned())
    }
}

/// A plain number is milliseconds, as in all releases; so the 1.x spellings that end in `.ms` need nothing special.
impl ParseValue for Duration {
    const FORM: &'static str = "a duration such as 250ms, 10s, 5min; a plain number is milliseconds";
    fn parse(text: &str) -> Result<Duration, String> {
        let scale = |unit: &str| match unit {
            "" | "ms" | "millisecond" => Some(1u64),
            "s" | "sec" | "second" => Some(1_000),
            "m" | "min" | "minute" => Some(60_000),
            "h" | "hr" | "hour" => Some(3_600_000),
            "d" | "day" => Some(86_400_000),
            _ => None,
        };
        let millis = scaled(text, scale).ok_or_else(|| "not a duration such as 250ms, 10s or 5min".to_owned())?;
        Ok(Duration::from_millis(millis))
    }
}

impl ParseValue for HostPort {
    const FORM: &'static str = "host:port";
    fn parse(text: &str) -> Result<HostPort, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        match Port::parse(port) {
            Ok(Port(port)) if !host.is_empty() && !host.contains(char::is_whitespace) => {
                Ok(HostPort { host: host.to_owned(), port })
            }
            _ => Err(format!("\"{text}\" is not host:port")),
        }
    }
}

/// Separated by commas; empty text is an empty list.
impl ParseValue for Vec<HostPort> {
    const FORM: &'static str = "host:port,host:port,…";
    fn parse(text: &str) -> Result<Vec<HostPort>, String> {
        parts(text, &[',']).map(HostPort::parse).collect()
    }
}

/// Separated by commas.
impl ParseValue for Vec<String> {
    const FORM: &'static str = "words separated by commas";
    fn parse(text: &str) -> Result<Vec<String>, String> {
        Ok(parts(text, &[',']).map(str::to_owned).collect())
    }
}

/// Separated by colons or commas: 1.x and 2.x used either.
impl ParseValue for Vec<PathBuf> {
    const FORM: &'static str = "local paths separated by colons";
    fn parse(text: &str) -> Result<Vec<PathBuf>, String> {
        Ok(parts(text, &[':', ',']).map(PathBuf::from).collect())
    }
}

/// Empty text is the same as not set.
impl<T: ParseValue> ParseValue for Option<T> {
    const FORM: &'static str = T::FORM;
    fn parse(text: &str) -> Result<Option<T>, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }
}

/// The non-empty parts of a list, without the blanks around them.
fn parts<'a>(text: &'a str, separators: &'a [char]) -> impl Iterator<Item = &'a str> {
    text.split(separators).map(str::trim).filter(|word| !word.is_empty())
}

/// A number, possibly with decimals, times the factor of the unit that follows it; none when it is not of this form
/// or does not fit.
fn scaled(text: &str, scale: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = scale(unit.trim().to_ascii_lowercase().as_str())?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let value = number.parse::<f64>().ok()? * factor as f64;
    (value < 2f64.powi(63)).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_both_generations_are_read() {
        let read = |text| Duration::parse(text).map(|d| d.as_millis());
        for (text, millis) in [
            ("300000", 300_000),
            ("250ms", 250),
            ("10s", 10_000),
            ("60sec", 60_000),
            ("5min", 300_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("3day", 259_200_000),
            ("1.5s", 1_500),
            ("10 S", 10_000),
        ] {
            assert_eq!(read(text), Ok(millis), "{text}");
        }
        for text in
            ["", "s", "-1", "10 fortnights", "1..5s", "99999999999999999999s", "184467440737095516160ms", "1e3s"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        for (text, bytes) in
            [("4096", 4096), ("4096B", 4096), ("8KB", 8192), ("512MB", 512 << 20), ("1.5g", 3 << 29), ("2TB", 2 << 40)]
        {
            assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "MB", "-1", "10XB", "99999999PB", "."] {
            assert!(Bytes::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ports_addresses_and_bits_are_checked() {
        assert_eq!(Port::parse("19998"), Ok(Port(19998)));
        for text in ["", "0", "65536", "-1", "abc"] {
            assert_eq!(Port::parse(text), Err("not a port number (1 to 65535)".to_owned()), "{text}");
        }
        let two = Vec::<HostPort>::parse("m1:19998, m2:19998,").expect("two addresses");
        assert_eq!(two.iter().map(HostPort::to_string).collect::<Vec<_>>(), ["m1:19998", "m2:19998"]);
        assert_eq!(Vec::<HostPort>::parse("m1:19998,m2"), Err("\"m2\" is not host:port".to_owned()));
        for text in ["m1", "m-1.example.org", "10.0.0.1", "m_1"] {
            assert_eq!(Hostname::parse(text), Ok(Hostname(text.to_owned())));
        }
        for text in ["", "no such host", "m1:19998", "a/b", "m1,m2", "::1"] {
            let refused = Err("must be a host name or IPv4 address without a port".to_owned());
            assert_eq!(Hostname::parse(text), refused, "{text}");
        }
        assert_eq!(Octal::parse("022"), Ok(Octal(0o022)));
        for text in ["", "8", "22", "1777", "-22", "+22"] {
            assert!(Octal::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn credentials_have_two_parts_and_are_not_printed() {
        let whole = Credentials::parse("masters:s3:cret").expect("a password may have a colon");
        assert_eq!(whole.reveal(), "masters:s3:cret");
        assert_eq!(format!("{whole:?}"), "Credentials(******)");
        for text in ["", "masters", ":secret", "masters:", "masters:two words", "masters:größe", "a:b\n"] {
            let refused = Err("must be user:password in visible ASCII characters".to_owned());
            assert_eq!(Credentials::parse(text), refused, "{text}");
        }
    }

    #[test]
    fn words_are_matched_whatever_their_case() {
        assert_eq!(WriteType::parse("cache_through"), Ok(WriteType::CacheThrough));
        assert_eq!(FlushDurability::parse("fsync"), Err("must be hsync or hflush".to_owned()));
        assert_eq!(Option::<FencingMode>::parse(""), Ok(None));
    }
}
