//! What the compiler does not check: who may use whom, what is pure, how long things are, what each file says first.
//!
//! Every rule is a function from files to complaints. Beside the test that the project keeps it stands one that
//! it objects to a bad sample.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

#[path = "tidy/source.rs"]
mod source;

use source::{Source, files};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const FOLDERS_MAX: usize = 3;

/// Who may use whom. Everyone but `types` and `proto` may also use [`FOR_ALL`].
const USES: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("conf", &[]),
    ("proto", &[]),
    ("rpc", &[]),
    ("process", &[]),
    ("logs", &[]),
    ("metrics", &[]),
    ("ufs", &[]),
    ("election", &["rpc"]),
    ("journal", &["election", "rpc", "ufs"]),
    ("master", &["journal", "election", "rpc", "ufs", "process", "metrics"]),
    ("worker", &["election", "rpc", "ufs", "process", "metrics"]),
    ("client", &["election", "rpc"]),
    ("shell", &["client", "election"]),
    ("tools", &["master", "journal", "ufs", "election"]),
    ("web", &["master", "worker", "client", "election", "rpc", "metrics", "logs"]),
    (
        "main",
        &[
            "rpc", "process", "ufs", "election", "journal", "master", "worker", "client", "shell", "tools", "web",
            "logs",
        ],
    ),
];
const FOR_ALL: &[&str] = &["types", "conf", "proto"];
const ONLY_TYPES: &[&str] = &["conf", "proto"];

/// Parts that hold no task, file, socket, clock, chance or hash order; also every file that says `Pure.` first.
const PURE: &[&str] = &[
    "types/",
    "journal/entry",
    "journal/codec",
    "journal/chain",
    "journal/writer",
    "journal/tailer",
    "master/state/",
    "master/ops/",
    "master/role",
    "master/workers",
    "master/driver",
    "worker/store/plan",
];
/// The one reader of the clocks, and the one map in the order of chance, which it keeps to itself.
const APART: &[&str] = &["types/time.rs", "types/id_map.rs"];
const IMPURE: &[&str] = &[
    "async",
    "await",
    "tokio",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "wall_now",
    "boot_now",
    "rand",
    "new_v4",
    "thread",
    "rustix",
    "dyn Latch",
    "impl Latch",
    "dyn JournalStore",
    "impl JournalStore",
];
/// Modules whose business is input and output. What `election` says (its plain types) the role decides on.
const NOT_FOR_PURE: &[&str] = &["conf", "rpc", "process", "ufs", "worker", "client", "shell", "tools", "web"];

/// Where each external framework may be named.
const PLACES: &[(&str, &[&str])] = &[
    ("tonic", &["proto/", "rpc/", "master/server", "worker/data_server", "worker/master_session", "client/"]),
    ("warp", &["web/"]),
    ("zookeeper_client", &["election/zookeeper"]),
    ("hdfs_native", &["ufs/hdfs"]),
    ("rusty_s3", &["ufs/s3"]),
    ("hyper_rustls", &["ufs/s3"]),
    ("log4rs", &["logs/"]),
    ("prometheus_client", &["metrics/"]),
    ("openraft", &["journal/embedded/"]),
    ("rand_core", &["journal/embedded/"]),
    ("config", &["conf/", "logs/"]),
    ("strsim", &["conf/"]),
    ("anyhow", &["main.rs", "shell/"]),
];

/// Dependencies that only generated code names.
const NAMED_BY_GENERATED_CODE: &[&str] = &["tonic-prost"];

