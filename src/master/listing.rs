//! Listings of any length, part by part, from one state of the namespace.
//!
//! A long one is read from a snapshot, which shares the pages of the state and hinders no writer: all its parts are of one
//! moment, and what nobody has asked for yet takes no memory. Who reads very slowly gives the snapshot back.

use super::event::Evaluated;
use super::handle::{Handle, not_primary};
use super::ops::{self, Answer, Caller, Part, Walk};
use super::state::MasterState;
use crate::types::{ErrorKind, FsError};
use std::sync::Arc;

/// Entries of one part at the most: about a megabyte, a few milliseconds.
const PART_MAX: usize = 1_000;

/// A listing under way.
#[derive(Debug)]
pub struct Listing {
    walk: Walk,
    /// What it is read from; none before the first part, and after it was given back.
    snapshot: Option<Box<MasterState>>,
}

impl Listing {
    /// What is to be listed.
    pub fn new(walk: Walk) -> Listing {
        Listing { walk, snapshot: None }
    }

    /// What is listed.
    pub fn walk(&self) -> &Walk {
        &self.walk
    }

    /// Gives the snapshot back. What comes next is of the moment in which it is asked for.
    pub fn let_go(&mut self) {
        self.snapshot = None;
    }
}

impl Handle {
    /// The next entries of a listing, `limit` at most: less is not the end, unless the part says so.
    ///
    /// # Errors
    /// The refusal, or `Unavailable` when this master is not primary or stops meanwhile.
    pub async fn list(&self, caller: &Caller, listing: &mut Listing, limit: usize) -> Result<Part, FsError> {
        let Listing { walk, snapshot } = listing;
        let state = match snapshot.take() {
            Some(state) => state,
            None if !self.gate.is_serving() => return Err(not_primary()),
            None => {
                let is_whole = walk.is_whole() && limit == usize::MAX;
                if is_whole && let Some(evaluated) = self.evaluate_if_short(caller, &walk.query()) {
                    return Part::whole(self.pass(evaluated).await?);
                }
                self.snapshot().await?
            }
        };
        let (mut walked, caller) = (walk.clone(), caller.clone());
        let turn = Arc::clone(&self.turn).read_owned().await;
        let (core, settings) = (Arc::clone(&self.core), Arc::clone(&self.settings));
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let part = {
                let core = core.read();
                ops::list_on(&state, &core.workers, &caller, &settings, &mut walked, limit.min(PART_MAX))
            };
            (state, walked, part)
        });
        let (state, walked, part) =
            reading.await.map_err(|error| FsError::new(ErrorKind::Internal, error.to_string()))?;
        (*walk, *snapshot) = (walked, Some(state));
        part
    }

    /// The state as it is, once all of it is answered.
    async fn snapshot(&self) -> Result<Box<MasterState>, FsError> {
        let (state, wait_for) = {
            let core = self.core.read();
            (Box::new(core.state.clone()), core.in_flight.newest())
        };
        self.pass(Evaluated { answer: Ok(Answer::Done), wait_for }).await?;
        Ok(state)
    }
}
