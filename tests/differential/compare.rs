//! Where two answers differ, and whether that is known.

use crate::call::{Answer, Call};
use crate::known::{KNOWN, Known};

/// One thing in which two answers differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// What was asked.
    pub call: Call,
    /// The field; empty where one answer, or both, is a refusal.
    pub field: String,
    /// Its value at 2.9.6, `-` if it has none; `ok` or the refusal.
    pub java: String,
    /// The same of ours.
    pub ours: String,
    /// It is a field of what is a directory at 2.9.6.
    pub of_folder: bool,
    /// 2.9.6 tells of something that is in the UFS, and nothing else.
    pub of_persisted: bool,
}

impl Difference {
    /// Equal for what is the same difference to people, whatever the paths and numbers.
    pub fn class(&self) -> String {
        let what = &self.call.what;
        if self.field.is_empty() {
            return format!("{what}: {} / {}", template(&self.java), template(&self.ours));
        }
        let short =
            |value: &str| if value.len() < 24 && !value.contains(['#', '@']) { template(value) } else { "*".into() };
        format!("{what}.{}: {} / {}", template(&self.field), short(&self.java), short(&self.ours))
    }

    /// The field without what it lies in.
    pub fn name(&self) -> &str {
        self.field.rsplit('.').next().unwrap_or_default()
    }

    /// It is of this RPC, or this method of the client.
    pub fn is(&self, rpc: &str, method: &str) -> bool {
        self.call.what == rpc || self.call.what.strip_prefix("fs.") == Some(method)
    }

    /// Both refused, 2.9.6 and ours with these codes or exceptions.
    pub fn refused(&self, java: &[&str], ours: &[&str]) -> bool {
        let begins = |text: &str, codes: &[&str]| codes.iter().any(|code| text.starts_with(code));
        self.field.is_empty() && begins(&self.java, java) && begins(&self.ours, ours)
    }

    pub fn known(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| (known.fits)(self))
    }

    /// After it the two masters may hold different things.
    pub fn parts(&self) -> bool {
        let one_did = self.field.is_empty() && (self.java == "ok" || self.ours == "ok");
        self.known().is_some_and(|known| known.ends) || (one_did && !self.call.only_asks())
    }
}

/// The text without paths, quoted names and numbers.
fn template(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let bare: String = word.chars().filter(|c| !c.is_ascii_digit()).collect();
        let is_path = ["{T}", "{t}", "{U}", "{O}", "{UFS}", "{OTHER}", "/"].iter().any(|root| bare.contains(root));
        let shown = if is_path { "PATH".to_owned() } else { bare };
        if words.last() != Some(&shown) {
            words.push(shown);
        }
    }
    words.truncate(24);
    words.join(" ")
}

type Fields = Vec<(String, String)>;

