//! `createLineage`, `deleteLineage`, `listLineages`, `report`: lineage is off.

use super::Failure;

const ADVICE: &str =
    "Lineage, which was off by default in 1.2.0 and left Alluxio with 2.0, is not part of this version.";

/// What 1.2.0 says where lineage is off.
pub(super) fn is_off() -> Result<(), Failure> {
    Err(Failure::thrown("java.lang.IllegalStateException: Lineage is not enabled in the configuration.", ADVICE))
}

/// What `report` of 1.2.0 says where lineage is off.
pub(super) fn cannot_report() -> Result<(), Failure> {
    Err(Failure::thrown("java.lang.NullPointerException", ADVICE))
}