fn who_uses_whom(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| s.module() != "lib" && !s.is_test_file()) {
        let module = source.module();
        let Some((_, allowed)) = USES.iter().find(|(name, _)| *name == module) else {
            complaints.push(format!("{}: module {module} is not in the table USES", source.path));
            continue;
        };
        for (line, used) in crate_modules(source) {
            let base = if ONLY_TYPES.contains(&module) { &FOR_ALL[..1] } else { FOR_ALL };
            let fits = used == module || allowed.contains(&used.as_str()) || base.contains(&used.as_str());
            if module == "types" && used != "types" || !fits {
                complaints.push(format!("{}:{line}: {module} may not use {used}", source.path));
            }
        }
        let depth = source.below_src().matches('/').count() + usize::from(!source.path.ends_with("mod.rs"));
        let to_root = vec!["super"; depth].join("::");
        for (line, _) in source.places(&to_root) {
            complaints.push(format!("{}:{line}: reaches the root by {to_root}; say crate::", source.path));
        }
    }
    complaints
}

/// The modules of the project that a file names: `crate::a`, `crate::{a, b::c}`, and `alluxio::a` in `main.rs`.
fn crate_modules(source: &Source) -> Vec<(usize, String)> {
    let root = if source.module() == "main" { "alluxio" } else { "crate" };
    let mut found = Vec::new();
    for (line, rest) in source.places(root) {
        let Some(rest) = rest.strip_prefix("::") else { continue };
        if let Some(first_line) = rest.strip_prefix('{') {
            let following = source.code[line..].iter().map(String::as_str);
            let text = std::iter::once(first_line).chain(following).collect::<Vec<_>>().join(" ");
            found.extend(group_heads(&text).into_iter().map(|head| (line, head)));
        } else {
            found.push((line, head(rest)));
        }
    }
    found
}

/// The first names of the items of a group, whose opening brace is gone already.
fn group_heads(text: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                heads.push(head(text[start..at].trim()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn purity(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| is_pure(s)) {
        for word in IMPURE {
            complaints.extend(source.places(word).iter().map(|(line, _)| {
                format!("{}:{line}: `{word}` in a pure part; take it as an argument or as an effect", source.path)
            }));
        }
        for (line, used) in crate_modules(source) {
            if NOT_FOR_PURE.contains(&used.as_str()) {
                complaints.push(format!("{}:{line}: a pure part may not use {used}", source.path));
            }
        }
    }
    complaints
}

fn is_pure(source: &Source) -> bool {
    let below = source.below_src();
    let listed = PURE.iter().any(|prefix| below.starts_with(prefix));
    (listed || source.text.starts_with("//! Pure.")) && !APART.contains(&below) && !source.is_test_file()
}

fn places_of_frameworks(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, places) in PLACES {
        for source in sources.iter().filter(|s| !places.iter().any(|place| s.below_src().starts_with(place))) {
            for (line, _) in source.roots(name) {
                complaints.push(format!("{}:{line}: {name} is named in {} only", source.path, places.join(", ")));
            }
        }
    }
    complaints
}

fn lengths(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| !s.is_test_file()) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            complaints.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}: find the second idea", source.path));
        }
        for (line, length) in functions(source).into_iter().filter(|(_, length)| *length > FUNCTION_LINES_MAX) {
            complaints
                .push(format!("{}:{line}: a function of {length} lines, at most {FUNCTION_LINES_MAX}", source.path));
        }
        let folders = source.below_src().matches('/').count();
        if folders > FOLDERS_MAX {
            complaints.push(format!("{}: {folders} folders below src, at most {FOLDERS_MAX}", source.path));
        }
    }
    complaints
}

/// First line and length of each function. A function ends at the brace below the first letter of its first line.
fn functions(source: &Source) -> Vec<(usize, usize)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let begins = source.places("fn").into_iter().map(|(line, _)| line - 1);
    begins
        .filter_map(|start| {
            let body = &source.code[start..];
            let depth = indent(&body[0]);
            let ends = |line: &String| {
                indent(line) == depth && (line.trim_start().starts_with('}') || line.ends_with(['}', ';']))
            };
            body.iter().position(ends).map(|last| (start + 1, last + 1))
        })
        .collect()
}

fn module_texts(sources: &[Source]) -> Vec<String> {
    let silent = sources.iter().filter(|s| !s.is_test_file() && !s.text.starts_with("//! "));
    silent.map(|s| format!("{}: does not begin with its module text (`//! ...`)", s.path)).collect()
}

