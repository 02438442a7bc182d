//! Pure. The words behind a command, read as commons-cli reads them.
//!
//! Options may stand anywhere before `--`, short (`-R`, together `-rf`), long (`--recursive`, or as much of it as no other
//! begins with, with one dash too), and their values behind them, behind `=`, or attached (`-c20`).

/// An option of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Opt {
    /// Without the dash; "" for none.
    pub short: &'static str,
    /// Without the dashes; "" for none.
    pub long: &'static str,
    /// What its value is called; none if it takes none.
    pub value: Option<&'static str>,
    /// How many values it takes, at least one; more than one are a key and its value, with `=` between them.
    pub values: usize,
    pub description: &'static str,
}

/// What a value is called that has no name of its own.
pub const ARG: Option<&str> = Some("arg");

impl Opt {
    /// An option without value.
    pub const fn flag(short: &'static str, long: &'static str, description: &'static str) -> Opt {
        Opt { short, long, value: None, values: 1, description }
    }

    /// An option with a value that is called `value`.
    pub const fn with(
        short: &'static str,
        long: &'static str,
        value: Option<&'static str>,
        description: &'static str,
    ) -> Opt {
        Opt { short, long, value, values: 1, description }
    }

    /// What it is called in messages, and sorted by.
    pub fn key(&self) -> &'static str {
        if self.short.is_empty() { self.long } else { self.short }
    }

    /// Whether it is called `name`, short or long.
    fn is(&self, name: &str) -> bool {
        !name.is_empty() && (self.short == name || self.long == name)
    }
}

/// The words of a command, sorted out.
#[derive(Debug, Default)]
pub struct CommandLine {
    /// In the order in which they were given, with their values.
    given: Vec<(&'static Opt, Vec<String>)>,
    /// The other words.
    pub words: Vec<String>,
}

impl CommandLine {
    /// Reads `words` for a command with the options `known`.
    ///
    /// # Errors
    /// An option is unknown, ambiguous, or lacks its value.
    // Compatible: 2.9 Command, parseAndValidateArgs: the DefaultParser of commons-cli; tests/shell, 2.9.6 transcripts.
    pub fn read(words: &[&str], known: &'static [Opt]) -> Result<CommandLine, String> {
        let mut reader = Reader { known, line: CommandLine::default(), open: false, ended: false };
        for word in words {
            reader.take(word)?;
        }
        reader.close()?;
        Ok(reader.line)
    }

    /// Whether the option of this name, short or long, was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(option, _)| option.is(name))
    }

    /// The value of the option, if it was given; of two the first counts.
    pub fn value(&self, name: &str) -> Option<&str> {
        let (_, values) = self.given.iter().find(|(option, _)| option.is(name))?;
        values.first().map(String::as_str)
    }

    /// All keys and values of an option that takes both; a key alone is `true`. Of one key the last counts.
    pub fn properties(&self, name: &str) -> Vec<(String, String)> {
        let mut found = std::collections::BTreeMap::new();
        for (_, values) in self.given.iter().filter(|(option, _)| option.is(name)) {
            if let Some(key) = values.first() {
                found.insert(key.clone(), values.get(1).cloned().unwrap_or_else(|| "true".to_owned()));
            }
        }
        found.into_iter().collect()
    }

    /// What the first option that was given is called.
    pub fn first_option(&self) -> Option<&'static str> {
        self.given.first().map(|(option, _)| option.key())
    }

    /// How many options were given.
    pub fn options(&self) -> usize {
        self.given.len()
    }

    /// The word at `index`, which the number of words that the command takes makes sure of.
    pub fn word(&self, index: usize) -> &str {
        &self.words[index]
    }
}

struct Reader {
    known: &'static [Opt],
    line: CommandLine,
    /// Whether the last option may take another value.
    open: bool,
    /// Whether `--` was seen.
    ended: bool,
}

