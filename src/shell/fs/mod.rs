//! `alluxio fs <command> …`: the table of commands, and what they share.
//!
//! A new command is a file here and a `Some` in the table. Texts and counts are those of 1.2.0.

mod leader;
mod ls;
mod mkdir;
mod mv;
mod rm;
mod table;
mod touch;

use super::uri::Uri;
use super::{FAILED, Output, Session, pattern, texts};
use crate::client::{ClientError, ListOptions, LoadMetadata};
use crate::types::{AlluxioPath, ErrorKind};
use table::{ALIASES, Action, COMMANDS, Command, Count};

/// Runs the command that `words` name and gives its exit code.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some((name, rest)) = words.split_first() else {
        usage(output);
        return FAILED;
    };
    if let Some((_, replacement)) = ALIASES.iter().find(|(alias, _)| alias == name) {
        output.line(&format!("WARNING: {name} is deprecated. Please use {replacement} instead."));
        let words: Vec<&str> = replacement.split(' ').chain(rest.iter().copied()).collect();
        return run_command(words[0], &words[1..], session, output).await;
    }
    run_command(name, rest, session, output).await
}

async fn run_command(name: &str, words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        output.line(&format!("{name} is an unknown command.\n"));
        usage(output);
        return FAILED;
    };
    let Some(action) = &command.action else {
        output.complain(&format!("alluxio fs {name} is not available in this version"));
        return FAILED;
    };
    let (options, words) = split_options(words, command.options);
    if let Err(wrong) = check_count(command, words.len()) {
        output.line(&format!("{wrong}\n"));
        usage(output);
        return FAILED;
    }
    let given = |option| options.contains(option);
    let done = match action {
        Action::Leader => leader::run(session, output).await,
        Action::Ls => ls::run(words[0], ls::options(given('R'), given('f')), session, output).await,
        Action::Mkdir => mkdir::run(&words, session, output).await,
        Action::Mv => mv::run(words[0], words[1], session, output).await,
        Action::Rm => rm::run(words[0], given('R'), session, output).await,
        Action::Touch => touch::run(words[0], session, output).await,
    };
    match done {
        Ok(()) => 0,
        Err(failure) => {
            output.line(&failure.text);
            if let Some(advice) = failure.advice {
                output.advise(&advice);
            }
            FAILED
        }
    }
}

/// What 1.2.0 prints when it does not understand: every command, whether made here or not.
fn usage(output: &mut Output<'_>) {
    output.line("Usage: java AlluxioShell");
    for command in COMMANDS {
        let usage = format!("       [{}]   ", command.usage);
        output.line(&format!("{usage:<60}{:<95}", command.description));
    }
}

/// Options stand before the first other word, together (`-Rf`) or apart; `--` ends them.
fn split_options<'a>(words: &[&'a str], known: &str) -> (String, Vec<&'a str>) {
    let mut options = String::new();
    let mut rest = words.iter().copied().peekable();
    while let Some(word) = rest.peek() {
        if *word == "--" {
            rest.next();
            break;
        }
        match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() && letters.chars().all(|letter| known.contains(letter)) => {
                options.push_str(letters);
                rest.next();
            }
            _ => break,
        }
    }
    (options, rest.collect())
}

fn check_count(command: &Command, given: usize) -> Result<(), String> {
    let name = command.name;
    match command.count {
        Count::Exactly(count) if given != count => Err(format!("{name} takes {count} arguments,  not {given}")),
        Count::AtLeastOne if given == 0 => Err(format!("{name} takes 1 argument at least")),
        _ => Ok(()),
    }
}

/// Why a command did not do what it was asked: what 1.2.0 says, and what we advise.
struct Failure {
    text: String,
    advice: Option<String>,
}

impl Failure {
    fn of(text: String) -> Failure {
        Failure { text, advice: None }
    }

    /// The failure of a call about `path`.
    fn new(error: &ClientError, path: &AlluxioPath) -> Failure {
        match error {
            ClientError::Refused(refusal) => Failure::of(texts::in_1_2(refusal, path)),
            ClientError::Unreachable { master, places, attempts, last } => {
                let text = match master {
                    Some(master) => format!(
                        "Failed to connect to FileSystemMasterClient master @ {master} after {attempts} attempts: {last}"
                    ),
                    None => format!("{last} (after {attempts} attempts)"),
                };
                let advice = format!(
                    "Masters are looked for at {places}: is one running there, and is it the cluster you mean? \
                     alluxio.user.rpc.retry.max.duration says how long to go on trying."
                );
                Failure { text, advice: Some(advice) }
            }
        }
    }

    /// All of them as one, if there are any; one advice is enough.
    fn joined(failures: Vec<Failure>) -> Result<(), Failure> {
        let texts: Vec<&str> = failures.iter().map(|failure| failure.text.as_str()).collect();
        let text = texts.join("\n");
        match failures.into_iter().next() {
            Some(first) => Err(Failure { text, advice: first.advice }),
            None => Ok(()),
        }
    }
}

/// Reads a path as typed. Tells a person that an address in it does not choose the cluster.
fn parse(word: &str, session: &Session, output: &mut Output<'_>) -> Result<Uri, Failure> {
    let uri = Uri::parse(word).map_err(|error| Failure::of(error.to_string()))?;
    if let Some(authority) = uri.authority().filter(|authority| !session.places.contains(authority)) {
        output.advise(&format!(
            "{authority} in {uri} is not used: the properties say that the masters are at {}",
            session.places
        ));
    }
    Ok(uri)
}

/// The paths that `typed` stands for, by name: itself, or what its wildcards match.
async fn expand(typed: &Uri, session: &Session) -> Result<Vec<Uri>, Failure> {
    if !pattern::is_pattern(typed.path()) {
        return Ok(vec![typed.clone()]);
    }
    let (base, names) = pattern::split(typed.path());
    let once = ListOptions { recursive: false, load: LoadMetadata::Once };
    let mut found = vec![base];
    for (at, name) in names.iter().enumerate() {
        let mut below = Vec::new();
        for directory in found {
            let place = typed.with_path(directory);
            let statuses = session.files.list_status(place.path(), &once).await;
            for status in statuses.map_err(|error| list_failed(error, &place))? {
                // A file lists itself.
                let is_child = status.path.parent().as_ref() == Some(place.path());
                let may_go_on = status.folder || at + 1 == names.len();
                if is_child && may_go_on && pattern::matches(name, status.path.name()) {
                    below.push(status.path);
                }
            }
        }
        found = below;
    }
    if found.is_empty() {
        return Err(Failure::of(format!("{typed} does not exist.")));
    }
    found.sort();
    Ok(found.into_iter().map(|path| typed.with_path(path)).collect())
}

/// Compatible: 1.2.0 names a missing directory as it was typed.
fn list_failed(error: ClientError, uri: &Uri) -> Failure {
    match error {
        ClientError::Refused(refusal) if refusal.kind == ErrorKind::NotFound => Failure::of(texts::does_not_exist(uri)),
        other => Failure::new(&other, uri.path()),
    }
}
