//! Arguments → one of the faces of the binary → exit code; nothing else. Texts are those of release 1.2.0.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use alluxio::conf::{Compatibility, Conf, Role, Sources, Warning, keys};
use alluxio::logs::{self, ServerLog, Wanted};
use alluxio::master::event::Exit;
use alluxio::master::guardian::{self, Ended, GuardianSettings};
use alluxio::master::process::{EXIT_FENCED, Process};
use alluxio::master::{outside, start};
use alluxio::process::launch;
use alluxio::process::{
    CLAIMED, PidFile, READY, SAYS, Server, complain, is_this_host, raise_open_files, redirect_errors, tell,
};
use alluxio::shell::{Face, ShellSettings};
use alluxio::tools::journal::CommandError;
use alluxio::tools::restore::{self, Restored};
use alluxio::web::master::MasterWeb;
use alluxio::web::worker::WorkerWeb;
use alluxio::worker;
use anyhow::{Context, anyhow, bail};

const USAGE: &str = include_str!("usage.txt");

/// Commands that are done by the launcher `bin/alluxio`.
const OF_LAUNCHER: &[&str] = &["bootstrap-conf", "bootstrapConf", "clearCache", "copyDir", "killAll", "loadufs"];

/// Commands of the originals that a later version will have.
const LATER: &[&str] = &[
    "collectInfo",
    "formatJournal",
    "formatMaster",
    "formatMasters",
    "job",
    "protoGen",
    "proxy",
    "runClass",
    "runJournalCrashTest",
    "runKVTest",
    "thriftGen",
    "validateEnv",
];

/// Exit code of `process may-format` when `format -s` has nothing to do.
const NOTHING_TO_FORMAT: u8 = 3;

