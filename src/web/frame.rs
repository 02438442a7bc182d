//! What surrounds the content of every page: title, whose page it is, the menu.

use super::page::{Asked, Site};

/// Whose pages these are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// `master` or `worker`.
    pub(super) server: &'static str,
    /// Where it serves calls, `host:port`.
    pub(super) address: String,
    /// What it is just now.
    pub(super) state: State,
    /// The pages, in the order of the menu: name and path.
    pub(super) menu: Vec<(&'static str, &'static str)>,
    /// Seconds between two loads of a page that refreshes itself.
    pub(super) refresh_s: u64,
}

/// A state in a word, and whether it is a good one.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// The word.
    pub(super) word: &'static str,
    /// `good`, `warn` or `bad`: a class of the style sheet.
    pub(super) class: &'static str,
}

/// See the module text.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) place: Place,
    pub(super) menu: Vec<MenuItem>,
    pub(super) refreshes: bool,
    /// This page, with the refresh turned on or off.
    pub(super) toggled: String,
    /// Version of the program.
    pub(super) version: &'static str,
}

/// An item of the menu.
#[derive(Debug)]
pub(super) struct MenuItem {
    pub(super) name: &'static str,
    pub(super) link: String,
    pub(super) is_here: bool,
}

impl Frame {
    /// Around a page of that title.
    pub(super) fn new(site: &dyn Site, asked: &Asked, title: &str) -> Frame {
        let place = site.place();
        let item = |(name, path): &(&'static str, &'static str)| {
            let (page, parameters) = path.split_once('?').unwrap_or((path, ""));
            let parameters: Vec<(&str, &str)> = parameters.split('&').filter_map(|pair| pair.split_once('=')).collect();
            MenuItem { name, link: asked.link(page, &parameters), is_here: asked.is_at(page) }
        };
        Frame {
            title: title.to_owned(),
            menu: place.menu.iter().map(item).collect(),
            place,
            refreshes: asked.refreshes(),
            toggled: asked.toggled(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
