//! A call to the web port of a server, answered with JSON.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long a server may take, as in 2.9.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// An answer is not longer.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What the server at this host and port answers to a GET of `uri`, or why it does not.
pub(super) async fn get(host: &str, port: u16, uri: &str) -> Result<Value, String> {
    ask(Method::GET, host, port, uri).await
}

/// The same for a POST.
pub(super) async fn post(host: &str, port: u16, uri: &str) -> Result<Value, String> {
    ask(Method::POST, host, port, uri).await
}

async fn ask(method: Method, host: &str, port: u16, uri: &str) -> Result<Value, String> {
    let answer = tokio::time::timeout(ANSWER_WAIT, exchanged(method, host, port, uri)).await;
    answer.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER_WAIT.as_secs())))
}

async fn exchanged(method: Method, host: &str, port: u16, uri: &str) -> Result<Value, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("host", format!("{host}:{port}")).header("content-length", "0");
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| text(&error))?;
    let stream = TcpStream::connect((host, port)).await.map_err(|error| text(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| text(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        if !status.is_success() {
            return Err(format!("{status} {}", String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| text(&error))
    };
    tokio::select! {
        answer = exchange => answer,
        ended = connection => Err(ended.err().map_or_else(|| "the connection has ended".to_owned(), |error| text(&error))),
    }
}
