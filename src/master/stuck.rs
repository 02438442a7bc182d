//! Pure. How long a leader has not been able to do its work.

use crate::journal::chain::Position;
use crate::types::time::Boot;
use std::time::Duration;

/// Since when a leader has not been able to do its work, and how far it had read then.
#[derive(Debug, Default)]
pub(super) struct Stuck(Option<(Boot, Position)>);

impl Stuck {
    /// Whether it has been for as long as that; `patience` is none when it can do its work.
    pub(super) fn is_longer_than(&mut self, patience: Option<Duration>, read: Position, now: Boot) -> bool {
        let Some(patience) = patience else {
            self.0 = None;
            return false;
        };
        let (since, _) = *self.0.insert(self.0.filter(|(_, then)| *then == read).unwrap_or((now, read)));
        now.since(since) >= patience
    }
}
