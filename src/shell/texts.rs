//! Pure. The words of 1.2.0 for what a 2.9 server refuses.

use crate::types::{AlluxioPath, ErrorKind, FsError};

/// What 1.2.0 says for `error` about `path`. What has no word in 1.2.0 keeps that of the server.
///
/// Compatible: tests/shell, transcripts of 1.2.0.
pub(super) fn in_1_2(error: &FsError, path: &AlluxioPath) -> String {
    let text = error.message.as_str();
    let known = match error.kind {
        ErrorKind::AlreadyExists => Some(format!("{path} already exists")),
        ErrorKind::NotFound => between(text, "Path \"", "\" does not exist.")
            .map(does_not_exist)
            .or_else(|| text.strip_prefix("Failed to unmount: ").map(str::to_owned)),
        ErrorKind::InvalidArgument => traversal(text)
            .or_else(|| between(text, "Path \"", "\" is invalid.").map(|path| format!("Path {path} is invalid"))),
        ErrorKind::PermissionDenied => permission(text, path),
        _ => None,
    };
    known.unwrap_or_else(|| text.to_owned())
}

/// What 1.2.0 says for `error` about a mount of `ufs` at `path`.
pub(super) fn of_mount(error: &FsError, path: &AlluxioPath, ufs: &str) -> String {
    // A 2.9 server tells the whole command first, on lines of its own.
    let text = error.message.lines().last().unwrap_or_default();
    if text.starts_with("Mount point target path ") {
        return format!("Mount point {path} already exists");
    }
    if between(text, "Ufs path ", " does not exist").is_some() {
        return format!("ThriftIOException(message:Ufs path {} does not exist)", path_of(ufs));
    }
    let unknown = ["No Under File System Factory found for: ", "cannot use "];
    if unknown.iter().any(|head| text.starts_with(head)) && text.contains(ufs) {
        return format!("java.lang.IllegalArgumentException: No Under File System Factory found for: {ufs}");
    }
    in_1_2(&FsError::new(error.kind, text), path)
}

/// The path in a URI.
fn path_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest.trim_start_matches(|c| c != '/'));
    if rest.is_empty() { "/" } else { rest }
}

/// The word for a missing path.
pub(super) fn does_not_exist(path: impl std::fmt::Display) -> String {
    format!("Path {path} does not exist")
}

/// `Traversal failed for path /e/f/g. Component 2(f) is a file, not a directory.`
fn traversal(text: &str) -> Option<String> {
    let rest = text.strip_prefix("Traversal failed for path ")?.strip_suffix(", not a directory.")?;
    let (_, component) = rest.rsplit_once(". Component ")?;
    Some(format!("Traversal failed. Component {component}"))
}

fn permission(text: &str, path: &AlluxioPath) -> Option<String> {
    if path.is_root() && text.starts_with("Cannot delete path / which is or contains a mount point") {
        return Some("Cannot delete the root directory".into());
    }
    if let Some(rest) = between(text, "A write operation on ", " is not allowed") {
        let (what, mount) = rest.rsplit_once(" under a readonly mount point ")?;
        return Some(format!("A write operation on {what} is under a readonly mount point {mount}"));
    }
    // Who may what on the inode is told since 2.x.
    let (who_and_where, _) = text.split_once(", inode owner=")?;
    Some(who_and_where.to_owned())
}

fn between<'a>(text: &'a str, head: &str, tail: &str) -> Option<&'a str> {
    text.strip_prefix(head)?.strip_suffix(tail)
}

#[cfg(test)]
mod tests {
    use super::in_1_2;
    use crate::types::{AlluxioPath, ErrorKind, FsError};

    fn told(kind: ErrorKind, text: &str, path: &str) -> String {
        in_1_2(&FsError::new(kind, text), &AlluxioPath::parse(path).unwrap())
    }

    #[test]
    fn refusals_of_2_9_are_told_in_the_words_of_1_2() {
        use ErrorKind::{AlreadyExists, InvalidArgument, NotFound, PermissionDenied};
        for (kind, text, path, expected) in [
            (
                AlreadyExists,
                "Not allowed to create directory because path already exists: /d1",
                "/d1",
                "/d1 already exists",
            ),
            (AlreadyExists, "Not allowed to create existing root path: /", "/", "/ already exists"),
            (
                AlreadyExists,
                "Cannot rename because destination already exists. src: /a dst: /b",
                "/b",
                "/b already exists",
            ),
            (NotFound, "Path \"/nopar\" does not exist.", "/nopar/x", "Path /nopar does not exist"),
            (NotFound, "Failed to unmount: Path /m does not exist", "/m", "Path /m does not exist"),
            (
                InvalidArgument,
                "Traversal failed for path /e/f/g. Component 2(f) is a file, not a directory.",
                "/e/f/g",
                "Traversal failed. Component 2(f) is a file",
            ),
            (
                InvalidArgument,
                "Cannot rename because /d1 is a prefix of /d1/inside",
                "/d1/inside",
                "Cannot rename because /d1 is a prefix of /d1/inside",
            ),
            (InvalidArgument, "The root directory cannot be renamed", "/x", "The root directory cannot be renamed"),
            (
                PermissionDenied,
                "Cannot delete path / which is or contains a mount point without --deleteMountPoint/-m option specified",
                "/",
                "Cannot delete the root directory",
            ),
            (
                PermissionDenied,
                "A write operation on /m/x under a readonly mount point /m is not allowed",
                "/m/x",
                "A write operation on /m/x is under a readonly mount point /m",
            ),
            (
                PermissionDenied,
                "Permission denied: user=alice, access=-w-, path=/p1/x: failed at p1, inode owner=root, inode group=root, inode mode=rwxr-xr-x",
                "/p1/x",
                "Permission denied: user=alice, access=-w-, path=/p1/x: failed at p1",
            ),
        ] {
            assert_eq!(told(kind, text, path), expected);
        }
    }
}
