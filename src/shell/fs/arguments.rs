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

/// What the beginning of a word stands for.
struct Found<'k, 'a> {
    /// The options, with values that are attached to them.
    options: Vec<(&'k Opt, Option<&'a str>)>,
    /// What of the word is none: it is the first of the other words.
    rest: Option<&'a str>,
}

impl<'a> Arguments<'a> {
    /// Options stand before the first other word, apart or, if they are single letters, together (`-Rf`); a value may
    /// be attached (`-c20`, `-c=20`); `--` ends them. What is no option of the command is a word, and so is all behind it.
    ///
    /// # Errors
    /// An option lacks its value.
    // Compatible: 1.2.0 reads them with the DefaultParser of commons-cli 1.3; tests/shell, 22-unrecorded.
    pub(super) fn split(words: &[&'a str], known: &[Opt]) -> Result<Arguments<'a>, String> {
        let mut options = Vec::new();
        let mut rest = words.iter().copied().peekable();
        let mut first = None;
        while let Some(word) = rest.peek().copied() {
            if word == "--" {
                rest.next();
                break;
            }
            let Some(found) = recognise(word, known) else { break };
            rest.next();
            first = found.rest;
            for (option, attached) in found.options {
                let value = match (option.takes_value, attached) {
                    (false, _) => None,
                    (true, Some(value)) => Some(value),
                    (true, None) => {
                        let value = rest.next_if(|word| !looks_like_option(word, known));
                        Some(value.ok_or_else(|| format!("Missing argument for option: {}", option.name))?)
                    }
                };
                options.push((option.name, value));
            }
            if first.is_some() {
                break;
            }
        }
        Ok(Arguments { options, words: first.into_iter().chain(rest).collect() })
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

/// The options that `word` begins with; none if it is no option.
fn recognise<'k, 'a>(word: &'a str, known: &'k [Opt]) -> Option<Found<'k, 'a>> {
    let text = word.strip_prefix('-').filter(|text| !text.starts_with('-') && !text.is_empty())?;
    if let Some(option) = named(text, known) {
        return Some(Found { options: vec![(option, None)], rest: None });
    }
    if let Some((name, value)) = text.split_once('=') {
        let option = named(name, known).filter(|option| option.takes_value && name.len() == 1)?;
        return Some(Found { options: vec![(option, Some(value))], rest: None });
    }
    let mut options = Vec::new();
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        match named(&text[at..end], known) {
            Some(option) if option.takes_value && end < text.len() => {
                options.push((option, Some(&text[end..])));
                break;
            }
            Some(option) => options.push((option, None)),
            None if options.is_empty() => return None,
            None => return Some(Found { options, rest: Some(&text[at..]) }),
        }
    }
    Some(Found { options, rest: None })
}

/// Whether `word` is no value, because it begins with an option or ends them.
fn looks_like_option(word: &str, known: &[Opt]) -> bool {
    let Some(text) = word.strip_prefix('-') else { return false };
    let letter = text.chars().next().map_or(0, char::len_utf8);
    let is_number = word.parse::<f64>().is_ok();
    word == "--" || (!is_number && (named(&text[..letter], known).is_some() || named(text, known).is_some()))
}

fn named<'k>(name: &str, known: &'k [Opt]) -> Option<&'k Opt> {
    known.iter().find(|option| option.name == name)
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
        assert_eq!(split(&["-readonly", "-readonly", "/a"]).0, [("readonly", None); 2]);
        assert_eq!(split(&["--", "-R"]), (vec![], vec!["-R"]));
        assert_eq!(split(&["-R", "--", "--"]), (vec![("R", None)], vec!["--"]));
        assert_eq!(split(&["-r", "-R", "/a"]), (vec![], vec!["-r", "-R", "/a"]));
        assert_eq!(split(&["-", "/a"]), (vec![], vec!["-", "/a"]));
        assert_eq!(split(&["--R", "/a"]), (vec![], vec!["--R", "/a"]));
        assert_eq!(split(&["-R=1", "/a"]), (vec![], vec!["-R=1", "/a"]));
    }

    #[test]
    fn what_follows_letters_and_is_none_is_a_word() {
        assert_eq!(split(&["-Rx", "-f", "/a"]), (vec![("R", None)], vec!["x", "-f", "/a"]));
        assert_eq!(split(&["-Rü", "/a"]), (vec![("R", None)], vec!["ü", "/a"]));
        assert_eq!(split(&["-ü", "/a"]), (vec![], vec!["-ü", "/a"]));
    }

    #[test]
    fn a_value_follows_or_is_attached() {
        let missing = || Err("Missing argument for option: c".into());
        assert_eq!(split(&["-c", "-5", "/a"]), (vec![("c", Some("-5"))], vec!["/a"]));
        assert_eq!(split(&["-c20", "/a"]), (vec![("c", Some("20"))], vec!["/a"]));
        assert_eq!(split(&["-c=20", "/a"]), (vec![("c", Some("20"))], vec!["/a"]));
        assert_eq!(split(&["-c", "-x", "/a"]), (vec![("c", Some("-x"))], vec!["/a"]));
        for words in [&["-c"][..], &["-c", "-c", "/a"], &["-c", "-Rf", "/a"], &["-c", "--", "/a"]] {
            assert_eq!(Arguments::split(words, &KNOWN), missing(), "{words:?}");
        }
        assert_eq!(Arguments::split(&["-c", "5", "-c", "7"], &KNOWN).unwrap().value("c"), Some("5"));
    }
}
