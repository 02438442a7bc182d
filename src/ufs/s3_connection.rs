//! Requests to S3: sent, repeated while the store is busy, and what its refusals mean.
//!
//! The address of a signed request holds its signature, so it stands in no text.

use super::error::{UfsError, UfsErrorKind};
use super::s3_settings::S3Settings;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// How often a request is sent that the store was too busy for, or that did not reach it.
const ATTEMPTS_MAX: u32 = 4;
/// Pause before the second attempt; doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer that is not the content of an object: a listing of 1,000 keys is shorter.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A request, signed where need be.
#[derive(Clone)]
pub(super) struct Call {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

/// What came back, whole.
pub(super) struct Answer {
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body).map_err(|_| Failure::silent("its answer is not UTF-8"))
    }
}

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// None: there was no answer.
    pub status: Option<StatusCode>,
    /// Of S3; empty without a body.
    pub code: String,
    message: String,
}

impl Failure {
    pub fn silent(message: impl Into<String>) -> Failure {
        Failure { status: None, code: String::new(), message: message.into() }
    }

    /// What the store says of one of many.
    pub fn refused(code: String, message: String) -> Failure {
        let status = if code == "AccessDenied" { StatusCode::FORBIDDEN } else { StatusCode::INTERNAL_SERVER_ERROR };
        Failure { status: Some(status), code, message }
    }

    /// The same, of what is half done and can be made again.
    pub fn unfinished(self) -> Failure {
        let message = format!("{} {} (what is half done goes on when it is made again)", self.code, self.message);
        let status = Some(StatusCode::INTERNAL_SERVER_ERROR);
        Failure { status, code: "Unfinished".into(), message: message.trim().to_owned() }
    }

    /// Nothing is there, as far as an answer without a reason tells.
    pub fn is_absent(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND) && matches!(self.code.as_str(), "" | "NoSuchKey" | "NotFound")
    }

    /// Whether it may be otherwise in a moment.
    fn is_passing(&self) -> bool {
        let is_busy = |status: StatusCode| status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        self.status.is_none_or(is_busy) || self.code == "RequestTimeout"
    }

    fn kind(&self) -> UfsErrorKind {
        match (self.status.map(|status| status.as_u16()), self.code.as_str()) {
            (_, "QuotaExceeded") | (Some(507), _) => UfsErrorKind::Full,
            (_, "KeyTooLongError") => UfsErrorKind::Invalid,
            (_, "NoSuchBucket") => UfsErrorKind::Refused,
            _ if self.is_passing() || matches!(self.code.as_str(), "NoSuchUpload") => UfsErrorKind::Unavailable,
            (Some(404), _) => UfsErrorKind::NotFound,
            (Some(401 | 403), _) => UfsErrorKind::Denied,
            (Some(409 | 412), _) => UfsErrorKind::Unavailable,
            _ => UfsErrorKind::Refused,
        }
    }

    /// What the operator can do about it.
    fn advice(&self) -> &'static str {
        match (self.status.map(|status| status.as_u16()), self.code.as_str()) {
            (None, _) => "check alluxio.underfs.s3.endpoint and alluxio.underfs.s3.disable.dns.buckets",
            (_, "NoSuchBucket") => "create the bucket, or check its name and alluxio.underfs.s3.endpoint",
            (_, "RequestTimeTooSkewed") => "set the clock of this host",
            (Some(301 | 307), _) | (_, "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError") => {
                "check alluxio.underfs.s3.endpoint.region"
            }
            (Some(412), _) => "it was replaced meanwhile; try again",
            (Some(401 | 403), _) => "check s3a.accessKeyId, s3a.secretKey and what they may do",
            _ => "",
        }
    }
}

/// The store of a bucket. Cheap to clone, as its parts are.
#[derive(Clone)]
pub(super) struct S3Connection {
    http: Http,
    /// For messages: which bucket where.
    named: String,
    deadline: Duration,
}

#[derive(Clone)]
enum Http {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl S3Connection {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// The endpoint wants TLS, and this host has no certificates of authorities.
    pub fn new(settings: &S3Settings, deadline: Duration) -> Result<S3Connection, String> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let http = match settings.bucket.base_url().scheme() {
            "http" => Http::Plain(Client::builder(TokioExecutor::new()).build(connector)),
            _ => {
                let tls = HttpsConnectorBuilder::new().with_native_roots();
                let tls = tls.map_err(|error| format!("this host has no certificates of authorities: {error}"))?;
                let tls = tls.https_or_http().enable_http1().wrap_connector(connector);
                Http::Tls(Client::builder(TokioExecutor::new()).build(tls))
            }
        };
        let named = format!("bucket {} at {}", settings.bucket.name(), settings.endpoint);
        Ok(S3Connection { http, named, deadline })
    }

