//! What has to be done first, asked of the state; of a snapshot of it, when a whole tree is walked for that: nobody waits
//! meanwhile.

use super::{Looked, UfsNamespace};
use crate::master::event::Core;
use crate::master::ops::{self, Attempt, LoadMetadata, Lookup, Operation, Preparation, Query, Request};
use crate::master::state::MasterState;
use crate::types::time::wall_now;
use crate::types::{AlluxioPath, FsError};

impl UfsNamespace {
    /// What has to be looked at for a question.
    pub(super) async fn prepared_query(
        &self,
        query: &Query,
        load: LoadMetadata,
        looked: &mut Looked,
    ) -> Result<Vec<Lookup>, FsError> {
        // What was absent a moment ago may be there by now.
        let known = move |this: &UfsNamespace, looked: &Looked, lookup: &Lookup| match load {
            LoadMetadata::Compared => looked.contains(lookup),
            _ => this.known(looked, lookup),
        };
        if !matches!(query, Query::ListStatus { recursive: true, .. }) {
            let known = |lookup: &Lookup| known(self, looked, lookup);
            let prepare = |core: &Core, settings: &_| ops::prepare_query(&core.state, settings, query, load, &known);
            return Ok(self.inner.handle.with_core(prepare));
        }
        let query = query.clone();
        self.prepared_apart(looked, move |this, looked, state, settings| {
            ops::prepare_query(state, settings, &query, load, &|lookup| known(this, looked, lookup))
        })
        .await
    }

    /// What has to be done for a change.
    pub(super) async fn prepared(
        &self,
        request: &Request,
        attempt: Attempt,
        looked: &mut Looked,
    ) -> Result<Preparation, FsError> {
        if !is_deep(&request.operation) {
            let known = |lookup: &Lookup| self.known(looked, lookup);
            let now = wall_now();
            let prepare =
                |core: &Core, settings: &_| ops::prepare(&core.state, settings, request, now, attempt, &known);
            return Ok(self.inner.handle.with_core(prepare));
        }
        let request = request.clone();
        self.prepared_apart(looked, move |this, looked, state, settings| {
            ops::prepare(state, settings, &request, wall_now(), attempt, &|lookup| this.known(looked, lookup))
        })
        .await
    }

    /// Refuses what the caller may not delete.
    pub(super) async fn check_rights_below(&self, request: &mut Request, path: AlluxioPath) -> Result<(), FsError> {
        let caller = request.caller.clone();
        let check = move |state: &MasterState, settings: &ops::Settings| {
            ops::check_rights_below(state, &caller, settings, &path)
        };
        let checked = self.inner.handle.apart_or_refuse(check).await?;
        if let Operation::Delete(delete) = &mut request.operation {
            delete.rights_below = checked;
        }
        Ok(())
    }

    /// Prepares of a snapshot what walks a whole tree.
    async fn prepared_apart<R: Send + 'static>(
        &self,
        looked: &mut Looked,
        prepare: impl FnOnce(&UfsNamespace, &Looked, &MasterState, &ops::Settings) -> R + Send + 'static,
    ) -> Result<R, FsError> {
        let (this, known) = (self.clone(), std::mem::take(looked));
        let asked = move |state: &MasterState, settings: &ops::Settings| {
            let prepared = prepare(&this, &known, state, settings);
            (prepared, known)
        };
        let prepared;
        (prepared, *looked) = self.inner.handle.apart(asked).await?;
        Ok(prepared)
    }
}

/// Whether a whole tree is walked to prepare it.
fn is_deep(operation: &Operation) -> bool {
    match operation {
        Operation::Delete(op) => op.recursive,
        Operation::SetAttribute(op) => op.recursive,
        Operation::SetAcl(op) => op.recursive,
        Operation::Expire(_) => true,
        _ => false,
    }
}
