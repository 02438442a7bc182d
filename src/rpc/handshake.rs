//! The server's side of the authentication: SASL PLAIN on a stream that stays open as long as the channel.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio_stream::Stream;
use tonic::{Status, Streaming};
use uuid::Uuid;

use super::callers::{Callers, GroupSource};
use super::registry::{Registration, Registry};
use super::status;
use crate::proto::alluxio::grpc::sasl::{ChannelAuthenticationScheme, SaslMessage, SaslMessageType};
use crate::types::{ErrorKind, FsError};

/// How long a client may take for its first message.
const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// `alluxio.security.authentication.type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticationType {
    /// Everybody is who they say.
    Simple,
    /// Nobody is asked; the user is "".
    NoSasl,
}

/// Who may ask on whose behalf: `alluxio.master.security.impersonation.<user>.users` and `….groups`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// For a connecting user: the users it may stand for; `*` is all.
    pub users: BTreeMap<String, Vec<String>>,
    /// For a connecting user: the groups whose members it may stand for; `*` is all.
    pub groups: BTreeMap<String, Vec<String>>,
}

/// Authenticates channels and tells afterwards whose a call is.
#[derive(Debug)]
pub struct Authenticator {
    kind: AuthenticationType,
    impersonation: Impersonation,
    registry: Arc<Registry>,
    callers: Callers,
}

impl Authenticator {
    /// With nobody authenticated yet; their groups come from there.
    pub fn new(kind: AuthenticationType, impersonation: Impersonation, groups: GroupSource) -> Authenticator {
        Authenticator { kind, impersonation, registry: Arc::default(), callers: Callers::new(groups) }
    }

    /// Whether channels must authenticate.
    pub fn kind(&self) -> AuthenticationType {
        self.kind
    }

    /// Whether this server has `method` of the service for authentication.
    pub fn is_asked(&self, method: &str) -> bool {
        self.kind == AuthenticationType::Simple && method == "authenticate"
    }

    /// Who is authenticated now.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The groups of users.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// The user of a call, from its `channel-id` header; "" when nobody is asked.
    ///
    /// # Errors
    /// The channel is not authenticated.
    pub fn user(&self, channel_id: Option<&[u8]>, method: &str) -> Result<Arc<str>, FsError> {
        match self.kind {
            AuthenticationType::NoSasl => Ok(Arc::from("")),
            AuthenticationType::Simple => self.registry.user(channel_id, method),
        }
    }

    /// Answers one `authenticate` call: SUCCESS at once, then silence until either side ends it.
    ///
    /// # Errors
    /// The first message does not come, is malformed, or names a user that may not.
    pub async fn authenticate(&self, mut inbound: Streaming<SaslMessage>) -> Result<OpenChannel, FsError> {
        let first = tokio::time::timeout(FIRST_MESSAGE_TIMEOUT, inbound.message()).await;
        let first = first.map_err(|_| refused("The first message of the authentication did not come in time."))?;
        let Some(first) = first.map_err(status::from_status)? else {
            return Err(refused("The authentication ended before its first message."));
        };
        let (id, user) = self.accept(&first).await?;
        let registration = self.registry.register(id, &user)?;
        // Compatible: 2.9 answers without `message`; a client would feed one to its own mechanism, which then fails.
        let success = SaslMessage { message_type: Some(SaslMessageType::Success.into()), ..Default::default() };
        Ok(OpenChannel { success: Some(success), inbound, registration: Some(registration) })
    }

    /// The channel's id and the user its calls run as.
    async fn accept(&self, first: &SaslMessage) -> Result<(Uuid, String), FsError> {
        let number = first.authentication_scheme.unwrap_or_default();
        let scheme = ChannelAuthenticationScheme::try_from(number);
        if scheme != Ok(ChannelAuthenticationScheme::Simple) {
            let name = scheme.map_or_else(|_| number.to_string(), |scheme| scheme.as_str_name().to_owned());
            return Err(refused(format!("Authentication scheme:{name} is not supported")));
        }
        let id = Uuid::try_parse(first.client_id()).map_err(|_| {
            refused(format!("Plain authentication failed: \"{}\" is no channel id (a UUID)", first.client_id()))
        })?;
        let payload = String::from_utf8_lossy(first.message());
        let (user, on_behalf_of) = parse_plain(&payload).map_err(failed)?;
        if user != on_behalf_of {
            self.check_impersonation(user, on_behalf_of).await.map_err(failed)?;
        }
        Ok((id, on_behalf_of.to_owned()))
    }

