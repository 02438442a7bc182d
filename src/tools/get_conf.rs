//! `alluxio getConf`: what this node's configuration says, in the texts of release 2.9.

use std::io::{self, Write};
use std::time::Duration;

use crate::conf::keys::ROWS;
use crate::conf::{Bytes, Conf, Origin, ParseValue, shown_text};

const USAGE: &str = "\
usage: USAGE: GetConf [--unit <arg>] [--source] [--master] [key]

GetConf prints the configured value for the given key. If the key is
              invalid, the exit code will be nonzero. If the key is valid
              but isn't set, an empty string is printed. If no key is
              specified, all configuration is printed.
    --master       the configuration properties used by the master.
    --source       source of the configuration property will be printed.
    --unit <arg>   unit of the value to return. Values of configuration
                   will be converted to a quantity in the given unit.
                   E.g., with \"--unit KB\", a configuration value of
                   \"4096B\" will return 4, and with \"--unit S\", a
                   configuration value of \"5000ms\" will return 5. Possible
                   unit options include B, KB, MB, GB, TP, PB, MS, S, M,
                   H, D. \"
";

/// What is asked of a key.
#[derive(Debug, Default)]
struct Question<'a> {
    key: Option<&'a str>,
    unit: Option<&'a str>,
    source: bool,
}

/// Writes what is asked for; returns the exit code.
///
/// # Errors
/// It cannot be written.
pub fn run(conf: &Conf, words: &[&str], output: &mut dyn Write) -> io::Result<u8> {
    match question(words).and_then(|question| answer(conf, &question)) {
        Ok(text) => output.write_all(text.as_bytes()).map(|()| 0),
        Err(reason) => {
            output.write_all(USAGE.as_bytes())?;
            // Nobody is left to whom it could be told that this cannot be written.
            let _ = writeln!(io::stderr(), "{reason}");
            Ok(1)
        }
    }
}

fn question<'a>(words: &[&'a str]) -> Result<Question<'a>, String> {
    let mut question = Question::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--source" => question.source = true,
            "--master" => return Err("--master is not available in this version".to_owned()),
            "--unit" => question.unit = Some(words.next().ok_or("Missing argument for option: unit")?),
            key if question.key.is_none() => question.key = Some(key),
            key => return Err(format!("{key} is more than the one key that is taken")),
        }
    }
    Ok(question)
}

fn answer(conf: &Conf, question: &Question) -> Result<String, String> {
    let Some(key) = question.key else {
        let mut names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        return Ok(names.iter().map(|name| format!("{name}={}\n", shown(conf, name))).collect());
    };
    if !Conf::knows(key) {
        return Err(format!("{key} is not a valid configuration key"));
    }
    if question.source {
        return Ok(match conf.origin_of(key) {
            Origin::Preset => "DEFAULT\n".to_owned(),
            Origin::File { path, .. } => format!("SITE_PROPERTY ({path})\n"),
            Origin::Environment(_) | Origin::CommandLine => "SYSTEM_PROPERTY\n".to_owned(),
        });
    }
    let text = shown(conf, key);
    let converted = question.unit.map(|unit| convert(text, unit)).transpose()?;
    Ok(format!("{}\n", converted.as_deref().unwrap_or(text)))
}

/// The value as people may see it; empty when it is not set.
fn shown<'a>(conf: &'a Conf, key: &str) -> &'a str {
    shown_text(key, conf.text(key).unwrap_or_default())
}

/// The value in another unit, rounded down.
fn convert(text: &str, unit: &str) -> Result<String, String> {
    let fail = |reason| format!("{text}: {reason}");
    let bytes = |scale: u64| Ok((Bytes::parse(text).map_err(fail)?.0 / scale).to_string());
    let time = |scale: u128| Ok((Duration::parse(text).map_err(fail)?.as_millis() / scale).to_string());
    match unit.to_ascii_uppercase().as_str() {
        "B" => bytes(1),
        "KB" => bytes(1 << 10),
        "MB" => bytes(1 << 20),
        "GB" => bytes(1 << 30),
        "TB" => bytes(1 << 40),
        "PB" => bytes(1 << 50),
        "MS" => time(1),
        "S" => time(1_000),
        "M" => time(60_000),
        "H" => time(3_600_000),
        "D" => time(86_400_000),
        _ => Err(format!("{unit} is not a unit: B, KB, MB, GB, TB, PB, MS, S, M, H or D")),
    }
}
