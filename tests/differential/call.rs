//! Calls as the probe reads them (`tests/java/DifferentialProbe.java`), and its answers.

use std::fmt;

/// A line for the probe: user, what, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who asks.
    pub user: String,
    /// An RPC, `fs.` and a method of the client, `commit`, or `local`.
    pub what: String,
    /// The request in protobuf's text format; of all others, their arguments.
    pub words: Vec<String>,
}

impl Call {
    pub fn new(user: &str, what: &str, words: &[&str]) -> Call {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Call { user: user.to_owned(), what: what.to_owned(), words }
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(line: &str) -> Option<Call> {
        let mut words = line.split('\t').map(str::to_owned);
        Some(Call { user: words.next()?, what: words.next()?, words: words.collect() })
    }

    /// Sent by the Java client's own FileSystem, which has made paths of its own of what it was given.
    pub fn is_of_client(&self) -> bool {
        self.what.starts_with("fs.")
    }

    /// Nothing is changed by it, so that what follows can be compared whatever it answers.
    pub fn only_asks(&self) -> bool {
        let what = self.what.strip_prefix("fs.").unwrap_or(&self.what);
        let by_name = ["Get", "Exists", "List", "Check", "ReverseResolve"].iter().any(|name| what.starts_with(name));
        let by_method = ["get", "exists", "list", "check", "reverseResolve"].iter().any(|name| what.starts_with(name));
        (by_name && what != "GetNewBlockIdForFile")
            || by_method
            || (what == "local" && self.words.first().is_some_and(|w| w == "ls"))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}", self.user, self.what)?;
        self.words.iter().try_for_each(|word| write!(f, "\t{word}"))
    }
}

/// What the probe said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Names and values, in their order.
    Done(Vec<(String, String)>),
    /// The name of a status, or of an exception of the client, and the message.
    Refused(String, String),
}

impl Answer {
    pub fn parse(line: &str) -> Answer {
        let mut words = line.split('\t');
        match words.next() {
            Some("ok") => Answer::Done(words.map(pair).collect()),
            Some("error") => {
                let code = words.next().unwrap_or_default().to_owned();
                Answer::Refused(code, words.next().unwrap_or_default().to_owned())
            }
            _ => panic!("the probe said: {line}"),
        }
    }

    /// For people, and to be matched.
    pub fn outcome(&self) -> String {
        match self {
            Answer::Done(_) => "ok".to_owned(),
            Answer::Refused(code, message) => format!("{code} {message}"),
        }
    }
}

/// Names are `a.b[2].c`, or `a[key]` with a key that may hold anything.
fn pair(token: &str) -> (String, String) {
    let mut depth = 0;
    let at = token.find(|c| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == '=' && depth == 0
    });
    let (name, value) = token.split_at(at.unwrap_or(token.len()));
    (name.to_owned(), value.trim_start_matches('=').to_owned())
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.outcome())?;
        if let Answer::Done(fields) = self {
            fields.iter().try_for_each(|(name, value)| write!(f, " | {name}={value}"))?;
        }
        Ok(())
    }
}

#[test]
fn a_call_is_read_as_it_is_written() {
    let call = Call::new("alice", "fs.rename", &["{T}/a b", "{T}/c", ""]);
    assert_eq!(Call::parse(&call.to_string()), Some(call));
}

#[test]
fn an_answer_is_taken_apart() {
    let answer = Answer::parse("ok\tfileInfo.path={T}/a=b\tmountPoints[{T}/x=y].readOnly=true\t[0].x=");
    let pairs = [("fileInfo.path", "{T}/a=b"), ("mountPoints[{T}/x=y].readOnly", "true"), ("[0].x", "")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(answer, Answer::Done(pairs.to_vec()));
    assert_eq!(Answer::parse("error\tNOT_FOUND\tPath").outcome(), "NOT_FOUND Path");
}
