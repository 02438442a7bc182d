//! Looks for inodes whose time to live has ended, and frees or deletes them.

use crate::master::ops::{Answer, Expire, Expired, Operation, Query, Request};
use crate::master::server::Namespace;
use crate::types::time::wall_now;
use crate::types::{Caller, ErrorKind};
use log::{info, warn};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// So many are looked for at once.
const EXPIRED_MAX: usize = 1_000;

/// Looks each `interval`; returns never.
pub async fn run<N: Namespace>(namespace: Arc<N>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        if namespace.is_primary() {
            look(namespace.as_ref()).await;
        }
    }
}

/// Goes through all whose time has ended.
async fn look<N: Namespace>(namespace: &N) {
    let mut failed = BTreeSet::new();
    loop {
        // Those that cannot be expired come first the next time, too.
        let query = Query::Expired { now: wall_now(), limit: EXPIRED_MAX + failed.len() };
        let Ok(Answer::Expired(found)) = namespace.query(&Caller::default(), &query).await else { return };
        let next: Vec<Expired> = found.into_iter().filter(|expired| !failed.contains(&expired.id)).collect();
        if next.is_empty() {
            return;
        }
        for Expired { id, path } in next {
            let operation = Operation::Expire(Expire { id });
            let request = Request { caller: Caller::default(), operation_id: None, operation };
            match namespace.submit(request).await {
                Ok(_) => info!("the time to live has ended path={path}"),
                // Another master sees to it.
                Err(error) if error.kind == ErrorKind::Unavailable => return,
                Err(error) => {
                    warn!("cannot do what the end of a time to live asks for path={path} reason={error}");
                    failed.insert(id);
                }
            }
        }
    }
}
