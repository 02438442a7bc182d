//! Long tables in parts: which part is shown, and links to the others.

use warp::http::StatusCode;

use super::page::{Asked, Problem};

/// Rows of a page whose reader asks for no number.
const LIMIT: u64 = 100;
/// Rows of a page at most.
const LIMIT_MAX: u64 = 1000;

/// Which rows of how many are shown. A link is none where there is nothing to go to.
#[derive(Debug)]
pub(super) struct Paging {
    /// Number of the first row shown, from 1; 0 when there is none.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) total: usize,
    pub(super) first: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    pub(super) last: Option<String>,
}

impl Paging {
    /// The parameters `offset` and `limit`.
    ///
    /// # Errors
    /// They are no such numbers.
    pub(super) fn asked(asked: &Asked) -> Result<(usize, usize), Problem> {
        let offset = asked.number("offset", 0, 0..=i64::MAX as u64)?;
        let limit = asked.number("limit", LIMIT, 1..=LIMIT_MAX)?;
        Ok((offset as usize, limit as usize))
    }

    /// Whether there are rows that are not shown.
    pub(super) fn is_cut(&self) -> bool {
        self.first.is_some() || self.next.is_some()
    }

    /// The part from `offset` on of `total` rows, on a page with these parameters besides.
    ///
    /// # Errors
    /// There are not so many.
    pub(super) fn new(
        asked: &Asked,
        page: &str,
        parameters: &[(&str, &str)],
        total: usize,
        offset: usize,
        limit: usize,
    ) -> Result<Paging, Problem> {
        if offset > 0 && offset >= total {
            let text = format!("offset = {offset}: there are {total} entries only");
            return Err(Problem::new(StatusCode::NOT_FOUND, text));
        }
        let to = total.min(offset.saturating_add(limit));
        let link = |offset: usize| {
            let (offset, limit) = (offset.to_string(), limit.to_string());
            asked.link(page, &[parameters, &[("offset", &offset), ("limit", &limit)]].concat())
        };
        let last = total.saturating_sub(1) / limit * limit;
        Ok(Paging {
            from: if total == 0 { 0 } else { offset + 1 },
            to,
            total,
            first: (offset > 0).then(|| link(0)),
            previous: (offset > 0).then(|| link(offset.saturating_sub(limit))),
            next: (to < total).then(|| link(to)),
            last: (to < total).then(|| link(last)),
        })
    }
}
