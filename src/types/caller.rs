//! Who asks.

/// A user and the groups the user is in. Groups are looked up before a request reaches the driver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// The authenticated user; "" when authentication is off.
    pub user: String,
    /// Groups of the user, the first is the primary one.
    pub groups: Vec<String>,
}
