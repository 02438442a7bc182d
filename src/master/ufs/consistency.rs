//! What of a tree is not in the UFS as it is in the namespace, and what is only there. Nothing is changed.
// Compatible: 2.9.6 DefaultFileSystemMaster.checkConsistency. There each inode is looked at alone; here the UFS is asked once
// for each directory.

use super::look::named;
use super::{UfsNamespace, refusal};
use crate::master::ops::{self, UfsFacts};
use crate::master::state::{Inode, MasterState};
use crate::types::ufs_names::is_nobodys;
use crate::types::{AlluxioPath, FsError};
use crate::ufs::UfsErrorKind;
use std::collections::BTreeMap;

/// What is still to be judged.
enum Next {
    /// An inode, and what the UFS has in its place.
    Inode { path: AlluxioPath, inode: Inode, facts: Option<UfsFacts> },
    /// It lies below something that is not in the UFS as it is here.
    Below { path: AlluxioPath, inode: Inode },
    /// Only the UFS has it.
    OnlyThere(AlluxioPath),
}

impl UfsNamespace {
    /// See the module text: the paths, parents before children.
    pub(super) async fn find_inconsistent(&self, top: &AlluxioPath) -> Result<Vec<AlluxioPath>, FsError> {
        let state = Box::new(self.inner.handle.durable(|core| core.state.clone()).await?);
        let Some(inode) = ops::inode_at(&state, top) else { return Ok(Vec::new()) };
        let facts = self.facts_at(top).await?;
        let (mut inconsistent, mut open) = (Vec::new(), vec![Next::Inode { path: top.clone(), inode, facts }]);
        while let Some(next) = open.pop() {
            let (path, inode, is_as_here) = match next {
                Next::OnlyThere(path) => {
                    inconsistent.push(path);
                    continue;
                }
                Next::Below { path, inode } => (path, inode, false),
                Next::Inode { path, inode, facts } => {
                    let is_as_here = ops::is_consistent(&state, &inode, facts.as_ref());
                    (path, inode, is_as_here)
                }
            };
            if !is_as_here {
                inconsistent.push(path.clone());
            }
            if inode.is_directory() {
                let from = open.len();
                self.enter(&state, &path, &inode, is_as_here, &mut open).await?;
                // The first is taken first.
                open[from..].reverse();
            }
        }
        Ok(inconsistent)
    }

    async fn enter(
        &self,
        state: &MasterState,
        path: &AlluxioPath,
        inode: &Inode,
        is_as_here: bool,
        open: &mut Vec<Next>,
    ) -> Result<(), FsError> {
        let mut there = if is_as_here { self.listed_facts(path).await? } else { BTreeMap::new() };
        for child in state.inodes().children(inode.id) {
            let name = state.inodes().name(&child);
            let below = path.join(name);
            let facts = there.remove(name);
            open.push(match is_as_here {
                false => Next::Below { path: below, inode: child },
                true if state.mounts().at(&below).is_some() => {
                    Next::Inode { facts: self.facts_at(&below).await?, path: below, inode: child }
                }
                true => Next::Inode { path: below, inode: child, facts },
            });
        }
        let only_there = there.into_keys().filter(|name| !is_nobodys(name));
        open.extend(only_there.map(|name| Next::OnlyThere(path.join(&name))));
        Ok(())
    }

    async fn facts_at(&self, path: &AlluxioPath) -> Result<Option<UfsFacts>, FsError> {
        let uri = self.uri(path);
        let ufs = self.inner.clients.of(&uri).map_err(refusal)?;
        Ok(ufs.status(&uri).await.map_err(refusal)?.map(|status| self.facts(status)))
    }

    /// What the UFS has in a directory, if it has that.
    async fn listed_facts(&self, path: &AlluxioPath) -> Result<BTreeMap<String, UfsFacts>, FsError> {
        let uri = self.uri(path);
        match self.inner.clients.of(&uri).map_err(refusal)?.list(&uri).await {
            Ok(listed) => Ok(named(listed, |status| self.facts(status)).into_iter().collect()),
            Err(error) if matches!(error.kind, UfsErrorKind::NotFound | UfsErrorKind::WrongType) => Ok(BTreeMap::new()),
            Err(error) => Err(refusal(error)),
        }
    }
}
