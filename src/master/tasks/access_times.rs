//! Has it journaled when files were opened and directories listed.

use crate::master::access_times::AccessTimes;
use crate::master::ops::{Operation, Request};
use crate::master::server::Namespace;
use crate::types::Caller;
use log::debug;
use std::sync::Arc;
use std::time::Duration;

/// A time is told no later than this after the access.
const EVERY: Duration = Duration::from_secs(1);

/// Accesses in one change.
const AT_ONCE: usize = 1_000;

/// Looks for what was noted; returns never.
pub async fn run<N: Namespace>(namespace: Arc<N>, times: Arc<AccessTimes>) {
    loop {
        tokio::time::sleep(EVERY).await;
        loop {
            let noted = times.take(AT_ONCE);
            if noted.is_empty() {
                break;
            }
            let operation = Operation::Accessed(noted);
            let request = Request { caller: Caller::default(), operation_id: None, operation };
            if let Err(error) = namespace.submit(request).await {
                debug!("times of accesses are not kept reason={error}");
            }
        }
    }
}
