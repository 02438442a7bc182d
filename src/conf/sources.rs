//! Where properties are set: site file, environment, command line. Nothing is judged here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{Map, Value};
use java_properties::{LineContent, PropertiesIter};

use super::known::canonical;
use super::load::ConfError;

/// Variables that set one property each, in the order of their weight (the last wins), as `bin/alluxio` of 1.2.0 and
/// of 2.9 turned them into `-D` options behind those of the user.
const NAMED: &[(&str, &str)] = &[
    ("ALLUXIO_HOME", "alluxio.home"),
    ("ALLUXIO_CONF_DIR", "alluxio.conf.dir"),
    ("ALLUXIO_LOGS_DIR", "alluxio.logs.dir"),
    ("ALLUXIO_RAM_FOLDER", "alluxio.worker.tieredstore.level0.dirs.path"),
    ("ALLUXIO_MASTER_HOSTNAME", "alluxio.master.hostname"),
    ("ALLUXIO_MASTER_ADDRESS", "alluxio.master.hostname"),
    ("ALLUXIO_UNDERFS_ADDRESS", "alluxio.underfs.address"),
    ("ALLUXIO_MASTER_MOUNT_TABLE_ROOT_UFS", "alluxio.master.mount.table.root.ufs"),
    ("ALLUXIO_WORKER_MEMORY_SIZE", "alluxio.worker.memory.size"),
    ("ALLUXIO_WORKER_RAMDISK_SIZE", "alluxio.worker.ramdisk.size"),
];

/// Options for every process.
const COMMON_OPTIONS: &str = "ALLUXIO_JAVA_OPTS";

/// Variables of the originals that are read by nobody here, and look like some that are.
const OTHERS: &[&str] = &["ALLUXIO_FUSE_JAVA_OPTS", "ALLUXIO_PROXY_JAVA_OPTS"];

/// How many slips of the pen may lie between a variable and the one that was meant.
const SLIPS_MAX: usize = 2;

/// As what the process runs: each role has options of its own in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A master.
    Master,
    /// A worker.
    Worker,
    /// The shell, `format`, and other commands that end by themselves.
    User,
}

impl Role {
    /// The variable with the options of this role.
    fn options(self) -> &'static str {
        match self {
            Role::Master => "ALLUXIO_MASTER_JAVA_OPTS",
            Role::Worker => "ALLUXIO_WORKER_JAVA_OPTS",
            Role::User => "ALLUXIO_USER_JAVA_OPTS",
        }
    }
}

/// What a configuration is read from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// As what the process runs.
    pub role: Role,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// `key=value` of the `-D` options on its command line.
    pub command_line: Vec<String>,
}

impl Sources {
    /// The sources of this process. Variables that are not Unicode are passed over.
    pub fn of_process(role: Role, command_line: Vec<String>) -> Sources {
        let unicode = |(name, text): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, text.into_string().ok()?))
        };
        Sources { role, environment: std::env::vars_os().filter_map(unicode).collect(), command_line }
    }

    /// A variable of the environment; one that is empty counts as not set, as in the launchers of the originals.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Preset,
    /// A line of a file.
    File {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// A variable of the environment, `conf/alluxio-env.sh` included.
    Environment(String),
    /// `-Dkey=value`.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Preset => f.write_str("built-in default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Environment(variable) => f.write_str(variable),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}

/// One value as it was set.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The name as it was written, perhaps an alias.
    pub name: String,
    /// The value as it was written, references included.
    pub text: String,
    pub origin: Origin,
}

/// Put before names: `config` reads a name as a path if it can (`a.b` inside `a`), but properties are flat, and `a.b`
/// and `a.b.c` may both be set. No path begins like this.
const WHOLE: char = ':';

/// Settings of equal weight, in the order in which they were read: of two for one property the later counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer(pub Vec<Setting>);

impl Layer {
    fn set(&mut self, name: &str, text: &str, origin: Origin) {
        // As the originals do; a blank at the end of a line is nobody's intention.
        let (name, text) = (name.trim().to_owned(), text.trim().to_owned());
        self.0.push(Setting { name, text, origin });
    }
}

/// A layer as `config` merges it: which property is set by which of all settings, by number.
#[derive(Debug, Clone)]
struct Numbered(Vec<(String, u64)>);

impl config::Source for Numbered {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.iter().map(|(name, number)| (name.clone(), Value::from(*number))).collect())
    }
}

