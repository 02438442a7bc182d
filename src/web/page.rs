//! A request of a page, its answer, and what may go wrong.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use log::error;
use tokio::time::timeout;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use warp::reply::Response;

use super::frame::{Frame, Place};
use super::link::link;
use super::settings::WebSettings;
use crate::client::ClientError;
use crate::conf::keys;
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// How long a page may take to be made: a UFS that is away must not leave its reader without a word.
const PAGE_WAIT: Duration = Duration::from_secs(30);

/// Sent with every answer.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

/// What all pages of a server share.
pub(super) trait Site: Send + Sync + 'static {
    /// Whose pages these are.
    fn place(&self) -> Place;

    /// What they have from the properties.
    fn settings(&self) -> &WebSettings;
}

/// A request: the path of the page and the parameters behind it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    page: String,
    parameters: HashMap<String, String>,
}

impl Asked {
    /// The value of a parameter; none when it is not there or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The parameter `path`; the root when it is not there.
    ///
    /// # Errors
    /// It is not a path.
    pub(super) fn path(&self) -> Result<AlluxioPath, Problem> {
        let text = self.text("path").unwrap_or("/");
        AlluxioPath::parse(text).map_err(|error| Problem::wrong("path", text, &error.to_string()))
    }

    /// The number in a parameter; `preset` when it is not there.
    ///
    /// # Errors
    /// It is no such number.
    pub(super) fn number(&self, name: &str, preset: u64, range: RangeInclusive<u64>) -> Result<u64, Problem> {
        let Some(text) = self.text(name) else { return Ok(preset) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| Problem::wrong(name, text, &format!("it must be a number from {least} to {most}")))
    }

    /// Whether the page is to load itself anew.
    pub(super) fn refreshes(&self) -> bool {
        self.text("refresh") == Some("on")
    }

    /// Whether this page is at that path.
    pub(super) fn is_at(&self, page: &str) -> bool {
        self.page == page
    }

    /// A link to a page. One that refreshes itself leads to others that do.
    pub(super) fn link(&self, page: &str, parameters: &[(&str, &str)]) -> String {
        let refresh: &[(&str, &str)] = if self.refreshes() { &[("refresh", "on")] } else { &[] };
        link(page, &[parameters, refresh].concat())
    }

    /// A link to this page as it is, that refreshes itself or not.
    pub(super) fn toggled(&self) -> String {
        let mut parameters: Vec<(&str, &str)> = self.parameters.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        parameters.retain(|(name, _)| *name != "refresh");
        parameters.sort_unstable();
        if !self.refreshes() {
            parameters.push(("refresh", "on"));
        }
        link(&self.page, &parameters)
    }
}

/// Why there is no page. Shown as a page of its own.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    text: String,
}

impl Problem {
    /// With this status.
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Problem {
        Problem { status, text: text.into() }
    }

    /// What is wrong.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A parameter that cannot be meant.
    fn wrong(name: &str, value: &str, reason: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, format!("{name} = {value}: {reason}"))
    }
}

