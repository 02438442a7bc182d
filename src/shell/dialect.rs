//! Pure. Whose commands and texts users see.

/// The release that `alluxio fs` speaks like (`alluxio.compatibility`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// 1.2.0.
    Of1_2,
    /// 2.9.6.
    Of2_9,
}
