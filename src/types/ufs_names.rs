//! Names of what lies in a UFS beside the files of the namespace, in the root of a mount.

/// Folder of files that are being persisted (2.9).
pub const PERSISTENCE_FOLDER: &str = ".alluxio_ufs_persistence";

/// Folder of blocks that no worker could keep, each a file named as its id.
// Compatible: 2.9 BlockUtils.getUfsBlockPath.
pub const BLOCKS_FOLDER: &str = ".alluxio_ufs_blocks.alluxio.0x1D91AC0E01AB0165.tmp";

/// Whether what has this name belongs to nobody who uses the namespace.
pub fn is_nobodys(name: &str) -> bool {
    name == PERSISTENCE_FOLDER || is_temporary(name)
}

// Compatible: 2.9 PathUtils.isTemporaryFileName.
fn is_temporary(name: &str) -> bool {
    let nonce = name.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once(".alluxio.0x")).map(|(_, nonce)| nonce);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    nonce.is_some_and(|nonce| nonce.len() == 16 && nonce.bytes().all(is_digit))
}

/// Whether a place of a UFS is that folder, or lies in it, as far as their names tell: one host under two names, or a link,
/// is not seen.
pub fn lies_in(uri: &str, folder: &str) -> bool {
    let below = bare(uri).strip_prefix(bare(folder));
    !folder.is_empty() && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn bare(uri: &str) -> &str {
    uri.strip_prefix("file://").unwrap_or(uri).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_folder_is_told_by_its_name() {
        for (uri, folder) in [
            ("hdfs://nn:8020/a/journal", "hdfs://nn:8020/a/journal/"),
            ("hdfs://nn:8020/a/journal/epochs", "hdfs://nn:8020/a/journal"),
            ("hdfs://nn:8020/a", "hdfs://nn:8020"),
            ("hdfs://nn:8020/a", "hdfs://nn:8020/"),
            ("/a/journal", "file:///a/journal"),
            ("/a/journal", "/"),
        ] {
            assert!(lies_in(uri, folder), "{uri} {folder}");
        }
        for (uri, folder) in [
            ("hdfs://nn:8020/a", "hdfs://nn:8020/a/journal"),
            ("hdfs://nn:8020/a/journals", "hdfs://nn:8020/a/journal"),
            ("hdfs://nn:80201/a", "hdfs://nn:8020"),
            ("hdfs://nn:8020/a", "/"),
            ("/a", ""),
        ] {
            assert!(!lies_in(uri, folder), "{uri} {folder}");
        }
    }

    #[test]
    fn what_alluxio_keeps_beside_the_files_is_nobodys() {
        assert!(is_nobodys(PERSISTENCE_FOLDER) && is_nobodys(BLOCKS_FOLDER));
        assert!(is_nobodys("a.alluxio.0x0123456789ABCDEF.tmp"));
        for name in ["a", "a.tmp", "a.alluxio.0x0123456789abcdef.tmp", "a.alluxio.0x0123.tmp"] {
            assert!(!is_nobodys(name), "{name}");
        }
    }
}