/// Name under which processes list a worker, as those of the originals do.
const WORKER_NAME: &str = "alluxio.worker.AlluxioWorker";

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<u8> {
    let words: Result<Vec<String>, _> = std::env::args_os().skip(1).map(|word| word.into_string()).collect();
    let words = words.map_err(|word| anyhow!("the argument {word:?} is not Unicode"))?;
    let Some((command, words)) = words.split_first() else { return usage() };
    if matches!(command.as_str(), "help" | "-h" | "--help") {
        usage()?;
        return Ok(0);
    }
    if LATER.contains(&command.as_str()) {
        bail!("alluxio {command} is not available in this version");
    }
    if OF_LAUNCHER.contains(&command.as_str()) {
        bail!("{command} is a command of the launcher: run bin/alluxio {command}");
    }
    let (properties, words) = split_options(words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let conf = |role| Conf::load(&Sources::of_process(role, properties.clone()));
    match (command.as_str(), words.as_slice()) {
        ("master", []) => master(&conf(Role::Master)?),
        ("worker", []) => worker(&conf(Role::Worker)?, Errors::ToTerminal),
        ("process", [command, words @ ..]) => process(command, words, &properties),
        ("formatWorker", _) => format_worker(&conf(Role::Worker)?),
        ("master" | "worker" | "process", words) => bail!("alluxio {command} does not take: {}", words.join(" ")),
        ("fs", [word, ..]) if word.starts_with('-') => {
            complain(format_args!("Invalid option: {word}"));
            usage()
        }
        ("fs", words) => shell(Face::Fs, &conf(Role::User)?, words),
        ("fsadmin", words) => shell(Face::FsAdmin, &conf(Role::User)?, words),
        ("info", words @ ["report", ..]) => shell(Face::FsAdmin, &conf(Role::User)?, words),
        ("info", words) => bail!("alluxio info {}: only info report is available in this version", words.join(" ")),
        ("runTest" | "runTests", words) => shell(Face::RunTests, &conf(Role::User)?, words),
        ("logLevel", words) => shell(Face::LogLevel, &conf(Role::User)?, words),
        ("format", words) => format(&conf(Role::User)?, words),
        ("journal", words) => journal(&conf(Role::User)?, &properties, words),
        // As 2.9 calls it.
        ("readJournal", _) if stdin_has_a_file() => anyhow::bail!(
            "readJournal reads the journal that the properties name, not what is on standard input: leave that away; of a \
             journal of 1.x or 2.x: bin/alluxio journal import <folder> --dry-run"
        ),
        ("readJournal", words) => journal(&conf(Role::User)?, &properties, &[&["read"], words].concat()),
        ("validateConf", _) => written(alluxio::tools::validate_conf::run(conf, &mut std::io::stdout())),
        ("version", _) => version(&conf(Role::User)?),
        ("getConf", words) => written(alluxio::tools::get_conf::run(&conf(Role::User)?, words, &mut std::io::stdout())),
        _ => {
            complain(format_args!("Unsupported command {command}"));
            usage()
        }
    }
}

/// What the launchers ask for.
fn process(command: &str, words: &[&str], properties: &[String]) -> anyhow::Result<u8> {
    let conf = |role| Conf::load(&Sources::of_process(role, properties.to_owned()));
    match (command, words) {
        ("start", ["master"]) => start_master(&conf(Role::Master)?, properties),
        ("start", ["worker"]) => start_worker(&conf(Role::Worker)?, properties),
        ("guard", ["master"]) => guard(&conf(Role::Master)?, properties),
        ("run", ["worker"]) => worker(&conf(Role::Worker)?, Errors::ToFile),
        ("stop", names) => stop(&servers(names, properties)?),
        ("running", [name]) => {
            let (server, logs) = &servers(&[*name], properties)?[0];
            Ok(u8::from(!launch::is_running(server, logs)?))
        }
        ("wait", names) => {
            servers(names, properties)?.iter().try_for_each(|(server, logs)| launch::wait(server, logs))?;
            Ok(0)
        }
        ("this-host", [name]) => Ok(u8::from(!is_this_host(name))),
        ("may-format", words) => may_format(&conf(Role::User)?, words),
        _ => bail!("alluxio process does not take: {command} {}", words.join(" ")),
    }
}

/// Servers of this installation, and where their pid files are.
fn servers(names: &[&str], properties: &[String]) -> anyhow::Result<Vec<(&'static Server, PathBuf)>> {
    let server = |name: &&str| {
        let (server, role) = match *name {
            "master" => (&guardian::SERVER, Role::Master),
            "worker" => (&worker::start::SERVER, Role::Worker),
            name => bail!("{name} is no server: master or worker"),
        };
        Ok((server, logs_of(Conf::load(&Sources::of_process(role, properties.to_owned())))?))
    };
    names.iter().map(server).collect()
}

/// Shows how to use the program; the exit code of who did not know.
fn usage() -> anyhow::Result<u8> {
    say(USAGE.trim_end())?;
    Ok(1)
}

/// A line on standard output.
fn say(line: impl std::fmt::Display) -> anyhow::Result<()> {
    written(writeln!(std::io::stdout(), "{line}").map(|()| 0)).map(drop)
}

/// What became of output and its exit code. That the reader has gone is no error: `alluxio getConf | head -1`.
fn written(outcome: std::io::Result<u8>) -> anyhow::Result<u8> {
    match outcome {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        outcome => outcome.context("cannot write the output"),
    }
}

/// The properties of `-Dkey=value` options, and the other words. They are taken out before the first other word, as in
/// 1.2.0; those of Alluxio wherever they stand, as in 2.9.
fn split_options(words: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut properties, mut plain) = (Vec::new(), Vec::new());
    for word in words {
        match word.strip_prefix("-D") {
            Some(property) if property.starts_with("alluxio.") || (plain.is_empty() && !property.is_empty()) => {
                properties.push(property.to_owned());
            }
            _ => plain.push(word.clone()),
        }
    }
    (properties, plain)
}

/// Half the cores: with few of them, threads that wake one another and wait for the lock over the state cost more than they
/// bring, and what else runs on the machine has the others.
fn master_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

