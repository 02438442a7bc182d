//! `pin <path> media1 media2 media3 ...`

use super::change;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

/// Media that workers may have (2.9.6: `alluxio.master.tieredstore.global.mediumtype`, by default).
const MEDIA: [&str; 3] = ["MEM", "SSD", "HDD"];

pub(super) const COMMAND: Command = Command::new(
    "pin",
    "pin <path> media1 media2 media3 ...",
    "Pins the given file or directory in memory (works recursively for directories). Pinned files are never evicted from memory, unless TTL is set.",
    Words::AtLeast(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let media = &line.words[1..];
    let (valid, invalid): (Vec<&str>, Vec<&str>) = media.iter().map(String::as_str).partition(|m| MEDIA.contains(m));
    if !invalid.is_empty() {
        return Err(Failure::of(format!(
            "Invalid medium to pin the file. {} are invalid. {} are valid medium types",
            invalid.join(","),
            valid.join(",")
        )));
    }
    let change =
        SetAttributeOptions { pinned: Some(true), pinned_media: media.to_vec(), ..SetAttributeOptions::default() };
    change::each(line.word(0), &change, session, output, |uri| format!("File '{uri}' was successfully pinned.")).await
}
