//! How a latch node is named, and from its name alone: whose it is, and its place in the order.
//!
//! `_c_<uuid>-lock-<sequence>` is what Curator's `LeaderSelector` makes, so that its tools list us and a Java
//! cluster in the same path lines up with us instead of leading beside us. Our uuid has the shape of a random one
//! (version 4) and carries three facts:
//!
//! ```text
//! a110c105-cccc-4ccc-8ccc-iiiiiiiiiiii
//! marker   cluster (40 bits) incarnation (48 bits)
//! ```
//!
//! The marker says "a master of this project", the next 40 bits are a hash of the cluster id, the last 48 are the
//! incarnation of the process. A participant without marker and cluster is foreign: the epoch node does not fence it.

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

const MARKER: &str = "a110c105";
const HEAD: &str = "_c_";
const LOCK: &str = "lock-";
const UUID_LENGTH: usize = 36;
const INCARNATION_LENGTH: usize = 12;

/// Who contends: the cluster and the process incarnation, as the latch nodes show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    cluster: String,
    incarnation: String,
}

impl Contender {
    /// The contender of this cluster and incarnation.
    ///
    /// # Errors
    /// A text when the incarnation is not one of [`new_incarnation`].
    pub fn new(cluster_id: &str, incarnation: &str) -> Result<Contender, String> {
        let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if incarnation.len() != INCARNATION_LENGTH || !incarnation.chars().all(hexadecimal) {
            return Err(format!("incarnation {incarnation:?} is not {INCARNATION_LENGTH} hexadecimal digits"));
        }
        Ok(Contender { cluster: cluster_part(cluster_id), incarnation: incarnation.to_owned() })
    }

    /// The name of its nodes up to the sequence number, which the service adds.
    pub fn node_prefix(&self) -> String {
        format!("{HEAD}{}{}-{LOCK}", self.cluster, self.incarnation)
    }

    /// Whether the node was made by this incarnation.
    pub fn owns(&self, node: &str) -> bool {
        self.is_of_cluster(node) && uuid(node).is_some_and(|uuid| uuid.ends_with(&self.incarnation))
    }

    /// Whether the node was made by any master of this cluster.
    pub fn is_of_cluster(&self, node: &str) -> bool {
        uuid(node).is_some_and(|uuid| uuid.starts_with(&self.cluster))
    }
}

/// A new random id for a process incarnation: 12 hexadecimal digits.
pub fn new_incarnation() -> String {
    let random = Uuid::new_v4().simple().to_string();
    random[random.len() - INCARNATION_LENGTH..].to_owned()
}

/// The text by which participants are ordered: what follows the last `lock-`, as in Curator; all of a name without it.
pub(super) fn order(node: &str) -> &str {
    node.rfind(LOCK).map_or(node, |at| &node[at + LOCK.len()..])
}

/// The uuid of a node that was made the protected way.
fn uuid(node: &str) -> Option<&str> {
    let rest = node.strip_prefix(HEAD)?;
    rest.get(..UUID_LENGTH).filter(|_| rest[UUID_LENGTH..].starts_with('-'))
}

/// The uuid up to the incarnation: marker and cluster, with the fixed digits of a version 4 uuid between.
fn cluster_part(cluster_id: &str) -> String {
    let hash = xxh3_64(cluster_id.as_bytes());
    format!("{MARKER}-{:04x}-4{:03x}-8{:03x}-", hash >> 48, hash >> 36 & 0xFFF, hash >> 24 & 0xFFF)
}

#[cfg(test)]
mod tests {
    use super::{Contender, new_incarnation, order};
    use uuid::{Uuid, Variant, Version};

    #[test]
    fn our_nodes_carry_a_random_uuid_to_the_eye_of_curator() {
        let contender = Contender::new("cluster-1", "0123456789ab").expect("valid");
        let name = format!("{}0000000007", contender.node_prefix());
        let uuid = Uuid::parse_str(&name[3..39]).expect("a uuid");
        assert_eq!((uuid.get_version(), uuid.get_variant()), (Some(Version::Random), Variant::RFC4122));
        assert_eq!(&name[39..], "-lock-0000000007");
    }

    #[test]
    fn a_node_tells_its_cluster_and_incarnation() {
        let one = Contender::new("cluster-1", "0123456789ab").expect("valid");
        let same_cluster = Contender::new("cluster-1", "ba9876543210").expect("valid");
        let other_cluster = Contender::new("cluster-2", "0123456789ab").expect("valid");
        let node = format!("{}0000000007", one.node_prefix());
        assert!(one.owns(&node) && one.is_of_cluster(&node));
        assert!(!same_cluster.owns(&node) && same_cluster.is_of_cluster(&node));
        assert!(!other_cluster.owns(&node) && !other_cluster.is_of_cluster(&node));
        for foreign in ["_c_3558a678-602c-49e0-9ebe-f4d57db50bad-lock-0000000000", "x", "_c_é", "lock-0000000001"] {
            assert!(!one.is_of_cluster(foreign), "{foreign}");
        }
    }

    #[test]
    fn incarnations_differ_and_bad_ones_are_refused() {
        assert_ne!(new_incarnation(), new_incarnation());
        assert!(Contender::new("c", &new_incarnation()).is_ok());
        for bad in ["", "0123456789a", "0123456789AB", "0123456789abc", "0123456789a/"] {
            assert!(Contender::new("c", bad).is_err_and(|text| text.contains(bad)), "{bad}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_sequence_not_of_the_uuid() {
        let mut nodes = vec!["_c_ffff-lock-0000000001", "_c_0000-lock-0000000002", "_c_8888-latch-lock-0000000000"];
        nodes.sort_by_key(|node| order(node));
        assert_eq!(nodes, ["_c_8888-latch-lock-0000000000", "_c_ffff-lock-0000000001", "_c_0000-lock-0000000002"]);
    }
}
