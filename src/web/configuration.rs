//! `/configuration`: every property, its value and where that comes from.

use std::sync::Arc;

use askama::Template;
use warp::reply::Response;

use super::frame::Frame;
use super::page::{Asked, Problem, Site, html};
use crate::conf::Origin;

#[derive(Template)]
#[template(path = "configuration.html")]
struct ConfigurationPage {
    frame: Frame,
    properties: Vec<PropertyRow>,
}

struct PropertyRow {
    name: String,
    value: String,
    source: String,
    is_set: bool,
}

pub(super) async fn show<S: Site>(site: Arc<S>, asked: Asked) -> Result<Response, Problem> {
    let properties = site.settings().conf.shown().into_iter().map(|property| PropertyRow {
        name: property.name.to_owned(),
        value: property.text.to_owned(),
        source: property.origin.to_string(),
        is_set: *property.origin != Origin::Preset,
    });
    html(&ConfigurationPage {
        frame: Frame::new(site.as_ref(), &asked, "Configuration"),
        properties: properties.collect(),
    })
}
