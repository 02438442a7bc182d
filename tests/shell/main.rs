//! The shell as users of 1.2.0 know it: recordings of the original, replayed on a master of ours.
//!
//! `tests/data/legacy-1.2.0` holds what 1.2.0 printed. Times are masked, listings are compared as sets (1.2.0 lists by
//! time of creation, we by name). With `ALLUXIO_TEST_MASTER=host:port` the recordings are replayed on a master that
//! runs already and whose namespace is empty, for example a Java one of 2.9.6.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod master;
mod transcript;

use std::process::Command;
use std::time::Duration;

use alluxio::client::{ClientSettings, Fixed, RetrySettings};
use alluxio::rpc::channel::{ChannelSettings, Identity};
use alluxio::shell::{self, CreateSettings, Output, ShellSettings};

use master::Master;
use transcript::{Outcome, Step, read};

/// In the order of the recordings, which build on one another.
const TRANSCRIPTS: [&str; 7] = ["01-usage", "02-mkdir", "03-touch", "05-ls", "10-mv", "11-rm", "17-cluster"];

#[test]
fn the_shell_answers_as_1_2_0_did() {
    let master = Master::start();
    let mut differences = Vec::new();
    let mut compared = 0;
    for name in TRANSCRIPTS {
        for step in read(name) {
            match step {
                Step::Make(words) => {
                    let outcome = alluxio_fs(&words, &master.address);
                    assert_eq!(outcome.code, 0, "{name}: {words:?} is made for what follows: {outcome:?}");
                }
                Step::Compare(words, expected) => {
                    let expected = expected.with_leader(master.host()).comparable(&words);
                    let found = alluxio_fs(&words, &master.address).comparable(&words);
                    compared += 1;
                    if found != expected {
                        differences.push(format!("{name}: {words:?}\nexpected {expected:#?}\nfound {found:#?}"));
                    }
                }
            }
        }
    }
    assert!(differences.is_empty(), "{} of {compared} differ\n{}", differences.len(), differences.join("\n"));
    assert_eq!(compared, 64, "all commands of the recordings were compared");
}

#[test]
fn what_needs_no_master_answers_without_one() {
    let nowhere = "127.0.0.1:1";
    // The recording begins with what needs none: no arguments, unknown commands.
    for step in read("01-usage").into_iter().take(4) {
        let Step::Compare(words, expected) = step else { panic!("nothing has to be made for them") };
        assert_eq!(alluxio_fs(&words, nowhere), expected, "{words:?}");
    }
    for words in [&["nosuch", "/a"][..], &["ls"], &["ls", "/a", "-R"], &["mkdir", "relative"]] {
        let outcome = alluxio_fs(words, nowhere);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (255, ""), "{words:?}");
        assert!(!outcome.stdout.contains("Failed to connect"), "{words:?}: {outcome:?}");
    }
}

#[test]
fn a_command_of_a_later_version_says_so_and_does_not_pretend() {
    let outcome = alluxio_fs(&["cat", "/a"], "127.0.0.1:1");
    let text = "alluxio fs cat is not available in this version\n";
    assert_eq!(outcome, Outcome { stdout: String::new(), stderr: text.into(), code: 255 });
}

#[test]
fn a_master_that_is_not_there_is_named() {
    let outcome = alluxio_fs(&["ls", "/"], "127.0.0.1:1");
    assert_eq!(outcome.code, 255);
    let head = "Failed to connect to FileSystemMasterClient master @ 127.0.0.1:1 after ";
    assert!(outcome.stdout.starts_with(head), "{outcome:?}");
}

/// Runs `alluxio fs <words>` against the master at `address`.
fn alluxio_fs(words: &[impl AsRef<str>], address: &str) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let identity = Some(Identity { user: user(), on_behalf_of: None });
    let retry = RetrySettings { max_duration: Duration::from_millis(300), ..RetrySettings::default() };
    let settings = ShellSettings {
        masters: Box::new(Fixed { address: address.to_owned() }),
        client: ClientSettings {
            channel: ChannelSettings { identity, ..ChannelSettings::default() },
            retry,
            ..ClientSettings::default()
        },
        create: CreateSettings::default(),
        show_owners: false,
    };
    let mut output = Output::new(Box::new(&mut stdout), Box::new(&mut stderr), false);
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let code = shell::run_on(&words, settings, &mut output);
    drop(output);
    Outcome { stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap(), code }
}

/// Who runs the test, and so owns the root of a master that the test starts.
fn user() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}
