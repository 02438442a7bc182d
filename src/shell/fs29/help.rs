//! Pure. How commands are explained: in the columns of commons-cli.

use super::Command;
use super::options::Opt;

/// Letters in a line. 2.9 asks the terminal, and takes this where there is none.
const WIDTH: usize = 80;
/// Where options begin.
const LEFT: &str = " ";
/// Between an option and what is said of it.
const BETWEEN: &str = "   ";

/// What `help` says of `command`.
// Compatible: 2.9 HelpCommand, printCommandInfo; tests/shell, fs-01-usage of 2.9.6.
pub(super) fn of(command: &Command) -> String {
    let mut text = block(&format!("{}: {}", command.name, command.description), 0);
    text +=
        &block(&format!("usage: {}", command.usage), "usage: ".len() + command.usage.find(' ').map_or(0, |at| at + 1));
    if !command.options.is_empty() {
        text += &options(command.options);
    }
    text
}

/// What is said when nobody understands.
// Compatible: 2.9 AbstractShell, printUsage.
pub fn usage<'a>(face: &str, usages: impl Iterator<Item = &'a str>) -> String {
    let line = |usage: &str| format!("{:<60}\n", format!("\t [{usage}]"));
    std::iter::once(format!("Usage: alluxio {face} [generic options]\n")).chain(usages.map(line)).collect()
}

fn options(options: &[Opt]) -> String {
    let mut sorted: Vec<&Opt> = options.iter().collect();
    sorted.sort_by_key(|option| option.key().to_lowercase());
    let heads: Vec<String> = sorted.iter().map(|option| head(option)).collect();
    let width = heads.iter().map(String::len).max().unwrap_or_default();
    let lines = sorted.iter().zip(&heads);
    lines
        .map(|(option, head)| {
            wrapped(&format!("{head:<width$}{BETWEEN}{}", option.description), width + BETWEEN.len()) + "\n"
        })
        .collect()
}

fn head(option: &Opt) -> String {
    let names = match (option.short, option.long) {
        ("", long) => format!("{LEFT}   --{long}"),
        (short, "") => format!("{LEFT}-{short}"),
        (short, long) => format!("{LEFT}-{short},--{long}"),
    };
    match option.value {
        Some(value) => format!("{names} <{value}>"),
        None => names,
    }
}

/// `text` line by line, each wrapped for itself.
fn block(text: &str, indent: usize) -> String {
    text.lines().map(|line| wrapped(line, indent) + "\n").collect()
}

/// `line` in lines that are not too long; all but the first are moved in by `indent`.
// Compatible: commons-cli HelpFormatter, renderWrappedText: a word that fits nowhere is cut, a tab ends a line.
fn wrapped(line: &str, indent: usize) -> String {
    let Some(mut at) = wrap_at(line) else { return line.trim_end().to_owned() };
    let indent = if indent >= WIDTH { 1 } else { indent };
    let mut result = line[..at].trim_end().to_owned();
    let mut rest = line.to_owned();
    loop {
        rest = format!("{}{}", " ".repeat(indent), rest[at..].trim());
        result.push('\n');
        let Some(next) = wrap_at(&rest) else { return result + &rest };
        at = if rest.len() > WIDTH && next + 1 == indent { WIDTH } else { next };
        result += rest[..at].trim_end();
    }
}

/// Where `text` is cut, if it has to be. All that is explained is ASCII, so bytes are letters.
fn wrap_at(text: &str) -> Option<usize> {
    if let Some(tab) = text.find('\t').filter(|tab| *tab <= WIDTH) {
        return Some(tab + 1);
    }
    if text.len() <= WIDTH {
        return None;
    }
    Some(text[..=WIDTH].rfind(' ').filter(|at| *at > 0).unwrap_or(WIDTH))
}
