//! The feature level of the journal: which operations may be recorded in it.
//!
//! FORMAT names the level. What an operation of a higher level leaves in the journal, a master of an older version cannot
//! apply; so a primary raises the level only once every master in the election says that it knows the new one. One of an
//! older version that is started afterwards reads FORMAT and ends before it takes part in anything.
//!
//! Level 2: access lists, extended attributes, media, which content of a UFS was loaded, defaults of clients for paths.

use super::handle::Handle;
use super::masters::{Masters, SeenMaster};
use super::ops::{Operation, UfsOperation};
use crate::journal::folder::{FEATURE_LEVEL, Format, JournalStore};
use crate::types::{ErrorKind, FsError};
use log::{debug, info, warn};
use std::sync::atomic::{AtomicU32, Ordering};

/// The level that FORMAT named when it was read last. Shared by who reads it and who is refused.
#[derive(Debug)]
pub struct FeatureLevel(AtomicU32);

impl FeatureLevel {
    /// As FORMAT names it.
    pub fn new(level: u32) -> FeatureLevel {
        FeatureLevel(AtomicU32::new(level))
    }

    /// As it was read last.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, level: u32) {
        self.0.store(level, Ordering::Relaxed);
    }

    /// Whether it may be noted which content of a UFS was loaded or written.
    pub fn keeps_content(&self) -> bool {
        self.get() >= 2
    }

    /// Whether what the operation leaves in the journal may be there.
    ///
    /// # Errors
    /// Not before the level is raised; to be tried again.
    pub fn check(&self, operation: &Operation) -> Result<(), FsError> {
        let (needed, level) = (needed(operation), self.get());
        if needed <= level {
            return Ok(());
        }
        let text = format!(
            "This needs feature level {needed} of the journal, which has {level} until all masters run a version that \
             knows it. Upgrade the others, then try again; the log of the primary names them."
        );
        Err(FsError::new(ErrorKind::Unavailable, text))
    }
}

impl Default for FeatureLevel {
    fn default() -> FeatureLevel {
        FeatureLevel::new(FEATURE_LEVEL)
    }
}

/// The level at which a journal may hold what this leaves in it.
fn needed(operation: &Operation) -> u32 {
    let is_of_2 = match operation {
        Operation::SetAcl(_) | Operation::Admin(_) => true,
        Operation::SetAttribute(op) => op.xattr.is_some() || !op.media.is_empty(),
        Operation::CreateDirectory(op) => !op.xattr.values.is_empty(),
        Operation::CreateFile(op) => !op.xattr.values.is_empty(),
        Operation::Ufs(UfsOperation::Begin(op) | UfsOperation::Part { whole: op, .. }) => return needed(op),
        _ => false,
    };
    if is_of_2 { 2 } else { 1 }
}

/// Keeps the level of `format`, which was just read, and raises it when this master is the primary and all know a higher
/// one. `told`: what held that up was written to the log.
pub(super) async fn follow(
    store: &dyn JournalStore,
    format: &Format,
    masters: &Masters,
    handle: &Handle,
    told: &mut Vec<String>,
) {
    handle.feature_level.set(format.feature_level);
    if format.feature_level >= FEATURE_LEVEL || !handle.is_primary() {
        return;
    }
    let seen = masters.look().await;
    if let Some(problem) = seen.problem {
        debug!("the feature level of the journal stays: {problem}");
        return;
    }
    let behind = behind(&seen.masters, FEATURE_LEVEL);
    if !behind.is_empty() {
        if *told != behind {
            let others = behind.join(", ");
            warn!("the journal stays at feature level {} until these are upgraded: {others}", format.feature_level);
            *told = behind;
        }
        return;
    }
    let raised = Format { feature_level: FEATURE_LEVEL, ..format.clone() };
    // It never goes down: one more who raises it, or one who leads no longer, changes nothing by that.
    match store.write_format(&raised).await {
        Ok(()) => {
            info!("raised the feature level of the journal from {} to {FEATURE_LEVEL}", format.feature_level);
            handle.feature_level.set(FEATURE_LEVEL);
        }
        Err(error) => warn!("cannot raise the feature level of the journal: {error}"),
    }
}

/// Those who do not say that they know this level, and what they say.
fn behind(masters: &[SeenMaster], level: u32) -> Vec<String> {
    let of = |master: &SeenMaster| match master.feature_level {
        Some(known) => format!("{} (knows {known})", master.address),
        None => format!("{} (does not answer)", master.address),
    };
    masters.iter().filter(|master| master.feature_level.is_none_or(|known| known < level)).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::master::ops::SetAttribute;
    use crate::types::{AlluxioPath, XattrStrategy, XattrUpdate};
    use std::collections::BTreeSet;

    fn path() -> AlluxioPath {
        AlluxioPath::parse("/d").unwrap()
    }

    #[test]
    fn what_an_older_version_cannot_apply_waits_for_the_level() {
        let mode = SetAttribute { mode: Some(0o755), ..SetAttribute::of(path()) };
        let media = SetAttribute { media: BTreeSet::from(["MEM".to_owned()]), ..SetAttribute::of(path()) };
        let update =
            XattrUpdate { strategy: XattrStrategy::Truncate, values: [("a".to_owned(), b"v".to_vec())].into() };
        let xattr = SetAttribute { xattr: Some(update), ..SetAttribute::of(path()) };
        let level = FeatureLevel::new(1);
        assert_eq!(level.check(&Operation::SetAttribute(mode)), Ok(()));
        for operation in [media, xattr].map(Operation::SetAttribute) {
            for operation in [operation.clone(), Operation::Ufs(UfsOperation::Begin(Box::new(operation)))] {
                let refused = level.check(&operation).unwrap_err();
                assert_eq!(refused.kind, ErrorKind::Unavailable, "clients try again");
                assert!(refused.message.contains("feature level 2 of the journal, which has 1"), "{}", refused.message);
                assert_eq!(FeatureLevel::new(2).check(&operation), Ok(()));
            }
        }
    }

    #[test]
    fn all_must_know_the_level() {
        let master = |address: &str, feature_level| SeenMaster {
            address: address.into(),
            node: String::new(),
            is_primary: false,
            is_here: false,
            position: None,
            lag: None,
            feature_level,
        };
        let masters = [master("a:1", Some(2)), master("b:1", Some(1)), master("c:1", None), master("d:1", Some(3))];
        assert_eq!(behind(&masters, 2), ["b:1 (knows 1)", "c:1 (does not answer)"]);
        assert_eq!(behind(&masters[..1], 2), Vec::<String>::new());
    }
}
