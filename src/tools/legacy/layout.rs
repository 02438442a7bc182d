//! Pure. Names of the files of both layouts, and in which order a master reads them.
//!
//! ```text
//! v0  <folder>/_format_<ms>                       v1  <folder>/<Master>/v1/_format_<ms>
//!     <folder>/<Master>/checkpoint.data               <folder>/<Master>/v1/checkpoints/0x0-0x<end>
//!     <folder>/<Master>/completed/log.<20 digits>     <folder>/<Master>/v1/logs/0x<start>-0x<end>
//!     <folder>/<Master>/log.out
//! ```

/// The end in the name of a log that is being written.
pub const OPEN_END: i64 = i64::MAX;

/// A log or checkpoint of v1: entries from `start` on, before `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Name of the file.
    pub name: String,
    /// First entry.
    pub start: i64,
    /// First entry behind it; [`OPEN_END`] while it is written.
    pub end: i64,
}

impl Span {
    /// What a name of v1 says; none for a file that masters pass over.
    // Compatible: UfsJournalFile of 2.9.6 decodes with Long.decode and ignores what it cannot.
    pub fn of(name: &str) -> Option<Span> {
        let (start, end) = name.split_once('-')?;
        let (start, end) = (decode(start)?, decode(end)?);
        (0 <= start && start <= end).then(|| Span { name: name.to_owned(), start, end })
    }

    /// Whether its writer had finished it.
    pub fn is_finished(&self) -> bool {
        self.end != OPEN_END
    }
}

/// Java's `Long.decode` for numbers without a sign.
fn decode(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match (lower.strip_prefix("0x"), lower.strip_prefix('#')) {
        (Some(digits), _) | (None, Some(digits)) => (digits, 16),
        (None, None) if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        (None, None) => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) { None } else { i64::from_str_radix(digits, radix).ok() }
}

/// The files of a master in the order in which it reads them: the newest checkpoint and all logs behind it.
pub fn plan_v1(checkpoints: &[String], logs: &[String]) -> (Option<Span>, Vec<Span>) {
    let spans = |names: &[String]| names.iter().filter_map(|name| Span::of(name)).collect::<Vec<_>>();
    let newest = spans(checkpoints).into_iter().filter(Span::is_finished).max_by_key(|span| span.end);
    let from = newest.as_ref().map_or(0, |span| span.end);
    let mut logs = spans(logs);
    logs.retain(|log| log.end > from);
    logs.sort_by_key(|log| (log.end, log.start));
    (newest, logs)
}

/// The finished logs of a master of v0, in order; or the name of one that does not fit.
pub fn plan_v0(completed: &[String]) -> Result<Vec<String>, String> {
    let numbered = |name: &String| {
        let digits = name.strip_prefix("log.")?;
        let number: u64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
        Some((number, name.clone()))
    };
    let mut logs: Vec<(u64, String)> = completed.iter().filter_map(numbered).collect();
    logs.sort_unstable();
    for (expected, (number, name)) in (logs.first().map_or(1, |(first, _)| *first)..).zip(&logs) {
        if *number != expected {
            return Err(format!("completed/log.{expected:020} is missing before {name}"));
        }
    }
    Ok(logs.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_are_read_as_java_decodes_them() {
        let span = |name: &str| Span::of(name).map(|span| (span.start, span.end));
        assert_eq!(span("0x0-0x54"), Some((0, 84)));
        assert_eq!(span("0X54-0x7fffffffffffffff"), Some((84, OPEN_END)));
        assert_eq!(span("010-#10"), Some((8, 16)));
        assert_eq!([span("0x5-0x4"), span("x-0x4"), span("0x0"), span("0x0-0x8000000000000000")], [None; 4]);
    }

    #[test]
    fn the_newest_checkpoint_and_the_logs_behind_it_are_read() {
        let logs = names(&["0x54-0x7fffffffffffffff", "0x0-0x10", "0x20-0x54", "0x10-0x20", "junk"]);
        let (checkpoint, logs) = plan_v1(&names(&["0x0-0x10", "0x0-0x20", "0x0-0x7fffffffffffffff"]), &logs);
        assert_eq!(checkpoint.map(|span| span.end), Some(0x20));
        assert_eq!(logs.iter().map(|log| log.start).collect::<Vec<_>>(), [0x20, 0x54]);
    }

    #[test]
    fn finished_logs_of_v0_have_consecutive_numbers() {
        let [one, two, three] = [1, 2, 3].map(|n| format!("log.{n:020}"));
        assert_eq!(plan_v0(&[two.clone(), "x".into(), one.clone()]), Ok(vec![one.clone(), two]));
        assert!(plan_v0(&[one, three]).unwrap_err().contains("log.00000000000000000002 is missing"));
    }
}
