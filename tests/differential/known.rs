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
        name: "xattr s3_etag of a directory",
        state: State::ByDesign,
        why: "2.9.6 gives directories that it loads on the way to a file the content hash of that file",
        ends: false,
        fits: |d| d.of_folder && d.field.ends_with("xattr[s3_etag]") && d.ours == "-",
    },
    Known {
        name: "xattr s3_etag of a file that was changed here",
        state: State::NotYet,
        why: "we show it as long as the file has the time that it has in the UFS, so not when it was pinned since",
        ends: false,
        fits: |d| !d.of_folder && d.field.ends_with("xattr[s3_etag]") && d.ours == "-",
    },
    Known {
        name: "owner in the UFS where only the group is set",
        state: State::ByDesign,
        why: "2.9.6 sets the owner that Alluxio has, too, and the group where only the owner is set; we what was asked for",
        ends: true,
        fits: |d| {
            let bare = |text: &str| text.rsplitn(3, ' ').nth(2).map(str::to_owned);
            d.call.what == "local" && d.field.starts_with('{') && d.java != "-" && bare(&d.java) == bare(&d.ours)
        },
    },
    Known {
        name: "setAttribute: values before rights",
        state: State::ByDesign,
        why: "refused by both: what nobody may ask for is told before it is looked who asks, and where",
        ends: false,
        fits: |d| {
            let told = ["Cannot set the state of a file to not-persisted", "Only files can be persisted"];
            d.is("SetAttribute", "setAttribute") && d.java != "ok" && told.iter().any(|text| d.ours.contains(text))
        },
    },
    Known {
        name: "setAttribute, recursive: which is refused",
        state: State::ByDesign,
        why: "where several things below may not be changed, 2.9.6 names another one of them",
        ends: false,
        fits: |d| {
            d.is("SetAttribute", "setAttribute")
                && d.refused(&DENIED, &DENIED)
                && d.call.words.last().is_some_and(|options| options.contains("recursive: true"))
        },
    },
    Known {
        name: "parents of a mount point",
        state: State::NotYet,
        why: "2.9.6 has the parents of a mount point, and of what it loads, persisted in the UFS, whatever they were before",
        ends: true,
        fits: |d| {
            let values = (d.java.as_str(), d.ours.as_str());
            let shown = match d.name() {
                "persisted" => values == ("true", "-"),
                "persistenceState" => values == ("PERSISTED", "NOT_PERSISTED"),
                _ => false,
            };
            d.call.only_asks() && d.of_folder && shown
        },
    },
    Known {
        name: "folders of the parents of a mount point",
        state: State::NotYet,
        why: "2.9.6 has made them in the UFS, so what others write there finds them",
        ends: true,
        fits: |d| {
            let found = d.java == "ok" && d.ours.starts_with("NoSuchFileException ");
            let listed = d.java.starts_with("directory ") && d.ours == "-";
            d.call.what == "local" && (found || listed)
        },
    },
    Known {
        name: "block of a file that is being written",
        state: State::NotYet,
        why: "2.9.6 tells of a block once a worker has committed it; we of all that a client has asked for",
        ends: false,
        fits: |d| {
            let told = [".blockInfo.blockId", "].offset"].iter().any(|name| d.field.ends_with(name));
            d.field.contains("fileBlockInfos[") && told && d.java == "-"
        },
    },
    Known {
        name: "active synchronisation",
        state: State::ByDesign,
        why: "there is none: docs/compatibility.md",
        ends: true,
        fits: |d| {
            ["GetSyncPathList", "StartSync", "StopSync"].contains(&d.call.what.as_str())
                && d.ours.ends_with("is not supported by this master yet.")
        },
    },
    Known {
        name: "persisted again",
        state: State::ByDesign,
        why: "scheduleAsyncPersistence has 2.9.6 write what is in the UFS to it once more, and Free refuse it meanwhile; we leave it",
        ends: true,
        fits: |d| {
            let freed = d.is("Free", "free") && d.java.contains("which is not persisted") && d.ours == "ok";
            let shown = d.call.only_asks()
                && match d.name() {
                    "persisted" => (d.java.as_str(), d.ours.as_str()) == ("-", "true"),
                    "persistenceState" => (d.java.as_str(), d.ours.as_str()) == ("TO_BE_PERSISTED", "PERSISTED"),
                    _ => false,
                };
            let located = d.call.only_asks() && d.java == "-" && d.field.contains(".ufsLocations[");
            freed || shown || located
        },
    },
    Known {
        name: "completeFile again, of a file that was loaded",
        state: State::ByDesign,
        why: "refused by both; we do not keep the length of each of its blocks, and so name another reason",
        ends: false,
        fits: |d| {
            d.call.what == "CompleteFile"
                && d.java.contains("has a block size smaller")
                && d.refused(&NO_PATH, &NO_PATH)
        },
    },
    Known {
        name: "setAcl: what is not there",
        state: State::ByDesign,
        why: "2.9.6 says of what is not there that the user does not own it",
        ends: false,
        fits: |d| d.is("SetAcl", "setAcl") && d.java.contains("is not the owner of") && d.refused(&DENIED, &NOT_FOUND),
    },
    Known {
        name: "setAttribute: owner that the UFS does not know",
        state: State::NotYet,
        why: "a local UFS keeps its owner, with a warning in the log, where 2.9.6 refuses the change unless \
              alluxio.underfs.allow.set.owner.failure is set",
        ends: true,
        fits: |d| {
            d.is("SetAttribute", "setAttribute") && d.java.contains("Could not setOwner for UFS file") && d.ours == "ok"
        },
    },
    Known {
        name: "create: directory gone from the UFS",
        state: State::ByDesign,
        why: "2.9.6 makes nothing below a directory that is gone from the UFS since it was loaded; we make that anew",
        ends: true,
        fits: |d| {
            let creates = d.is("CreateFile", "createFile") || d.is("CreateDirectory", "createDirectory");
            creates && d.ours == "ok" && d.java.contains("Cannot create or load UFS directory")
        },
    },
    Known {
        name: "setAttribute: gone from the UFS",
        state: State::ByDesign,
        why: "2.9.6 names the path in the UFS and nothing else where only the mode is set",
        ends: false,
        fits: |d| {
            let ours =
                d.ours.contains("Could not setMode for UFS file") || d.ours.contains("Could not setOwner for UFS file");
            d.is("SetAttribute", "setAttribute")
                && ours
                && d.refused(&["UNKNOWN {", "AlluxioException {", "UnknownException {"], &DENIED)
        },
    },
    Known {
        name: "below a directory that is in Alluxio alone",
        state: State::NotYet,
        why: "what others have made in the UFS at the place of such a directory is not looked for",
        ends: true,
        fits: |d| {
            d.is("GetStatus", "getStatus") && d.of_persisted && NOT_FOUND.iter().any(|code| d.ours.starts_with(code))
        },
    },
    Known {
        name: "backslash in a path",
        state: State::ByDesign,
        why: "AlluxioURI takes it for a slash, at the Java client already; others reach files with such names here",
        ends: true,
        fits: |d| !d.call.is_of_client() && d.call.to_string().contains("back\\"),
    },
    Known {
        name: "path with scheme and authority",
        state: State::ByDesign,
        why: "2.9.6 names it as it was sent, we name the bare path; the Java client sends that one",
        ends: false,
        fits: |d| d.call.to_string().contains("alluxio://") && (d.java.contains("alluxio://") || d.call.only_asks()),
    },
    Known {
        name: "question mark in a path",
        state: State::ByDesign,
        why: "AlluxioURI takes what follows for a query, and drops it, at the Java client already; others reach files with such names \
              here",
        ends: true,
        fits: |d| !d.call.is_of_client() && d.call.to_string().contains("colon*?"),
    },
    Known {
        name: "path above the root",
        state: State::ByDesign,
        why: "2.9.6 tells of an internal error, a null pointer",
        ends: false,
        fits: |d| d.java.contains("because \"currPath\" is null"),
    },
    Known {
        name: "createFile: replication",
        state: State::ByDesign,
        why: "2.9.6 takes a number of copies below 0, and tells of an internal error, `null`, where the least is more than the most",
        ends: true,
        fits: |d| {
            d.is("CreateFile", "createFile")
                && d.ours.contains("Cannot set min and max replication")
                && (d.java == "ok" || d.java == "INTERNAL null")
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
        name: "block beyond the length of a file",
        state: State::ByDesign,
        why: "2.9.6 tells the length that the worker told; we none, if the file was completed with a smaller one",
        ends: false,
        fits: |d| d.field.ends_with(".blockInfo.length") && d.ours == "-",
    },
    Known {
        name: "accessMode",
        state: State::ByDesign,
        why: "we refuse to open a file to who may not read it; 2.9.6 only notes the access, so its modes protect no content",
        ends: false,
        fits: |d| {
            d.is("GetStatus", "getStatus")
                && d.call.to_string().contains("accessMode: ")
                && d.field.is_empty()
                && d.java == "ok"
                && DENIED.iter().any(|code| d.ours.starts_with(code))
        },
    },
    Known {
        name: "rename: mount point below",
        state: State::ByDesign,
        why: "2.9.6 moves the directory, but not the mount in its table, so nothing is found below any more; we refuse",
        ends: true,
        fits: |d| d.is("Rename", "rename") && d.ours.contains("would move the mount point"),
    },
    Known {
        name: "setAcl: REMOVE_DEFAULT of a file",
        state: State::ByDesign,
        why: "it ends a master of 2.9.6 now and then; we refuse it in its words",
        ends: true,
        fits: |d| {
            let gone = d.java.starts_with("CANCELLED ") || d.java.starts_with("UnavailableException ");
            d.is("SetAcl", "setAcl") && gone && d.ours.contains("File does not have default ACL")
        },
    },
    Known {
        name: "listStatusPartial: prefix before startAfter",
        state: State::ByDesign,
        why: "nothing that begins so comes after that: 2.9.6 tells of an invalid path, we list nothing",
        ends: false,
        fits: |d| d.call.what == "ListStatusPartial" && d.java.contains(" is invalid.") && d.ours == "ok",
    },
    Known {
        name: "NUL in a path",
        state: State::ByDesign,
        why: "refused with a reason; 2.9.6 tells of an internal error at most calls, and takes it at some",
        ends: true,
        fits: |d| {
            let told = d.ours.contains("a name cannot hold a NUL") || d.java.contains("Null byte present");
            d.call.to_string().contains("\\000") && told
        },
    },
    Known {
        name: "option left out",
        state: State::ByDesign,
        why: "all Java clients send mode, ttl and loadMetadataType; without them 2.9.6 takes mode 0, a ttl that is over at once, and \
              looks at no UFS; we take what clients have by default",
        ends: true,
        fits: leaves_out_an_option,
    },
    Known {
        name: "refusal of a mount",
        state: State::ByDesign,
        why: "2.9.6 puts the record of its steps before the reason, with all properties, secrets too, and has the code UNKNOWN \
              for all reasons",
        ends: false,
        fits: |d| {
            let told = |text: &str| text.split_once(' ').map(|(_, reason)| reason.to_owned()).unwrap_or_default();
            let (java, ours) = (told(&d.java), told(&d.ours));
            d.call.what == "Mount"
                && d.java.starts_with("UNKNOWN mount command: ")
                && d.ours != "ok"
                && java.ends_with(&ours)
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
        name: "checkAccess, listStatus: what is not there",
        state: State::ByDesign,
        why: "2.9.6 asks for the right to it at the nearest directory above, before that for the way there, and before it says \
              that it is not there",
        ends: false,
        fits: |d| {
            let asks = d.is("CheckAccess", "checkAccess") || d.is("ListStatus", "listStatus");
            let on_the_way = d.is("CheckAccess", "checkAccess") && d.ours.contains("access=--x,");
            asks && (d.refused(&DENIED, &NOT_FOUND) || (on_the_way && d.refused(&DENIED, &DENIED)))
        },
    },
    Known {
        name: "checkAccess: what is not loaded",
        state: State::ByDesign,
        why: "2.9.6 does not look at the UFS, so that what lies there is not there for it; we load it",
        ends: true,
        fits: |d| d.is("CheckAccess", "checkAccess") && d.refused(&NOT_FOUND, &[&["ok"], &DENIED[..]].concat()),
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
        state: State::ByDesign,
        why: "a change of 2.9.6 sees only what is loaded: what lies in the UFS besides is not there for it, or is found when \
              it is made anew; we load the path first, and decide with that",
        ends: true,
        fits: |d| {
            let unseen = NOT_FOUND.iter().any(|code| d.java.starts_with(code))
                || d.java.contains("Error persisting directory. A file exists at the UFS location")
                || (d.java == "ok" && d.refused(&["ok"], &[DENIED, EXISTS, NO_PATH, NO_INODE].concat()));
            let other_way = d.is("Rename", "rename") && d.refused(&DENIED, &DENIED);
            d.field.is_empty() && !d.call.only_asks() && (unseen || other_way)
        },
    },
    Known {
        name: "loaded at another call",
        state: State::ByDesign,
        why: "as changes load their path",
        ends: true,
        fits: |d| {
            let entry = d.field.starts_with("[ours only ") && d.ours == "PERSISTED";
            let counted = d.of_folder && d.name() == "length";
            let shown = d.field.ends_with("creationTimeMs") || d.field.ends_with("ileId");
            d.call.only_asks() && (entry || counted || shown)
        },
    },
    Known {
        name: "below a file that is not loaded",
        state: State::ByDesign,
        why: "2.9.6 says that the path does not exist; we load the file, and say that it is no directory",
        ends: false,
        fits: |d| d.refused(&NOT_FOUND, &NO_PATH) && d.ours.contains("Traversal failed"),
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
    if !call.is_of_client() && !call.only_asks() && (has("back\\") || has("colon*?")) {
        return Some("AlluxioURI makes another path of a backslash, or a question mark");
    }
    // By design.
    if call.what == "NeedsSync" && !refused {
        return Some(
            "this 2.9.6 has no room for what is compared (alluxio.master.ufs.path.cache.capacity), and forgets it",
        );
    }
    if matches!(java, Answer::Refused(_, text) if text.contains("paths from the under file system")) {
        return Some("2.9.6 deletes all that may be deleted before it says what may not; here all stays");
    }
    let overwrites = call.what == "CreateFile" && has("overwrite: true") && refused;
    if call.what == "SetAttribute" && has("persisted: true") && refused {
        return Some("2.9.6 sets the other attributes before it refuses this one");
    }
    overwrites
        .then_some("2.9.6 deletes the old file, in the UFS too, before it refuses the new one; here the old one stays")
}

fn leaves_out_an_option(d: &Difference) -> bool {
    let request = d.call.words.last().map_or("", String::as_str);
    let lacks = |option: &str| !request.contains(option);
    let shows = |fields: &[&str]| fields.contains(&d.name());
    match d.call.what.as_str() {
        "CreateFile" => {
            (lacks("mode {") && shows(&["mode"]))
                || (lacks("ttl:") && shows(&["ttl", "ttlAction"]))
                || (lacks("replicationMax:") && shows(&["replicationMax"]))
                || (lacks("blockSizeBytes:") && d.java.ends_with("Invalid block size 0"))
        }
        "GetStatus" | "ListStatus" | "Exists" => lacks("loadMetadataType:"),
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
