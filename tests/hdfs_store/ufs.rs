//! HDFS as UFS: the suite of all UFSes.

use crate::bed;
use crate::ufs::{Ufs, UfsClients, UfsOwnership, UfsSettings};
use crate::ufs_suite::{Place, ownership};
use std::sync::Arc;

/// A folder of HDFS that no other test uses.
struct Folder {
    root: String,
    ufs: Arc<dyn Ufs>,
    _place: bed::HdfsPlace,
}

impl Place for Folder {
    fn client(&self) -> Arc<dyn Ufs> {
        self.ufs.clone()
    }

    fn root(&self) -> String {
        self.root.clone()
    }
}

async fn folder() -> Folder {
    let place = bed::place().await;
    let root = place.folder.clone();
    let clients = UfsClients::new(UfsSettings { hdfs_user: bed::user(), ..UfsSettings::usual() });
    let ufs = clients.of(&root).unwrap();
    ufs.mkdir(&root, &ownership(0o755)).await.unwrap();
    Folder { root, ufs, _place: place }
}

mod suite {
    use crate::ufs_suite as suite;
    suite::every_behaviour!(super::folder(), #[ignore = "needs a test bed: scripts/test"]);
}

#[tokio::test]
#[ignore = "needs a test bed: scripts/test"]
async fn owners_are_set_by_a_super_user() {
    let folder = folder().await;
    let path = format!("{}/d/f", folder.root);
    let ownership = UfsOwnership { owner: "ann".into(), group: "users".into(), mode: 0o640 };
    folder.ufs.create(&path, &ownership).await.unwrap().close().await.unwrap();
    for path in [path, format!("{}/d", folder.root)] {
        let status = folder.ufs.status(&path).await.unwrap().unwrap();
        assert_eq!((status.owner.as_str(), status.group.as_str()), ("ann", "users"), "{path}");
    }
}

#[tokio::test]
#[ignore = "needs a test bed: scripts/test"]
async fn a_namenode_that_is_not_there_is_a_clear_error_in_time() {
    let deadline = std::time::Duration::from_secs(2);
    let settings = UfsSettings { deadline, hdfs_user: bed::user(), ..UfsSettings::usual() };
    let ufs = UfsClients::new(settings).of("hdfs://127.0.0.1:1/a").unwrap();
    let error = ufs.status("hdfs://127.0.0.1:1/a").await.unwrap_err();
    assert_eq!(error.kind, alluxio::ufs::UfsErrorKind::Unavailable, "{error}");
    assert!(error.to_string().starts_with("cannot look at hdfs://127.0.0.1:1/a: "), "{error}");
}
