//! Requests with options by chance, in the text format of protobuf.

use crate::call::Call;
use crate::sequence::{Chance, quote};

/// Calls, how often of twelve times they are taken when drawn, and whether late in a sequence only: where they are not
/// served, the rest of a sequence tells little.
pub const TABLE: &[(&str, u64, bool)] = &[
    ("GetStatus", 12, false),
    ("Exists", 6, false),
    ("ListStatus", 10, false),
    ("ListStatusPartial", 6, true),
    ("CreateDirectory", 12, false),
    ("CreateFile", 12, false),
    ("CompleteFile", 10, false),
    ("GetNewBlockIdForFile", 4, false),
    ("commit", 5, false),
    ("Rename", 10, false),
    ("Remove", 8, false),
    ("SetAttribute", 12, false),
    ("Free", 6, false),
    ("ScheduleAsyncPersistence", 5, false),
    ("Mount", 6, false),
    ("Unmount", 3, false),
    ("GetMountTable", 2, false),
    ("CheckAccess", 3, false),
    ("SetAcl", 10, true),
    ("UpdateMount", 5, true),
    ("NeedsSync", 4, true),
    ("GetFilePath", 3, false),
    ("ReverseResolve", 3, false),
    ("CheckConsistency", 3, true),
    ("GetSyncPathList", 1, true),
    ("StartSync", 1, true),
    ("StopSync", 2, true),
    ("GetStateLockHolders", 1, true),
    ("UpdateUfsMode", 1, true),
    ("GetFileInfo", 3, false),
    ("GetUfsInfo", 2, false),
];

const BITS: [&str; 8] = ["NONE", "EXECUTE", "WRITE", "WRITE_EXECUTE", "READ", "READ_EXECUTE", "READ_WRITE", "ALL"];
const WRITE_TYPES: [&str; 8] =
    ["MUST_CACHE", "MUST_CACHE", "TRY_CACHE", "CACHE_THROUGH", "CACHE_THROUGH", "THROUGH", "ASYNC_THROUGH", "NONE"];
const LOADS: [&str; 5] = ["NEVER", "ONCE", "ONCE", "ONCE", "ALWAYS"];
const OWNERS: [&str; 5] = ["root", "alice", "bob", "daemon", "nobody"];
const GROUPS: [&str; 4] = ["root", "daemon", "nogroup", "staff"];

/// The request of a call.
pub fn request(chance: &mut Chance, what: &str) -> String {
    match what {
        "GetFilePath" | "GetFileInfo" => format!("fileId: {{ID:{}}}", chance.plain_path()),
        "GetUfsInfo" => format!("mountId: {}", chance.rng.pick(&["1", "0", "77"])),
        "ReverseResolve" => format!("ufsUri: {}", ufs_path(chance)),
        "GetMountTable" => chance.at_times(2, "checkUfs: false"),
        "GetSyncPathList" | "GetStateLockHolders" => String::new(),
        "NeedsSync" => format!("path: {}", chance.quoted_path()),
        "UpdateUfsMode" => format!("ufsPath: {} options {{ ufsMode: READ_WRITE }}", ufs_path(chance)),
        "Mount" => {
            let options = mount_options(chance);
            format!("alluxioPath: {} ufsPath: {} options {{{options} }}", chance.quoted_path(), ufs_path(chance))
        }
        "UpdateMount" => {
            let options = mount_options(chance);
            format!("alluxioPath: {} options {{{options} }}", chance.quoted_path())
        }
        "Unmount" => format!("alluxioPath: {}", chance.quoted_path()),
        "Rename" => {
            let target = chance.quoted_path();
            format!("path: {} dstPath: {target} options {{{} }}", chance.quoted_path(), options(chance, what))
        }
        "SetAcl" => {
            let action = chance.rng.pick(&["REPLACE", "MODIFY", "MODIFY", "REMOVE", "REMOVE_ALL", "REMOVE_DEFAULT"]);
            let entries: String = (0..chance.rng.index(3)).map(|_| acl_entry(chance)).collect();
            let recursive = chance.at_times(4, "options { recursive: true }");
            format!("path: {} action: {action}{entries}{recursive}", chance.quoted_path())
        }
        _ if chance.rng.chance(1, 60) => format!("path: {}", chance.quoted_path()),
        _ => format!("path: {} options {{{} }}", chance.quoted_path(), options(chance, what)),
    }
}

