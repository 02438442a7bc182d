//! `alluxio fsadmin pathConf add|show|list|remove`

use super::failed;
use crate::client::ClientError;
use crate::shell::fs29::options::{ARG, CommandLine, Opt};
use crate::shell::{FAILED, Output, Session};
use std::collections::{BTreeMap, HashMap};

const DESCRIPTION: &str = "Manage path level configuration, see sub-commands' descriptions for more details.";

/// A sub-command.
struct Command {
    name: &'static str,
    options: &'static [Opt],
    /// How many words it takes.
    words: usize,
    usage: &'static str,
    description: &'static str,
}

// Compatible: 2.9.6 alluxio.cli.fsadmin.pathconf, the texts to the letter.
const COMMANDS: [Command; 4] = [
    Command {
        name: "add",
        options: &[Opt {
            short: "",
            long: "property",
            value: Some("key=value"),
            values: 2,
            description: "property associated with the path",
        }],
        words: 1,
        usage: "add [--property <key=value>] [--property <key=value>] <path>\n\t--property: property associated with the path",
        description: "Adds properties to the path level configurations. Only client scope properties can be added.",
    },
    Command {
        name: "show",
        options: &[Opt::flag(
            "",
            "all",
            "Whether to show all path level configurations applicable to the path, including those set on ancestor paths",
        )],
        words: 1,
        usage: "show [--all] <path>\n\t--all: Whether to show all path level configurations applicable to the path, \
                including those set on ancestor paths",
        description: "Shows path level configurations.",
    },
    Command {
        name: "list",
        options: &[],
        words: 0,
        usage: "list",
        description: "List paths that have configurations.",
    },
    Command {
        name: "remove",
        options: &[
            Opt::with("", "keys", ARG, "property keys to be removed, separated by comma"),
            Opt::flag("R", "recursive", "remove properties set on paths starting from the specified path recursively"),
        ],
        words: 1,
        usage: "remove [-R/--recursive] [--keys <key1,key2,key3>] <path>\n\t--keys: property keys to be removed, separated \
                by comma\n\t--R: remove properties set on paths starting from the specified path recursively",
        description: "Removes path level configurations.",
    },
];

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some((name, words)) = words.split_first() else {
        return refuse("No sub-command is specified", "pathConf [add] [show] [list] [remove]", DESCRIPTION, output);
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == *name) else {
        let text = format!("{name} is an unknown sub-command");
        return refuse(&text, "pathConf [add] [show] [list] [remove]", DESCRIPTION, output);
    };
    let line = match read(command, words) {
        Ok(line) => line,
        Err(wrong) => return refuse(&wrong, command.usage, command.description, output),
    };
    let done = match command.name {
        "add" => add(&line, session).await,
        "show" => show(&line, session, output).await,
        "list" => list(session, output).await,
        _ => remove(&line, session).await,
    };
    done.map_or_else(|error| failed(error, output), |()| 0)
}

fn refuse(wrong: &str, usage: &str, description: &str, output: &mut Output<'_>) -> i32 {
    output.line(wrong);
    output.line(&format!("Usage: {usage}"));
    output.line(description);
    FAILED
}

fn read(command: &Command, words: &[&str]) -> Result<CommandLine, String> {
    let Command { name, options, words: takes, .. } = command;
    let line =
        CommandLine::read(words, options).map_err(|wrong| format!("Failed to parse args for {name}: {wrong}"))?;
    match line.words.len() {
        given if given == *takes => Ok(line),
        given => Err(format!("Command {name} takes {takes} arguments, not {given}")),
    }
}

async fn add(line: &CommandLine, session: &Session) -> Result<(), ClientError> {
    let properties: HashMap<String, String> = line.properties("property").into_iter().collect();
    session.files.set_path_properties(line.word(0), &properties).await
}

async fn show(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), ClientError> {
    let paths = session.files.path_properties().await?;
    for (name, value) in shown(&paths, line.word(0), line.has("all")) {
        output.line(&format!("{name}={value}"));
    }
    Ok(())
}

/// What is set at the path itself, or what holds there: of one that is set at several, the nearest.
fn shown(paths: &BTreeMap<String, BTreeMap<String, String>>, path: &str, all: bool) -> BTreeMap<String, String> {
    let holds = |above: &str| above == path || (all && is_above(above, path));
    let sets = paths.iter().filter(|(above, _)| holds(above));
    // Those above come before those below.
    sets.flat_map(|(_, properties)| properties.clone()).collect()
}

fn is_above(above: &str, path: &str) -> bool {
    let rest = path.strip_prefix(above.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn list(session: &Session, output: &mut Output<'_>) -> Result<(), ClientError> {
    session.files.path_properties().await?.keys().for_each(|path| output.line(path));
    Ok(())
}

async fn remove(line: &CommandLine, session: &Session) -> Result<(), ClientError> {
    let names = line.value("keys").unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let path = line.word(0);
    let paths = match line.has("recursive") {
        false => vec![path.to_owned()],
        true => session.files.path_properties().await?.into_keys().filter(|below| is_above(path, below)).collect(),
    };
    for path in paths {
        session.files.remove_path_properties(&path, &names).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_above_holds_below_unless_something_nearer_does() {
        let set = |path: &str, pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            (path.to_owned(), pairs.collect::<BTreeMap<_, _>>())
        };
        let paths =
            BTreeMap::from([set("/", &[("x", "0"), ("z", "9")]), set("/a", &[("x", "1")]), set("/ab", &[("y", "2")])]);
        let shown = |path: &str, all| {
            let told = shown(&paths, path, all).into_iter().map(|(name, value)| format!("{name}={value}"));
            told.collect::<Vec<_>>().join(" ")
        };
        assert_eq!((shown("/a", false), shown("/a/b", false)), ("x=1".into(), String::new()));
        assert_eq!((shown("/a/b", true), shown("/ab", true)), ("x=1 z=9".into(), "x=0 y=2 z=9".into()));
    }
}