    /// Sends a request that may be repeated, and reads the whole answer.
    pub async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let mut last = None;
        let attempts = async {
            let mut pause = PAUSE;
            for attempt in 1.. {
                match self.attempt(call).await {
                    Err(failure) if failure.is_passing() && attempt < ATTEMPTS_MAX => last = Some(failure),
                    outcome => return outcome,
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            unreachable!("the last attempt returns")
        };
        match tokio::time::timeout(self.deadline, attempts).await {
            Ok(outcome) => outcome,
            Err(_) => Err(last.unwrap_or_else(|| self.late())),
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, Failure> {
        let response = self.exchange(call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Failure::silent(format!("its answer broke off: {error}")))?.to_bytes();
        match status.is_success() && !is_error(&body) {
            true => Ok(Answer { headers, body }),
            false => Err(failure_of(status, &body)),
        }
    }

    /// Sends a request whose answer is the content of an object; not repeated.
    pub async fn download(&self, call: &Call) -> Result<Incoming, Failure> {
        let begun = async {
            let response = self.exchange(call).await?;
            let status = response.status();
            let wants_part =
                call.headers.iter().any(|(name, value)| *name == "range" && !value.starts_with("bytes=0-"));
            if status.is_success() && wants_part && status != StatusCode::PARTIAL_CONTENT {
                return Err(Failure::silent("asked for a part of an object, it sends all of it"));
            }
            if status.is_success() {
                return Ok(response.into_body());
            }
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Err(failure_of(status, &body.map(|body| body.to_bytes()).unwrap_or_default()))
        };
        tokio::time::timeout(self.deadline, begun).await.unwrap_or_else(|_| Err(self.late()))
    }

    /// The next bytes of such an answer; none at its end.
    pub async fn next(&self, body: &mut Incoming) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = tokio::time::timeout(self.deadline, body.frame()).await.map_err(|_| self.late())?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| Failure::silent(format!("the content broke off: {error}")))?;
            // Trailers are no bytes.
            if let Ok(bytes) = frame.into_data()
                && !bytes.is_empty()
            {
                return Ok(Some(bytes));
            }
        }
    }

    async fn exchange(&self, call: &Call) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder().method(call.method.clone()).uri(&call.url);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(call.body.clone()));
        let request = request.map_err(|_| Failure::silent("the request cannot be written"))?;
        let response = match &self.http {
            Http::Plain(client) => client.request(request).await,
            Http::Tls(client) => client.request(request).await,
        };
        response.map_err(|error| Failure::silent(chain(&error)))
    }

    fn late(&self) -> Failure {
        Failure::silent(format!("no answer within {} ms", self.deadline.as_millis()))
    }

    /// The failure of a call as a UFS tells it.
    pub fn failed(&self, operation: &'static str, uri: &str, failure: &Failure) -> UfsError {
        let Failure { status, code, message } = failure;
        let mut reason = format!("{}: ", self.named);
        reason += &match (status, code.as_str(), message.as_str()) {
            (None, _, message) => message.to_owned(),
            (Some(status), "", _) => format!("it answered {status}"),
            (Some(_), code, "") => code.to_owned(),
            (Some(_), code, message) => format!("{code}: {message}"),
        };
        if !failure.advice().is_empty() {
            reason = format!("{}; {}", reason.trim_end_matches('.'), failure.advice());
        }
        UfsError::new(failure.kind(), operation, uri, reason)
    }
}

/// An error with its causes. None of them tells the address that was asked.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Whether an answer of success is none: of a copy, S3 tells a failure like that.
fn is_error(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(256)]);
    let root = text.split('<').find(|tag| !tag.trim().is_empty() && !tag.starts_with('?'));
    root.is_some_and(|tag| tag.starts_with("Error>") || tag.starts_with("Error "))
}

fn failure_of(status: StatusCode, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let tag = |name: &str| element(&text, name).unwrap_or_default();
    // What is no answer of success and says so in its body only is a failure of the store.
    let status = if status.is_success() { StatusCode::INTERNAL_SERVER_ERROR } else { status };
    Failure { status: Some(status), code: tag("Code"), message: tag("Message") }
}

/// The text of the first element of that name.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let found = document.descendants().find(|node| node.tag_name().name() == name);
    found.and_then(|node| node.text()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_an_answer_even_with_the_status_of_success() {
        let error = b"<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>later</Message></Error>";
        assert!(is_error(error));
        assert!(!is_error(b"<?xml version=\"1.0\"?><DeleteResult><Error><Code>X</Code></Error></DeleteResult>"));
        assert!(!is_error(b""));
        let failure = failure_of(StatusCode::OK, error);
        assert_eq!((failure.code.as_str(), failure.kind()), ("InternalError", UfsErrorKind::Unavailable));
    }

    #[test]
    fn a_refusal_has_its_class() {
        let kind = |status: u16, code: &str| {
            let body = format!("<Error><Code>{code}</Code></Error>");
            failure_of(StatusCode::from_u16(status).unwrap(), body.as_bytes()).kind()
        };
        assert_eq!(kind(404, "NoSuchKey"), UfsErrorKind::NotFound);
        // Else all that was loaded from it would be gone.
        assert_eq!(kind(404, "NoSuchBucket"), UfsErrorKind::Refused);
        assert_eq!(kind(403, "SignatureDoesNotMatch"), UfsErrorKind::Denied);
        assert_eq!(kind(503, "SlowDown"), UfsErrorKind::Unavailable);
        assert_eq!(kind(301, "PermanentRedirect"), UfsErrorKind::Refused);
        assert_eq!(kind(400, "KeyTooLongError"), UfsErrorKind::Invalid);
        assert_eq!(kind(412, "PreconditionFailed"), UfsErrorKind::Unavailable);
    }
}
