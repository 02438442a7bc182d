//! The lines of `docs/walkthrough.md` that are typed, with what the document says that they print.

use std::collections::VecDeque;
use std::path::Path;

use crate::cluster::Cluster;
use crate::process::Outcome;

const DOCUMENT: &str = "docs/walkthrough.md";
/// Where the package lies in the document.
const HOME: &str = concat!("/opt/alluxio-", env!("CARGO_PKG_VERSION"));

/// A line that is typed on a host, and what it prints.
struct Typed {
    host: String,
    line: String,
    prints: String,
}

/// What of the document is not typed yet.
pub struct Guide {
    rest: VecDeque<Typed>,
}

impl Guide {
    /// Reads `server08$ command` and the lines below it, from the blocks of the document that have such lines.
    pub fn read(project: &Path) -> Guide {
        let text = std::fs::read_to_string(project.join(DOCUMENT)).unwrap();
        let mut rest = VecDeque::<Typed>::new();
        for block in blocks(&text).filter(|block| block.starts_with("server") && block.contains("$ ")) {
            for text in block.lines() {
                match text.split_once("$ ") {
                    Some((host, line)) => {
                        rest.push_back(Typed { host: host.to_owned(), line: line.to_owned(), prints: String::new() });
                    }
                    None => rest.back_mut().unwrap().prints += &format!("{text}\n"),
                }
            }
        }
        Guide { rest }
    }

    /// Types the next line, which must be this one, and compares what it prints. Times and the folder of the package are
    /// others than in the document.
    pub fn next(&mut self, cluster: &Cluster, host: &str, line: &str) -> Outcome {
        let next = self.rest.pop_front().expect("the document goes on");
        assert_eq!((next.host.as_str(), next.line.as_str()), (host, line), "the next line of {DOCUMENT}");
        let outcome = cluster.on(host, line);
        let printed = outcome.expect_success().stdout.replace(cluster.home.to_str().unwrap(), HOME);
        assert_eq!(without_times(&printed), without_times(&next.prints), "{outcome}");
        assert_eq!(outcome.stderr, "", "{outcome}");
        outcome
    }

    /// There is no more of it.
    pub fn ends(&self) {
        let rest: Vec<_> = self.rest.iter().map(|typed| format!("{}$ {}", typed.host, typed.line)).collect();
        assert!(rest.is_empty(), "not typed: {rest:?}");
    }
}

/// `conf/alluxio-env.sh` of server08 and `conf/workers` of all, as the document has them.
pub fn configuration(project: &Path) -> (String, String) {
    let text = std::fs::read_to_string(project.join(DOCUMENT)).unwrap();
    let beginning = |with: &str| blocks(&text).find(|block| block.starts_with(with)).unwrap().to_owned();
    (beginning("ALLUXIO_MASTER_HOSTNAME=server08\n"), beginning("server06\n"))
}

/// What stands between two lines of three backquotes.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```\n").skip(1).step_by(2)
}

/// The same with a 0 for each digit of a word such as `09-07-2016` and `09:38:26:709`.
fn without_times(text: &str) -> String {
    let digits = |word: &str| -> String { word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect() };
    let word = |word: &str| match digits(word).as_str() {
        time @ ("00-00-0000" | "00:00:00:000") => time.to_owned(),
        _ => word.to_owned(),
    };
    text.lines()
        .map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n")
        .collect()
}
