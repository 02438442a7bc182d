//! The view of a file: some of its bytes as text, and where to go from there.

use super::page::{Asked, Problem};
use warp::http::StatusCode;

/// Bytes that are shown at once, as in 1.2.0.
pub(super) const PART_BYTES: usize = 5 << 10;

/// Some bytes of a file.
#[derive(Debug)]
pub(super) struct Part {
    /// Where they begin.
    pub(super) offset: u64,
    /// They as text; none when they could not be read.
    pub(super) text: Option<String>,
    /// Why not.
    pub(super) problem: String,
    /// Path of the page and of the file, for the form.
    pub(super) page: String,
    pub(super) path: String,
    pub(super) refreshes: bool,
    pub(super) first: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    pub(super) last: Option<String>,
    pub(super) download: String,
}

impl Part {
    /// The parameter `offset`, which may be the end of the file.
    ///
    /// # Errors
    /// It is no number, or beyond the end.
    pub(super) fn asked(asked: &Asked, length: u64) -> Result<u64, Problem> {
        let offset = asked.number("offset", 0, 0..=i64::MAX as u64)?;
        if offset > length {
            let text = format!("offset = {offset}: the file has {length} bytes only");
            return Err(Problem::new(StatusCode::NOT_FOUND, text));
        }
        Ok(offset)
    }

    /// What was read at `offset` of a file of so many bytes. `pages` are the paths of this page and of the download.
    pub(super) fn new(
        asked: &Asked,
        pages: (&str, &str),
        path: &str,
        (offset, length): (u64, u64),
        read: Result<Vec<u8>, String>,
    ) -> Part {
        let (page, download) = pages;
        let link = |offset: u64| asked.link(page, &[("path", path), ("offset", &offset.to_string())]);
        let bytes = PART_BYTES as u64;
        let end = offset.saturating_add(bytes);
        let (text, problem) = match read {
            Ok(content) => (Some(text_of(&content)), String::new()),
            Err(problem) => (None, problem),
        };
        Part {
            offset,
            text,
            problem,
            page: page.to_owned(),
            path: path.to_owned(),
            refreshes: asked.refreshes(),
            first: (offset > 0).then(|| link(0)),
            previous: (offset > 0).then(|| link(offset.saturating_sub(bytes))),
            next: (end < length).then(|| link(end)),
            last: (end < length).then(|| link(length.saturating_sub(bytes))),
            // A download is no page, and loads nothing anew.
            download: super::link::link(download, &[("path", path)]),
        }
    }
}

/// Bytes as text; what no text has becomes a sign that says so.
fn text_of(content: &[u8]) -> String {
    let plain = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(content).replace("\r\n", "\n").chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn what_is_no_text_is_marked() {
        assert_eq!(text_of("a\r\n\t中".as_bytes()), "a\n\t中");
        assert_eq!(text_of(b"a\x00\x1b[1m\xff"), "a\u{fffd}\u{fffd}[1m\u{fffd}");
    }
}
