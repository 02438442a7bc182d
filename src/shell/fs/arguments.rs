//! Pure. The words behind a command: options first, then the rest.

/// An option of a command.
pub(super) struct Opt {
    /// Without the dash.
    pub(super) name: &'static str,
    /// Whether a word follows that belongs to it.
    pub(super) takes_value: bool,
}

/// The words of a command, sorted out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments<'a> {
    options: Vec<(&'static str, Option<&'a str>)>,
    pub(super) words: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    /// Options stand before the first other word, apart or, if they are single letters, together (`-Rf`); a value may
    /// be attached (`-c20`); `--` ends them. What is no option of the command is a word, and so is all behind it.
    ///
    /// # Errors
    /// An option lacks its value.
    pub(super) fn split(words: &[&'a str], known: &[Opt]) -> Result<Arguments<'a>, String> {
        let mut options = Vec::new();
        let mut rest = words.iter().copied().peekable();
        while let Some(word) = rest.peek().copied() {
            if word == "--" {
                rest.next();
                break;
            }
            let Some(found) = word.strip_prefix('-').and_then(|name| recognise(name, known)) else { break };
            rest.next();
            for (option, attached) in found {
                let value = match (option.takes_value, attached) {
                    (false, _) => None,
                    (true, Some(value)) => Some(value),
                    (true, None) => {
                        Some(rest.next().ok_or_else(|| format!("Missing argument for option: {}", option.name))?)
                    }
                };
                options.push((option.name, value));
            }
        }
        Ok(Arguments { options, words: rest.collect() })
    }

    /// Whether the option was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| *option == name)
    }

    /// The value of the option, if it was given; of two the first counts.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.options.iter().find(|(option, _)| *option == name).and_then(|(_, value)| *value)
    }
}

/// The options that `text` stands for, with an attached value.
fn recognise<'k, 't>(text: &'t str, known: &'k [Opt]) -> Option<Vec<(&'k Opt, Option<&'t str>)>> {
    let long = text.strip_prefix('-').unwrap_or(text);
    if let Some(option) = known.iter().find(|option| option.name == long) {
        return Some(vec![(option, None)]);
    }
    if let Some(option) = known.iter().find(|option| option.takes_value && text.starts_with(option.name)) {
        return Some(vec![(option, Some(&text[option.name.len()..]))]);
    }
    let letters = (0..text.len()).map(|at| {
        known
            .iter()
            .find(|option| !option.takes_value && Some(option.name) == text.get(at..=at))
            .map(|option| (option, None))
    });
    letters.collect::<Option<Vec<_>>>().filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Opt};

    const KNOWN: [Opt; 4] = [
        Opt { name: "R", takes_value: false },
        Opt { name: "f", takes_value: false },
        Opt { name: "c", takes_value: true },
        Opt { name: "readonly", takes_value: false },
    ];

    fn split<'a>(words: &[&'a str]) -> (Vec<(&'static str, Option<&'a str>)>, Vec<&'a str>) {
        let Arguments { options, words } = Arguments::split(words, &KNOWN).unwrap();
        (options, words)
    }

    #[test]
    fn options_stand_before_words() {
        assert_eq!(split(&["-R", "/a", "-f"]), (vec![("R", None)], vec!["/a", "-f"]));
        assert_eq!(split(&["-Rf", "/a"]), (vec![("R", None), ("f", None)], vec!["/a"]));
        assert_eq!(split(&["-readonly", "--readonly", "/a"]).0, [("readonly", None); 2]);
        assert_eq!(split(&["--", "-R"]), (vec![], vec!["-R"]));
        assert_eq!(split(&["-r", "-R", "/a"]), (vec![], vec!["-r", "-R", "/a"]));
        assert_eq!(split(&["-", "/a"]), (vec![], vec!["-", "/a"]));
        assert_eq!(split(&["-Rü", "/a"]), (vec![], vec!["-Rü", "/a"]));
    }

    #[test]
    fn a_value_follows_or_is_attached() {
        assert_eq!(split(&["-c", "-5", "/a"]), (vec![("c", Some("-5"))], vec!["/a"]));
        assert_eq!(split(&["-c20", "/a"]), (vec![("c", Some("20"))], vec!["/a"]));
        assert_eq!(Arguments::split(&["-c"], &KNOWN), Err("Missing argument for option: c".into()));
        assert_eq!(Arguments::split(&["-c", "5"], &KNOWN).unwrap().value("c"), Some("5"));
    }
}