impl Reader {
    fn take(&mut self, word: &str) -> Result<(), String> {
        if self.ended {
            self.line.words.push(word.to_owned());
        } else if word == "--" {
            self.ended = true;
        } else if self.open && (!self.is_option(word) || word.parse::<f64>().is_ok()) {
            self.add_value(without_quotes(word));
        } else if word.starts_with("--") {
            self.take_long(word)?;
        } else if word.starts_with('-') && word != "-" {
            self.take_short(word)?;
        } else {
            self.line.words.push(word.to_owned());
        }
        Ok(())
    }

    /// What is called so exactly, or else all long options that begin so.
    fn long(&self, name: &str) -> Vec<&'static Opt> {
        match self.known.iter().find(|option| !option.long.is_empty() && option.long == name) {
            Some(option) => vec![option],
            None => {
                self.known.iter().filter(|option| !option.long.is_empty() && option.long.starts_with(name)).collect()
            }
        }
    }

    fn short(&self, name: &str) -> Option<&'static Opt> {
        self.known.iter().find(|option| !option.short.is_empty() && option.short == name)
    }

    /// The longest long option that `text` begins with, shorter than it by one at least.
    fn long_prefix(&self, text: &str) -> Option<&'static Opt> {
        let begins =
            |option: &&Opt| option.long.len() > 1 && option.long.len() < text.len() && text.starts_with(option.long);
        self.known.iter().filter(begins).max_by_key(|option| option.long.len())
    }

    fn is_option(&self, word: &str) -> bool {
        let Some(text) = word.strip_prefix('-').filter(|text| !text.is_empty()) else { return false };
        let name = text.split('=').next().unwrap_or_default();
        let first = name.chars().next().map_or("", |c| &name[..c.len_utf8()]);
        let text = text.trim_start_matches('-');
        !self.long(name.trim_start_matches('-')).is_empty()
            || (!word.starts_with("--") && self.long_prefix(text).is_some())
            || self.short(name).is_some()
            || self.short(first).is_some()
    }

    fn take_long(&mut self, word: &str) -> Result<(), String> {
        let text = word.trim_start_matches('-');
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let matching = self.long(name);
        let Some(option) = matching.first().copied() else { return Err(unknown(word)) };
        if matching.len() > 1 {
            let names: Vec<String> = matching.iter().map(|option| format!("'{}'", option.long)).collect();
            return Err(format!("Ambiguous option: '{word}'  (could be: {})", names.join(", ")));
        }
        match value {
            Some(_) if option.value.is_none() => Err(unknown(word)),
            Some(value) => self.open_with(option, value),
            None => self.open(option),
        }
    }

    fn take_short(&mut self, word: &str) -> Result<(), String> {
        let text = &word[1..];
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name.chars().count() == 1 {
            return match (self.short(name), value) {
                (Some(option), None) => self.open(option),
                (Some(option), Some(value)) if option.value.is_some() => self.open_with(option, value),
                _ => Err(unknown(word)),
            };
        }
        if value.is_some() {
            return self.take_long(word);
        }
        if let Some(option) = self.short(name) {
            return self.open(option);
        }
        if !self.long(name).is_empty() {
            return self.take_long(word);
        }
        if let Some(option) = self.long_prefix(text).filter(|option| option.value.is_some()) {
            return self.open_with(option, &text[option.long.len()..]);
        }
        self.take_together(word)
    }

    /// Letters that stand together: `-Rf`, `-c20`.
    fn take_together(&mut self, word: &str) -> Result<(), String> {
        let text = &word[1..];
        for (at, letter) in text.char_indices() {
            let end = at + letter.len_utf8();
            let Some(option) = self.short(&text[at..end]) else { return Err(unknown(word)) };
            if option.value.is_some() && end < text.len() {
                return self.open_with(option, &text[end..]);
            }
            self.open(option)?;
        }
        Ok(())
    }

    fn open(&mut self, option: &'static Opt) -> Result<(), String> {
        self.close()?;
        self.line.given.push((option, Vec::new()));
        self.open = option.value.is_some();
        Ok(())
    }

    fn open_with(&mut self, option: &'static Opt, value: &str) -> Result<(), String> {
        self.open(option)?;
        self.add_value(value);
        self.open = false;
        Ok(())
    }

    fn add_value(&mut self, value: &str) {
        let Some((option, values)) = self.line.given.last_mut() else { return };
        if option.values > 1 && values.is_empty() {
            values.extend(value.splitn(option.values, '=').map(str::to_owned));
        } else {
            values.push(value.to_owned());
        }
        self.open = values.len() < option.values;
    }

    /// Before the next option, and at the end.
    fn close(&mut self) -> Result<(), String> {
        match self.line.given.last() {
            Some((option, _)) if self.open => Err(format!("Missing argument for option: {}", option.key())),
            _ => Ok(()),
        }
    }
}

