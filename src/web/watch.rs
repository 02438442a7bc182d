//! For those who watch a server: `/metrics` for Prometheus, `/metrics/json/` as 1.2.0 has it, `/health` and `/ready`.

use std::sync::Arc;

use serde_json::json;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::path::FullPath;
use warp::reply::Response;

use crate::metrics::Shown;

/// What `/metrics` is sent as.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// As 1.2.0 has it, to the letter.
const METRICS_JSON: &str = "text/json;charset=utf-8";
const NOT_KEPT: &str = "no-cache, no-store, must-revalidate";

/// Whether a server does what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Health {
    /// Whether it does.
    pub(super) is_well: bool,
    /// What it is: `primary`, `standby`, `starting`, `worker`.
    pub(super) role: &'static str,
    /// Why it does not; empty when it does.
    pub(super) reason: &'static str,
}

/// A server that can be watched.
pub(super) trait Watched: Send + Sync + 'static {
    /// Its figures now.
    fn shown(&self) -> impl Future<Output = Shown> + Send;

    /// Whether the process does its work.
    fn health(&self) -> Health;

    /// Whether it would serve.
    fn readiness(&self) -> Health;
}

/// The routes.
pub(super) fn routes<W: Watched>(server: &Arc<W>) -> BoxedFilter<(Response,)> {
    let (text, as_json, health, ready) =
        (Arc::clone(server), Arc::clone(server), Arc::clone(server), Arc::clone(server));
    let reading = || warp::get().or(warp::head()).unify();
    let text = warp::path!("metrics").and(reading()).then(move || {
        let server = Arc::clone(&text);
        async move { sent(StatusCode::OK, OPEN_METRICS, server.shown().await.text()) }
    });
    let as_json = warp::path!("metrics" / "json").and(reading()).and(warp::path::full()).then(move |path: FullPath| {
        let server = Arc::clone(&as_json);
        async move {
            match path.as_str().ends_with('/') {
                true => sent(StatusCode::OK, METRICS_JSON, server.shown().await.json() + "\n"),
                // Compatible: 1.2.0, whose servlet has its root there.
                false => warp::reply::Reply::into_response(warp::redirect::found(warp::http::Uri::from_static(
                    "/metrics/json/",
                ))),
            }
        }
    });
    let health = warp::path!("health").and(reading()).map(move || said("healthy", &health.health()));
    let ready = warp::path!("ready").and(reading()).map(move || said("ready", &ready.readiness()));
    text.or(as_json).unify().or(health).unify().or(ready).unify().boxed()
}

/// One line of JSON.
fn said(what: &str, health: &Health) -> Response {
    let Health { is_well, role, reason } = health;
    let mut body = json!({ what: is_well, "role": role });
    if !reason.is_empty() {
        body["reason"] = json!(reason);
    }
    let status = if *is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    sent(status, "application/json", format!("{body}\n"))
}

/// A text of that kind.
pub(super) fn sent(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(NOT_KEPT));
    response
}
