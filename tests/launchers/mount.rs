//! `alluxio-mount.sh`: the RamFS of a worker.

use crate::installation::{Installation, Outcome, outcome};

const USAGE: &str = include_str!("../data/launchers/mount-usage.txt");

/// An installation that mounts nothing, but tells what it would. `mountpoint` says that nothing is mounted.
fn installed(environment: &str) -> Installation {
    let installed = Installation::new();
    installed.write("conf/alluxio-env.sh", environment);
    installed.tell_calls_of(&["mount", "umount", "chmod", "mkdir", "sudo"]);
    installed.executable("stand-ins/mountpoint", "#!/bin/sh\nexit 1\n");
    installed
}

fn mount(installed: &Installation, words: &str) -> Outcome {
    installed.run(&format!("bin/alluxio-mount.sh {words}"))
}

#[test]
fn the_usage_is_that_of_1_2_0() {
    let installed = installed("");
    assert_eq!(mount(&installed, ""), outcome("", USAGE, 1));
    for (words, reason) in [
        ("-h", "Invalid mount mode: -h"),
        ("NoMount", "Invalid mount mode: NoMount"),
        ("Mount somewhere", "Invalid MACHINE: somewhere"),
        ("Mount local more", "Mount local does not take: more"),
    ] {
        assert_eq!(mount(&installed, words), outcome("", &format!("Error: {reason}\n{USAGE}"), 1), "{words}");
    }
    assert_eq!(installed.read("calls"), "");
}

#[test]
fn an_empty_ramfs_is_mounted() {
    let installed = installed("ALLUXIO_WORKER_MEMORY_SIZE=64MB\nALLUXIO_RAM_FOLDER='/mnt/my disk'\n");
    let told = outcome("Formatting RamFS: /mnt/my disk (64mb)\n", "", 0);
    assert_eq!(mount(&installed, "Mount"), told);
    let steps = "mkdir -p /mnt/my disk\nmount -t ramfs -o size=64mb ramfs /mnt/my disk\nchmod a+w /mnt/my disk\n";
    assert_eq!(installed.read("calls"), steps);
    // In the place of one that is there.
    installed.executable("stand-ins/mountpoint", "#!/bin/sh\nexit 0\n");
    installed.executable("stand-ins/stat", "#!/bin/sh\necho ramfs\n");
    assert_eq!(mount(&installed, "Mount local"), told);
    assert!(installed.read("calls").ends_with(&steps.replace("mkdir -p", "umount -f")), "{}", installed.read("calls"));
    // A disk is no RamFS.
    installed.executable("stand-ins/stat", "#!/bin/sh\necho ext2/ext3\n");
    let refused = mount(&installed, "Mount");
    let reason = "ERROR: /mnt/my disk is the mount of a file system of another kind (ext2/ext3), and is left alone\n";
    assert_eq!((refused.stderr.as_str(), refused.code), (reason, 1));
}

#[test]
fn every_step_that_fails_is_told() {
    let installed = installed("ALLUXIO_WORKER_MEMORY_SIZE=64MB\nALLUXIO_RAM_FOLDER=/mnt/ram\n");
    for (command, told) in [
        ("mkdir", "ERROR: cannot make the folder /mnt/ram\n"),
        ("mount", "ERROR: mount RamFS /mnt/ram failed\n"),
        ("chmod", "ERROR: chmod a+w /mnt/ram failed\n"),
        ("umount", "ERROR: umount RamFS /mnt/ram failed\n"),
    ] {
        if command == "umount" {
            installed.executable("stand-ins/mountpoint", "#!/bin/sh\nexit 0\n");
            installed.executable("stand-ins/stat", "#!/bin/sh\necho tmpfs\n");
        }
        installed.executable(&format!("stand-ins/{command}"), "#!/bin/sh\necho 'a reason' >&2\nexit 1\n");
        let out = mount(&installed, "Mount");
        assert_eq!(out, outcome("Formatting RamFS: /mnt/ram (64mb)\n", &format!("a reason\n{told}"), 1), "{command}");
        installed.tell_calls_of(&[command]);
    }
}