/// Names of the section `[name]` of a Cargo.toml.
fn dependencies(manifest: &str, section: &str) -> Vec<String> {
    let header = format!("[{section}]");
    let lines = manifest.lines().skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()).collect()
}

/// `named` are files in which tests count as well as product code.
fn unused_dependencies(manifest: &str, section: &str, sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in dependencies(manifest, section) {
        let path = format!("{}::", name.replace('-', "_"));
        let product = sources.iter().any(|s| s.code.iter().any(|line| line.contains(&path)));
        let tests = section == "dev-dependencies" && sources.iter().any(|s| s.text.contains(&path));
        if !product && !tests && !NAMED_BY_GENERATED_CODE.contains(&name.as_str()) {
            complaints.push(format!("Cargo.toml: {name} stands in [{section}], but nothing names `{path}`"));
        }
    }
    complaints
}

/// The constants that `conf/keys.rs` declares: a name in capitals and a type at the beginning of a line.
fn property_keys(text: &str) -> Vec<String> {
    let declared = |line: &str| {
        let (name, _) = line.trim().trim_start_matches("pub static ").split_once(": ")?;
        let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        (name.len() > 1 && name.chars().all(capital)).then(|| name.to_owned())
    };
    text.lines().filter_map(declared).filter(|name| name != "ROWS" && name != "FAMILIES").collect()
}

fn unread_properties(sources: &[Source]) -> Vec<String> {
    let (tables, readers): (Vec<_>, Vec<_>) = sources.iter().partition(|s| s.below_src() == "conf/keys.rs");
    let Some(table) = tables.first() else { return Vec::new() };
    let keys = property_keys(&table.text).into_iter();
    // `${…}` in the default of another row reads a row, too.
    let name_of = |key: &str| table.text.split_once(&format!("{key}: "))?.1.split('"').nth(1).map(str::to_owned);
    let referred = |key: &str| name_of(key).is_some_and(|name| table.text.contains(&format!("${{{name}}}")));
    keys.filter(|key| !referred(key) && !readers.iter().any(|s| !s.places(key).is_empty()))
        .map(|key| format!("src/conf/keys.rs: no product code reads {key}"))
        .collect()
}

fn home_folders(sources: &[Source]) -> Vec<String> {
    // In two halves, so that this file may pass.
    let homes = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|s| !s.is_test_file()) {
        for (number, line) in source.text.lines().enumerate() {
            if let Some(home) = homes.iter().find(|home| line.contains(**home)) {
                complaints.push(format!("{}:{}: names a folder below {home}", source.path, number + 1));
            }
        }
    }
    complaints
}

/// Programs of tests that no script runs: `tests/NAME.rs` or `tests/NAME/main.rs`.
fn forgotten_tests(sources: &[Source]) -> Vec<String> {
    let (tests, scripts): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.path.starts_with("tests/"));
    let name = |source: &Source| {
        let below = source.path.strip_prefix("tests/")?;
        below
            .strip_suffix("/main.rs")
            .or(below.strip_suffix(".rs"))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
    };
    let words: Vec<&str> = scripts.iter().flat_map(|script| script.text.split_whitespace()).collect();
    let names = tests.into_iter().filter_map(name).filter(|name| !words.contains(&name.as_str()));
    names.map(|name| format!("tests/{name}: no script runs it")).collect()
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// Each sample must lead to exactly one complaint, which contains the text.
fn assert_objects(rule: fn(&[Source]) -> Vec<String>, samples: &[(&str, &str, &str)]) {
    for (path, text, expected) in samples {
        let complaints = rule(&[Source::new(path, text)]);
        assert_eq!(complaints.len(), 1, "{path}: {text}: {complaints:?}");
        assert!(complaints[0].contains(expected), "{complaints:?} lacks {expected}");
    }
}

