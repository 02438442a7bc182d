//! Which path leads where. A new page or route is a line here.

use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::master::MasterSite;
use super::page::{fixed, page, root, whole};
use super::worker::WorkerSite;
use super::{
    blocks, browse, configuration, download, logs, masters, memory, metrics, overview, rest, watch, worker_overview,
    workers,
};

const STYLE: &str = include_str!("templates/style.css");
const ICON: &str = include_str!("templates/icon.svg");

/// All of a master.
pub(super) fn of_master(site: &Arc<MasterSite>) -> BoxedFilter<(Response,)> {
    let mut routes = vec![watch::routes(site), rest::routes(site)];
    if site.settings.ui_enabled {
        routes.extend(of_both());
        routes.extend([
            page(site, "home", overview::show),
            page(site, "browse", browse::show),
            page(site, "download", download::show),
            page(site, "configuration", configuration::show),
            page(site, "workers", workers::show),
            page(site, "memory", memory::show),
            page(site, "browseLogs", logs::show),
            page(site, "downloadLocal", logs::download),
            page(site, "masters", masters::show),
            page(site, "metricsui", metrics::of_master),
        ]);
    }
    whole(site, any(routes))
}

/// All of a worker.
pub(super) fn of_worker(site: &Arc<WorkerSite>) -> BoxedFilter<(Response,)> {
    let mut routes = vec![watch::routes(site), rest::routes(site)];
    if site.settings.ui_enabled {
        routes.extend(of_both());
        routes.extend([
            page(site, "home", worker_overview::show),
            page(site, "blockInfo", blocks::show),
            page(site, "configuration", configuration::show),
            page(site, "metricsui", metrics::of_worker),
            page(site, "browseLogs", logs::show),
            page(site, "downloadLocal", logs::download),
            page(site, "toMaster", worker_overview::to_master),
        ]);
    }
    whole(site, any(routes))
}

/// What does not depend on the server.
fn of_both() -> [BoxedFilter<(Response,)>; 3] {
    [root(), fixed("style.css", "text/css; charset=utf-8", STYLE), fixed("icon.svg", "image/svg+xml", ICON)]
}

/// The first that takes a request.
fn any(routes: Vec<BoxedFilter<(Response,)>>) -> BoxedFilter<(Response,)> {
    let none = || -> BoxedFilter<(Response,)> {
        warp::any().and_then(|| async { Err::<Response, _>(warp::reject::not_found()) }).boxed()
    };
    routes.into_iter().reduce(|first, next| first.or(next).unify().boxed()).unwrap_or_else(none)
}