fn master(conf: &Conf) -> anyhow::Result<u8> {
    let logs_dir = conf.get(&keys::LOGS_DIR);
    let process = Process::enter(&logs_dir)?;
    raise_open_files().context("cannot raise the limit of open files (ulimit -n)")?;
    let wanted = if conf.get(&keys::AUDIT_LOGGING_ENABLED) { Wanted::LogAndAudit } else { Wanted::Log };
    let log = ServerLog::start(conf, guardian::SERVER.name, wanted)?;
    conf.warnings().iter().for_each(|warning| log::warn!("{warning}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(master_threads()).enable_all().build()?;
    let web = MasterWeb::of(conf, &log)?;
    runtime.block_on(logged(&log, restore(conf))).inspect_err(|error| log::error!("{error:#}"))?;
    let ended = runtime.block_on(logged(&log, start::run(conf, &process, web)));
    runtime.shutdown_timeout(Duration::from_secs(1));
    let passes = matches!(&ended, Err(error) if process.comes_back() && error.may_pass());
    let ended = ended.map_err(anyhow::Error::from).inspect_err(|error| log::error!("{error:#}"));
    if passes {
        return Ok(EXIT_FENCED);
    }
    match ended? {
        Exit::Stopped => {
            log::info!("stopped");
            Ok(0)
        }
        fenced @ Exit::Fenced(_) => {
            log::warn!("{fenced}");
            Ok(EXIT_FENCED)
        }
        failed => {
            log::error!("{failed}");
            let advice = match &failed {
                Exit::Corrupt(_, reason) if reason.contains("newer") => "use the version that wrote it, or a newer one",
                Exit::Chain(_) | Exit::Corrupt(..) => {
                    "bin/alluxio journal verify tells what of the journal is there, and bin/alluxio journal repair goes on \
                     from it"
                }
                _ => return Err(failed.into()),
            };
            log::error!("{advice}");
            Err(anyhow::Error::from(failed).context(advice))
        }
    }
}

/// Whether somebody has redirected the standard input from a file, as readJournal of 1.2.0 is used.
fn stdin_has_a_file() -> bool {
    let is_file = |stat: &rustix::fs::Stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile && stat.st_size > 0
    };
    rustix::fs::fstat(std::io::stdin()).is_ok_and(|stat| is_file(&stat))
}

fn start_master(conf: &Conf, properties: &[String]) -> anyhow::Result<u8> {
    outside::doubt_of_host(conf).into_iter().chain(outside::doubt_of_zookeeper(conf)).for_each(complain);
    let mut properties = properties.to_vec();
    if let Some(backup) = backup_to_begin_with(conf) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        match runtime.block_on(restore::run(conf, &backup))? {
            Restored::Now(report) => drop(written(report.write(&mut std::io::stdout()).map(|()| 0))?),
            Restored::Skipped(reason) => say(format!("Not restored from {backup}: {reason}"))?,
        }
        // It is done; the master need not look.
        properties.push(format!("{}=", keys::JOURNAL_INIT_FROM_BACKUP.row.name));
    }
    start(&guardian::SERVER, conf, &["process", "guard", "master"], "alluxio", &properties)
}

/// The backup that an empty journal begins with; one that is not empty stays as it is.
fn backup_to_begin_with(conf: &Conf) -> Option<String> {
    conf.get(&keys::JOURNAL_INIT_FROM_BACKUP).filter(|backup| !backup.is_empty())
}

/// What the launcher does for a master that it starts, for one that is started without it.
async fn restore(conf: &Conf) -> anyhow::Result<()> {
    let Some(backup) = backup_to_begin_with(conf) else { return Ok(()) };
    match restore::run(conf, &backup).await? {
        Restored::Now(report) => {
            let mut text = Vec::new();
            report.write(&mut text)?;
            String::from_utf8_lossy(&text).lines().for_each(|line| log::info!("{line}"));
        }
        Restored::Skipped(reason) => log::info!("not restored from {backup}: {reason}"),
    }
    Ok(())
}

fn start_worker(conf: &Conf, properties: &[String]) -> anyhow::Result<u8> {
    start(&worker::start::SERVER, conf, &["process", "run", "worker"], WORKER_NAME, properties)
}

