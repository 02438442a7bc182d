//! Sequences of calls, by chance from a seed.

use crate::call::Call;
use crate::requests;
use crate::rng::Rng;

/// How many calls are drawn for a sequence.
pub const DRAWN: usize = 40;

/// A sequence of calls below a directory of its own. All but the drawn ones are always sent.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// Makes the directory.
    pub first: Vec<Call>,
    /// By chance.
    pub drawn: Vec<Call>,
}

impl Sequence {
    /// The same for the same seed and number.
    pub fn draw(seed: u64, number: u64) -> Sequence {
        let mut chance = Chance { rng: Rng::new(seed.wrapping_mul(1_000_003).wrapping_add(number)), paths: Vec::new() };
        let first = chance.first();
        let changes_at = chance.rng.chance(1, 2).then(|| 10 + chance.rng.index(20));
        let mut drawn = Vec::new();
        while drawn.len() < DRAWN {
            if changes_at.is_some_and(|at| at == drawn.len()) {
                drawn.extend(chance.outside());
            }
            drawn.extend(chance.call(drawn.len()));
        }
        Sequence { first, drawn }
    }

    /// With other drawn calls.
    pub fn with(&self, drawn: &[Call]) -> Sequence {
        Sequence { first: self.first.clone(), drawn: drawn.to_vec() }
    }

    /// All, with what is looked at in the end.
    pub fn all(&self) -> Vec<Call> {
        self.first.iter().chain(&self.drawn).cloned().chain(last()).collect()
    }
}

/// The whole state, as far as clients can see it, and what is in the UFS.
fn last() -> Vec<Call> {
    let never =
        "path: \"{T}\" options { recursive: true loadMetadataType: NEVER commonOptions { ttl: -1 ttlAction: FREE } }";
    vec![
        Call::new("root", "GetMountTable", &["checkUfs: false"]),
        Call::new("root", "ListStatus", &[never]),
        Call::new("root", "local", &["ls", "{U}"]),
        Call::new("root", "local", &["ls", "{O}"]),
    ]
}

/// Draws calls; knows the paths that may be there.
pub struct Chance {
    pub rng: Rng,
    paths: Vec<String>,
}

const USERS: [&str; 10] = ["root", "root", "root", "root", "root", "alice", "alice", "bob", "daemon", "daemon"];
const NAMES: [&str; 16] = [
    "a",
    "b",
    "c",
    "d",
    "a",
    "b",
    "c",
    "f",
    "g",
    "m",
    "with space",
    "ümlaut",
    "a%20b",
    "it's \"q\"",
    "back\\slash",
    ".hidden",
];
/// What clients say of each file.
const FILE: &str = "blockSizeBytes: 1024 mode { ownerBits: READ_WRITE groupBits: READ otherBits: READ } replicationMax: -1 \
                    replicationDurable: 1 commonOptions { ttl: -1 ttlAction: FREE }";
/// As those of most directories.
const OPEN: &str = "mode { ownerBits: ALL groupBits: ALL otherBits: ALL } commonOptions { ttl: -1 ttlAction: FREE }";
/// No paths, or not spelled as paths are told.
const ODD: [&str; 14] = [
    "{T}/back\\slash",
    "",
    "{T}/",
    "{T}//a",
    "{T}/a/../b",
    "{T}/./a",
    "rel/a",
    "{t}",
    "alluxio://host:19998{T}/a",
    "alluxio://{T}",
    "/..",
    "{T}/a/",
    "{T}/a\\000b",
    "{T}/semi;colon*?",
];
/// Not served by ours for long, so the rest of the sequence would tell little.
const LATE: usize = 30;

impl Chance {
    fn first(&mut self) -> Vec<Call> {
        let mut calls = vec![
            Call::new("root", "local", &["mkdir", "{O}/x/y"]),
            Call::new("root", "local", &["mkdir", "{O}/z"]),
            Call::new("root", "local", &["write", "{O}/x/f", "1500"]),
            Call::new("root", "local", &["chmod", "{O}/x", "rwxrwxrwx"]),
        ];
        if self.rng.chance(2, 3) {
            calls.push(Call::new("root", "local", &["mkdir", "{U}/u/v"]));
            calls.push(Call::new("root", "local", &["write", "{U}/u/g", "2500"]));
            calls.push(Call::new("root", "local", &["chmod", "{U}/u", "rwxrwxrwx"]));
            calls.push(Call::new("root", "local", &["write", "{U}/f", "0"]));
            calls.push(Call::new(
                "root",
                "GetStatus",
                &["path: \"{T}\" options { loadMetadataType: ONCE commonOptions { ttl: -1 ttlAction: FREE } }"],
            ));
            let open = format!("path: \"{{T}}\" options {{ {OPEN} }}");
            calls.push(Call::new("root", "SetAttribute", &[&open]));
            // Else much is loaded by what asks first, which is not the same call at both.
            if self.rng.chance(14, 15) {
                let all = "recursive: true loadMetadataType: ALWAYS commonOptions { ttl: -1 ttlAction: FREE }";
                calls.push(Call::new("root", "ListStatus", &[&format!("path: \"{{T}}\" options {{ {all} }}")]));
            }
            self.paths.extend(["{T}/u", "{T}/u/g", "{T}/u/v", "{T}/f"].map(str::to_owned));
        } else {
            let open = format!("path: \"{{T}}\" options {{ {OPEN} }}");
            calls.push(Call::new("root", "CreateDirectory", &[&open]));
        }
        calls.push(Call::new(
            "root",
            "CreateDirectory",
            &[&format!("path: \"{{T}}/a\" options {{ writeType: MUST_CACHE {OPEN} }}")],
        ));
        self.paths.push("{T}/a".to_owned());
        calls
    }

