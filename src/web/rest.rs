//! The REST of 1.2.0 under `/v1/api/`: which call is which, its parameters, its errors.
//!
//! `rest_master.rs` and `rest_files.rs` have the calls of a master, `rest_worker.rs` those of a worker, `rest_shape.rs`
//! what their answers look like. No page may call what changes something, of this server or of another site.
// Compatible: 1.2.0, with statuses and bodies as there: 200 with JSON, or nothing of what tells nothing; 500 with the text
// of an error. tests/web/rest.rs.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::header::ORIGIN;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::path::Tail;
use warp::reply::Response;

use super::content::Chunks;
use super::page::Problem;
use super::rest_shape;
use super::watch::sent;
use crate::types::{AlluxioPath, FileStatus, FsError};

const JSON: &str = "application/json";

/// Files of a list that are sent at once.
const FILES_PER_CHUNK: usize = 100;

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// `GET` or `POST`, and the path behind `/v1/api/`: `GET master/version`.
    pub(super) name: String,
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

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal::Failed(problem.into_text())
    }
}

impl From<FsError> for Refusal {
    fn from(error: FsError) -> Refusal {
        Refusal::Failed(error.message)
    }
}

/// What a call is answered with.
#[derive(Debug)]
pub(super) enum Reply {
    Nothing,
    Json(Value),
    /// A list that may be long: it is sent as it is made.
    Files(Vec<FileStatus>),
}

/// The answer to a call.
pub(super) type Answered = Result<Reply, Refusal>;

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
    of_1_2(server).or(of_2_9(server)).unify().boxed()
}

/// What is asked of a worker that is to be stopped.
// Compatible: 2.9.6 DecommissionWorkerCommand.pollWorkerStatus.
fn of_2_9<R: Rest>(server: &Arc<R>) -> BoxedFilter<(Response,)> {
    let server = Arc::clone(server);
    warp::path!("api" / "v1" / "worker" / "operations")
        .and(warp::get())
        .then(move || {
            let server = Arc::clone(&server);
            let call = Call { name: "GET worker/operations".to_owned(), parameters: HashMap::new() };
            async move { response(&call, server.answer(&call).await) }
        })
        .boxed()
}

fn of_1_2<R: Rest>(server: &Arc<R>) -> BoxedFilter<(Response,)> {
    let server = Arc::clone(server);
    warp::path!("v1" / "api" / ..)
        .and(warp::path::tail())
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::query::<HashMap<String, String>>())
        .then(move |tail: Tail, method: Method, headers: HeaderMap, parameters| {
            let server = Arc::clone(&server);
            let call = Call { name: format!("{method} {}", tail.as_str()), parameters };
            async move {
                if method != Method::GET && headers.contains_key(ORIGIN) {
                    let text = "changes are not taken from web pages".to_owned();
                    return sent(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", text);
                }
                response(&call, server.answer(&call).await)
            }
        })
        .boxed()
}

fn response(call: &Call, answered: Answered) -> Response {
    let (status, kind, text) = match answered {
        Ok(Reply::Json(json)) => (StatusCode::OK, JSON, json.to_string()),
        Ok(Reply::Nothing) => (StatusCode::OK, JSON, String::new()),
        Ok(Reply::Files(files)) => return list(files),
        Err(Refusal::Failed(text)) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", text),
        Err(Refusal::Unknown) => {
            let text = format!("there is no {} here, or not in this version", call.name);
            (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", text)
        }
    };
    sent(status, kind, text)
}

/// A list is made as its reader takes it: as JSON it would be many times as large as it is here.
fn list(files: Vec<FileStatus>) -> Response {
    let chunks = Chunks::of(|sink| async move {
        let mut text = String::from("[");
        for (at, chunk) in files.chunks(FILES_PER_CHUNK).enumerate() {
            for (place, file) in chunk.iter().enumerate() {
                text.push_str(if (at, place) == (0, 0) { "" } else { "," });
                text += &rest_shape::file(file).to_string();
            }
            // Who asked may have gone away, here and below.
            if sink.send(Ok(std::mem::take(&mut text).into())).await.is_err() {
                return;
            }
        }
        text.push(']');
        drop(sink.send(Ok(text.into())).await);
    });
    chunks.sent(JSON)
}
