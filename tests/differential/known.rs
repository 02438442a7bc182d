//! Every difference to 2.9.6 that is known, and why it is there.

use crate::call::{Answer, Call};
use crate::compare::Difference;

const NOT_FOUND: [&str; 2] = ["NOT_FOUND ", "FileDoesNotExistException "];
const DENIED: [&str; 2] = ["PERMISSION_DENIED ", "AccessControlException "];
const NO_INODE: [&str; 2] = ["INTERNAL Inode ", "AlluxioException Inode "];
const NO_PATH: [&str; 2] = ["INVALID_ARGUMENT ", "InvalidPathException "];
const EXISTS: [&str; 2] = ["ALREADY_EXISTS ", "FileAlreadyExistsException "];

/// What is to become of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be mended.
    NotYet,
    /// Meant to be, for the reason that stands beside it.
    ByDesign,
}

/// A class of differences.
pub struct Known {
    /// Short, and of its own.
    pub name: &'static str,
    /// Whether it stays.
    pub state: State,
    /// Why we differ.
    pub why: &'static str,
    /// After it the masters may hold different things, so that nothing further can be said.
    pub ends: bool,
    /// Whether a difference is of this class.
    pub fits: fn(&Difference) -> bool,
}

/// The first that fits counts.
pub const KNOWN: &[Known] = &[
    Known {
        name: "method not served",
        state: State::NotYet,
        why: "the method, or the option, is not there yet",
        ends: false,
        fits: |d| d.ours.contains("is not supported by this master yet"),
    },
    Known {
        name: "ufs fingerprint: attributes",
        state: State::NotYet,
        why: "we tell owner, group and mode that the file has here; 2.9.6 those that the UFS showed last",
        ends: false,
        fits: |d| {
            let content = |text: &str| text.split_once(" CONTENT_HASH|").map(|(_, hash)| hash.to_owned());
            d.field.ends_with(".ufsFingerprint") && content(&d.java).is_some() && content(&d.java) == content(&d.ours)
        },
    },
    Known {
        name: "ufs fingerprint: not looked at",
        state: State::NotYet,
        why: "2.9.6 looks at the UFS when a file is completed; we note what its writer tells, or the next comparison sees",
        ends: false,
        fits: |d| {
            d.field.ends_with(".ufsFingerprint") && d.java.starts_with("TYPE|FILE ") && ["", "-"].contains(&&*d.ours)
        },
    },
    Known {
        name: "xattr s3_etag: noted later",
        state: State::NotYet,
        why: "of what was written we show it whoever told it, 2.9.6 only what the writer told",
        ends: false,
        fits: |d| d.field.ends_with("xattr[s3_etag]") && d.java == "-",
    },
    Known {
        name: "ufs info of a mount that is not there",
        state: State::ByDesign,
        why: "2.9.6 tells of an internal error, a null pointer",
        ends: false,
        fits: |d| d.call.what == "GetUfsInfo" && d.java.contains("because the return value of"),
    },
    Known {
        name: "backslash in a path",
        state: State::NotYet,
        why: "AlluxioURI takes it for a slash, at the client already; we take it as it is",
        ends: true,
        fits: |d| d.call.to_string().contains("back\\"),
    },
    Known {
        name: "path with scheme and authority",
        state: State::NotYet,
        why: "2.9.6 takes alluxio://host:port/path for /path; the client sends the bare path",
        ends: true,
        fits: |d| d.call.to_string().contains("alluxio://"),
    },
    Known {
        name: "question mark in a path",
        state: State::NotYet,
        why: "AlluxioURI takes what follows for a query, and drops it, at the client already; we keep it",
        ends: true,
        fits: |d| d.call.to_string().contains("colon*?") || d.field.contains("colon*"),
    },
    Known {
        name: "path above the root",
        state: State::ByDesign,
        why: "2.9.6 tells of an internal error, a null pointer",
        ends: false,
        fits: |d| d.java.contains("because \"currPath\" is null"),
    },
    Known {
        name: "parents of a mount point",
        state: State::NotYet,
        why: "2.9.6 has the parents of a mount point persisted in the UFS, whatever they were before",
        ends: true,
        fits: |d| d.call.only_asks() && ["persisted", "persistenceState"].contains(&d.name()),
    },
    Known {
        name: "createFile: block size and replication",
        state: State::NotYet,
        why: "2.9.6 refuses a block size before it looks at the path, and takes a replication below 0",
        ends: true,
        fits: |d| {
            let size = d.java.contains("Invalid block size");
            let replication = d.ours.contains("Cannot set min and max replication")
                && d.refused(&["ok", "INTERNAL null"], &["INTERNAL "]);
            d.is("CreateFile", "createFile") && (size || replication)
        },
    },
    Known {
        name: "path above the root, of a file",
        state: State::ByDesign,
        why: "2.9.6 tells of a path `null`; we name the one that was sent",
        ends: false,
        fits: |d| d.java.ends_with("Path \"null\" is invalid.") && d.ours.ends_with(" is invalid."),
    },
    Known {
        name: "rename: both ways lead through a file",
        state: State::NotYet,
        why: "2.9.6 names the path that comes first by the alphabet, as it locks that first",
        ends: false,
        fits: |d| {
            d.is("Rename", "rename") && d.java.contains("Traversal failed") && d.ours.contains("Traversal failed")
        },
    },
    Known {
        name: "times of the parents of a mount point",
        state: State::NotYet,
        why: "2.9.6 leaves it as it is, or sets that of the folder in the UFS; the access time likewise",
        ends: true,
        fits: |d| d.call.only_asks() && ["lastModificationTimeMs", "lastAccessTimeMs"].contains(&d.name()),
    },
    Known {
        name: "block beyond the length of a file",
        state: State::NotYet,
        why: "2.9.6 tells the length that the worker told; we none, if the file was completed with a smaller one",
        ends: false,
        fits: |d| d.field.ends_with(".blockInfo.length") && d.ours == "-",
    },
    Known {
        name: "completeFile again, of a file that was loaded",
        state: State::NotYet,
        why: "the checks of its blocks come in another order",
        ends: false,
        fits: |d| {
            d.call.what == "CompleteFile"
                && d.java.contains("has a block size smaller")
                && d.refused(&NO_PATH, &NO_PATH)
        },
    },
    Known {
        name: "accessMode",
        state: State::NotYet,
        why: "2.9.6 only notes an access; we refuse who has no right to it",
        ends: false,
        fits: |d| {
            d.is("GetStatus", "getStatus")
                && d.call.to_string().contains("accessMode: ")
                && (d.refused(&["ok"], &DENIED) || d.refused(&NOT_FOUND, &DENIED))
        },
    },
    Known {
        name: "persisted again",
        state: State::NotYet,
        why: "scheduleAsyncPersistence makes a persisted file to-be-persisted at 2.9.6; we leave it as it is",
        ends: true,
        fits: |d| d.is("Free", "free") && d.java.contains("which is not persisted") && d.ours == "ok",
    },
    Known {
        name: "setAttribute, recursive: which is refused",
        state: State::NotYet,
        why: "2.9.6 asks for the right to all that is set at a path before it goes on to the next; we for all paths at once",
        ends: false,
        fits: |d| {
            d.is("SetAttribute", "setAttribute")
                && d.refused(&DENIED, &DENIED)
                && d.call.words.last().is_some_and(|options| options.contains("recursive: true"))
        },
    },
    Known {
        name: "listStatus: the right that is missing on the way",
        state: State::NotYet,
        why: "2.9.6 names the right that is asked for at the end of the path, wherever it fails",
        ends: false,
        fits: |d| {
            let bare = |text: &str| text.replace("access=r--", "").replace("access=--x", "").replace("access=r-x", "");
            d.is("ListStatus", "listStatus") && d.refused(&DENIED, &DENIED) && bare(&d.java) == bare(&d.ours)
        },
    },
    Known {
        name: "rename: mount point below",
        state: State::NotYet,
        why: "2.9.6 moves a directory with a mount point below it; we refuse",
        ends: true,
        fits: |d| d.is("Rename", "rename") && d.ours.contains("would move the mount point"),
    },
    Known {
        name: "folders of the parents of a mount point",
        state: State::NotYet,
        why: "2.9.6 has made them in the UFS, so what others write there finds them",
        ends: true,
        fits: |d| d.call.what == "local" && d.java == "ok" && d.ours.starts_with("NoSuchFileException "),
    },
    Known {
        name: "NUL in a path",
        state: State::NotYet,
        why: "2.9.6 gives an internal error, `Null byte present in file/path name`, at most calls",
        ends: true,
        fits: |d| d.call.to_string().contains("\\000"),
    },
    Known {
        name: "option left out",
        state: State::NotYet,
        why: "all clients send mode, ttl, replicationMax and loadMetadataType; without them 2.9.6 takes 0, 0, 0 and NEVER",
        ends: true,
        fits: leaves_out_an_option,
    },
    Known {
        name: "refusal of a mount",
        state: State::NotYet,
        why: "2.9.6 has the code UNKNOWN for every refusal, and the record of its steps before the reason",
        ends: false,
        fits: |d| {
            let told = |text: &str| text.split_once(' ').map(|(_, reason)| reason.to_owned()).unwrap_or_default();
            let (java, ours) = (told(&d.java), told(&d.ours));
            d.call.what == "Mount" && java.starts_with("mount command: ") && java.ends_with(&ours)
        },
    },
    Known {
        name: "refusal of a mount: order of checks",
        state: State::NotYet,
        why: "where several things speak against a mount, 2.9.6 names another one than we do",
        ends: false,
        fits: |d| d.call.what == "Mount" && d.refused(&["UNKNOWN mount command: "], &["UNKNOWN ", "INVALID_ARGUMENT "]),
    },
    Known {
        name: "properties of the root mount",
        state: State::NotYet,
        why: "the common options are not among the properties that workers are told of",
        ends: false,
        fits: |d| d.call.what == "GetUfsInfo" && d.field.starts_with("ufsInfo.properties.commonOptions."),
    },
    Known {
        name: "rights before existence",
        state: State::NotYet,
        why: "2.9.6 asks for the right to write before it looks at what is there",
        ends: false,
        fits: |d| {
            (d.is("CreateFile", "createFile") && d.refused(&DENIED, &EXISTS))
                || (d.call.what == "CompleteFile" && d.refused(&DENIED, &NOT_FOUND))
        },
    },
    Known {
        name: "table of mounts: state of the UFS",
        state: State::NotYet,
        why: "checkUfs is not read: type always told, capacity and use never",
        ends: false,
        fits: |d| {
            d.field.starts_with("mountPoints[")
                && ["].ufsType", "].ufsCapacityBytes", "].ufsUsedBytes"].iter().any(|name| d.field.ends_with(name))
        },
    },
    Known {
        name: "locations in the UFS: name of the host",
        state: State::ByDesign,
        why: "we have the name that the machine calls itself, 2.9.6 that of its address",
        ends: false,
        fits: |d| {
            (d.field.contains("].ufsLocations[") || d.field.ends_with("].ufsStringLocations"))
                && d.java != "-"
                && d.ours != "-"
        },
    },
    Known {
        name: "checkAccess: what is not there",
        state: State::ByDesign,
        why: "2.9.6 asks for the right to it at the nearest directory above before it says that it is not there",
        ends: false,
        fits: |d| d.is("CheckAccess", "checkAccess") && d.refused(&DENIED, &NOT_FOUND),
    },
    Known {
        name: "setAcl: REMOVE_ALL with entries",
        state: State::ByDesign,
        why: "2.9.6 tells of an internal error, a null pointer",
        ends: false,
        fits: |d| d.is("SetAcl", "setAcl") && d.java == "INTERNAL null",
    },
    Known {
        name: "changes look at the UFS",
        state: State::NotYet,
        why: "a change of 2.9.6 sees only what is loaded: what lies in the UFS besides is not there for it, or is found when \
              it is made anew; we load the path first, and decide with that",
        ends: true,
        fits: |d| {
            let unseen = NOT_FOUND.iter().any(|code| d.java.starts_with(code))
                || d.java.contains("Error persisting directory. A file exists at the UFS location")
                || (d.java == "ok" && d.refused(&["ok"], &[DENIED, EXISTS, NO_PATH, NO_INODE].concat()));
            d.field.is_empty() && !d.call.only_asks() && unseen
        },
    },
    Known {
        name: "loaded at another call",
        state: State::NotYet,
        why: "as changes load their path",
        ends: true,
        fits: |d| d.call.only_asks() && (d.field.ends_with("creationTimeMs") || d.field.ends_with("ileId")),
    },
    Known {
        name: "below a file that is not loaded",
        state: State::NotYet,
        why: "2.9.6 says that the path does not exist; we load the file, and say that it is no directory",
        ends: false,
        fits: |d| d.refused(&NOT_FOUND, &NO_PATH) && d.ours.contains("Traversal failed"),
    },
    Known {
        name: "delete: rights below",
        state: State::NotYet,
        why: "2.9.6 asks for the right to write at everything below that is deleted, and tells which it left there",
        ends: true,
        fits: |d| d.is("Remove", "delete") && d.java.contains("paths from the under file system"),
    },
    Known {
        name: "setAttribute: refused by the UFS",
        state: State::NotYet,
        why: "2.9.6 refuses what it cannot set at the file in the UFS, as that is gone or does not know the owner; we set it \
              in Alluxio alone",
        ends: true,
        fits: |d| {
            let refused =
                d.java.contains("Could not setOwner for UFS file") || d.java.contains("Could not setMode for UFS file");
            d.is("SetAttribute", "setAttribute")
                && d.ours == "ok"
                && (refused || d.refused(&["UNKNOWN {", "AlluxioException {", "UnknownException {"], &["ok"]))
        },
    },
    Known {
        name: "setAttribute: rights before values",
        state: State::NotYet,
        why: "2.9.6 asks for rights, and looks whether the path is there, before it refuses a value",
        ends: false,
        fits: |d| {
            let told = [
                "Cannot set the state of a file to not-persisted",
                "Only files can be persisted",
                "replication must be",
            ];
            d.is("SetAttribute", "setAttribute") && d.java != "ok" && told.iter().any(|text| d.ours.contains(text))
        },
    },
];

