//! Rust files as the rules of `tidy.rs` see them: without comments, literals and test code.

use std::fs;
use std::path::Path;

/// One file of the project.
pub struct Source {
    /// Path from the root of the project, as in `src/master/role.rs`.
    pub path: String,
    /// The text as it stands.
    pub text: String,
    /// Its lines without comments, without the insides of literals, and blank where only tests are compiled.
    pub code: Vec<String>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let code = without_tests(without_comments(text).lines().map(str::to_owned).collect());
        Source { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// `master` for `src/master/role.rs`, `main` for `src/main.rs`.
    pub fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The path below `src`.
    pub fn below_src(&self) -> &str {
        self.path.strip_prefix("src/").unwrap_or(&self.path)
    }

    pub fn is_test_file(&self) -> bool {
        self.path.ends_with("_tests.rs")
    }

    /// Every place where `word` stands as a whole word in the code: line number and what follows it on the line.
    pub fn places(&self, word: &str) -> Vec<(usize, &str)> {
        let lines = self.code.iter().enumerate();
        lines.flat_map(|(i, line)| words(line, word).into_iter().map(move |rest| (i + 1, rest))).collect()
    }

    /// Every line on which a path begins with that crate.
    pub fn roots(&self, name: &str) -> Vec<(usize, &str)> {
        let begins = |(line, rest): &(usize, &str)| {
            let text = &self.code[line - 1];
            let before = &text[..text.len() - rest.len() - name.len()];
            rest.starts_with("::") && !before.ends_with(':')
        };
        self.places(name).into_iter().filter(begins).collect()
    }
}

/// What follows each whole-word occurrence of `word` in `line`.
fn words<'a>(line: &'a str, word: &str) -> Vec<&'a str> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| part(c)))
        .map(|(at, _)| &line[at + word.len()..])
        .filter(|rest| !rest.starts_with(part))
        .collect()
}

/// All files below `folder` (from the root of the project) whose name ends in `ending`, sorted by path.
pub fn files(folder: &str, ending: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(root, &root.join(folder), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, folder: &Path, ending: &str, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, ending, found);
        } else if path.to_string_lossy().ends_with(ending)
            && let Ok(text) = fs::read_to_string(&path)
        {
            found.push(Source::new(&path.strip_prefix(root).unwrap().to_string_lossy(), &text));
        }
    }
}

/// Blanks comments and the insides of literals; lines stay where they are.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let blank = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = 2 + hashes; // r, the hashes, the quote
            rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
        } else if first == '"' {
            string_length(rest)
        } else if first == '\'' {
            char_length(rest)
        } else {
            0
        };
        if blank == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            // The letters of a word go together: the `r` of `for"` opens no raw string.
            while first.is_alphanumeric() && rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                let next = rest.chars().next().unwrap();
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        } else {
            out.extend(rest[..blank].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[blank..];
        }
    }
    out
}

/// The number of hashes if a raw string begins here.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the string literal that begins here, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the character literal that begins here, or 0 where the quote begins a lifetime.
fn char_length(text: &str) -> usize {
    let mut inside = text.chars().skip(1);
    match inside.next() {
        Some('\\') => text[3..].find('\'').map_or(0, |end| 3 + end + 1),
        Some(c) if inside.next() == Some('\'') => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// Blanks every item under `#[cfg(test)]`. Relies on the format that `scripts/check` enforces: the brace that
/// closes an item stands below the item's first letter.
fn without_tests(mut lines: Vec<String>) -> Vec<String> {
    let mut at = 0;
    while at < lines.len() {
        if !lines[at].trim_start().starts_with("#[cfg(test)]") {
            at += 1;
            continue;
        }
        let indent = lines[at].len() - lines[at].trim_start().len();
        let mut end = at;
        while end < lines.len() {
            let line = lines[end].trim_end();
            let closes = line.ends_with(';') || line.trim_start().starts_with('}');
            let depth = line.len() - line.trim_start().len();
            lines[end].clear();
            end += 1;
            if closes && depth == indent {
                break;
            }
        }
        at = end;
    }
    lines
}
