//! `alluxio fsadmin pathConf add|show|list|remove`

use super::{Entry, Group};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{ARG, CommandLine, Opt};
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};
use std::collections::{BTreeMap, HashMap};

// Compatible: 2.9.6 alluxio.cli.fsadmin.pathconf, the texts to the letter.
pub(super) const GROUP: Group = Group {
    name: "pathConf",
    usage: "pathConf [add] [show] [list] [remove]",
    description: "Manage path level configuration, see sub-commands' descriptions for more details.",
    entries: &[Entry::One(&ADD), Entry::One(&SHOW), Entry::One(&LIST), Entry::One(&REMOVE)],
};

const ADD: Command = Command {
    options: &[Opt {
        short: "",
        long: "property",
        value: Some("key=value"),
        values: 2,
        description: "property associated with the path",
    }],
    ..Command::new(
        "add",
        "add [--property <key=value>] [--property <key=value>] <path>\n\t--property: property associated with the path",
        "Adds properties to the path level configurations. Only client scope properties can be added.",
        Words::Exactly(1),
        |line, session, _| Box::pin(add(line, session)),
    )
};

const SHOW: Command = Command {
    options: &[Opt::flag(
        "",
        "all",
        "Whether to show all path level configurations applicable to the path, including those set on ancestor paths",
    )],
    ..Command::new(
        "show",
        "show [--all] <path>\n\t--all: Whether to show all path level configurations applicable to the path, including \
         those set on ancestor paths",
        "Shows path level configurations.",
        Words::Exactly(1),
        |line, session, output| Box::pin(show(line, session, output)),
    )
};

const LIST: Command =
    Command::new("list", "list", "List paths that have configurations.", Words::Exactly(0), |_, session, output| {
        Box::pin(list(session, output))
    });

const REMOVE: Command = Command {
    options: &[
        Opt::with("", "keys", ARG, "property keys to be removed, separated by comma"),
        Opt::flag("R", "recursive", "remove properties set on paths starting from the specified path recursively"),
    ],
    ..Command::new(
        "remove",
        "remove [-R/--recursive] [--keys <key1,key2,key3>] <path>\n\t--keys: property keys to be removed, separated by \
         comma\n\t--R: remove properties set on paths starting from the specified path recursively",
        "Removes path level configurations.",
        Words::Exactly(1),
        |line, session, _| Box::pin(remove(line, session)),
    )
};

async fn add(line: &CommandLine, session: &Session) -> Result<(), Failure> {
    let properties: HashMap<String, String> = line.properties("property").into_iter().collect();
    Ok(session.files.set_path_properties(line.word(0), &properties).await?)
}

async fn show(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
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

async fn list(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    session.files.path_properties().await?.keys().for_each(|path| output.line(path));
    Ok(())
}

async fn remove(line: &CommandLine, session: &Session) -> Result<(), Failure> {
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
