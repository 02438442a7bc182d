//! Objects as they are written and read, and copied by the store itself.

use super::error::UfsError;
use super::s3_connection::Failure;
use super::s3_requests::{Object, S3Requests};
use super::storage::{UfsReader, UfsWriter};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;
use parking_lot::Mutex;

type Result<T> = std::result::Result<T, UfsError>;

/// Bytes of each of the first parts; what is shorter is sent at once. A writer holds as much in memory.
const PART_BYTES: u64 = 8 << 20;
/// After so many parts each is twice as long: S3 takes 10,000, and 5 TB.
const PARTS_OF_A_SIZE: u64 = 1000;
/// An object of one piece that is longer is copied in parts, so that each request is short.
const COPIED_AT_ONCE: u64 = 1 << 30;
/// Bytes of each part of such a copy, if that makes not too many.
const COPIED_PART_BYTES: u64 = 256 << 20;
/// As many parts as S3 takes.
const PARTS_MAX: u64 = 10_000;
/// How often reading goes on without a byte in between.
const RESUMED_MAX: u32 = 3;

/// Bytes of the part after so many.
fn part_bytes(parts: usize) -> u64 {
    PART_BYTES << (parts as u64 / PARTS_OF_A_SIZE).min(9)
}

/// A new object: nothing of it is there before it is closed.
pub(super) struct S3Writer {
    requests: S3Requests,
    uri: String,
    key: String,
    waiting: BytesMut,
    upload: Option<Upload>,
    has_failed: bool,
}

struct Upload {
    id: String,
    etags: Vec<String>,
}

impl S3Writer {
    pub fn new(requests: S3Requests, uri: String, key: String) -> S3Writer {
        S3Writer { requests, uri, key, waiting: BytesMut::new(), upload: None, has_failed: false }
    }

    async fn send_part(&mut self, length: usize) -> std::result::Result<(), Failure> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => {
                let id = self.requests.begin_upload(&self.key).await?;
                self.upload.insert(Upload { id, etags: Vec::new() })
            }
        };
        let number = u16::try_from(upload.etags.len() + 1).unwrap_or(u16::MAX);
        let part = self.waiting.split_to(length).freeze();
        let etag = self.requests.upload(&self.key, &upload.id, number, part).await?;
        upload.etags.push(etag);
        Ok(())
    }

    async fn finish(&mut self) -> std::result::Result<(), Failure> {
        if self.upload.is_none() {
            return self.requests.put(&self.key, self.waiting.split().freeze()).await;
        }
        if !self.waiting.is_empty() {
            self.send_part(self.waiting.len()).await?;
        }
        if let Some(Upload { id, etags }) = &self.upload {
            self.requests.end_upload(&self.key, id, etags).await?;
        }
        self.upload = None;
        Ok(())
    }

    fn usable(&self, operation: &'static str) -> Result<()> {
        match self.has_failed {
            true => Err(self.requests.connection.failed(operation, &self.uri, &Failure::silent("a write has failed"))),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl UfsWriter for S3Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.usable("write")?;
        self.waiting.extend_from_slice(&bytes);
        loop {
            let parts = self.upload.as_ref().map_or(0, |upload| upload.etags.len());
            let length = part_bytes(parts) as usize;
            if self.waiting.len() < length {
                return Ok(());
            }
            // Also when this is given up.
            self.has_failed = true;
            let sent = self.send_part(length).await;
            sent.map_err(|failure| self.requests.connection.failed("write", &self.uri, &failure))?;
            self.has_failed = false;
        }
    }

    async fn close(mut self: Box<Self>) -> Result<()> {
        self.usable("close")?;
        let finished = self.finish().await;
        finished.map_err(|failure| self.requests.connection.failed("close", &self.uri, &failure))
    }
}

impl Drop for S3Writer {
    fn drop(&mut self) {
        let (Some(Upload { id, .. }), Ok(runtime)) = (self.upload.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (requests, key, uri) =
            (self.requests.clone(), std::mem::take(&mut self.key), std::mem::take(&mut self.uri));
        // It ends by its deadline.
        runtime.spawn(async move {
            if let Err(failure) = requests.abort_upload(&key, &id).await {
                let error = requests.connection.failed("drop the parts of", &uri, &failure);
                log::warn!("parts of a file that was not closed stay in S3 until it drops them reason={error}");
            }
        });
    }
}

/// A place in an object, as long as it is not replaced.
pub(super) struct S3Reader {
    requests: S3Requests,
    uri: String,
    object: Object,
    at: u64,
    body: Option<Incoming>,
    rest: Bytes,
}

impl S3Reader {
    pub fn new(requests: S3Requests, uri: String, object: Object, at: u64) -> S3Reader {
        S3Reader { requests, uri, object, at, body: None, rest: Bytes::new() }
    }

