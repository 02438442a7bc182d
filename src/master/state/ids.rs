//! Where new ids come from.

use crate::journal::entry::Entry;
use crate::types::InodeId;

/// Containers that one entry reserves (`alluxio.master.container.id.reservation.size` of 2.9.6).
const CONTAINER_RESERVATION: i64 = 1000;

/// What has been given out and may be given out. Exact on every master: what a new id uses up follows from the entry
/// that carries it, so nothing is skipped at a takeover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdGenerators {
    /// Next container to give.
    pub(super) next_container: i64,
    /// Containers below this one are reserved in the journal.
    pub(super) reserved_containers: i64,
    /// Container and next sequence of directories; none before the first directory.
    pub(super) directories: Option<(i64, i64)>,
}

impl IdGenerators {
    /// Takes a container for a file, and adds the entry that reserves more when this was not reserved.
    ///
    /// The generators are a copy of the state's: the state's own follow when the entries are applied.
    pub fn take_file(&mut self, entries: &mut Vec<Entry>) -> InodeId {
        InodeId::of_file(self.take_container(entries))
    }

    /// Takes an id for a directory, and adds the entries that say so, before that of the directory itself.
    pub fn take_directory(&mut self, entries: &mut Vec<Entry>) -> InodeId {
        let (container, sequence) = match self.directories {
            Some((container, sequence)) if sequence < InodeId::FILE_SEQUENCE => (container, sequence),
            _ => {
                let container = self.take_container(entries);
                entries.push(Entry::InodeDirectoryIdGenerator { container, sequence: 0 });
                (container, 0)
            }
        };
        self.directories = Some((container, sequence + 1));
        entries.push(Entry::InodeDirectoryIdGenerator { container, sequence: sequence + 1 });
        InodeId::of_directory(container, sequence)
    }

    /// Gives ids from `container` on. No id of a smaller container is given.
    pub fn beginning_at(container: i64) -> IdGenerators {
        let next_container = container + 1;
        IdGenerators { next_container, reserved_containers: next_container, directories: Some((container, 0)) }
    }

    /// The entries that give an empty state these generators.
    pub fn entries(self) -> impl Iterator<Item = Entry> {
        let reserve = Entry::BlockContainerIdGenerator { next_container: self.reserved_containers };
        let directories = self.directories;
        let directories =
            directories.map(|(container, sequence)| Entry::InodeDirectoryIdGenerator { container, sequence });
        std::iter::once(reserve).chain(directories)
    }

    /// Gives ids from `container` on, and adds the entries that say so. No id of a smaller container is given any more.
    pub fn begin_at(&mut self, container: i64, entries: &mut Vec<Entry>) {
        *self = IdGenerators::beginning_at(container);
        entries.extend(self.entries());
    }

    fn take_container(&mut self, entries: &mut Vec<Entry>) -> i64 {
        let container = self.next_container;
        self.next_container += 1;
        if container >= self.reserved_containers {
            // Compatible: 2.9 reserves 1000 beyond the one that it gives, so the first entry says 1001.
            self.reserved_containers = self.next_container + CONTAINER_RESERVATION;
            entries.push(Entry::BlockContainerIdGenerator { next_container: self.reserved_containers });
        }
        container
    }

    /// Follows an entry that reserves containers.
    pub(super) fn reserve(&mut self, next_container: i64) -> Result<(), String> {
        if next_container < self.reserved_containers {
            return Err(format!("{} containers are reserved already", self.reserved_containers));
        }
        self.reserved_containers = next_container;
        Ok(())
    }

    /// Follows an entry of the directory ids.
    pub(super) fn set_directories(&mut self, container: i64, sequence: i64) -> Result<(), String> {
        if !(0..=InodeId::FILE_SEQUENCE).contains(&sequence) {
            return Err(format!("sequence {sequence} is not that of a directory"));
        }
        if self.directories.is_some_and(|(c, s)| (container, sequence) < (c, s)) {
            return Err("directory ids run backwards".into());
        }
        self.use_container(container)?;
        self.directories = Some((container, sequence));
        Ok(())
    }

    /// Follows the creation of a file with an id of this container.
    pub(super) fn use_container(&mut self, container: i64) -> Result<(), String> {
        self.check_container(container)?;
        self.next_container = self.next_container.max(container + 1);
        Ok(())
    }

    /// Whether an id of this container may be used.
    pub(super) fn check_container(&self, container: i64) -> Result<(), String> {
        if (0..self.reserved_containers).contains(&container) {
            return Ok(());
        }
        Err(format!("container {container} is not reserved"))
    }
}

#[cfg(test)]
mod tests {
    use super::IdGenerators;
    use crate::journal::entry::Entry;
    use crate::types::InodeId;

    #[test]
    fn the_first_ids_are_those_of_2_9() {
        let mut ids = IdGenerators::default();
        let mut entries = Vec::new();
        assert_eq!(ids.take_directory(&mut entries), InodeId(0));
        assert_eq!(ids.take_directory(&mut entries), InodeId(1));
        assert_eq!(ids.take_file(&mut entries), InodeId(33_554_431));
        let directories = |sequence| Entry::InodeDirectoryIdGenerator { container: 0, sequence };
        let expected =
            [Entry::BlockContainerIdGenerator { next_container: 1001 }, directories(0), directories(1), directories(2)];
        assert_eq!(entries, expected);
    }

    #[test]
    fn a_new_container_is_taken_when_directory_sequences_end() {
        let mut ids = IdGenerators {
            next_container: 1001,
            reserved_containers: 1001,
            directories: Some((7, InodeId::FILE_SEQUENCE)),
        };
        let mut entries = Vec::new();
        assert_eq!(ids.take_directory(&mut entries), InodeId::of_directory(1001, 0));
        let expected = [
            Entry::BlockContainerIdGenerator { next_container: 2002 },
            Entry::InodeDirectoryIdGenerator { container: 1001, sequence: 0 },
            Entry::InodeDirectoryIdGenerator { container: 1001, sequence: 1 },
        ];
        assert_eq!(entries, expected);
    }
}