/// Entries of lists by their paths: an entry that one side lacks is one difference, and the others keep theirs. Lists in
/// another order stay as they are.
fn aligned(theirs: &Fields, own: &Fields) -> (Fields, Fields) {
    let paths = |fields: &Fields| -> Vec<(String, String)> {
        let prefixes =
            fields.iter().filter_map(|(name, path)| Some((name.strip_suffix(".path")?.to_owned(), path.clone())));
        prefixes.filter(|(prefix, _)| prefix.ends_with(']')).collect()
    };
    let (java, ours) = (paths(theirs), paths(own));
    let common = |of: &[(String, String)], other: &[(String, String)]| -> Vec<String> {
        let is_there = |path: &String| other.iter().any(|(_, another)| another == path);
        of.iter().map(|(_, path)| path.clone()).filter(is_there).collect()
    };
    if common(&java, &ours) != common(&ours, &java) {
        return (theirs.clone(), own.clone());
    }
    let renamed = |fields: &Fields, of: &[(String, String)], to: &[(String, String)], alone: &str| -> Fields {
        let mut all = Fields::new();
        for (name, value) in fields {
            let entry =
                of.iter().find(|(prefix, _)| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')));
            let Some((prefix, path)) = entry else {
                all.push((name.clone(), value.clone()));
                continue;
            };
            let rest = &name[prefix.len()..];
            match to.iter().find(|(_, another)| another == path) {
                Some((there, _)) => all.push((format!("{there}{rest}"), value.clone())),
                None if rest == ".persistenceState" => all.push((format!("[{alone} {path}]"), value.clone())),
                None => {}
            }
        }
        all
    };
    (renamed(theirs, &java, &java_of(&java, &ours), "2.9.6 only"), renamed(own, &ours, &java, "ours only"))
}

/// The entries that both have.
fn java_of(java: &[(String, String)], ours: &[(String, String)]) -> Vec<(String, String)> {
    java.iter().filter(|(_, path)| ours.iter().any(|(_, another)| another == path)).cloned().collect()
}

/// In the order of the fields at 2.9.6, then those that only ours has.
pub fn differences(call: &Call, java: &Answer, ours: &Answer) -> Vec<Difference> {
    let difference = |field: &str, java: &str, ours: &str| Difference {
        call: call.clone(),
        field: field.to_owned(),
        java: java.to_owned(),
        ours: ours.to_owned(),
        of_folder: false,
        of_persisted: false,
    };
    let is_persisted = matches!(java, Answer::Done(fields)
        if fields.iter().any(|(name, value)| name.ends_with("nfo.persistenceState") && value == "PERSISTED"));
    let (Answer::Done(theirs), Answer::Done(own)) = (java, ours) else {
        let (java, ours) = (java.outcome(), ours.outcome());
        let of_persisted = is_persisted;
        return if java == ours {
            Vec::new()
        } else {
            vec![Difference { of_persisted, ..difference("", &java, &ours) }]
        };
    };
    let (theirs, own) = &aligned(theirs, own);
    let value = |fields: &[(String, String)], name: &str| {
        let of_name = fields.iter().find(|(field, _)| field == name);
        of_name.map_or("-".to_owned(), |(_, value)| value.clone())
    };
    let added = own.iter().filter(|(name, _)| theirs.iter().all(|(other, _)| other != name));
    let names = theirs.iter().chain(added).map(|(name, _)| name);
    let values = names.map(|name| (name, value(theirs, name), value(own, name)));
    let is_folder = |name: &str| {
        let within = name.find("].").map_or(name, |at| &name[..=at]);
        value(theirs, &format!("{}.folder", within.split('.').next().unwrap_or_default())) == "true"
    };
    let different = values.filter(|(_, java, ours)| java != ours);
    different
        .map(|(name, java, ours)| Difference { of_folder: is_folder(name), ..difference(name, &java, &ours) })
        .collect()
}

#[test]
fn what_differs_is_seen() {
    let call = Call::new("root", "GetStatus", &["path: \"{T}\""]);
    let seen = |java: &str, ours: &str| {
        let found = differences(&call, &Answer::parse(java), &Answer::parse(ours));
        found.iter().map(|d| format!("{}:{}/{}", d.field, d.java, d.ours)).collect::<Vec<_>>()
    };
    assert!(seen("ok\ta=1\tb=2", "ok\ta=1\tb=2").is_empty());
    assert_eq!(seen("ok\ta=1\tb=2", "ok\ta=3\tc=4"), ["a:1/3", "b:2/-", "c:-/4"]);
    assert_eq!(seen("ok\ta=1", "error\tNOT_FOUND\tno"), [":ok/NOT_FOUND no"]);
    assert_eq!(seen("error\tABORTED\tno", "error\tNOT_FOUND\tno"), [":ABORTED no/NOT_FOUND no"]);
    assert!(seen("error\tABORTED\tno", "error\tABORTED\tno").is_empty());
}

#[test]
fn an_entry_that_one_side_lacks_is_one_difference() {
    let call = Call::new("root", "ListStatus", &["path: \"{T}\""]);
    let listed = |names: &[&str]| {
        let of = |(at, name): (usize, &&str)| {
            format!("\t[{at}].path={{T}}/{name}\t[{at}].mode=1{name}\t[{at}].persistenceState=PERSISTED")
        };
        Answer::parse(&format!("ok{}", names.iter().enumerate().map(of).collect::<String>()))
    };
    let seen = |java: &[&str], ours: &[&str]| {
        let found = differences(&call, &listed(java), &listed(ours));
        found.iter().map(|d| format!("{}:{}/{}", d.field, d.java, d.ours)).collect::<Vec<_>>()
    };
    assert_eq!(seen(&["a", "c"], &["a", "b", "c"]), ["[ours only {T}/b]:-/PERSISTED"]);
    assert_eq!(seen(&["a", "b"], &["b"]), ["[2.9.6 only {T}/a]:PERSISTED/-"]);
    assert_eq!(seen(&["a", "b"], &["b", "a"]).len(), 4, "another order");
}

#[test]
fn the_same_difference_elsewhere_is_of_the_same_class() {
    let of = |path: &str| Difference {
        call: Call::new("root", "Remove", &[]),
        field: String::new(),
        java: format!("NOT_FOUND Path \"{path}\" does not exist"),
        ours: "ok".to_owned(),
        of_folder: false,
        of_persisted: false,
    };
    assert_eq!(of("{T}/a").class(), of("{T}/b/c7").class());
}
