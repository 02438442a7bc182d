//! `stat [-f <format>] <path> or stat [-f <format>] --file-id <file-id>`

use chrono::{DateTime, Local};

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words, describe};
use crate::proto::alluxio::grpc::file::{FileInfo, GetStatusPOptions};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::with("f", "", ARG, "format"), Opt::flag("", "file-id", "specify a file by file-id")],
    ..Command::new(
        "stat",
        "stat [-f <format>] <path> or stat [-f <format>] --file-id <file-id>",
        "Displays info for the specified file or directory.
Specify --file-id to treat the first positional argument as a file ID.
Specify -f to display info in given format:
   \"%N\": name of the file;
   \"%z\": size of file in bytes;
   \"%u\": owner;
   \"%g\": group name of owner;
   \"%i\": file id of the file;
   \"%y\": modification time in UTC in 'yyyy-MM-dd HH:mm:ss' format;
   \"%Y\": modification time as Unix timestamp in milliseconds;
   \"%b\": Number of blocks allocated for file",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut word = line.word(0).to_owned();
    if line.has("file-id") {
        // Compatible: what Java says of a text that is no number; tests/shell, fs-05-stat-du-count-test of 2.9.6.
        let id = word.parse().map_err(|_| Failure::of(format!("For input string: \"{word}\"")))?;
        word = session.files.path_of_id(id).await?;
        output.line(&format!("The specified file ID {id} is {word}"));
    }
    paths::for_each(&word, session, output, async |uri, output| {
        let info = session.files.info(uri.path()?, GetStatusPOptions::default()).await?;
        if let Some(format) = line.value("f") {
            output.line(&formatted(format, &info));
            return Ok(());
        }
        let kind = if info.folder() { "directory" } else { "file" };
        output.line(&format!("{uri} is a {kind} path.\n{}", describe::file(&info)));
        let mut blocks = info.file_block_infos.iter().filter_map(|block| block.block_info.as_ref()).peekable();
        match (info.folder(), blocks.peek()) {
            (true, _) => {}
            (false, None) => output.line("This file does not contain any blocks."),
            (false, Some(_)) => {
                output.line("Containing the following blocks: ");
                for block in blocks {
                    output.line(&describe::block(block));
                }
            }
        }
        Ok(())
    })
    .await
}

/// `format` with the fields of the file; what is no field stays.
fn formatted(format: &str, info: &FileInfo) -> String {
    let mut parts = format.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.chars().next().and_then(|letter| field(letter, info)) {
            Some(value) => text += &(value + &part[1..]),
            None => text += &format!("%{part}"),
        }
    }
    text
}

fn field(letter: char, info: &FileInfo) -> Option<String> {
    let of_file = |value: String| if info.folder() { "NA".to_owned() } else { value };
    let changed = info.last_modification_time_ms();
    Some(match letter {
        'b' => of_file(info.file_block_infos.len().to_string()),
        'g' => info.group().to_owned(),
        'i' => info.file_id().to_string(),
        'u' => info.owner().to_owned(),
        'y' => match DateTime::from_timestamp_millis(changed) {
            // Compatible: 2.9 StatCommand shows the time of its zone, whatever it says of UTC.
            Some(utc) => utc.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string(),
            None => format!("{changed} ms"),
        },
        'z' => of_file(info.length().to_string()),
        'N' => info.name().to_owned(),
        'Y' => changed.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::formatted;
    use crate::proto::alluxio::grpc::file::FileInfo;

    #[test]
    fn a_format_keeps_what_is_no_field() {
        let file = FileInfo { name: Some("a".into()), length: Some(12), ..FileInfo::default() };
        assert_eq!(formatted("x%N|%z%%q%é%", &file), "xa|12%%q%é%");
        assert_eq!(formatted("%z", &FileInfo { folder: Some(true), ..file }), "NA");
    }
}
