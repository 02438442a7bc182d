//! The commands of 1.2.0: names, usage and descriptions to the letter, and which of them exist here.

/// A command that this version makes.
pub(super) enum Action {
    Leader,
    Ls,
    Mkdir,
    Mv,
    Rm,
    Touch,
}

/// How many words a command takes.
pub(super) enum Count {
    Exactly(usize),
    AtLeastOne,
}

/// A row of the table.
pub(super) struct Command {
    pub(super) name: &'static str,
    /// One letter for each option.
    pub(super) options: &'static str,
    pub(super) count: Count,
    pub(super) usage: &'static str,
    pub(super) description: &'static str,
    /// None: known to users of 1.2.0, not made yet.
    pub(super) action: Option<Action>,
}

/// Old names, and what stands for them.
pub(super) const ALIASES: [(&str, &str); 5] =
    [("chgrpr", "chgrp -R"), ("chmodr", "chmod -R"), ("chownr", "chown -R"), ("lsr", "ls -R"), ("rmr", "rm -R")];

/// All commands by name.
pub(super) const COMMANDS: &[Command] = &[
    later("cat", "cat <path>", "Prints the file's contents to the console."),
    later(
        "chgrp",
        "chgrp [-R] <group> <path>",
        "Changes the group of a file or directory specified by args. Specify -R to change the group recursively.",
    ),
    later(
        "chmod",
        "chmod [-R] <mode> <path>",
        "Changes the permission of a file or directory specified by args. Specify -R to change the permission recursively.",
    ),
    later(
        "chown",
        "chown [-R] <owner> <path>",
        "Changes the owner of a file or directory specified by args. Specify -R to change the owner recursively.",
    ),
    later(
        "copyFromLocal",
        "copyFromLocal <src> <remoteDst>",
        "Copies a file or a directory from local filesystem to Alluxio filesystem.",
    ),
    later(
        "copyToLocal",
        "copyToLocal <src> <localDst>",
        "Copies a file or a directory from the Alluxio filesystem to the local filesystem.",
    ),
    later("count", "count <path>", "Displays the number of files and directories matching the specified prefix."),
    later(
        "cp",
        "cp [-R] <src> <dst>",
        "Copies a file or a directory in the Alluxio filesystem. The -R flag is needed to copy directories.",
    ),
    later(
        "createLineage",
        "createLineage <inputFile1,...> <outputFile1,...> [<cmd_arg1> <cmd_arg2> ...]",
        "Creates a lineage.",
    ),
    later(
        "deleteLineage",
        "deleteLineage <lineageId> <cascade(true|false)>",
        "Deletes a lineage. If cascade is specified as true, dependent lineages will also be deleted.",
    ),
    later("du", "du <path>", "Displays the size of the specified file or directory."),
    later("fileInfo", "fileInfo <path>", "Displays all block info for the specified file."),
    later("free", "free <path>", "Frees the space occupied by a file or a directory in Alluxio."),
    later("getCapacityBytes", "getCapacityBytes", "Gets the capacity of the Alluxio file system."),
    later("getUsedBytes", "getUsedBytes", "Gets number of bytes used in the Alluxio file system."),
    Command {
        name: "leader",
        options: "",
        count: Count::Exactly(0),
        usage: "leader",
        description: "Prints the current leader master host name.",
        action: Some(Action::Leader),
    },
    later("listLineages", "listLineages", "Lists all lineages."),
    later("load", "load <path>", "Loads a file or directory in Alluxio space, makes it resident in memory."),
    later(
        "loadMetadata",
        "loadMetadata <path>",
        "Loads metadata for the given Alluxio path from the under file system.",
    ),
    later("location", "location <path>", "Displays the list of hosts storing the specified file."),
    Command {
        name: "ls",
        options: "Rf",
        count: Count::Exactly(1),
        usage: "ls [-R] [-f] <path>",
        description: "Displays information for all files and directories directly under the specified path. Specify -R to display files and directories recursively. Specify -f to force loading files in the directory.",
        action: Some(Action::Ls),
    },
    Command {
        name: "mkdir",
        options: "",
        count: Count::AtLeastOne,
        usage: "mkdir <path1> [path2] ... [pathn]",
        description: "Creates the specified directories, including any parent directories that are required.",
        action: Some(Action::Mkdir),
    },
    later(
        "mount",
        "mount [-readonly] [-P <properties file name>] <alluxioPath> <ufsURI>",
        "Mounts a UFS path onto an Alluxio path.",
    ),
    Command {
        name: "mv",
        options: "",
        count: Count::Exactly(2),
        usage: "mv <src> <dst>",
        description: "Renames a file or directory.",
        action: Some(Action::Mv),
    },
    later(
        "persist",
        "persist <alluxioPath1> [alluxioPath2] ... [alluxioPathn]",
        "Persists files or directories currently stored only in Alluxio to the UnderFileSystem.",
    ),
    later(
        "pin",
        "pin <path>",
        "Pins the given file or directory in memory (works recursively for directories). Pinned files are never evicted from memory, unless TTL is set.",
    ),
    later("report", "report <path>", "Reports to the master that a file is lost."),
    Command {
        name: "rm",
        options: "R",
        count: Count::Exactly(1),
        usage: "rm [-R] <path>",
        description: "Removes the specified file. Specify -R to remove file or directory recursively.",
        action: Some(Action::Rm),
    },
    later("setTtl", "setTtl <path> <time to live(in milliseconds)>", "Sets a new TTL value for the file at path."),
    later(
        "tail",
        "tail -c <number of bytes> <path>",
        "Prints the file's last n bytes (by default, 1KB) to the console.",
    ),
    Command {
        name: "touch",
        options: "",
        count: Count::Exactly(1),
        usage: "touch <path>",
        description: "Creates a 0 byte file. The file will be written to the under file system.",
        action: Some(Action::Touch),
    },
    later("unmount", "unmount <alluxioPath>", "Unmounts an Alluxio path."),
    later("unpin", "unpin <path>", "Unpins the given file or folder from memory (works recursively for a directory)."),
    later("unsetTtl", "unsetTtl <path>", "Unsets the TTL value for the given path."),
];

const fn later(name: &'static str, usage: &'static str, description: &'static str) -> Command {
    Command { name, options: "", count: Count::AtLeastOne, usage, description, action: None }
}
