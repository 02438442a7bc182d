//! A map from ids that cannot be iterated: the order of a hash map is chance, which pure parts hold none of.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

/// A map that grows moves all that it holds. One of these parts holds little, and they do not grow at once.
const PARTS: usize = 64;

/// See the module text.
pub struct IdMap<K, V> {
    part_of: RandomState,
    parts: [HashMap<K, V>; PARTS],
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> IdMap<K, V> {
        IdMap { part_of: RandomState::new(), parts: std::array::from_fn(|_| HashMap::new()) }
    }
}

impl<K: Hash + Eq, V> IdMap<K, V> {
    /// What belongs to the id.
    pub fn get(&self, id: &K) -> Option<&V> {
        self.parts[self.part(id)].get(id)
    }

    /// Puts something in, and gives what was there for the same id.
    pub fn insert(&mut self, id: K, value: V) -> Option<V> {
        let part = self.part(&id);
        self.parts[part].insert(id, value)
    }

    /// Takes away what belongs to the id, and gives it.
    pub fn remove(&mut self, id: &K) -> Option<V> {
        let part = self.part(id);
        self.parts[part].remove(id)
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.parts.iter().map(HashMap::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn part(&self, id: &K) -> usize {
        (self.part_of.hash_one(id) % PARTS as u64) as usize
    }
}

impl<K: Hash + Eq, V> fmt::Debug for IdMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ids", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_what_was_put_in_last() {
        let mut map = IdMap::default();
        assert!((0..1000).all(|id| map.insert(id, id).is_none()));
        assert_eq!(map.insert(7, 70), Some(7));
        assert_eq!((map.get(&7), map.get(&8), map.get(&1000), map.len()), (Some(&70), Some(&8), None, 1000));
        assert!((0..1000).all(|id| map.remove(&id).is_some()));
        assert!(map.is_empty() && map.remove(&7).is_none());
    }
}
