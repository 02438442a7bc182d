//! What administrators permit to be done with a UFS.

/// What may be done with a UFS (2.9.6 UfsMode). The numbers are journaled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub enum UfsMode {
    /// Nothing.
    NoAccess = 0,
    /// It may be read.
    ReadOnly = 1,
    /// Everything.
    #[default]
    ReadWrite = 2,
}

impl UfsMode {
    /// The mode of that number, if there is one.
    pub fn of_number(number: i32) -> Option<UfsMode> {
        [UfsMode::NoAccess, UfsMode::ReadOnly, UfsMode::ReadWrite].into_iter().find(|mode| *mode as i32 == number)
    }
}
