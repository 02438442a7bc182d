//! `/download`: all bytes of a file.

use std::sync::Arc;

use warp::reply::Response;

use super::content;
use super::master::MasterSite;
use super::page::{Asked, Problem, check_files_shown};

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    check_files_shown(site.as_ref())?;
    content::whole(Arc::clone(&site.files), asked.path()?).await
}
