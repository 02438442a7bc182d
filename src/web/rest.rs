//! The REST of 1.2.0 under `/v1/api/`: which call is which, its parameters, its errors.
//!
//! `rest_master.rs` and `rest_files.rs` have the calls of a master, `rest_worker.rs` those of a worker, `rest_shape.rs`
//! what their answers look like. A call that changes something is not taken from the page of another site.
// Compatible: 1.2.0, with statuses and bodies as there: 200 with JSON, or nothing of what tells nothing; 500 with the text
// of an error. tests/web/rest.rs.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::header::{HOST, ORIGIN};
use warp::http::{HeaderMap, Method, StatusCode};
use warp::path::Tail;
use warp::reply::Response;

use super::port::Peer;
use super::watch::sent;
use crate::types::{AlluxioPath, FsError};

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// `GET` or `POST`, and the path behind `/v1/api/`: `GET master/version`.
    pub(super) name: String,
    /// Who calls.
    pub(super) peer: Option<SocketAddr>,
    parameters: HashMap<String, String>,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such call here.
    Unknown,
    /// It was refused, or failed, with this text.
    Failed(String),
}

impl From<FsError> for Refusal {
    fn from(error: FsError) -> Refusal {
        Refusal::Failed(error.message)
    }
}

/// What a call is answered with: JSON, or nothing.
pub(super) type Answered = Result<Option<Value>, Refusal>;

impl Call {
    /// The value of a parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The same of one that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        // Compatible: 1.2.0, the text to the letter.
        self.text(name).ok_or_else(|| Refusal::Failed(format!("required '{name}' parameter is missing")))
    }

    /// A path that must be there.
    pub(super) fn path(&self, name: &str) -> Result<AlluxioPath, Refusal> {
        let text = self.required(name)?;
        AlluxioPath::parse(text).map_err(|error| Refusal::Failed(error.to_string()))
    }

    /// A number, if it is there.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let number = |text: &str| {
            text.parse().map_err(|_| Refusal::Failed(format!("parameter '{name}' is not a whole number: {text}")))
        };
        self.text(name).map(number).transpose()
    }

    /// A yes or no; none when it is not there.
    pub(super) fn choice(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::Failed(format!("parameter '{name}' is neither true nor false: {other}"))),
        }
    }

    /// Whether it is there and `true`.
    pub(super) fn is(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.choice(name)?.unwrap_or(false))
    }
}

/// A server that answers such calls.
pub(super) trait Rest: Send + Sync + 'static {
    /// Answers one.
    fn answer(&self, call: &Call) -> impl Future<Output = Answered> + Send;
}

/// All calls of a server.
pub(super) fn routes<R: Rest>(server: &Arc<R>) -> BoxedFilter<(Response,)> {
    let server = Arc::clone(server);
    warp::path!("v1" / "api" / ..)
        .and(warp::path::tail())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::query::<HashMap<String, String>>())
        .and(warp::ext::optional::<Peer>())
        .then(move |tail: Tail, method: Method, headers: HeaderMap, parameters, peer: Option<Peer>| {
            let server = Arc::clone(&server);
            let call = Call { name: format!("{method} {}", tail.as_str()), peer: peer.map(|peer| peer.0), parameters };
            async move {
                if method != Method::GET && is_of_another_site(&headers) {
                    let text = "calls from the pages of another site are not taken".to_owned();
                    return sent(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", text);
                }
                response(&call, server.answer(&call).await)
            }
        })
        .boxed()
}

fn response(call: &Call, answered: Answered) -> Response {
    let (status, kind, text) = match answered {
        Ok(Some(json)) => (StatusCode::OK, "application/json", json.to_string()),
        Ok(None) => (StatusCode::OK, "application/json", String::new()),
        Err(Refusal::Failed(text)) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", text),
        Err(Refusal::Unknown) => {
            let text = format!("there is no {} here, or not in this version", call.name);
            (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", text)
        }
    };
    sent(status, kind, text)
}

/// Whether a browser sent this from the page of another site.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let site = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, site)| site);
    site.is_none() || site != headers.get(HOST).and_then(|host| host.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_site_and_no_site_may_change_something() {
        let sent = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "m1:19999".parse().expect("a header"));
            origin.map(|origin| headers.insert(ORIGIN, origin.parse().expect("a header")));
            is_of_another_site(&headers)
        };
        assert!(!sent(None) && !sent(Some("http://m1:19999")));
        assert!(sent(Some("http://evil:19999")) && sent(Some("null")) && sent(Some("http://m1")));
    }
}