fn unknown(word: &str) -> String {
    format!("Unrecognized option: {word}")
}

fn without_quotes(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|rest| !rest.contains('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{ARG, CommandLine, Opt};

    const KNOWN: &[Opt] = &[
        Opt::flag("R", "recursive", ""),
        Opt::flag("f", "", ""),
        Opt::with("c", "", ARG, ""),
        Opt::with("", "sort", ARG, ""),
        Opt::flag("", "readonly", ""),
        Opt { short: "", long: "option", value: Some("key=value"), values: 2, description: "" },
    ];

    /// The options with their values, and the other words.
    type Sorted = (Vec<(&'static str, String)>, String);

    fn read(words: &str) -> Result<Sorted, String> {
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        let line = CommandLine::read(&words, KNOWN)?;
        let given = line.given.iter().map(|(option, values)| (option.key(), values.join("|"))).collect();
        Ok((given, line.words.join(" ")))
    }

    #[test]
    fn options_stand_anywhere_and_may_be_cut_short() {
        let flags = |names: &[&'static str], words: &str| {
            Ok((names.iter().map(|name| (*name, String::new())).collect(), words.to_owned()))
        };
        assert_eq!(read("/a -R /b"), flags(&["R"], "/a /b"));
        assert_eq!(read("-Rf /a"), flags(&["R", "f"], "/a"));
        assert_eq!(read("--recursive -- -f"), flags(&["R"], "-f"));
        assert_eq!(read("-recursive --rec"), flags(&["R", "R"], ""));
        assert_eq!(read("--read - /a"), flags(&["readonly"], "- /a"));
    }

    #[test]
    fn values_follow_or_are_attached() {
        for words in ["-c 20 /a", "-c20 /a", "-c=20 /a", "-c \"20\" /a"] {
            assert_eq!(read(words), Ok((vec![("c", "20".into())], "/a".into())), "{words}");
        }
        for words in ["--sort=name /a", "--sort name /a", "-sortname /a", "--so=name /a"] {
            assert_eq!(read(words), Ok((vec![("sort", "name".into())], "/a".into())), "{words}");
        }
        assert_eq!(read("-c -5"), Ok((vec![("c", "-5".into())], String::new())));
        assert_eq!(read("--option a=b=c /m"), Ok((vec![("option", "a|b=c".into())], "/m".into())));
        // A key alone takes the next word for its value.
        assert_eq!(read("--option a /m"), Ok((vec![("option", "a|/m".into())], String::new())));
    }

    #[test]
    fn what_is_no_option_is_named() {
        for words in ["-Q", "-help", "--nosuch", "--readonly=x", "-R=1", "-Rx"] {
            assert_eq!(read(words), Err(format!("Unrecognized option: {words}")));
        }
        assert_eq!(read("--re"), Err("Ambiguous option: '--re'  (could be: 'recursive', 'readonly')".into()));
        for words in ["-c", "/a -c -R", "-c -- /a"] {
            assert_eq!(read(words), Err("Missing argument for option: c".into()), "{words}");
        }
        assert_eq!(read("--option a"), Err("Missing argument for option: option".into()));
    }
}
