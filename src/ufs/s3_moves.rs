//! What is looked at before the objects of a directory are moved, one by one: whether all can be, and, when a move goes on
//! that was cut short, whether what lies in their new places is of that move.

use super::s3_connection::Failure;
use super::s3_requests::{Depth, Object, S3Requests};
use std::collections::VecDeque;

/// Objects of one part of a listing.
const PAGE: usize = 1_000;
/// Bytes of a key at the most, as S3 has it.
const KEY_BYTES_MAX: usize = 1_024;

/// The objects with a prefix, in order, listed part by part.
struct Keys<'a> {
    requests: &'a S3Requests,
    prefix: &'a str,
    listed: VecDeque<Object>,
    next: Option<String>,
    has_begun: bool,
}

impl<'a> Keys<'a> {
    fn of(requests: &'a S3Requests, prefix: &'a str) -> Keys<'a> {
        Keys { requests, prefix, listed: VecDeque::new(), next: None, has_begun: false }
    }

    async fn take(&mut self) -> Result<Option<Object>, Failure> {
        while self.listed.is_empty() && (!self.has_begun || self.next.is_some()) {
            let page = self.requests.list(self.prefix, Depth::Tree, PAGE, self.next.as_deref()).await?;
            self.has_begun = true;
            (self.listed, self.next) = (page.objects.into(), page.next);
        }
        Ok(self.listed.pop_front())
    }
}

/// A key below `from` that cannot be moved below `to`, and why. The URL of a key with a segment `.` or `..` would be that of
/// another one.
pub(super) async fn unmovable(
    requests: &S3Requests,
    from: &str,
    to: &str,
) -> Result<Option<(String, &'static str)>, Failure> {
    let mut keys = Keys::of(requests, from);
    while let Some(object) = keys.take().await? {
        let name = &object.key[from.len()..];
        if name.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Ok(Some((object.key, "a part of its key is . or ..")));
        }
        if to.len() + name.len() > KEY_BYTES_MAX {
            return Ok(Some((object.key, "its new key would have more than 1,024 bytes")));
        }
    }
    Ok(None)
}

/// The first key below `to` in whose place something else lies than what is moved there from below `from`.
pub(super) async fn conflict(requests: &S3Requests, from: &str, to: &str) -> Result<Option<String>, Failure> {
    let (mut sources, mut targets) = (Keys::of(requests, from), Keys::of(requests, to));
    let mut there = targets.take().await?;
    while let Some(source) = sources.take().await? {
        let name = &source.key[from.len()..];
        while there.as_ref().is_some_and(|there| &there.key[to.len()..] < name) {
            there = targets.take().await?;
        }
        match &there {
            Some(there) if &there.key[to.len()..] == name && !may_be_copy(&source, there) => {
                return Ok(Some(there.key.clone()));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Whether an object may be a copy of another one. Those of many parts may have other etags than their copies.
pub(super) fn may_be_copy(source: &Object, there: &Object) -> bool {
    let has_parts = |object: &Object| object.etag.contains('-');
    source.length == there.length && (source.etag == there.etag || has_parts(source) || has_parts(there))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_length_and_if_it_can_be_told_the_content() {
        let object =
            |length, etag: &str| Object { key: "k".into(), length, modification_time_ms: 0, etag: etag.into() };
        assert!(may_be_copy(&object(3, "a"), &object(3, "a")));
        assert!(!may_be_copy(&object(3, "a"), &object(3, "b")) && !may_be_copy(&object(3, "a"), &object(4, "a")));
        assert!(may_be_copy(&object(3, "a-2"), &object(3, "b")) && !may_be_copy(&object(3, "a-2"), &object(4, "a-2")));
    }
}
