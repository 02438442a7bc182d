//! Pure. The columns of `ls` in 1.2.0.

use chrono::TimeZone;

use crate::types::FileStatus;
use crate::types::texts::{mode, size, time};

/// A line of `ls`, with mode, owner and group where permissions matter.
///
/// Compatible: 1.2.0 LsCommand. A path shorter than five characters is padded too: tests/shell, 05-ls, 19-permissions.
pub(super) fn ls_line<Z: TimeZone>(status: &FileStatus, show_owners: bool, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    let size = size(status.length);
    let created = time(status.creation_time_ms, zone);
    let state = match (status.folder, status.in_memory_percentage) {
        (true, _) => "Directory",
        (false, 100) => "In Memory",
        (false, _) => "Not In Memory",
    };
    let rest = format!("{size:<10}{created:<25}{state:<15}{:<5}", status.path.as_str());
    if show_owners { format!("{:<15}{:<15}{:<15}{rest}", mode(status), status.owner, status.group) } else { rest }
}

#[cfg(test)]
mod tests {
    use super::ls_line;
    use crate::types::{AlluxioPath, FileStatus, InodeId, PersistenceState, TtlAction};
    use chrono::Utc;

    fn status(path: &str, folder: bool, length: i64) -> FileStatus {
        FileStatus {
            id: InodeId(1),
            path: AlluxioPath::parse(path).unwrap(),
            ufs_path: String::new(),
            length,
            block_size_bytes: 0,
            creation_time_ms: 1_795_292_202_803,
            modification_time_ms: 0,
            access_time_ms: 0,
            folder,
            completed: true,
            cacheable: true,
            pinned: false,
            mount_point: false,
            mount_id: 1,
            owner: "root".into(),
            group: "supergroup".into(),
            mode: 0o755,
            persistence: PersistenceState::NotPersisted,
            ttl_ms: -1,
            ttl_action: TtlAction::Delete,
            replication_min: 0,
            replication_max: -1,
            blocks: Vec::new(),
            in_alluxio_percentage: 100,
            in_memory_percentage: 100,
            extras: None,
        }
    }

    #[test]
    fn the_lines_are_those_of_1_2_0() {
        let file = status("/d1/hello.txt", false, 14);
        assert_eq!(ls_line(&file, false, &Utc), "14.00B    11-21-2026 20:16:42:803  In Memory      /d1/hello.txt");
        assert_eq!(
            ls_line(&status("/d1", true, 5), false, &Utc),
            "5.00B     11-21-2026 20:16:42:803  Directory      /d1  "
        );
        assert_eq!(
            ls_line(&status("/p1", true, 1), true, &Utc),
            "drwxr-xr-x     root           supergroup     1.00B     11-21-2026 20:16:42:803  Directory      /p1  "
        );
        let freed = FileStatus { in_memory_percentage: 0, ..file };
        assert_eq!(ls_line(&freed, false, &Utc), "14.00B    11-21-2026 20:16:42:803  Not In Memory  /d1/hello.txt");
    }
}
