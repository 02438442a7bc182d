//! What administrators set beside the namespace: defaults of clients for paths, modes of UFS, directories kept in sync.
//!
//! There are few, so they lie in maps behind `Arc`, and a checkpoint has them as the entries that made them.

use super::MasterState;
use crate::journal::entry::{Entry, PathProperties, SyncPoint, UpdateUfsMode};
use crate::types::{AlluxioPath, UfsMode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What administrators set. Whoever reads it for an answer reads the mount table as far as waiting goes
/// (`Footprint::read_mounts`).
#[derive(Debug, Clone, Default)]
pub struct AdminSettings {
    path_properties: Arc<BTreeMap<AlluxioPath, BTreeMap<String, String>>>,
    ufs_modes: Arc<BTreeMap<String, UfsMode>>,
    sync_points: Arc<BTreeMap<AlluxioPath, i64>>,
}

impl AdminSettings {
    /// What clients take as default, by path and name.
    pub fn path_properties(&self) -> &BTreeMap<AlluxioPath, BTreeMap<String, String>> {
        &self.path_properties
    }

    /// What may be done with the UFS whose root has this URI.
    pub fn ufs_mode(&self, ufs_path: &str) -> UfsMode {
        self.ufs_modes.get(ufs_path).copied().unwrap_or_default()
    }

    /// UFS with which not everything may be done, by the URI of their root.
    pub fn ufs_modes(&self) -> &BTreeMap<String, UfsMode> {
        &self.ufs_modes
    }

    /// Directories that are kept like the UFS, with the id of their mount.
    pub fn sync_points(&self) -> &BTreeMap<AlluxioPath, i64> {
        &self.sync_points
    }

    /// The entries that make it anew.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let properties = self.path_properties.iter().map(|(path, properties)| {
            Entry::PathProperties(PathProperties { path: path.clone(), properties: properties.clone() })
        });
        let modes = self
            .ufs_modes
            .iter()
            .map(|(ufs_path, mode)| Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: ufs_path.clone(), mode: *mode }));
        let points = self
            .sync_points
            .iter()
            .map(|(path, mount_id)| Entry::AddSyncPoint(SyncPoint { path: path.clone(), mount_id: *mount_id }));
        properties.chain(modes).chain(points)
    }

    fn set_properties(&mut self, set: &PathProperties) -> Result<(), String> {
        if set.properties.is_empty() {
            return Err("it sets no property".into());
        }
        Arc::make_mut(&mut self.path_properties).insert(set.path.clone(), set.properties.clone());
        Ok(())
    }

    fn remove_properties(&mut self, path: &AlluxioPath) -> Result<(), String> {
        let removed = Arc::make_mut(&mut self.path_properties).remove(path);
        removed.map(drop).ok_or_else(|| "none are set".to_owned())
    }

    fn set_ufs_mode(&mut self, update: &UpdateUfsMode) {
        let modes = Arc::make_mut(&mut self.ufs_modes);
        match update.mode {
            UfsMode::ReadWrite => drop(modes.remove(&update.ufs_path)),
            mode => drop(modes.insert(update.ufs_path.clone(), mode)),
        }
    }

    fn add_sync_point(&mut self, point: &SyncPoint) -> Result<(), String> {
        if self.sync_points.contains_key(&point.path) {
            return Err("it is one already".into());
        }
        Arc::make_mut(&mut self.sync_points).insert(point.path.clone(), point.mount_id);
        Ok(())
    }

    fn remove_sync_point(&mut self, point: &SyncPoint) -> Result<(), String> {
        match self.sync_points.get(&point.path) {
            Some(mount_id) if *mount_id == point.mount_id => {
                Arc::make_mut(&mut self.sync_points).remove(&point.path);
                Ok(())
            }
            Some(mount_id) => Err(format!("it is one of mount {mount_id}")),
            None => Err("it is none".into()),
        }
    }

    /// Changes what the entry is about; nothing if that is something else.
    pub(super) fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        match entry {
            Entry::PathProperties(set) => self.set_properties(set),
            Entry::RemovePathProperties { path } => self.remove_properties(path),
            Entry::UpdateUfsMode(update) => {
                self.set_ufs_mode(update);
                Ok(())
            }
            Entry::AddSyncPoint(point) => self.add_sync_point(point),
            Entry::RemoveSyncPoint(point) => self.remove_sync_point(point),
            _ => Ok(()),
        }
    }
}

impl MasterState {
    /// What administrators set beside the namespace.
    pub fn admin(&self) -> &AdminSettings {
        &self.admin
    }
}