/// The sample must pass.
fn assert_accepts(rule: fn(&[Source]) -> Vec<String>, path: &str, text: &str) {
    assert_none(&rule(&[Source::new(path, text)]));
}

#[test]
fn modules_use_only_what_they_may() {
    assert_none(&who_uses_whom(&files("src", ".rs")));
}

#[test]
fn a_forbidden_use_is_seen() {
    assert_objects(
        who_uses_whom,
        &[
            ("src/types/path.rs", "use crate::conf::Conf;", "types may not use conf"),
            ("src/conf/load.rs", "use crate::proto::grpc;", "conf may not use proto"),
            ("src/election/find.rs", "use crate::{\n    rpc::Channel,\n    client::Retry,\n};", "may not use client"),
            ("src/client/mod.rs", "fn f() { crate::master::run() }", "client may not use master"),
            ("src/master/role.rs", "use super::super::client::Retry;", "reaches the root"),
            ("src/surprise/mod.rs", "", "not in the table"),
            ("src/master/role.rs", "type A<'a> = &'a str; const B: char = '\"'; use crate::web::C;", "use web"),
        ],
    );
    assert_accepts(who_uses_whom, "src/client/mod.rs", "// crate::master\nconst A: &str = r#\"crate::master \"#;");
    assert_accepts(who_uses_whom, "src/rpc/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::master::A;\n}\n");
}

#[test]
fn pure_parts_are_pure() {
    assert_none(&purity(&files("src", ".rs")));
}

#[test]
fn an_impurity_is_seen() {
    let mut samples: Vec<(&str, String, &str)> =
        IMPURE.iter().map(|word| ("src/master/role.rs", format!("type X = {word}::x;"), *word)).collect();
    samples.push(("src/master/ops/rename.rs", "use crate::ufs::Ufs;".into(), "may not use ufs"));
    samples.push(("src/journal/folder/x.rs", "//! Pure. A plan.\nuse tokio::fs;".into(), "tokio"));
    let samples: Vec<_> = samples.iter().map(|(path, text, word)| (*path, text.as_str(), *word)).collect();
    assert_objects(purity, &samples);
    assert_accepts(purity, "src/types/time.rs", "use std::time::Instant;");
    assert_accepts(purity, "src/types/id_map.rs", "use std::collections::HashMap;");
    assert_accepts(purity, "src/master/role.rs", "// async\nlet operand = asynchronous;");
}

#[test]
fn frameworks_are_named_in_their_place() {
    assert_none(&places_of_frameworks(&files("src", ".rs")));
}

#[test]
fn a_framework_out_of_place_is_seen() {
    let samples: Vec<_> = PLACES.iter().map(|(name, _)| (*name, format!("use {name}::X;"))).collect();
    let samples: Vec<_> = samples.iter().map(|(name, text)| ("src/master/role.rs", text.as_str(), *name)).collect();
    assert_objects(places_of_frameworks, &samples);
    assert_accepts(places_of_frameworks, "src/rpc/mod.rs", "use tonic::Status;");
    assert_accepts(places_of_frameworks, "src/logs/user.rs", "use log4rs::config::Appender;");
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&lengths(&files("src", ".rs")));
}

#[test]
fn too_much_in_one_place_is_seen() {
    let long_function = format!("impl A {{\n    fn long() {{\n{}    }}\n}}\n", "        x();\n".repeat(69));
    let long_file = "const A: u8 = 1;\n".repeat(501);
    assert_objects(
        lengths,
        &[
            ("src/rpc/mod.rs", &long_function, "src/rpc/mod.rs:2: a function of 71 lines"),
            ("src/rpc/mod.rs", &long_file, "501 lines"),
            ("src/a/b/c/d/e.rs", "", "4 folders"),
        ],
    );
    assert_accepts(lengths, "src/rpc/mod.rs", &long_function.replacen("        x();\n", "", 1));
    assert_accepts(lengths, "src/rpc/channel_tests.rs", &long_file);
}