    /// What others do in the UFS meanwhile.
    fn outside(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        for _ in 0..=self.rng.index(3) {
            let below = self.path().replacen("{T}", if self.rng.chance(3, 4) { "{U}" } else { "{O}" }, 1);
            if !below.starts_with('{') || below.len() < 5 || below.contains("/..") {
                continue;
            }
            calls.push(match self.rng.index(6) {
                0 => Call::new("root", "local", &["mkdir", &below]),
                1 | 2 => Call::new("root", "local", &["write", &below, &(self.rng.index(3) * 1000).to_string()]),
                3 => Call::new("root", "local", &["rm", &below]),
                4 => Call::new("root", "local", &["chmod", &below, "rwxr-x---"]),
                _ => Call::new("root", "local", &["chown", &below, "daemon"]),
            });
        }
        calls.push(Call::new("root", "local", &["settle"]));
        calls
    }

    /// One call, or a few that belong together.
    fn call(&mut self, at: usize) -> Vec<Call> {
        let user = self.rng.pick(&USERS);
        if self.rng.chance(1, 12) {
            return self.whole_file(user);
        }
        if self.rng.chance(1, 10) {
            return vec![requests::of_client(self, user)];
        }
        let what = loop {
            let (what, weight, late) = requests::TABLE[self.rng.index(requests::TABLE.len())];
            if self.rng.chance(weight, 12) && (!late || at >= LATE) {
                break what;
            }
        };
        if what == "commit" {
            let path = self.plain_path();
            return vec![Call::new(user, what, &[&path, self.rng.pick(&["1024", "1024", "1", "700"])])];
        }
        let request = requests::request(self, what);
        let call = Call::new(user, what, &[&request]);
        // As a client does that has had no answer.
        if request.contains("operationId") && self.rng.chance(1, 3) { vec![call.clone(), call] } else { vec![call] }
    }

    /// A file as a client writes it.
    fn whole_file(&mut self, user: &str) -> Vec<Call> {
        let path = self.plain_path();
        let quoted = quote(&path);
        let kind = self.rng.pick(&["MUST_CACHE", "ASYNC_THROUGH", "THROUGH", "CACHE_THROUGH"]);
        let create = format!("path: {quoted} options {{ recursive: true writeType: {kind} {FILE} }}");
        let mut calls = vec![Call::new(user, "CreateFile", &[&create])];
        if kind == "THROUGH" {
            // A worker would have written it.
            let below = path.replacen("{T}", "{U}", 1);
            calls.push(Call::new("root", "local", &["write", &below, "1500"]));
            let complete = format!("path: {quoted} options {{ ufsLength: 1500 }}");
            calls.push(Call::new(user, "CompleteFile", &[&complete]));
            return calls;
        }
        for _ in 0..self.rng.index(3) {
            calls.push(Call::new(user, "commit", &[&path, "1024"]));
        }
        let length = if self.rng.chance(1, 2) { "" } else { " options { ufsLength: 1024 }" };
        calls.push(Call::new(user, "CompleteFile", &[&format!("path: {quoted}{length}")]));
        calls
    }

    /// A path that may be there, or a new one below it, or an odd one.
    pub fn path(&mut self) -> String {
        if self.rng.chance(1, 25) {
            return ODD[self.rng.index(ODD.len())].to_owned();
        }
        self.plain_path()
    }

    /// Never an odd one.
    pub fn plain_path(&mut self) -> String {
        let mut path = match self.rng.index(10) {
            0 => "{T}".to_owned(),
            _ => self.paths[self.rng.index(self.paths.len())].clone(),
        };
        while path == "{T}" || (path.matches('/').count() < 5 && self.rng.chance(2, 5)) {
            path = format!("{path}/{}", self.rng.pick(&NAMES));
            if self.rng.chance(1, 2) {
                self.paths.push(path.clone());
            }
        }
        path
    }

    /// In quotes, as the text format of protobuf has it.
    pub fn quoted_path(&mut self) -> String {
        let path = self.path();
        quote(&path)
    }

    /// The text, which clients always send, but for a few cases.
    pub fn mostly(&mut self, text: &str) -> String {
        if self.rng.chance(149, 150) { format!(" {text}") } else { String::new() }
    }

    /// The text in one of `of` cases, else nothing.
    pub fn at_times(&mut self, of: u64, text: &str) -> String {
        if self.rng.chance(1, of) { format!(" {text}") } else { String::new() }
    }
}

/// `\000` stays what it is there.
pub fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace("\\\\000", "\\000").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[test]
fn a_seed_draws_the_same_sequence_again() {
    let [one, again, other] = [(7, 3), (7, 3), (7, 4)].map(|(seed, number)| Sequence::draw(seed, number).all());
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn every_kind_of_call_is_drawn() {
    let drawn: Vec<Call> = (0..3000).flat_map(|number| Sequence::draw(1, number).drawn).collect();
    for (what, ..) in requests::TABLE {
        assert!(drawn.iter().any(|call| call.what == *what), "{what} is never drawn");
    }
    for what in ["fs.getStatus", "fs.createFile", "fs.rename", "local"] {
        assert!(drawn.iter().any(|call| call.what == what), "{what} is never drawn");
    }
    assert!(drawn.iter().all(|call| !call.to_string().contains('\n')), "a call is a line");
}