/// The layers as one, each weighing more than those before it; by canonical name.
pub(super) fn merge<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Result<BTreeMap<String, Setting>, ConfError> {
    let mut all = Vec::new();
    let mut builder = config::Config::builder();
    for Layer(settings) in layers {
        let numbers = all.len() as u64..;
        let names = settings.iter().map(|setting| format!("{WHOLE}{}", canonical(&setting.name)));
        builder = builder.add_source(Numbered(names.zip(numbers).collect()));
        all.extend(settings);
    }
    let merged: BTreeMap<String, usize> = builder.build()?.try_deserialize()?;
    let counts = |(name, number): (String, usize)| (name.trim_start_matches(WHOLE).to_owned(), all[number].clone());
    Ok(merged.into_iter().map(counts).collect())
}

/// What the environment sets.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// The user's options for this role.
    pub role: Layer,
    /// The user's options for every process.
    pub common: Layer,
    /// Variables that stand for one property.
    pub named: Layer,
    /// Words among the options that mean nothing here, each with the variable it stands in.
    pub ignored: Vec<String>,
    /// Variables that nobody reads, each with the one that was most likely meant.
    pub misspelt: Vec<(String, &'static str)>,
}

impl Environment {
    pub fn read(sources: &Sources) -> Result<Environment, ConfError> {
        let mut read = Environment::default();
        read.role = read.options(sources, sources.role.options())?;
        read.common = read.options(sources, COMMON_OPTIONS)?;
        for (variable, property) in NAMED {
            if let Some(text) = sources.variable(variable) {
                read.named.set(property, text, Origin::Environment((*variable).to_owned()));
            }
        }
        let names = sources.environment.keys().filter(|name| name.starts_with("ALLUXIO_"));
        read.misspelt = names.filter_map(|name| Some((name.clone(), meant(name)?))).collect();
        Ok(read)
    }

    /// The `-D` options of a variable that holds words for a JVM.
    fn options(&mut self, sources: &Sources, variable: &str) -> Result<Layer, ConfError> {
        let mut layer = Layer::default();
        let Some(text) = sources.variable(variable) else { return Ok(layer) };
        let open_quote = || ConfError::Quote { variable: variable.to_owned(), text: text.to_owned() };
        let mut takes_a_word = false;
        for word in shlex::split(text).ok_or_else(open_quote)? {
            // The name only: a value may be a secret.
            let title = word.split('=').next().unwrap_or(&word);
            if !word.starts_with('-') && !takes_a_word {
                return Err(ConfError::Word { variable: variable.to_owned(), word: title.to_owned() });
            }
            takes_a_word = matches!(word.as_str(), "-cp" | "-classpath") || (word.starts_with("--") && title == word);
            let (name, value) =
                word.strip_prefix("-D").map_or(("", ""), |pair| pair.split_once('=').unwrap_or((pair, "")));
            if !name.is_empty() {
                layer.set(name, value, Origin::Environment(variable.to_owned()));
            }
            if !name.starts_with("alluxio.") && super::known::row(name).is_none() {
                self.ignored.push(format!("{title} ({variable})"));
            }
        }
        Ok(layer)
    }
}

/// The variable that was most likely meant by one that nobody reads; none if none is like it.
fn meant(name: &str) -> Option<&'static str> {
    let options = [Role::Master, Role::Worker, Role::User].map(Role::options);
    let read = || NAMED.iter().map(|(variable, _)| *variable).chain(options).chain([COMMON_OPTIONS]);
    if read().chain(OTHERS.iter().copied()).any(|known| known == name) {
        return None;
    }
    let begun = |known: &&str| name.len() > "ALLUXIO_".len() && known.starts_with(name);
    read().find(|known| strsim::damerau_levenshtein(known, name) <= SLIPS_MAX).or_else(|| read().find(begun))
}

/// What the command line sets.
pub(super) fn command_line(sources: &Sources) -> Layer {
    let mut layer = Layer::default();
    for pair in &sources.command_line {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        layer.set(name, text, Origin::CommandLine);
    }
    layer
}

/// The first `alluxio-site.properties` in these folders; an empty layer when there is none.
pub(super) fn site_file(folders: &[PathBuf]) -> Result<Layer, ConfError> {
    for folder in folders {
        let path = folder.join("alluxio-site.properties");
        match std::fs::read(&path) {
            Ok(content) => return properties(&path, &content),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {}
            Err(source) => return Err(ConfError::SiteFile { path: path.display().to_string(), source }),
        }
    }
    Ok(Layer::default())
}

fn properties(path: &Path, content: &[u8]) -> Result<Layer, ConfError> {
    let path = path.display().to_string();
    let mut layer = Layer::default();
    for line in PropertiesIter::new(content) {
        let line = line.map_err(|e| ConfError::Syntax {
            path: path.clone(),
            line: e.line_number().unwrap_or(0),
            reason: e.to_string(),
        })?;
        if let LineContent::KVPair(name, text) = line.content() {
            let origin = Origin::File { path: path.clone(), line: line.line_number() as u64 };
            layer.set(name, text, origin);
        }
    }
    Ok(layer)
}