fn start(server: &Server, conf: &Conf, words: &[&str], name: &str, properties: &[String]) -> anyhow::Result<u8> {
    tell_mistakes(conf);
    let program = std::env::current_exe().context("cannot find the own program")?;
    let mut command = std::process::Command::new(program);
    command.arg0(name).args(words).args(properties.iter().map(|property| format!("-D{property}")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(launch::start(server, &conf.get(&keys::LOGS_DIR), command, launch::STOP_WAIT)) {
        Ok(()) => Ok(0),
        Err(error) => {
            let code = error.exit_code();
            complain(format_args!("{:#}", anyhow::Error::from(error)));
            Ok(code)
        }
    }
}

/// Where the error output of a server goes once it is the only one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errors {
    ToTerminal,
    ToFile,
}

fn worker(conf: &Conf, errors: Errors) -> anyhow::Result<u8> {
    let logs_dir = conf.get(&keys::LOGS_DIR);
    std::fs::create_dir_all(&logs_dir).with_context(|| format!("cannot make the folder {}", logs_dir.display()))?;
    let _pid_file = PidFile::claim(&logs_dir.join(worker::start::PID_FILE))?;
    if errors == Errors::ToFile {
        let output = logs_dir.join(worker::start::SERVER.output);
        redirect_errors(&output).with_context(|| format!("cannot write {}", output.display()))?;
        // No longer of the terminal's session: its end is not ours. Refused to who leads a group, and then not needed.
        let _ = rustix::process::setsid();
    }
    raise_open_files().context("cannot raise the limit of open files (ulimit -n)")?;
    tell(CLAIMED);
    let log = ServerLog::start(conf, worker::start::SERVER.name, Wanted::Log)?;
    conf.warnings().iter().for_each(|warning| log::warn!("{warning}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ready = |address: &str, known| {
        if known == worker::start::Known::ToNobody {
            tell(&format!("{SAYS}no master answers yet; the worker serves at {address} and goes on trying"));
        }
        tell(&format!("{READY}{address}"));
    };
    let ended = runtime
        .block_on(logged(&log, worker::start::run(conf, WorkerWeb::of(conf, &log)?, ready)))
        .map_err(anyhow::Error::from);
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended.inspect_err(|error| log::error!("{error:#}"))?;
    log::info!("stopped");
    Ok(0)
}

fn format_worker(conf: &Conf) -> anyhow::Result<u8> {
    tell_mistakes(conf);
    let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = conf.get(&keys::WORKER_HOSTNAME).map_or_else(machine, |host| host.0);
    say(format!("Formatting Alluxio Worker @ {host}"))?;
    worker::format::run(conf)?;
    Ok(0)
}

/// Where the pid files are. To stop a server nothing else of the configuration has to be right.
fn logs_of(conf: Result<Conf, alluxio::conf::ConfError>) -> anyhow::Result<PathBuf> {
    match (conf, std::env::var_os("ALLUXIO_LOGS_DIR")) {
        (Ok(conf), _) => Ok(conf.get(&keys::LOGS_DIR)),
        (Err(error), Some(logs)) => {
            complain(format_args!("{error}; looking for its pid file in {}", Path::new(&logs).display()));
            Ok(logs.into())
        }
        (Err(error), None) => Err(error.into()),
    }
}

fn stop(servers: &[(&Server, PathBuf)]) -> anyhow::Result<u8> {
    // Who does not hear it must not keep us from it.
    let impatient = || drop(say("Process did not complete after 30 seconds, killing."));
    let stopped = servers.iter().map(|(server, logs)| launch::stop(server, logs, launch::STOP_WAIT, impatient));
    let stopped: usize = stopped.sum::<Result<_, _>>()?;
    say(format!("Killed {stopped} processes on {}", rustix::system::uname().nodename().to_string_lossy()))?;
    Ok(0)
}

fn guard(conf: &Conf, properties: &[String]) -> anyhow::Result<u8> {
    logs::log_to_terminal()?;
    let settings = GuardianSettings {
        logs_dir: conf.get(&keys::LOGS_DIR),
        program: std::env::current_exe().context("cannot find the own program")?,
        options: properties.iter().map(|property| format!("-D{property}")).collect(),
    };
    // One thread: the tie between a master and its guardian is one to the thread that starts the master.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(guardian::guard(&settings, |ended| release(conf, ended)))?)
}

/// Tells the others at once that a master has ended, so that they need not wait for its lease and its session.
fn release(conf: &Conf, ended: Ended<'_>) -> impl Future<Output = ()> + Send + use<> {
    let cluster = ended.cluster_id.and_then(|id| outside::zookeeper(conf, id, &outside::address(conf)));
    let incarnation = ended.incarnation.to_owned();
    async move {
        let Some(settings) = cluster else { return };
        match alluxio::election::release_of_dead(settings, &incarnation).await {
            Ok(released) => log::info!("released what the master left: {released:?}"),
            Err(error) => log::warn!("cannot release what the master left, others wait for its lease: {error}"),
        }
    }
}

fn shell(face: Face, conf: &Conf, words: &[&str]) -> anyhow::Result<u8> {
    tell_mistakes(conf);
    logs::log_of_user(conf, &outside::os_user())?;
    let code = alluxio::shell::run(face, words, ShellSettings::read(conf)?);
    Ok(u8::try_from(code).unwrap_or(1))
}

fn format(conf: &Conf, words: &[&str]) -> anyhow::Result<u8> {
    if let Some(code) = not_to_format(conf, words)? {
        return Ok(if code == NOTHING_TO_FORMAT { 0 } else { code });
    }
    let host = conf.get(&keys::MASTER_HOSTNAME).map_or_else(|| "localhost".to_owned(), |host| host.0);
    tell_mistakes(conf);
    say(format!("Formatting Alluxio Master @ {host}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(alluxio::tools::format::run(conf))?;
    Ok(0)
}

fn journal(conf: &Conf, properties: &[String], words: &[&str]) -> anyhow::Result<u8> {
    tell_mistakes(conf);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(alluxio::tools::journal::run(conf, properties, words, &mut std::io::stdout())) {
        Err(CommandError::Output(error)) => written(Err(error)),
        outcome => Ok(outcome?),
    }
}

/// Whether `format` with these words would begin: asked before workers are formatted.
fn may_format(conf: &Conf, words: &[&str]) -> anyhow::Result<u8> {
    if let Some(code) = not_to_format(conf, words)? {
        return Ok(code);
    }
    outside::doubt_of_zookeeper(conf).into_iter().for_each(complain);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // If all is well, the format itself tells them.
    runtime.block_on(alluxio::tools::format::check(conf)).inspect_err(|_| tell_mistakes(conf))?;
    Ok(0)
}

/// The exit code if these words do not lead to a format.
fn not_to_format(conf: &Conf, words: &[&str]) -> anyhow::Result<Option<u8>> {
    let wrong = match words {
        [] => return Ok(None),
        ["-s"] => {
            let root = conf.get(&keys::ROOT_UFS);
            let elsewhere = root.contains("://") && !root.starts_with("file://");
            let there = elsewhere || Path::new(root.trim_start_matches("file://")).exists();
            return Ok(there.then_some(NOTHING_TO_FORMAT));
        }
        // Compatible: the script of 1.2.0 has lost a variable in one of the two.
        ["-s", ..] => " bin/alluxio format [-s]",
        _ => "{Usage} bin/alluxio format [-s]",
    };
    match conf.compatibility() {
        Compatibility::V1_2 => say(wrong)?,
        Compatibility::V2_9 => complain("Usage: alluxio format [-s]"),
    }
    Ok(Some(2))
}

/// A property that no Alluxio has, or a variable that nobody reads, is most likely a mistake of who typed it; other
/// warnings are for the log.
fn tell_mistakes(conf: &Conf) {
    let mistake = |warning: &&Warning| matches!(warning, Warning::Unknown { .. } | Warning::Variable { .. });
    conf.warnings().iter().filter(mistake).for_each(complain);
}

fn version(conf: &Conf) -> anyhow::Result<u8> {
    match conf.compatibility() {
        Compatibility::V1_2 => say("Alluxio version: 1.2.0")?,
        Compatibility::V2_9 => say("2.9.6")?,
    }
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        complain(format_args!("(alluxio-rs {}, compatible with the above)", env!("CARGO_PKG_VERSION")));
    }
    Ok(0)
}

/// Runs a server whose log follows its file meanwhile.
async fn logged<T>(log: &ServerLog, server: impl Future<Output = T>) -> T {
    tokio::select! {
        ended = server => ended,
        () = log.watch() => unreachable!("it goes on for ever"),
    }
}
