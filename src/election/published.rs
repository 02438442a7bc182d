//! The primary as ZooKeeper names it, for calls that find the primary and try again.

use async_trait::async_trait;

use super::{FindError, Finder, FinderSettings, LookupSettings, Primary};
use crate::rpc::locate::{Locate, LocateError};

/// Masters of which the leader publishes its address in ZooKeeper.
#[derive(Debug, Clone)]
pub struct Published {
    /// Where in ZooKeeper.
    lookup: LookupSettings,
    finder: Finder,
}

impl Published {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(lookup: LookupSettings) -> Result<Published, FindError> {
        let finder = Finder::new(FinderSettings::Zookeeper(lookup.clone()))?;
        Ok(Published { lookup, finder })
    }
}

#[async_trait]
impl Locate for Published {
    async fn locate(&self) -> Result<String, LocateError> {
        match self.finder.primary().await {
            Ok(Primary::At(address)) => Ok(address),
            Ok(Primary::OneOf(addresses)) => Err(LocateError::Nobody {
                asked: addresses.join(", "),
                last: String::from("ZooKeeper names several masters"),
            }),
            Err(error @ (FindError::Settings(_) | FindError::NoZookeeper)) => {
                Err(LocateError::Settings(error.to_string()))
            }
            Err(error) => Err(LocateError::Unknown(error.to_string())),
        }
    }

    fn places(&self) -> String {
        format!("ZooKeeper {}", self.lookup.address)
    }
}
