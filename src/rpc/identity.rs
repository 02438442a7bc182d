//! As whom this process asks, and how it asks others who they are, by its properties.

use super::channel::Identity;
use super::handshake::{AuthenticationType, Impersonation};
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

/// Users cannot be asked who they are in this way.
#[derive(Debug, thiserror::Error)]
#[error("alluxio.security.authentication.type {0} is not available in this version; use SIMPLE or NOSASL")]
pub struct NotAvailable(pub String);

/// How a server asks its clients, and who may ask on whose behalf.
///
/// # Errors
/// The properties want a way that is not available.
pub fn of_clients(conf: &Conf) -> Result<(AuthenticationType, Impersonation), NotAvailable> {
    let kind = match conf.get(&keys::AUTHENTICATION_TYPE) {
        Authentication::NoSasl => AuthenticationType::NoSasl,
        Authentication::Simple => AuthenticationType::Simple,
        other => return Err(NotAvailable(format!("{other:?}").to_uppercase())),
    };
    let impersonation = Impersonation {
        users: conf.family(&keys::IMPERSONATION_USERS),
        groups: conf.family(&keys::IMPERSONATION_GROUPS),
    };
    Ok((kind, impersonation))
}