/// A call of the client's own FileSystem.
pub fn of_client(chance: &mut Chance, user: &str) -> Call {
    const METHODS: [(&str, &str); 11] = [
        ("getStatus", "GetStatus"),
        ("exists", "Exists"),
        ("listStatus", "ListStatus"),
        ("createDirectory", "CreateDirectory"),
        ("createFile", "CreateFile"),
        ("delete", "Remove"),
        ("rename", "Rename"),
        ("setAttribute", "SetAttribute"),
        ("free", "Free"),
        ("persist", "ScheduleAsyncPersistence"),
        ("unmount", "Unmount"),
    ];
    let (method, rpc) = METHODS[chance.rng.index(METHODS.len())];
    let path = chance.plain_path();
    let what = format!("fs.{method}");
    let options = match method {
        // Data would go to a worker.
        "createFile" => "writeType: MUST_CACHE".to_owned() + &mode(chance, 2),
        "unmount" => String::new(),
        _ => options(chance, rpc),
    };
    match method {
        "rename" => {
            let target = chance.plain_path();
            Call::new(user, &what, &[&path, &target, &options])
        }
        _ => Call::new(user, &what, &[&path, &options]),
    }
}

fn options(chance: &mut Chance, what: &str) -> String {
    let c = chance;
    let flag = |c: &mut Chance, of: u64, name: &str| {
        let value = c.rng.pick(&["true", "true", "true", "false"]);
        c.at_times(of, &format!("{name}: {value}"))
    };
    let own = match what {
        "GetStatus" => {
            let bits = c.rng.pick(&BITS);
            load(c) + &c.at_times(6, &format!("accessMode: {bits}")) + &flag(c, 8, "updateTimestamps")
        }
        "Exists" => load(c),
        "ListStatus" => {
            load(c) + &flag(c, 3, "recursive") + &flag(c, 10, "loadMetadataOnly") + &flag(c, 10, "excludeMountInfo")
        }
        "ListStatusPartial" => {
            let name = quote(c.rng.pick(&["a", "b", "{T}/a", "m"]));
            let recursive = flag(c, 3, "recursive");
            format!(" options {{ loadMetadataType: ONCE{recursive}{} }}", common_options(c, what))
                + &c.at_times(2, "batchSize: 2")
                + &c.at_times(3, &format!("startAfter: {name}"))
                + &c.at_times(6, "prefix: \"a\"")
        }
        "CreateDirectory" => flag(c, 2, "recursive") + &flag(c, 2, "allowExists") + &mode(c, u64::MAX) + &write_type(c),
        "CreateFile" => file_options(c),
        "CompleteFile" => {
            let length = c.rng.pick(&["0", "1", "1024", "1500", "5000", "-1"]);
            c.at_times(2, &format!("ufsLength: {length}"))
                + &c.at_times(4, "asyncPersistOptions { persistenceWaitTime: 0 }")
        }
        "Remove" => {
            flag(c, 2, "recursive")
                + &flag(c, 4, "alluxioOnly")
                + &flag(c, 3, "unchecked")
                + &flag(c, 4, "deleteMountPoint")
        }
        "Rename" => c.at_times(30, "persist: true"),
        "Free" => flag(c, 2, "recursive") + &flag(c, 3, "forced"),
        "SetAttribute" => attributes(c),
        "ScheduleAsyncPersistence" => c.at_times(3, "persistenceWaitTime: 100000"),
        "CheckAccess" => format!(" bits: {}", c.rng.pick(&BITS)),
        _ => String::new(),
    };
    let common = if what == "ListStatusPartial" { String::new() } else { common_options(c, what) };
    own + &common
}

fn common_options(c: &mut Chance, what: &str) -> String {
    let mut common = c.at_times(4, "syncIntervalMs: -1") + &c.at_times(60, "syncIntervalMs: 0");
    if common.matches("syncIntervalMs").count() > 1 {
        common = " syncIntervalMs: 0".to_owned();
    }
    // 2.9.6 gives the ttl of a question to what it loads.
    if ["GetStatus", "Exists", "ListStatus", "ListStatusPartial"].contains(&what) {
        common += " ttl: -1 ttlAction: FREE";
    }
    if what == "CreateDirectory" || what == "CreateFile" || (what == "SetAttribute" && c.rng.chance(1, 5)) {
        let ttl = c.rng.pick(&["-1", "-1", "-1", "-1", "86400000000", "90000000000", "0"]);
        let action = c.rng.pick(&["DELETE", "FREE", "DELETE_ALLUXIO"]);
        common += &format!(" ttl: {ttl} ttlAction: {action}");
    }
    if ["CreateDirectory", "CreateFile", "CompleteFile", "Remove", "Rename"].contains(&what) && c.rng.chance(1, 4) {
        let id = c.rng.range(1, 1_000_000_000);
        common += &format!(" operationId {{ mostSignificantBits: {{RUN}} leastSignificantBits: {id} }}");
    }
    if common.is_empty() { common } else { format!(" commonOptions {{{common} }}") }
}

