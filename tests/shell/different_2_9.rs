//! What a master of ours does not answer as 2.9.6 did, yet or for ever.

const NOT_SERVED: &str = "the master does not serve this call";
const HIDDEN: &str = "the folder in which files are persisted is not shown";
const NO_SCHEDULER: &str = "there is no scheduler of load jobs";
const NO_COMMAND: &str = "the master does not tell the whole command";

const CATEGORIES: &str = "there is no job service to report on, and masters are";

/// Transcript, command, reason.
pub const DIFFERENT: &[(&str, &str, &str)] = &[
    ("fs-04-ls", "ls /", HIDDEN),
    ("fs-05-stat-du-count-test", "getSyncPathList", NOT_SERVED),
    ("fs-05-stat-du-count-test", "startSync /c", NOT_SERVED),
    (
        "fs-05-stat-du-count-test",
        "loadMetadata -v2 /c",
        "how many were compared is told, not how many of them were as they are",
    ),
    (
        "fs-06-perm-acl",
        "chgrp eng /c/hello.txt",
        "a group that the machine does not know is kept in Alluxio, and the local UFS left alone",
    ),
    ("fs-06-perm-acl", "chgrp -R eng /c/dir", "as above"),
    (
        "fs-06-perm-acl",
        "-Dalluxio.security.login.username=mallory cat /c/hello.txt",
        "2.9.6 shows the file to whom its mode does not let",
    ),
    (
        "fs-07-pin-free-load-persist-ttl",
        "load --local /c/ten.txt",
        "the worker of this test is on the host of the shell",
    ),
    ("fs-07-pin-free-load-persist-ttl", "load /c --submit", NO_SCHEDULER),
    ("fs-07-pin-free-load-persist-ttl", "load /c --progress", NO_SCHEDULER),
    ("fs-07-pin-free-load-persist-ttl", "load /c --progress --format JSON --verbose", NO_SCHEDULER),
    ("fs-07-pin-free-load-persist-ttl", "load /c --stop", NO_SCHEDULER),
    ("fs-07-pin-free-load-persist-ttl", "load /c --submit --verify --bandwidth 1000000", NO_SCHEDULER),
    ("fs-07-pin-free-load-persist-ttl", "distributedCp /c/dir /c/dcp", "there is no job service"),
    ("fs-08-mount", "ls /", HIDDEN),
    ("fs-08-mount", "ls -m /", HIDDEN),
    ("fs-08-mount", "mount /mnt1 /lab/data/ufs2", NO_COMMAND),
    ("fs-08-mount", "mount --readonly /mnt3 /lab/data/ufs2/d1", NO_COMMAND),
    ("fs-08-mount", "mount /nodir/mnt /lab/data/ufs2", NO_COMMAND),
    ("fs-08-mount", "mount /mnt4 /lab/data/nosuchufs", NO_COMMAND),
    ("fs-08-mount", "mount /mnt4 bogus://x/y", NO_COMMAND),
    (
        "fs-08-mount",
        "ls /mnt1",
        "a directory of the UFS is listed when it is used first, 2.9.6 has looked into this one before",
    ),
    ("fs-09-rm", "ls -R /", HIDDEN),
    ("fsadmin", "fsadmin report nosuch", CATEGORIES),
    ("fsadmin", "fsadmin report -h", CATEGORIES),
    ("fsadmin", "fsadmin report capacity -worker 127.0.2.1", CATEGORIES),
];
