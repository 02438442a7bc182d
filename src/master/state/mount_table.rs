//! Which UFS a path belongs to.
//!
//! The mount of the root stands in the configuration, not here: its id is 1 and it is not journaled, as in 2.9.

use crate::journal::entry::AddMountPoint;
use crate::types::AlluxioPath;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Id of the mount of the root.
pub const ROOT_MOUNT_ID: i64 = 1;

/// The mounts beside that of the root, by their path.
#[derive(Debug, Clone, Default)]
pub struct MountTable {
    points: Arc<BTreeMap<AlluxioPath, AddMountPoint>>,
}

impl MountTable {
    /// All mounts beside that of the root, ordered by path.
    pub fn iter(&self) -> impl Iterator<Item = &AddMountPoint> {
        self.points.values()
    }

    /// The mount that begins at this path.
    pub fn at(&self, path: &AlluxioPath) -> Option<&AddMountPoint> {
        self.points.get(path)
    }

    /// The mount of that id.
    pub fn of_id(&self, mount_id: i64) -> Option<&AddMountPoint> {
        self.iter().find(|mount| mount.mount_id == mount_id)
    }

    /// The mount that a path belongs to: the one with the longest path above it. None: that of the root.
    pub fn resolve(&self, path: &AlluxioPath) -> Option<&AddMountPoint> {
        match self.points.is_empty() {
            true => None,
            false => path.upwards().find_map(|at| self.points.get(at)),
        }
    }

    /// Mounts that begin below this path, or at it.
    pub fn below<'a>(&'a self, path: &'a AlluxioPath) -> impl Iterator<Item = &'a AddMountPoint> {
        // Not a range: `/a-b` stands between `/a` and `/a/b`.
        self.points.values().filter(|mount| path.is_prefix_of(&mount.path))
    }

    pub(super) fn add(&mut self, mount: &AddMountPoint) -> Result<(), String> {
        if mount.mount_id == ROOT_MOUNT_ID || self.of_id(mount.mount_id).is_some() || mount.path.is_root() {
            return Err("its id or its path is that of another mount".into());
        }
        match Arc::make_mut(&mut self.points).insert(mount.path.clone(), mount.clone()) {
            Some(_) => Err("another mount begins there".into()),
            None => Ok(()),
        }
    }

    pub(super) fn remove(&mut self, path: &AlluxioPath) -> Result<(), String> {
        match Arc::make_mut(&mut self.points).remove(path) {
            Some(_) => Ok(()),
            None => Err("no mount begins there".into()),
        }
    }
}

/// Where a path is in the UFS that is mounted at `point` with this URI.
pub fn ufs_path(ufs_root: &str, point: &AlluxioPath, path: &AlluxioPath) -> String {
    let below = if point.is_root() { path.as_str() } else { &path.as_str()[point.as_str().len()..] };
    match below.trim_end_matches('/') {
        "" => ufs_root.to_owned(),
        below => [ufs_root.trim_end_matches('/'), below].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AlluxioPath {
        AlluxioPath::parse(text).unwrap()
    }

    fn mount(at: &str, mount_id: i64) -> AddMountPoint {
        let ufs_path = format!("hdfs://nn/{mount_id}");
        AddMountPoint { path: path(at), ufs_path, read_only: false, shared: false, properties: Vec::new(), mount_id }
    }

    #[test]
    fn a_path_belongs_to_the_longest_mount_above_it() {
        let mut table = MountTable::default();
        for (at, id) in [("/a", 2), ("/a/b/c", 3), ("/a-b", 4)] {
            table.add(&mount(at, id)).unwrap();
        }
        let of = |text: &str| table.resolve(&path(text)).map(|mount| mount.mount_id);
        assert_eq!([of("/"), of("/x"), of("/ab"), of("/a"), of("/a/b")], [None, None, None, Some(2), Some(2)]);
        assert_eq!([of("/a/b/c"), of("/a/b/c/d"), of("/a-b/c")], [Some(3), Some(3), Some(4)]);
        let below: Vec<i64> = table.below(&path("/a")).map(|mount| mount.mount_id).collect();
        assert_eq!(below, [2, 3]);
    }

    #[test]
    fn a_path_has_one_mount_and_an_id_too() {
        let mut table = MountTable::default();
        table.add(&mount("/a", 2)).unwrap();
        for wrong in [mount("/a", 3), mount("/b", 2), mount("/b", ROOT_MOUNT_ID), mount("/", 5)] {
            assert!(table.clone().add(&wrong).is_err(), "{wrong:?}");
        }
        assert!(table.remove(&path("/b")).is_err());
        table.remove(&path("/a")).unwrap();
        assert!(table.resolve(&path("/a")).is_none());
    }

    #[test]
    fn the_path_in_the_ufs_is_that_below_the_mount() {
        let at = |root: &str, point: &str, below: &str| ufs_path(root, &path(point), &path(below));
        assert_eq!(at("hdfs://nn:1/r", "/", "/"), "hdfs://nn:1/r");
        assert_eq!(at("hdfs://nn:1/r/", "/", "/a/b"), "hdfs://nn:1/r/a/b");
        assert_eq!(at("/disk", "/m/n", "/m/n"), "/disk");
        assert_eq!(at("/", "/m/n", "/m/n/f"), "/f");
    }
}