#[test]
fn files_begin_with_their_module_text() {
    assert_none(&module_texts(&files("src", ".rs")));
}

#[test]
fn a_file_without_module_text_is_seen() {
    assert_objects(module_texts, &[("src/rpc/mod.rs", "use a::b;\n", "does not begin")]);
    assert_accepts(module_texts, "src/rpc/mod.rs", "//! Channels.\nuse a::b;\n");
}

#[test]
fn dependencies_are_used() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let source = files("src", ".rs");
    assert_none(&unused_dependencies(&manifest, "dependencies", &source));
    let all: Vec<_> = source.into_iter().chain(files("tests", ".rs")).chain(files("benches", ".rs")).collect();
    assert_none(&unused_dependencies(&manifest, "dev-dependencies", &all));
    let build = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs")).unwrap();
    assert_none(&unused_dependencies(&manifest, "build-dependencies", &[Source::new("build.rs", &build)]));
}

#[test]
fn an_unused_dependency_is_seen() {
    let manifest = "[dependencies]\na-b = \"1\"\nc = { version = \"1\" }\n[dev-dependencies]\nd = \"1\"\n";
    let sources = [Source::new("src/main.rs", "use a_b::X;\n// c::Y\n#[cfg(test)]\nuse d::Z;\n")];
    let complaints = unused_dependencies(manifest, "dependencies", &sources);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains("c stands in"), "{complaints:?}");
    assert_none(&unused_dependencies(manifest, "dev-dependencies", &sources));
}

#[test]
fn properties_are_read_by_product_code() {
    assert_none(&unread_properties(&files("src", ".rs")));
}

#[test]
fn an_unread_property_is_seen() {
    let table = "table! {\n    /// A.\n    HOME: PathBuf = \"alluxio.home\" [], Always(\"x\");\n    \
                 NEVER_READ: u32 =\n        \"alluxio.never\" [], Unset;\n}\npub static MANY: Family<u8> = f();\n";
    let reader = "fn f() { get(&keys::HOME); get(&keys::MANY); }\n#[cfg(test)]\nmod tests {\n    NEVER_READ;\n}\n";
    let sources = [Source::new("src/conf/keys.rs", table), Source::new("src/main.rs", reader)];
    let complaints = unread_properties(&sources);
    assert_eq!(complaints, ["src/conf/keys.rs: no product code reads NEVER_READ"]);
}

#[test]
fn no_file_names_a_home_folder() {
    let endings = [("src", ""), ("scripts", ""), ("bin", ""), ("conf", ""), ("docs", ""), ("tests", ".rs")];
    let sources: Vec<_> = endings.iter().flat_map(|(folder, ending)| files(folder, ending)).collect();
    assert!(sources.len() > 10, "the folders are where they are looked for");
    assert_none(&home_folders(&sources));
}

#[test]
fn a_home_folder_is_seen() {
    assert_objects(home_folders, &[("docs/a.md", concat!("see /ho", "me/me/notes"), "docs/a.md:1")]);
}

#[test]
fn all_tests_are_run_by_scripts() {
    let sources: Vec<_> =
        [("scripts", ""), ("tests", ".rs")].iter().flat_map(|(folder, ending)| files(folder, ending)).collect();
    assert!(sources.iter().any(|source| source.path == "tests/tidy.rs"));
    assert_none(&forgotten_tests(&sources));
}

#[test]
fn a_forgotten_test_is_seen() {
    let sample = |path: &str| [Source::new("scripts/steps.sh", "cargo test --test tidy"), Source::new(path, "")];
    for path in ["tests/watch.rs", "tests/watch/main.rs"] {
        assert_eq!(forgotten_tests(&sample(path)), ["tests/watch: no script runs it"]);
    }
    assert_none(&forgotten_tests(&sample("tests/tidy.rs")));
    assert_none(&forgotten_tests(&sample("tests/tidy/source.rs")));
}