    /// The next bytes, of which there are some; none if the answer has ended too early.
    async fn fetch(&mut self) -> std::result::Result<Option<Bytes>, Failure> {
        let body = match &mut self.body {
            Some(body) => body,
            None => self.body.insert(self.requests.get(&self.object, self.at, self.object.length).await?),
        };
        self.requests.connection.next(body).await
    }
}

#[async_trait]
impl UfsReader for S3Reader {
    async fn read(&mut self, bytes_max: usize) -> Result<Bytes> {
        let mut tries = 0;
        while self.rest.is_empty() && self.at < self.object.length {
            match self.fetch().await {
                Ok(Some(bytes)) => {
                    let left = usize::try_from(self.object.length - self.at).unwrap_or(usize::MAX);
                    self.rest = bytes.slice(..bytes.len().min(left));
                    self.at += self.rest.len() as u64;
                }
                outcome => {
                    self.body = None;
                    tries += 1;
                    let failure = outcome.err().unwrap_or_else(|| Failure::silent("the content ended too early"));
                    if tries > RESUMED_MAX || failure.status.is_some() {
                        return Err(self.requests.connection.failed("read", &self.uri, &failure));
                    }
                }
            }
        }
        Ok(self.rest.split_to(self.rest.len().min(bytes_max)))
    }
}

/// Has the store copy an object, in requests that are short each, so that its etag stays what it is where that can be.
pub(super) async fn copy(requests: &S3Requests, object: &Object, to: &str) -> std::result::Result<(), Failure> {
    let Some(parts) = parts_of(object) else { return requests.copy(object, to).await };
    let id = requests.begin_upload(to).await?;
    let mut abandoned = Abandoned { requests: requests.clone(), key: to.to_owned(), id: Some(id.clone()) };
    let numbered: Vec<(u16, (u64, u64))> = (1..).zip(parts).collect();
    let etags = in_lanes(numbered, |(number, (start, end))| {
        let id = id.as_str();
        async move { requests.upload_copy(to, id, number, (object, start, end)).await }
    });
    let etags = etags.await?;
    requests.end_upload(to, &id, &etags).await?;
    abandoned.id = None;
    Ok(())
}

/// Works at several items at a time, as long as this is polled; what came of them, in their order.
pub(super) async fn in_lanes<T: Send, R: Send, F>(
    items: Vec<T>,
    work: impl Fn(T) -> F + Sync,
) -> std::result::Result<Vec<R>, Failure>
where
    F: Future<Output = std::result::Result<R, Failure>> + Send,
{
    let (items, done) = (Mutex::new(items.into_iter().enumerate()), Mutex::new(Vec::new()));
    let lane = async || {
        loop {
            let next = items.lock().next();
            let Some((number, item)) = next else { return Ok(()) };
            let result = work(item).await?;
            done.lock().push((number, result));
        }
    };
    tokio::try_join!(lane(), lane(), lane(), lane(), lane(), lane(), lane(), lane())?;
    let mut done = done.into_inner();
    done.sort_unstable_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// Drops the parts of a copy that was cut short.
struct Abandoned {
    requests: S3Requests,
    key: String,
    id: Option<String>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let upload = Some(Upload { id, etags: Vec::new() });
            let (requests, key) = (self.requests.clone(), std::mem::take(&mut self.key));
            let (uri, waiting) = (key.clone(), BytesMut::new());
            drop(S3Writer { requests, uri, key, waiting, upload, has_failed: true });
        }
    }
}

/// The parts, from byte to byte, in which an object is copied; none if it is copied at once.
fn parts_of(object: &Object) -> Option<Vec<(u64, u64)>> {
    let split = |size: &dyn Fn(usize) -> u64| {
        let mut parts = Vec::new();
        let mut start = 0;
        while start < object.length {
            let end = object.length.min(start + size(parts.len()));
            parts.push((start, end));
            start = end;
        }
        parts
    };
    // The etag of one that was written in parts follows from those.
    let count = object.etag.rsplit_once('-').and_then(|(_, count)| count.parse::<usize>().ok());
    let as_written = count.map(|count| (count, split(&part_bytes)));
    match as_written {
        Some((count, parts)) if parts.len() == count => Some(parts),
        _ if object.length <= COPIED_AT_ONCE => None,
        _ => Some(split(&|_| COPIED_PART_BYTES.max(object.length.div_ceil(PARTS_MAX)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(length: u64, etag: &str) -> Object {
        Object { key: "k".into(), length, modification_time_ms: 0, etag: etag.into() }
    }

    #[test]
    fn a_copy_has_the_parts_of_what_was_written_here() {
        assert_eq!(parts_of(&object(100, "abc")), None);
        assert_eq!(parts_of(&object(100, "abc-2")), None);
        let eight = 8 << 20;
        assert_eq!(parts_of(&object(eight + 5, "abc-2")), Some(vec![(0, eight), (eight, eight + 5)]));
        assert_eq!(parts_of(&object(1 << 30, "abc")), None);
        assert_eq!(parts_of(&object((1 << 30) + 1, "abc")).map(|parts| parts.len()), Some(5));
    }

    #[test]
    fn no_object_has_more_parts_than_s3_takes() {
        assert_eq!(parts_of(&object(5 << 40, "abc")).unwrap().len(), 10_000);
        let written: u64 = (0..10_000).map(part_bytes).sum();
        assert!(written >= 5 << 40);
    }
}