/// Why a call may change something else at 2.9.6, whatever is answered; after it nothing further can be said.
pub fn silent(call: &Call, java: &Answer) -> Option<&'static str> {
    let has = |option: &str| call.words.iter().any(|word| word.contains(option));
    let refused = matches!(java, Answer::Refused(..));
    // Not yet.
    if call.what == "Mount" && has("shared: true") {
        return Some("2.9.6 opens what is loaded below a mount point to all, too");
    }
    if !call.only_asks() && (has("back\\") || has("colon*?")) {
        return Some("AlluxioURI makes another path of a backslash, or a question mark");
    }
    // By design.
    let overwrites = call.what == "CreateFile" && has("overwrite: true") && refused;
    if call.what == "SetAttribute" && has("persisted: true") && refused {
        return Some("2.9.6 sets the other attributes before it refuses this one");
    }
    overwrites
        .then_some("2.9.6 deletes the old file, in the UFS too, before it refuses the new one; here the old one stays")
}

fn leaves_out_an_option(d: &Difference) -> bool {
    let request = d.call.words.last().map_or("", String::as_str);
    let lacks = |options: &[&str]| options.iter().any(|option| !request.contains(option));
    match d.call.what.as_str() {
        "CreateDirectory" => lacks(&["mode {", "ttl:"]),
        "CreateFile" => lacks(&["mode {", "ttl:", "replicationMax:", "replicationDurable:"]),
        "GetStatus" | "ListStatus" | "Exists" => lacks(&["loadMetadataType:"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::KNOWN;
    use crate::call::{Answer, Call};
    use crate::compare::differences;

    fn known(call: &Call, java: &str, ours: &str) -> Vec<Option<&'static str>> {
        let found = differences(call, &Answer::parse(java), &Answer::parse(ours));
        found.iter().map(|difference| difference.known().map(|known| known.name)).collect()
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        for (i, known) in KNOWN.iter().enumerate() {
            assert!(KNOWN[..i].iter().all(|other| other.name != known.name), "{}", known.name);
        }
    }

    #[test]
    fn what_is_not_known_is_not_taken_for_something_else() {
        let options = "loadMetadataType: ONCE commonOptions { ttl: -1 ttlAction: FREE }";
        let call = Call::new("root", "GetStatus", &[&format!("path: \"{{T}}/a\" options {{ {options} }}")]);
        let told = "ok\tfileInfo.length=1\tfileInfo.mode=493\tfileInfo.ufsFingerprint=TYPE|FILE UFS|local";
        let other = "ok\tfileInfo.length=2\tfileInfo.mode=448";
        assert_eq!(known(&call, told, other), [None, None, Some("ufs fingerprint: not looked at")]);
        assert_eq!(known(&call, told, "error\tNOT_FOUND\tPath"), [None]);
        assert_eq!(known(&call, "error\tNOT_FOUND\tPath", told), [None]);
        let create = Call::new("root", "Rename", &["path: \"{T}/a\" dstPath: \"{T}/b\""]);
        assert_eq!(known(&create, "ok", "error\tINTERNAL\tno"), [None]);
        assert_eq!(known(&create, "error\tABORTED\tno", "ok"), [None]);
    }
}
