//! Pure. Why a journal of the originals cannot be taken over.

/// See the module text. Each names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LegacyError {
    /// Bytes that no master wrote, or an entry that does not fit what is before it.
    #[error("{file} is damaged at byte {offset}: {reason}")]
    Damaged {
        /// Which.
        file: String,
        /// Where its record begins.
        offset: usize,
        /// What does not fit.
        reason: String,
    },
    /// A file that its writer had finished ends within a record.
    #[error("{file} was cut off: its last record begins at byte {offset} and is not whole")]
    CutOff {
        /// Which.
        file: String,
        /// Where its last record begins.
        offset: usize,
    },
    /// A finished log holds less than its name says.
    #[error("{file} was cut off: its name promises entries up to {promised}, and it ends before entry {found}")]
    Truncated {
        /// Which.
        file: String,
        /// First entry that is not promised.
        promised: i64,
        /// First entry that is not there.
        found: i64,
    },
    /// Entries are missing.
    #[error("entries {from} to {before} are missing before {file}: a file of the journal is gone")]
    Gap {
        /// The file after them.
        file: String,
        /// The first one.
        from: i64,
        /// The first one that is there.
        before: i64,
    },
    /// A checkpoint of a metastore that only the original can read.
    #[error(
        "{file} holds a RocksDB metastore ({component}), which only Alluxio itself can read. Make a portable copy: while \
         the Alluxio cluster runs, `bin/alluxio fsadmin backup <folder>` there, then give the file \
         alluxio-backup-*.gz to this command in place of the journal"
    )]
    Rocks {
        /// Which.
        file: String,
        /// Name of the part.
        component: String,
    },
    /// Something else that is no journal.
    #[error("{folder} holds no journal of Alluxio: {reason}")]
    NoJournal {
        /// As given.
        folder: String,
        /// What is missing.
        reason: String,
    },
    /// What all files say together cannot be.
    #[error("the journal {folder} does not fit together: {reason}")]
    Misfit {
        /// As given.
        folder: String,
        /// What.
        reason: String,
    },
}
