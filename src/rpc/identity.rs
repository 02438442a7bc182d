//! As whom this process asks, by its properties.

use super::channel::Identity;
use crate::conf::{Authentication, Conf, keys};

/// The operating system does not know who runs this process.
#[derive(Debug, thiserror::Error)]
#[error("user {uid} of the operating system has no name: set alluxio.security.login.username")]
pub struct NoUser {
    /// The number of the user.
    pub uid: u32,
}

/// Who asks; none when nobody is asked who they are.
///
/// # Errors
/// The user has no name.
pub fn of_process(conf: &Conf) -> Result<Option<Identity>, NoUser> {
    if matches!(conf.get(&keys::AUTHENTICATION_TYPE), Authentication::NoSasl) {
        return Ok(None);
    }
    if let Some(user) = conf.get(&keys::LOGIN_USERNAME) {
        return Ok(Some(Identity { user, on_behalf_of: None }));
    }
    let uid = nix::unistd::geteuid();
    let known = nix::unistd::User::from_uid(uid).ok().flatten();
    let user = known.map(|user| user.name).ok_or(NoUser { uid: uid.as_raw() })?;
    Ok(Some(Identity { user, on_behalf_of: None }))
}
