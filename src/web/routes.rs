//! Which path leads where. A new page or route is a line here.

use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::master::MasterSite;
use super::page::{fixed, page, root, whole};
use super::{browse, configuration, overview, workers};

const STYLE: &str = include_str!("templates/style.css");
const ICON: &str = include_str!("templates/icon.svg");

/// All of a master.
pub(super) fn of_master(site: &Arc<MasterSite>) -> BoxedFilter<(Response,)> {
    let mut routes = Vec::new();
    if site.settings.ui_enabled {
        routes.extend([
            root(),
            fixed("style.css", "text/css; charset=utf-8", STYLE),
            fixed("icon.svg", "image/svg+xml", ICON),
            page(site, "home", overview::show),
            page(site, "browse", browse::show),
            page(site, "configuration", configuration::of_master),
            page(site, "workers", workers::show),
        ]);
    }
    whole(site, any(routes))
}

/// The first that takes a request.
fn any(routes: Vec<BoxedFilter<(Response,)>>) -> BoxedFilter<(Response,)> {
    let none = || -> BoxedFilter<(Response,)> {
        warp::any().and_then(|| async { Err::<Response, _>(warp::reject::not_found()) }).boxed()
    };
    routes.into_iter().reduce(|first, next| first.or(next).unify().boxed()).unwrap_or_else(none)
}