impl From<FsError> for Problem {
    fn from(error: FsError) -> Problem {
        let status = match error.kind {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::AlreadyExists | ErrorKind::InvalidArgument | ErrorKind::FailedPrecondition => {
                StatusCode::BAD_REQUEST
            }
            ErrorKind::PermissionDenied | ErrorKind::Unauthenticated => StatusCode::FORBIDDEN,
            ErrorKind::Unavailable | ErrorKind::ResourceExhausted | ErrorKind::Cancelled => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            ErrorKind::Internal | ErrorKind::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Problem::new(status, error.message)
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Problem {
        match error {
            ClientError::Refused(error) => error.into(),
            ClientError::Unreachable { .. } => Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

/// Refuses what shows files where the properties do not want it.
pub(super) fn check_files_shown(site: &dyn Site) -> Result<(), Problem> {
    match site.settings().files_shown {
        true => Ok(()),
        false => {
            let text = format!("{} is false on this server.", keys::WEB_FILE_INFO_ENABLED.row.name);
            Err(Problem::new(StatusCode::FORBIDDEN, text))
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    text: String,
}

/// A page at `/name`, for GET and HEAD. What goes wrong is a page, too.
pub(super) fn page<S: Site, F>(
    site: &Arc<S>,
    name: &'static str,
    show: impl Fn(Arc<S>, Asked) -> F + Clone + Send + Sync + 'static,
) -> BoxedFilter<(Response,)>
where
    F: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let site = Arc::clone(site);
    warp::path(name)
        .and(warp::path::end())
        .and(reading())
        .and(warp::query::<HashMap<String, String>>())
        .then(move |parameters| {
            let (site, show) = (Arc::clone(&site), show.clone());
            let asked = Asked { page: format!("/{name}"), parameters };
            async move {
                let made = timeout(PAGE_WAIT, show(Arc::clone(&site), asked.clone())).await;
                let made = made.unwrap_or_else(|_| Err(too_slow()));
                made.unwrap_or_else(|problem| problem_page(site.as_ref(), &asked, problem))
            }
        })
        .boxed()
}

fn too_slow() -> Problem {
    let text = format!("This took longer than {} s: storage or a worker is slow or away.", PAGE_WAIT.as_secs());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// Something that is always the same.
pub(super) fn fixed(name: &'static str, kind: &'static str, content: &'static str) -> BoxedFilter<(Response,)> {
    let show = move || {
        let mut response = Response::new(content.into());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        response
    };
    warp::path(name).and(warp::path::end()).and(reading()).map(show).boxed()
}

/// `/` leads to the overview.
pub(super) fn root() -> BoxedFilter<(Response,)> {
    let show = || warp::reply::Reply::into_response(warp::redirect::found(warp::http::Uri::from_static("/home")));
    warp::path::end().and(reading()).map(show).boxed()
}

/// GET and HEAD; others are refused where the path is one.
fn reading() -> BoxedFilter<()> {
    warp::get().or(warp::head()).unify().boxed()
}

/// All of a server: what no route takes is a problem, and every answer carries the headers.
pub(super) fn whole<S: Site>(site: &Arc<S>, routes: BoxedFilter<(Response,)>) -> BoxedFilter<(Response,)> {
    let site = Arc::clone(site);
    let refuse = move |rejection: warp::Rejection| {
        let problem = problem_of(&rejection);
        let asked = Asked { page: "/".to_owned(), parameters: HashMap::new() };
        let is_method = problem.status == StatusCode::METHOD_NOT_ALLOWED;
        let mut response = problem_page(site.as_ref(), &asked, problem);
        if is_method {
            response.headers_mut().insert(warp::http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        async move { Ok::<_, std::convert::Infallible>(response) }
    };
    routes.recover(refuse).unify().map(with_headers).boxed()
}

fn problem_of(rejection: &warp::Rejection) -> Problem {
    if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Pages are read with GET or HEAD.");
    }
    if rejection.find::<warp::reject::InvalidQuery>().is_some() {
        return Problem::new(StatusCode::BAD_REQUEST, "The parameters behind the ? cannot be read.");
    }
    Problem::new(StatusCode::NOT_FOUND, "There is no page at this address.")
}

fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn problem_page(site: &dyn Site, asked: &Asked, problem: Problem) -> Response {
    let title = problem.status.canonical_reason().unwrap_or("Problem");
    let page = ProblemPage { frame: Frame::new(site, asked, title), text: problem.text };
    match html(&page) {
        Ok(mut response) => {
            *response.status_mut() = problem.status;
            response
        }
        Err(_) => status_only(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn status_only(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// A page from its template.
pub(super) fn html(page: &impl Template) -> Result<Response, Problem> {
    let text = page.render().map_err(|reason| {
        error!("cannot make a page reason={reason}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.")
    })?;
    let mut response = Response::new(text.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(response)
}
