//! The requests to S3 that a UFS needs, each signed.

use super::s3_connection::{Answer, Call, Failure, S3Connection, element};
use super::s3_settings::S3Settings;
use bytes::Bytes;
use chrono::DateTime;
use hyper::Method;
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusty_s3::actions::{
    CompleteMultipartUpload, CreateMultipartUpload, DeleteObjectsResponse, ListObjectsV2, ObjectIdentifier, S3Action,
};
use rusty_s3::{Bucket, Credentials};
use std::sync::Arc;
use std::time::Duration;

type Result<T> = std::result::Result<T, Failure>;

/// How long a signature holds: clocks may differ, and a request may be sent again.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// What stands in the path of a source as it is.
const IN_SOURCE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub key: String,
    pub length: u64,
    /// Whole seconds: only a listing tells more.
    pub modification_time_ms: i64,
    /// Without quotes.
    pub etag: String,
}

/// Part of a listing.
pub(super) struct Page {
    pub objects: Vec<Object>,
    /// Common prefixes, with the slash at their end.
    pub folders: Vec<String>,
    /// What the next part is asked for with.
    pub next: Option<String>,
}

/// What is listed of the keys with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What lies deeper is told as its first folder.
    OneLevel,
    /// All.
    Tree,
}

/// A bucket. Cheap to clone.
#[derive(Clone)]
pub(super) struct S3Requests {
    pub connection: S3Connection,
    bucket: Arc<Bucket>,
    credentials: Option<Arc<Credentials>>,
}

impl S3Requests {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// As of [`S3Connection::new`].
    pub fn new(settings: S3Settings, deadline: Duration) -> std::result::Result<S3Requests, String> {
        let connection = S3Connection::new(&settings, deadline)?;
        let S3Settings { bucket, credentials, .. } = settings;
        Ok(S3Requests { connection, bucket: Arc::new(bucket), credentials: credentials.map(Arc::new) })
    }

    fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_deref()
    }

    /// The object of that key; none if there is none, or its bucket is not there.
    pub async fn head(&self, key: &str) -> Result<Option<Object>> {
        let action = self.bucket.head_object(self.credentials(), key);
        match self.send(Method::HEAD, &action, Vec::new(), Bytes::new()).await {
            Ok(answer) => object_of(key, &answer).map(Some),
            Err(failure) if failure.is_absent() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// One part of a listing, ordered by the bytes of the keys.
    pub async fn list(&self, prefix: &str, depth: Depth, keys_max: usize, from: Option<&str>) -> Result<Page> {
        let mut action = self.bucket.list_objects_v2(self.credentials());
        action.with_prefix(prefix);
        action.with_max_keys(keys_max);
        if depth == Depth::OneLevel {
            action.with_delimiter("/");
        }
        if let Some(token) = from {
            action.with_continuation_token(token);
        }
        let answer = self.send(Method::GET, &action, Vec::new(), Bytes::new()).await?;
        let listed = ListObjectsV2::parse_response(answer.text()?)
            .map_err(|error| Failure::silent(format!("its listing cannot be read: {error}")))?;
        let object = |object: rusty_s3::actions::list_objects_v2::ListObjectsContent| Object {
            key: object.key,
            length: object.size.unwrap_or(0),
            modification_time_ms: object.last_modified.as_deref().map_or(0, listed_time),
            etag: object.etag.as_deref().map(plain).unwrap_or_default(),
        };
        Ok(Page {
            objects: listed.contents.into_iter().map(object).collect(),
            folders: listed.common_prefixes.into_iter().map(|folder| folder.prefix).collect(),
            next: listed.next_continuation_token,
        })
    }

    pub async fn put(&self, key: &str, content: Bytes) -> Result<()> {
        let action = self.bucket.put_object(self.credentials(), key);
        self.send(Method::PUT, &action, Vec::new(), content).await.map(drop)
    }

    /// The bytes from `start` to the one before `end`, if that is still the content.
    pub async fn get(&self, object: &Object, start: u64, end: u64) -> Result<Incoming> {
        let action = self.bucket.get_object(self.credentials(), &object.key);
        let mut headers = vec![("range", format!("bytes={start}-{}", end.saturating_sub(1)))];
        if !object.etag.is_empty() {
            headers.push(("if-match", format!("\"{}\"", object.etag)));
        }
        let url = action.sign(SIGNED_FOR).into();
        self.connection.download(&Call { method: Method::GET, url, headers, body: Bytes::new() }).await
    }

    /// One object; nothing happens when it is not there.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let action = self.bucket.delete_object(self.credentials(), key);
        self.send(Method::DELETE, &action, Vec::new(), Bytes::new()).await.map(drop)
    }

    /// At most 1,000 objects.
    pub async fn delete_all(&self, keys: Vec<String>) -> Result<()> {
        // XML cannot name these.
        let is_odd = |key: &String| key.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
        let (odd, keys): (Vec<String>, Vec<String>) = keys.into_iter().partition(is_odd);
        for key in &odd {
            self.delete(key).await?;
        }
        if keys.is_empty() {
            return Ok(());
        }
        let objects: Vec<ObjectIdentifier> = keys.into_iter().map(ObjectIdentifier::new).collect();
        let mut action = self.bucket.delete_objects(self.credentials(), objects.iter());
        action.set_quiet(true);
        let url = action.sign(SIGNED_FOR).into();
        let (body, md5) = action.body_with_md5();
        let headers = vec![("content-md5", md5), ("content-type", "application/xml".to_owned())];
        let call = Call { method: Method::POST, url, headers, body: body.into() };
        let answer = self.connection.send(&call).await?;
        let deleted = DeleteObjectsResponse::parse(answer.text()?)
            .map_err(|error| Failure::silent(format!("its answer to a deletion cannot be read: {error}")))?;
        match deleted.errors.into_iter().next() {
            None => Ok(()),
            Some(error) => Err(Failure::refused(error.code, format!("{} ({})", error.message, error.key))),
        }
    }

    /// A copy by the store itself, of at most 5 GB.
    pub async fn copy(&self, from: &Object, to: &str) -> Result<()> {
        let mut action = self.bucket.put_object(self.credentials(), to);
        let headers = self.source_headers(from);
        headers.iter().for_each(|(name, value)| action.headers_mut().insert(*name, value.clone()));
        self.send(Method::PUT, &action, headers, Bytes::new()).await.map(drop)
    }

    /// What is copied, if that is still the content.
    fn source_headers(&self, from: &Object) -> Vec<(&'static str, String)> {
        let mut headers = vec![("x-amz-copy-source", self.source(&from.key))];
        if !from.etag.is_empty() {
            headers.push(("x-amz-copy-source-if-match", format!("\"{}\"", from.etag)));
        }
        headers
    }

    /// Begins an object of many parts; its id.
    pub async fn begin_upload(&self, key: &str) -> Result<String> {
        let action = self.bucket.create_multipart_upload(self.credentials(), key);
        let answer = self.send(Method::POST, &action, Vec::new(), Bytes::new()).await?;
        let begun = CreateMultipartUpload::parse_response(answer.text()?)
            .map_err(|error| Failure::silent(format!("its answer to a new upload cannot be read: {error}")))?;
        Ok(begun.upload_id().to_owned())
    }

    /// A part, numbered from 1; its etag.
    pub async fn upload(&self, key: &str, upload: &str, number: u16, content: Bytes) -> Result<String> {
        let action = self.bucket.upload_part(self.credentials(), key, number, upload);
        let answer = self.send(Method::PUT, &action, Vec::new(), content).await?;
        let etag = answer.header("etag").map(str::to_owned);
        etag.ok_or_else(|| Failure::silent("its answer to a part has no etag"))
    }

    /// A part that the store copies from the bytes `start` to the one before `end`; its etag.
    pub async fn upload_copy(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        (from, start, end): (&Object, u64, u64),
    ) -> Result<String> {
        let mut action = self.bucket.upload_part(self.credentials(), key, number, upload);
        let mut headers = self.source_headers(from);
        headers.push(("x-amz-copy-source-range", format!("bytes={start}-{}", end - 1)));
        headers.iter().for_each(|(name, value)| action.headers_mut().insert(*name, value.clone()));
        let answer = self.send(Method::PUT, &action, headers, Bytes::new()).await?;
        let etag = element(answer.text()?, "ETag");
        etag.ok_or_else(|| Failure::silent("its answer to the copy of a part has no etag"))
    }

    /// Makes the parts an object.
    pub async fn end_upload(&self, key: &str, upload: &str, etags: &[String]) -> Result<()> {
        let etags = etags.iter().map(String::as_str);
        let action: CompleteMultipartUpload<'_, _> =
            self.bucket.complete_multipart_upload(self.credentials(), key, upload, etags);
        let url = action.sign(SIGNED_FOR).into();
        let headers = vec![("content-type", "application/xml".to_owned())];
        let call = Call { method: Method::POST, url, headers, body: action.body().into() };
        self.connection.send(&call).await.map(drop)
    }

    /// Drops the parts.
    pub async fn abort_upload(&self, key: &str, upload: &str) -> Result<()> {
        let action = self.bucket.abort_multipart_upload(self.credentials(), key, upload);
        self.send(Method::DELETE, &action, Vec::new(), Bytes::new()).await.map(drop)
    }

    fn source(&self, key: &str) -> String {
        format!("/{}/{}", self.bucket.name(), utf8_percent_encode(key, IN_SOURCE))
    }

    async fn send<'a>(
        &self,
        method: Method,
        action: &impl S3Action<'a>,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Result<Answer> {
        let url = action.sign(SIGNED_FOR).into();
        self.connection.send(&Call { method, url, headers, body }).await
    }
}

fn object_of(key: &str, answer: &Answer) -> Result<Object> {
    let length = answer.header("content-length").and_then(|text| text.parse().ok());
    let length = length.ok_or_else(|| Failure::silent("its answer does not tell the length of the object"))?;
    let time = answer.header("last-modified").and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    Ok(Object {
        key: key.to_owned(),
        length,
        modification_time_ms: time.map_or(0, |time| time.timestamp() * 1000),
        etag: answer.header("etag").map(plain).unwrap_or_default(),
    })
}

fn listed_time(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).map_or(0, |time| time.timestamp() * 1000)
}

/// An etag without its quotes.
fn plain(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}