    // Compatible: 2.9 ImpersonationAuthenticator, the texts to the letter; tests/wire/handshake.rs.
    async fn check_impersonation(&self, user: &str, target: &str) -> Result<(), String> {
        const GUIDE: &str = "Please read the guide to configure impersonation at \
                             https://docs.alluxio.io/os/user/2.9/en/operation/Security.html";
        let Impersonation { users, groups } = &self.impersonation;
        let (users, groups) = (users.get(user), groups.get(user));
        let allows = |list: Option<&Vec<String>>, name: &str| {
            list.is_some_and(|list| list.iter().any(|allowed| allowed == "*" || allowed == name))
        };
        if users.is_none() && groups.is_none() {
            return Err(format!(
                "Failed to authenticate client user=\"{user}\" connecting to Alluxio server and impersonating as \
                 impersonationUser=\"{target}\" to access Alluxio file system. User \"{user}\" is not configured to \
                 allow any impersonation. {GUIDE}"
            ));
        }
        if allows(users, target) || groups.is_some_and(|groups| groups.iter().any(|group| group == "*")) {
            return Ok(());
        }
        if groups.is_some() && self.callers.get(target).await.groups.iter().any(|group| allows(groups, group)) {
            return Ok(());
        }
        Err(format!(
            "Failed to authenticate client user=\"{user}\" connecting to Alluxio master and impersonating as \
             impersonationUser=\"{target}\" to access Alluxio file system. user=\"{user}\" is not configured to \
             impersonate as impersonationUser=\"{target}\".{GUIDE}"
        ))
    }
}

/// `authzid NUL authcid NUL password` → the connecting user, and the one it stands for.
fn parse_plain(payload: &str) -> Result<(&str, &str), String> {
    let mut parts = payload.splitn(3, '\0');
    let (Some(on_behalf_of), Some(user), Some(password)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("Invalid message format, parts must contain 3 items".into());
    };
    if user.is_empty() {
        return Err("No authentication identity provided".into());
    }
    if password.is_empty() {
        return Err("No password provided".into());
    }
    Ok((user, if on_behalf_of.is_empty() { user } else { on_behalf_of }))
}

fn refused(text: impl Into<String>) -> FsError {
    FsError::new(ErrorKind::Unauthenticated, text)
}

fn failed(reason: String) -> FsError {
    refused(format!("Plain authentication failed: {reason}"))
}

/// The answers of an `authenticate` call. While it lives, the channel is authenticated.
#[derive(Debug)]
pub struct OpenChannel {
    success: Option<SaslMessage>,
    inbound: Streaming<SaslMessage>,
    registration: Option<Registration>,
}

impl Stream for OpenChannel {
    type Item = Result<SaslMessage, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(success) = self.success.take() {
            return Poll::Ready(Some(Ok(success)));
        }
        let Some(registration) = &mut self.registration else { return Poll::Ready(None) };
        let removed = Pin::new(registration.ended()).poll(cx).is_ready();
        let item = match Pin::new(&mut self.inbound).poll_next(cx) {
            _ if removed => None,
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None | Some(Err(_))) => None,
            Poll::Ready(Some(Ok(_))) => {
                Some(Err(status::to_status(refused("The channel is authenticated already; nothing more is expected."))))
            }
        };
        // Whoever sees the end of the stream must find the channel unknown.
        self.registration = None;
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use super::parse_plain;

    #[test]
    fn the_plain_mechanism_has_three_parts() {
        assert_eq!(parse_plain("\0ada\0noPassword"), Ok(("ada", "ada")));
        assert_eq!(parse_plain("ada\0ada\0noPassword"), Ok(("ada", "ada")));
        assert_eq!(parse_plain("bob\0ada\0with\0nul"), Ok(("ada", "bob")));
        assert_eq!(parse_plain("ada\0x").unwrap_err(), "Invalid message format, parts must contain 3 items");
        assert_eq!(parse_plain("ada\0\0x").unwrap_err(), "No authentication identity provided");
        assert_eq!(parse_plain("\0ada\0").unwrap_err(), "No password provided");
    }
}