#[test]
fn what_is_not_set_is_as_a_worker_has_it() {
    let installed = installed("");
    let told = "ALLUXIO_WORKER_MEMORY_SIZE was not set. Using the default one: 1GB\n\
                ALLUXIO_RAM_FOLDER was not set. Using the default one: /mnt/ramdisk\n";
    let formatting = "Formatting RamFS: /mnt/ramdisk (1gb)\n";
    assert_eq!(mount(&installed, "Mount"), outcome(&format!("{told}{formatting}"), "", 0));
    let set = installed.run("FAKE_SOURCE=SITE_PROPERTY bin/alluxio-mount.sh Mount");
    assert_eq!(set, outcome(formatting, "", 0));
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let installed = installed("ALLUXIO_RAM_FOLDER=/mnt/ram\n");
    let sized = |size: &str| installed.run(&format!("ALLUXIO_WORKER_MEMORY_SIZE='{size}' bin/alluxio-mount.sh Mount"));
    for size in ["many", "1.2.3gb", "-1", "1 GB", "1e9", "gb"] {
        let told = "Please specify ALLUXIO_WORKER_MEMORY_SIZE in a correct form.\n";
        assert_eq!(sized(size), outcome("", told, 1), "{size}");
    }
    for size in ["1048576", "1k", "0.5M", "1Mb", "1b", ".5kb"] {
        assert_eq!(sized(size), outcome(&format!("Formatting RamFS: /mnt/ram ({})\n", size.to_lowercase()), "", 0));
    }
    let large = sized("1.5TB");
    let shape: String = large.stderr.split_once(") is less").unwrap().1.to_owned();
    let told = " than requested ramdisk size(1649267441664). Please\n    reduce ALLUXIO_WORKER_MEMORY_SIZE\n";
    assert_eq!((shape.as_str(), large.code), (told, 1));
    assert!(large.stderr.starts_with("ERROR: Memory("), "{large:?}");
}

#[test]
fn who_is_not_root_mounts_by_sudo_if_that_is_asked_for() {
    let installed = installed("ALLUXIO_WORKER_MEMORY_SIZE=64MB\nALLUXIO_RAM_FOLDER=/mnt/ram\n");
    installed.executable("stand-ins/id", "#!/bin/sh\necho 1000\n");
    assert_eq!(mount(&installed, "SudoMount"), outcome("", "", 0));
    assert_eq!(installed.read("calls"), "sudo bash H/libexec/alluxio-ramfs.sh /mnt/ram 64mb\n");
    installed.executable("stand-ins/sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n");
    assert_eq!(mount(&installed, "SudoMount"), outcome("", "sudo: a password is required\n", 1));
    installed.executable("stand-ins/id", "#!/bin/sh\necho 0\n");
    assert_eq!(mount(&installed, "SudoMount"), outcome("Formatting RamFS: /mnt/ram (64mb)\n", "", 0));
}

#[test]
fn on_all_workers_it_is_mounted_by_the_same_launcher() {
    let installed = installed("ALLUXIO_WORKER_MEMORY_SIZE=64MB\nALLUXIO_RAM_FOLDER=/mnt/ram\n");
    installed.write("conf/workers", "localhost\nserver07\n");
    installed.executable("stand-ins/mkdir", "#!/bin/sh\nexec /bin/mkdir -p logs\n");
    let out = mount(&installed, "Mount workers");
    assert_eq!((out.stderr.as_str(), out.code), ("", 0), "{out:?}");
    let mut log = installed.task_log();
    log.sort();
    assert_eq!(log, ["localhost", "server07"].map(|host| format!("[{host}] Formatting RamFS: /mnt/ram (64mb)")));
}
