//! Clients of 2.9.6, in one process that stays for all episodes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::calls::{DIRECTORIES, PATHS, can_need_ufs};
use crate::cluster::{Cluster, project};
use crate::model::{Call, Op, Seen};

pub struct JavaClients {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl JavaClients {
    /// Starts the process, in the network of the calling thread.
    pub fn start(cluster: &Cluster) -> JavaClients {
        let properties = cluster.properties().into_iter().map(|property| format!("-D{property}"));
        let errors = std::fs::File::create(cluster.network.folder.join("java-clients.log")).unwrap();
        let mut command = Command::new(project().join("scripts/java-client"));
        command.args(properties).arg("episodes").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap();
        let (commands, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        JavaClients { child, commands, answers }
    }

    /// So many clients begin to ask below `root`.
    pub fn go(&mut self, root: &str, seed: u64, clients: usize) {
        writeln!(self.commands, "go {root} {seed} {clients}").unwrap();
        self.commands.flush().unwrap();
    }

    /// They hear their last answers.
    pub fn end(&mut self, clients: usize) -> Heard {
        writeln!(self.commands, "end").unwrap();
        self.commands.flush().unwrap();
        let mut heard = Heard { histories: vec![Vec::new(); clients], ..Heard::default() };
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the Java clients have ended");
            let line = line.trim_end();
            if line == "done" {
                return heard;
            }
            let (client, call) = parse(line).unwrap_or_else(|| panic!("not a call: {line}"));
            if line.contains(" = unexpected ") || call.seen == Seen::Failed && !can_need_ufs(&call.op) {
                heard.violations.push(format!("a Java client heard what it cannot: {line}"));
            } else if call.seen == Seen::Unknown {
                heard.unanswered.push(line.to_owned());
            }
            heard.histories[client].push(call);
        }
    }
}

/// What the Java clients have heard.
#[derive(Default)]
pub struct Heard {
    pub histories: Vec<Vec<Call>>,
    /// The calls that nobody answered in time.
    pub unanswered: Vec<String>,
    /// Refusals that no namespace gives.
    pub violations: Vec<String>,
}

impl Drop for JavaClients {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `0 17 42 rename /a /b = done`
fn parse(line: &str) -> Option<(usize, Call)> {
    let (asked, answer) = line.split_once(" = ")?;
    let words: Vec<&str> = asked.split(' ').collect();
    let path = |at: usize| PATHS.iter().find(|path| Some(*path) == words.get(at)).copied();
    let op = match *words.get(3)? {
        "mkdir" => Op::Mkdir(path(4)?),
        "create" => Op::Create(path(4)?),
        "delete" => Op::Delete { path: path(4)?, recursive: false },
        "deleteAll" => Op::Delete { path: path(4)?, recursive: true },
        "rename" => Op::Rename { from: path(4)?, to: path(5)? },
        "stat" => Op::Stat(path(4)?),
        "list" => Op::List(DIRECTORIES.iter().find(|path| Some(*path) == words.get(4))?),
        _ => return None,
    };
    let answer: Vec<&str> = answer.split(' ').collect();
    let seen = match answer[0] {
        "done" => Seen::Done,
        "directory" => Seen::Directory,
        "file" => Seen::File,
        "names" => Seen::Names(answer[1..].iter().map(|name| (*name).to_owned()).collect()),
        "notFound" => Seen::NotFound,
        "exists" => Seen::Exists,
        "invalid" => Seen::Invalid,
        "notEmpty" => Seen::NotEmpty,
        "failed" => Seen::Failed,
        "unknown" | "unexpected" => Seen::Unknown,
        _ => return None,
    };
    let (asked, heard) = (words[1].parse().ok()?, words[2].parse().ok()?);
    let call = Call { op, asked, heard, seen, inode: None };
    Some((words[0].parse().ok()?, call))
}