fn file_options(c: &mut Chance) -> String {
    let size = c.rng.pick(&["1024", "1024", "1024", "1024", "1024", "1", "0", "-1"]);
    let rare = c.rng.chance(1, 6);
    let (min, max) =
        if rare { (c.rng.pick(&["1", "2", "-2"]), c.rng.pick(&["-1", "3", "1", "0"])) } else { ("0", "-1") };
    let durable = c.rng.pick(&["1", "1", "1", "2"]);
    let mut all = mode(c, 150) + &write_type(c) + &c.mostly(&format!("blockSizeBytes: {size}"));
    all += &c.at_times(2, "recursive: true");
    all += &c.at_times(4, "overwrite: true");
    all += &c.mostly(&format!("replicationMin: {min} replicationMax: {max} replicationDurable: {durable}"));
    all += &c.at_times(8, "persistenceWaitTime: -1");
    all + &c.at_times(60, "xattr { key: \"user.a\" value: \"b\" }")
}

fn attributes(c: &mut Chance) -> String {
    let (owner, group) = (c.rng.pick(&OWNERS), c.rng.pick(&GROUPS));
    let (min, max) = (c.rng.pick(&["0", "1", "2", "-2"]), c.rng.pick(&["-1", "3", "1", "0", "-2"]));
    let pinned = c.rng.pick(&["true", "true", "false"]);
    let persisted = c.rng.pick(&["true", "true", "true", "false"]);
    mode(c, 2)
        + &c.at_times(4, &format!("owner: \"{owner}\""))
        + &c.at_times(4, &format!("group: \"{group}\""))
        + &c.at_times(4, "recursive: true")
        + &c.at_times(4, &format!("pinned: {pinned}"))
        + &c.at_times(10, &format!("persisted: {persisted}"))
        + &c.at_times(8, &format!("replicationMin: {min}"))
        + &c.at_times(8, &format!("replicationMax: {max}"))
        + &c.at_times(60, "pinnedMedia: \"MEM\"")
        + &c.at_times(60, "xattr { key: \"user.a\" value: \"b\" }")
}

/// None in one of `of` cases; clients name one when they make something.
fn mode(c: &mut Chance, of: u64) -> String {
    if c.rng.chance(1, of) {
        return String::new();
    }
    let odd = c.rng.chance(1, 3);
    let [owner, group, other] = [(); 3].map(|()| if odd { c.rng.pick(&BITS) } else { "ALL" });
    format!(" mode {{ ownerBits: {owner} groupBits: {group} otherBits: {other} }}")
}

fn write_type(c: &mut Chance) -> String {
    let kind = c.rng.pick(&WRITE_TYPES);
    if c.rng.chance(4, 5) { format!(" writeType: {kind}") } else { String::new() }
}

fn load(c: &mut Chance) -> String {
    let load = c.rng.pick(&LOADS);
    c.mostly(&format!("loadMetadataType: {load}"))
}

fn mount_options(c: &mut Chance) -> String {
    c.at_times(4, "readOnly: true")
        + &c.at_times(4, "shared: true")
        + &c.at_times(4, "properties { key: \"a.b\" value: \"c\" }")
        + &c.at_times(12, "remount: true")
}

fn ufs_path(c: &mut Chance) -> String {
    let path =
        c.rng.pick(&["{O}", "{O}/x", "{O}/x", "{O}/x/y", "{O}/z", "{O}/x/f", "{O}/nope", "{U}", "{U}/u", "{O}/x/"]);
    quote(path)
}

fn acl_entry(c: &mut Chance) -> String {
    let kind = c.rng.pick(&["Owner", "NamedUser", "NamedUser", "OwningGroup", "NamedGroup", "Mask", "Other"]);
    let subject = if kind.starts_with("Named") { c.rng.pick(&["alice", "daemon"]) } else { "" };
    let actions: String =
        ["Read", "Write", "Execute"].iter().map(|a| c.at_times(2, &format!("actions: {a}"))).collect();
    let default = c.at_times(4, "isDefault: true");
    format!(" entries {{ type: {kind} subject: \"{subject}\"{actions}{default} }}")
}
