//! Who is authenticated: the server's table of channels.
//!
//! Invariant: an entry exists while its `authenticate` stream is open and not longer. Either end may close: the
//! stream that ends removes its entry ([`Registration`]), the entry that is removed ends its stream.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::types::{ErrorKind, FsError};

/// Most authenticated channels at once. A process has a handful, so this is thousands of clients.
const CHANNELS_MAX: usize = 100_000;

/// The authenticated channels of a server.
#[derive(Debug, Default)]
pub struct Registry {
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    channels: HashMap<Uuid, Channel>,
    /// The server stops: nobody is let in.
    closed: bool,
}

#[derive(Debug)]
struct Channel {
    user: Arc<str>,
    /// Whether a call came since the last purge.
    used: AtomicBool,
    /// Ends the `authenticate` stream when dropped.
    end: oneshot::Sender<()>,
}

/// The `authenticate` stream's hold on its entry.
#[derive(Debug)]
pub struct Registration {
    registry: Arc<Registry>,
    id: Uuid,
    ended: oneshot::Receiver<()>,
}

impl Registry {
    /// Enters a channel of `user`.
    ///
    /// # Errors
    /// The id is taken: then both lose it, because one of them is not who it says. Or there are too many channels, or
    /// the server stops.
    pub fn register(self: &Arc<Registry>, id: Uuid, user: &str) -> Result<Registration, FsError> {
        let mut table = self.table.write();
        if table.closed {
            return Err(FsError::new(ErrorKind::Unavailable, "This server is stopping."));
        }
        if table.channels.len() >= CHANNELS_MAX {
            let text = format!("This server holds {CHANNELS_MAX} authenticated channels and takes no more.");
            return Err(FsError::new(ErrorKind::Unavailable, text));
        }
        let (end, ended) = oneshot::channel();
        match table.channels.entry(id) {
            Entry::Occupied(taken) => {
                taken.remove();
                let text = format!("Channel: {id} already exists in authentication registry.");
                Err(FsError::new(ErrorKind::Unauthenticated, text))
            }
            Entry::Vacant(free) => {
                free.insert(Channel { user: user.into(), used: AtomicBool::new(true), end });
                Ok(Registration { registry: Arc::clone(self), id, ended })
            }
        }
    }

    /// The user of the channel that the header `channel_id` names, for the call `method` (`package.Service/Method`).
    ///
    /// # Errors
    /// No header, or no such channel.
    pub fn user(&self, channel_id: Option<&[u8]>, method: &str) -> Result<Arc<str>, FsError> {
        let refused = |text| FsError::new(ErrorKind::Unauthenticated, text);
        let Some(header) = channel_id else {
            return Err(refused(format!("Channel Id is missing for call: {method}.")));
        };
        let table = self.table.read();
        let Some(channel) = Uuid::try_parse_ascii(header).ok().and_then(|id| table.channels.get(&id)) else {
            let id = String::from_utf8_lossy(header);
            return Err(refused(format!("Channel: {id} is not authenticated for call: {method}")));
        };
        // Read first: a store by every call would pass the line from core to core.
        if !channel.used.load(Ordering::Relaxed) {
            channel.used.store(true, Ordering::Relaxed);
        }
        Ok(Arc::clone(&channel.user))
    }

    /// Removes the channels without a call since the last purge; their streams end. Returns how many.
    pub fn purge(&self) -> usize {
        let channels = &mut self.table.write().channels;
        let before = channels.len();
        channels.retain(|_, channel| channel.used.swap(false, Ordering::Relaxed));
        before - channels.len()
    }

    /// Removes all channels and takes no more; their streams end.
    pub fn close(&self) {
        *self.table.write() = Table { closed: true, channels: HashMap::new() };
    }

    /// How many channels there are.
    pub fn len(&self) -> usize {
        self.table.read().channels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Registration {
    /// Resolves when the registry has removed the entry.
    pub fn ended(&mut self) -> &mut oneshot::Receiver<()> {
        &mut self.ended
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Not blindly by id: ours may be gone, and the id in use again.
        self.ended.close();
        let mut table = self.registry.table.write();
        if let Entry::Occupied(entry) = table.channels.entry(self.id)
            && entry.get().end.is_closed()
        {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot::error::TryRecvError;
    use uuid::Uuid;

    use super::{Registration, Registry};

    const CALL: &str = "alluxio.grpc.file.FileSystemMasterClientService/GetStatus";

    fn who(registry: &Registry, id: Uuid) -> Result<Arc<str>, String> {
        registry.user(Some(id.to_string().as_bytes()), CALL).map_err(|error| error.message)
    }

    fn has_ended(registration: &mut Registration) -> bool {
        registration.ended().try_recv() == Err(TryRecvError::Closed)
    }

    #[test]
    fn a_channel_has_its_user_until_its_stream_ends() {
        let registry = Arc::new(Registry::default());
        let id = Uuid::from_u128(7);
        let registration = registry.register(id, "ada").expect("free");
        assert_eq!(who(&registry, id).as_deref(), Ok("ada"));
        drop(registration);
        let refused = format!("Channel: {id} is not authenticated for call: {CALL}");
        assert_eq!(who(&registry, id), Err(refused));
    }

    #[test]
    fn a_call_without_a_usable_header_is_refused() {
        let registry = Registry::default();
        let missing = registry.user(None, CALL).map_err(|error| error.message);
        assert_eq!(missing, Err(format!("Channel Id is missing for call: {CALL}.")));
        let odd = registry.user(Some(b"odd"), CALL).map_err(|error| error.message);
        assert_eq!(odd, Err(format!("Channel: odd is not authenticated for call: {CALL}")));
    }

    #[test]
    fn an_id_given_twice_belongs_to_nobody() {
        let registry = Arc::new(Registry::default());
        let id = Uuid::from_u128(7);
        let mut first = registry.register(id, "ada").expect("free");
        assert!(!has_ended(&mut first));
        assert!(registry.register(id, "eve").is_err());
        assert!(has_ended(&mut first));
        let _third = registry.register(id, "bob").expect("free again");
        drop(first);
        assert_eq!(who(&registry, id).as_deref(), Ok("bob"));
    }

    #[test]
    fn a_closed_registry_lets_nobody_in() {
        let registry = Arc::new(Registry::default());
        let mut open = registry.register(Uuid::from_u128(1), "ada").expect("free");
        registry.close();
        assert!(has_ended(&mut open));
        let refused = registry.register(Uuid::from_u128(2), "bob").map(|_| ()).map_err(|error| error.message);
        assert_eq!(refused, Err("This server is stopping.".into()));
    }

    #[test]
    fn a_purge_takes_the_channels_that_are_not_used() {
        let registry = Arc::new(Registry::default());
        let (idle, busy) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut idle_stream = registry.register(idle, "ada").expect("free");
        let mut busy_stream = registry.register(busy, "bob").expect("free");
        assert_eq!(registry.purge(), 0);
        assert!(who(&registry, busy).is_ok());
        assert_eq!(registry.purge(), 1);
        assert!(has_ended(&mut idle_stream) && !has_ended(&mut busy_stream));
        assert!(who(&registry, idle).is_err() && who(&registry, busy).is_ok());
    }
}
